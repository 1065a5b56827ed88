"""A recorded event is updated or deleted."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Function, Module
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_EVENTS = re.compile(r"^(\w*_)?(events?|event_store|event_log|journal)$")

_REPLACES = re.compile(
    r"insert\s+or\s+replace|on\s+conflict[^;]*do\s+update|on\s+duplicate\s+key\s+update", re.IGNORECASE
)


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("es.used"):
        return
    for module, function in facts.program.functions():
        for effect in function.effects:
            if (
                effect.kind == "db.write"
                and effect.target in ("update", "delete")
                and _EVENTS.match(effect.table)
            ):
                yield Hit(
                    module.path, effect.call.line, f"{function.title} {effect.target}s in {effect.table}"
                )
        yield from _overwritten(module, function)
        yield from _handed_over(module, function)


def _overwritten(module: Module, function: Function) -> Iterable[Hit]:
    """An insert that takes the place of what is there."""
    for call in function.calls:
        table = re.search(r"\(([\w.]+)[,)]", call.callee)
        if call.name == "on_conflict_do_update" and table and _EVENTS.match(table[1].rpartition(".")[2]):
            yield Hit(module.path, call.line, f"{function.title} overwrites in {table[1]}")
    for effect in function.effects:
        text = effect.call.text()
        if effect.kind == "db.write" and _EVENTS.match(effect.table) and _REPLACES.search(text):
            yield Hit(module.path, effect.call.line, f"{function.title} overwrites in {effect.table}")


def _handed_over(module: Module, function: Function) -> Iterable[Hit]:
    """A function that updates or deletes in the table that it is given, given the events."""
    params = {name.lower(): number for number, name in enumerate(function.params)}
    changed = {
        params[e.table]: e.target
        for e in function.effects
        if e.kind == "db.write" and e.target in ("update", "delete") and e.table in params
    }
    for caller in function.callers if changed else ():
        for call in caller.calls:
            for number, target in changed.items():
                given = call.args[number] if call.name == function.name and number < len(call.args) else ""
                if _EVENTS.match(given.rpartition(".")[2]):
                    yield Hit(caller.file, call.line, f"{caller.title} {target}s in {given}")


RULE = Rule(
    id="EVS-004",
    item="event_sourcing",
    kind="defect",
    severity=Severity.ERROR,
    title="Event changed or deleted",
    why="The past that others acted on is gone, and no replay gives the state that was.",
    remedy="Append a correcting event.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {
            "a.py": """
                from sqlalchemy import delete
                def prune(conn):
                    conn.execute(delete(events))
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) {
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1, $2)', [event, expectedVersion + 1]);
                  }
                  async prune(pool) {
                    // await pool.query('delete from events');
                    await pool.query('delete from drafts');
                  }
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from sqlalchemy import insert, select, delete
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new, expected_version):
                        conn.execute(insert(events), new)
                    def prune(self, conn):
                        conn.execute(delete(events))  # <-
                def f(store: Store, conn):
                    return store.load(conn)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) {
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1, $2)', [event, expectedVersion + 1]);
                  }
                  async prune(pool) {
                    await pool.query('delete from events'); // <-
                  }
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
