"""Job queues that a project keeps in a table of its own: rows are added, claimed, done and tried again.

What the table and the functions are called does not matter. There must be all of it: somebody adds rows;
somebody claims them, so that no two workers hold one row; claimed rows end or are tried again; and a loop
or a schedule brings the claiming about. A table whose rows are published to a broker is an outbox.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import fact, line_in

_ADDS = re.compile(
    r"^(insert( or \w+)?|insert\w*|save|add|create|persist|append|enqueue|put_?item)$", re.IGNORECASE
)
_CLAIMS = re.compile(
    r"skip[ _]?locked|pessimistic_?write|for[ _]?update|"
    r"\b\w*lease\w*|locked_?(by|at|until)|claim|reserved?_?(by|at|until)|picked_?(by|at)?\b|"
    r"\btoken\b|worker_?id|heartbeat|held_?(by|until)|visible_?at|processing_?(by|since)",
    re.IGNORECASE,
)
_DUE = re.compile(
    r"\bdue|run_?at|available_?at|schedul|next_?(run|attempt|retry|try)|not_?before|execute_?at|execution_?time|"
    r"\b(ready|pending|waiting|queued|enqueued|available)\b",
    re.IGNORECASE,
)
_TRIES = re.compile(r"attempts?\b|\bretries\b|retry_?count|max_?retries|\btries\b|failures\b", re.IGNORECASE)
_LIMIT = re.compile(
    r"(attempts?|retries|tries|retry_?count|failures)\b[\w.\[\]()]*\s*(<|>|<=|>=|==)|"
    r"(<|>)=?\s*[\w.\[\]]*(attempts|retries|max)|max_?(attempts|retries|tries)",
    re.IGNORECASE,
)
_FOR_EVER = re.compile(
    r"\bwhile\b|setTimeout\(\s*[\w.]*(next|poll|tick|loop|run)\w*|"
    r"\bfor\s*\{|\bfor\s*\(\s*;|setInterval|NewTicker|time\.Tick\b|scheduleWithFixedDelay|"
    r"scheduleAtFixedRate|run_forever|@Scheduled|@Cron|@Interval|AddFunc\(",
    re.IGNORECASE,
)
_DEPTH = 4
_FAILS = re.compile(r"(^|_)(fail|retry|reschedule|error)|[a-z](Fail|Retry|Reschedule|Error)")
_ENDS = re.compile(r"(^|_)(finish|complete|done|succeed)|[a-z](Finish|Complete|Done|Succeed)")
_WORKS = re.compile(r"^_*(do|run|handle|process|perform|execute|work|invoke|dispatch)(_|[A-Z]|$)")
_SPENT = re.compile(
    r"(attempts?|retries|tries|retry_?count|failures)\b[\w.\[\]()]*\s*(>=?|==)", re.IGNORECASE
)
_PAUSES = re.compile(
    r"backoff|[\w)\]]\s*\*\*|<<|\bpow\b|delay|pause|\bwait\w*\(|sleep|interval|retry_?(in|after|at)\b|timedelta|Duration|exponent|"
    r"[+*]\s*\d",
    re.IGNORECASE,
)
_RUNS = re.compile(r"^(execute|exec|Exec|ExecContext|query|save|update|updateOne|scalars?)$")
_DOCSTRING = re.compile(r":\s*\n\s*[rf]*(\"\"\"|\'\'\').*?\1", re.DOTALL)
Use = tuple[Module, Function, Effect]


def job_tables(program: Program, facts: Facts) -> Iterator[Fact]:
    """`job.worker` and `job.enqueue` with `by` table, `attempts` where tries are counted and end."""
    relayed = {str(f["table"]) for f in facts.of("outbox.relay")}
    touched: dict[str, list[Use]] = defaultdict(list)
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind in ("db.write", "db.read") and effect.table:
                touched[effect.table.removesuffix("repository")].append((module, function, effect))
    for table, uses in touched.items():
        if any(table.rstrip("s") == name or table == name for name in relayed):
            continue
        adds = [(m, f, e) for m, f, e in uses if e.kind == "db.write" and _ADDS.match(e.target)]
        claims = [use for use in uses if _claims(*use)]
        if not adds or not claims or _reaches_broker([f for _, f, _ in claims]):
            continue
        module, function, effect = claims[0]
        ends = [
            f for _, f, e in uses if e.kind == "db.write" and e is not effect and not _ADDS.match(e.target)
        ]
        if not ends or not _goes_round(program, function):
            continue
        counted = [f for _, f, _ in uses if _TRIES.search(f.body)]
        # what the rows are in the code may count for itself: `Job.fail` for a table of `JobRecord`
        own = [f for _, f in program.functions() if len(f.owner) > 2 and table.startswith(f.owner.lower())]
        counted += [f for f in own if _LIMIT.search(f.body)]
        yield fact(
            "job.worker", module, effect.call.line, what=f"rows of {table} are claimed by {function.title}",
            by="table", attempts=bool(counted), function=function.title,
            limited=not counted or any(True for _ in _limits(program, counted)) or _ends_failed(uses),
        )  # fmt: skip
        home, adder, added = adds[0]
        yield fact(
            "job.enqueue", home, added.call.line, what=f"a row of {table} in {adder.title}", by="table",
            attempts=bool(counted),
        )  # fmt: skip
        yield from _lost(uses)
        yield from _hasty(program, uses)
        yield from _done_first(program, uses)
        for owner, limited in _limits(program, counted):
            yield fact(
                "attempts", owner, line_in(limited, _LIMIT), what="attempts are counted and end",
                function=limited.title,
            )  # fmt: skip
            break


_FAILED = re.compile(r"\b(state|status)\s*=\s*[\"']?[\w.]*(FAILED|failed|Failed|DEAD|dead)\b")


def _ends_failed(uses: list[Use]) -> bool:
    """Whether a job that failed stays as one that has, which nobody claims."""
    return any(e.kind == "db.write" and _FAILS.search(f.name) and _FAILED.search(f.body) for _, f, e in uses)


def _lost(uses: list[Use]) -> Iterator[Fact]:
    """`job.lost`: what has no attempts left is deleted, and nobody will know that it ever was."""
    for module, function, effect in uses:
        if effect.target != "delete":
            continue
        for block in effect.call.within("branch"):
            # the condition, or what its names were given
            said = [block.header]
            for name in re.findall(r"[A-Za-z_]\w*", block.header):
                said += re.findall(rf"^\s*{name}\s*=(?!=)\s*(.+)", function.body, re.MULTILINE)
            if any(_SPENT.search(text) for text in said):
                yield fact("job.lost", module, effect.call.line, function=function.title)
                return


def _hasty(program: Program, uses: list[Use]) -> Iterator[Fact]:
    """`job.hasty`: a failed job is put back, and neither who does so nor who asks for it knows a pause."""
    for module, function, effect in uses:
        if effect.kind != "db.write" or effect.target == "delete" or not _FAILS.search(function.name):
            continue
        around = [function, *(c for c in function.callers if not program.modules[c.file].test)]
        if not any(_PAUSES.search(_DOCSTRING.sub(":", one.body)) for one in around):
            yield fact("job.hasty", module, effect.call.line, function=function.title)
            return


def _done_first(program: Program, uses: list[Use]) -> Iterator[Fact]:
    """`ack_early`: a job is noted as done, in a transaction of its own, and worked on only then."""
    homes = {module.path: module for module, _, _ in uses}
    ends = [
        f
        for module in homes.values()
        for f in module.functions
        if _ENDS.search(f.name) and any(_RUNS.match(c.name) for c in f.calls)
    ]
    for end in ends:
        for caller in end.callers:
            module = program.modules[caller.file]
            noted = next((c for c in caller.calls if c.name == end.name), None)
            if module.test or noted is None or set(noted.args[:1]) & set(caller.params):
                continue  # in the transaction of whoever calls, which the work is a part of
            given = {arg for arg in noted.args if arg.isidentifier() and arg in caller.params}
            for call in caller.calls:
                if call.line > noted.line and _WORKS.match(call.name) and given & set(call.args):
                    why = "a job before it is worked on"
                    yield fact("ack_early", module, noted.line, function=caller.title, why=why)
                    return


def _claims(module: Module, function: Function, effect: Effect) -> bool:
    """A row that is due is marked as held by the one who asks, in the function that looks for it."""
    takes = effect.kind == "db.write" and effect.target in ("update", "findOneAndUpdate", "save", "with")
    locks = re.search(r"skip[ _]?locked", function.body, re.IGNORECASE) is not None
    if not takes and not locks:
        return False
    around = "\n".join(f.body for f in module.functions if f.name and f.owner == function.owner)
    return (
        _CLAIMS.search(function.body) is not None
        and (_DUE.search(function.body) is not None or _DUE.search(around) is not None)
        and (locks or re.search(r"\blimit\b|\bfirst\b|\border", function.body, re.IGNORECASE) is not None)
    )


def _reaches_broker(functions: list[Function]) -> bool:
    """Rows that are claimed only to be published are on their way to a broker."""
    seen, now = set(map(id, functions)), list(functions)
    for _ in range(2):
        if any(e.kind == "publish" and len(e.via) < 3 for f in now for e in f.reach):
            return True
        now = [c for f in now for c in f.callers if id(c) not in seen]
        seen |= set(map(id, now))
    return False


def _goes_round(program: Program, function: Function) -> bool:
    """Whether something that comes round again leads to `function`: a loop, a ticker, a schedule."""
    seen, now = {id(function)}, [function]
    for _ in range(_DEPTH):
        for one in now:
            module = program.modules[one.file]
            neighbours = [f for f in module.functions if f.owner == one.owner]
            if any(_FOR_EVER.search(f.body) or any(_FOR_EVER.search(m) for m in f.marks) for f in neighbours):
                return True
        now = [c for f in now for c in f.callers if id(c) not in seen]
        seen |= set(map(id, now))
    return False


def _limits(program: Program, counted: list[Function]) -> Iterator[tuple[Module, Function]]:
    """Functions near those that count tries, themselves or their callers', that compare the count."""
    for function in [*counted, *(c for f in counted for c in f.callers)]:
        if _LIMIT.search(function.body) and not program.modules[function.file].test:
            yield program.modules[function.file], function
