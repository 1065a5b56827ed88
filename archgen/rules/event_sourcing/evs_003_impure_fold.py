"""The function that folds an event into the state asks the clock, chance or the world."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Call, Function, Module
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_FOLD = re.compile(r"^_?(apply|evolve|when|mutate|fold|on_[a-z_]+|apply_[a-z_]+)$")
_IMPURE = re.compile(
    r"\.(read_text|read_bytes|urlopen)$|^(open|input|urlopen|os\.getenv|os\.environ\.get)$|"
    r"(datetime|date)\.(now|utcnow|today)$|^time\.time$|^random\.|uuid4$|Date\.now$|Math\.random$|time\.Now$|Instant\.now$"
)

_TAKES_MESSAGES = {"msg", "message", "delivery", "body", "channel", "ch", "request", "properties", "payload"}


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("es.used"):
        return
    for module, function in facts.program.functions():
        if not _FOLD.match(function.name) or any(e.kind in ("ack", "consume") for e in function.effects):
            continue
        messages = _TAKES_MESSAGES.intersection(function.params)
        if messages and (function.name.startswith("on_") or len({*function.params} - {"self"}) > 2):
            continue  # it handles what a broker brings: a fold takes a state and an event, and nothing else
        for call in _calls(module, function):
            if _IMPURE.search(call.callee):
                yield Hit(
                    module.path,
                    call.line,
                    f"{function.title} calls {call.shown(40)} while folding an event",
                )
        for effect in function.effects:
            if effect.kind in ("remote", "db.read", "db.write", "publish"):
                yield Hit(module.path, effect.call.line, f"{function.title} does I/O while folding an event")


def _calls(module: Module, function: Function) -> list[Call]:
    """All calls of the function, and of those of its file that it calls."""
    waiting, seen, found = [function], {id(function)}, list[Call]()
    while waiting:
        now = waiting.pop()
        found += now.calls
        names = {call.callee.rpartition("self.")[2] for call in now.calls}
        for other in module.functions:
            if other.name in names and id(other) not in seen and other.owner in ("", now.owner):
                seen.add(id(other))
                waiting.append(other)
    return found


RULE = Rule(
    id="EVS-003",
    item="event_sourcing",
    kind="defect",
    severity=Severity.ERROR,
    title="Clock, chance or I/O while folding events",
    why="A replay gives another state than the one that was decided on, and no two replays agree.",
    remedy="Put what it needs into the event when it is made.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {  # a view is projected: it takes a store and the message besides
            "events.py": """
                from sqlalchemy import insert, select
                def evolve(state, event):
                    return state
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new, expected_version):
                        conn.execute(insert(events), new)
                def f(store: Store, conn):
                    return store.load(conn)
                class View:
                    def apply(self, views: ViewStore, message, event):
                        row = views.load(message.subject)
                        views.save(message.subject, self.project(row, event))
            """,
        }),
        Sample("python", {  # rows of a table, of which each is looked at
            "a.py": """
                import pandas
                def parse(path):
                    rows = pandas.read_csv(path)
                    for row in rows:
                        row = row.apply(name)
                    return rows
                def load(path):
                    return parse(path)
                def name(value):
                    return value.strip()
            """,
            "b.py": """
                import uuid
                def log(conn, what):
                    conn.execute("INSERT INTO auth_events (id) VALUES (%s)", what)
                def apply_import(state, event):
                    return {**state, "id": uuid.uuid4()}
            """,
        }),
        Sample("python", {
            "a.py": """
                from sqlalchemy import insert, select
                def evolve(state, event):
                    return state.at(event.time)
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new, expected_version):
                        conn.execute(insert(events), new)
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
                from datetime import datetime
                from sqlalchemy import insert, select
                def evolve(state, event):
                    return state.at(datetime.now())  # <-
                class Store:
                    def load(self, conn):
                        state = None
                        for row in conn.execute(select(events)):
                            state = evolve(state, row)
                        return state
                    def keep(self, conn, new, expected_version):
                        conn.execute(insert(events), new)
                def f(store: Store, conn):
                    return store.load(conn)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: Date.now() }; // <-
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
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
