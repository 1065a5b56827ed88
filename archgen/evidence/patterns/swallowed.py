"""Failures that are caught and passed over, and what a publisher or a commit does with its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Catch, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import BROAD, CLOSES, FAR, fact

_EXIT = re.compile(
    r"\b(raise|throw|return|reject|abort|exit|continue|break|fail|next\s*\(|panic|Promise\.reject|nak|nack|retry|rollback|set_exception|_finish|record|store)\b"
    r"|(?:reject|fail|invalid|skipped)\w*\.(?:add|append|push|put)\("
)


def swallowed(program: Program) -> Iterator[Fact]:
    """`error.swallowed`, `error.publish_swallowed` and `error.commit_swallowed`."""
    rounds: dict[str, set[str]] = {}
    for module, function in program.functions():
        if CLOSES.fullmatch(function.name):
            continue  # what fails while everything ends is told and left
        if module.path not in rounds:
            rounds[module.path] = _rounds(module)
        yield from _suppressed(module, function)
        if module.language == "typescript":
            yield from _floating(module, function)
        for catch in function.catches if function.name not in rounds[module.path] else ():
            yield from _caught(module, function, catch)


_SCHEDULES = re.compile(r"schedule(WithFixedDelay|AtFixedRate)?$")


def _rounds(module: Module) -> set[str]:
    """Methods that a clock calls again and again: what fails in one round, the next one comes back to."""
    if module.language != "java":
        return set()
    return {
        arg.rpartition("::")[2]
        for function in module.functions
        for call in function.calls
        if _SCHEDULES.match(call.name)
        for arg in call.args[:1]
        if "::" in arg
    }


# What a call does that changes something, where nothing but its name tells.
_CHANGES = re.compile(
    r"^_?(handle|save|create|update|delete|send|publish|charge|refund|execute|commit|apply|process|record|insert|write|"
    r"post|put|patch|post_json|put_json|transact|reserve|release|ship|pay|notify|enqueue|store|persist|dispatch)(?![a-z])",
    re.IGNORECASE,
)
_RUNS = re.compile(r"^(run|transact|transaction|submit)$")
_WITH_STACK = re.compile(r"\.exception\(|exc_info\s*=")


def _tried(function: Function, catch: Catch) -> list[Call]:
    """The calls of the try of `catch`."""
    return [c for c in function.calls if any(b is catch.tried for b in c.inside)]


def _suppressed(module: Module, function: Function) -> Iterator[Fact]:
    """`contextlib.suppress(Exception)` around a change."""
    blocks = {id(b): b for c in function.calls for b in c.within("with") if _SUPPRESS.search(b.header)}
    for block in blocks.values():
        inside = [c for c in function.calls if any(b is block for b in c.inside)]
        if any(map(_changes, inside)):
            yield fact(
                "error.swallowed",
                module,
                block.line,
                function=function.title,
                logged=False,
                types="Exception",
                writes=True,
            )


_PROMISED = re.compile(r"^(typeorm|@nestjs/typeorm|mongoose|@nestjs/mongoose|sequelize|mongodb|@mikro-orm)")
_QUEUE = re.compile(r"^(bull|bullmq|@nestjs/bull|@nestjs/bullmq|bee-queue)$")


def _floating(module: Module, function: Function) -> Iterator[Fact]:
    """Promises of changes that nobody waits for: their failure is met by nobody."""
    changes = {
        id(e.call)
        for e in function.effects
        if (e.kind == "remote" and e.write)
        or (
            e.kind == "db.write"
            and (
                words.MONGO_WRITE_NAME.match(e.call.name)
                or "prisma." in e.call.callee
                or module.uses(_PROMISED)
            )
        )
    }
    queues = module.uses(_QUEUE)
    for call in function.calls:
        queued = queues and call.name in ("add", "addBulk") and call.receiver.lower().endswith("queue")
        if not (queued or id(call) in changes) or not call.discarded or call.awaited:
            continue
        if any("=>" in arg or "function" in arg for arg in call.args) or any(call.within("catch")):
            continue  # a callback is told; what is done about a failure has none to tell
        said = {"types": "no promise", "logged": False, "writes": True}
        yield fact("error.swallowed", module, call.line, function=function.title, **said)


_SENDING = re.compile(
    r"kafka|amqp|rabbit|pika|nats|jms|sqs|sns|broker|publish|messag|produc|send|timeout|connect|\bio|network|socket|runtime|"
    r"execution|interrupted|client|boto|pub_?sub|mqtt|redis|stream|queue|transport|rpc|http|kombu|operational|\bOSError",
    re.IGNORECASE,
)
# Errors that a commit may end with; one of another sort is not its own.
_COMMITTING = re.compile(
    r"integrity|operational|dbapi|sql|database|commit|transaction|persist|data_?access|mongo|stale|deadlock|runtime|\bio|"
    r"conflict|execution|hibernate|rollback",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"publish|emit|send|notif|enqueue|queue|produce|dispatch|broadcast|push|fire|event|message|raise|forward|relay",
    re.IGNORECASE,
)
_SUPPRESS = re.compile(r"\bsuppress\(\s*(Base)?Exception\b")


def _changes(call: Call) -> bool:
    database = _RUNS.match(call.name) is not None and words.DB_RECEIVER.search(call.receiver) is not None
    return database or (_CHANGES.match(call.name) is not None and bool(call.receiver))


def _caught(module: Module, function: Function, catch: Catch) -> Iterator[Fact]:
    if catch.meant:
        return
    # a question that leads to a change somewhere (a cache is filled) is a question
    tried = [
        e
        for e in function.reach
        if any(b is catch.tried for b in e.call.inside)
        and len(e.via) < FAR
        and not (e.via and e.kind not in ("publish", "enqueue") and _ASKS.match(e.call.name))
    ]
    typed = not BROAD.match(catch.types.strip())
    silent = _silent(function, catch)
    leaves = _EXIT.search(catch.body) is not None
    logged = (
        words.LOG.search(re.sub(r"\(.*", "", catch.body.strip().split("\n")[0])) is not None
        or re.search(r"log|print|console|warn", catch.body, re.I) is not None
    )
    answers = acts(catch.body)
    kept = ("publish", "db.write") if not _FINE.search(catch.body) else ("publish",)
    again = any(
        e.kind in kept and catch.line <= e.call.line <= catch.end for e in function.reach
    ) or _put_back(module, function, catch)
    lost = not typed or _COMMITTING.search(catch.types) is not None
    if lost and not leaves and not answers and _commits(function, catch, tried):
        yield fact("error.commit_swallowed", module, catch.line, function=function.title)
        return
    # Of what only leads to a message in the end, more is lost than that.
    published = [
        e
        for e in tried
        if e.kind in ("publish", "enqueue")
        and not again
        and not _next_round(e.call)
        and not (e.late or e.call.after_commit)
        and (not e.via or _SAYS.search(e.call.name))
    ]
    if typed and not _SENDING.search(catch.types):
        published = []  # that is another call's failure
    if published and published[-1].kind == "enqueue" and acts(silent):
        published = []  # something is done about it
    if published and not (leaves and _EXIT.search(silent)):
        yield fact(
            "error.publish_swallowed",
            module,
            catch.line,
            function=function.title,
            call=published[-1].call.shown(50),
            answer=any(re.search(r"\breply\b|\back\b|reply_to", arg) for arg in published[-1].call.args),
            logged=logged,
            removed=any(
                e.kind == "db.write" and e.target in ("delete", "update") and e.call.line > catch.end
                for e in function.reach
            ),
        )
    elif (
        not typed
        and not leaves
        and not answers
        and not _WITH_STACK.search(catch.body)
        and not _comes_back(function, catch)
    ):
        yield fact(
            "error.swallowed",
            module,
            catch.line,
            function=function.title,
            logged=logged,
            types=catch.types[:40] or "everything",
            writes=not _UPKEEP.search(f"{module.path.rpartition('/')[2]} {function.title}")
            and not _ROUND.search(function.owner)
            and (
                any(
                    e.kind in ("db.write", "commit", "publish") or (e.kind == "remote" and e.write)
                    for e in tried
                    if not _ASIDE.search(e.call.text())
                )
                or any(map(_certain if logged else _changes, _tried(function, catch)))
                or any(map(_owed, _tried(function, catch)))
            ),
        )


_ROUNDS = re.compile(r"(^|\.)(define|every|schedule|cron|setInterval|AddFunc)$")


def _next_round(call: Call) -> bool:
    """Whether a clock goes through what is due, and comes back to what has failed."""
    return any(_ROUNDS.search(b.header) for b in call.within("closure")) and any(call.within("loop"))


# What failed is noted, and as if it had not.
_FINE = re.compile(r"success|succeeded|complete|done\b|\bsent\b", re.IGNORECASE)
_PUTS_BACK = re.compile(r"\.(offer|requeue|re_queue|put_back|putBack|schedule_retry|scheduleRetry)\(")
_HANDLES = re.compile(r"\b(\w*(?:[hH]andle|[eE]rror|[fF]ail)\w*)\(")


def _put_back(module: Module, function: Function, catch: Catch) -> bool:
    """Whether what could not be sent is put back for its next turn, here or in a method of the class."""
    led = set(_HANDLES.findall(catch.body))
    bodies = [f.body for f in module.functions if f.name in led and f.owner == function.owner]
    return any(_PUTS_BACK.search(text) for text in (catch.body, *bodies))


_ASKS = re.compile(
    r"_*(get|find|list|fetch|read|query|is|has|check|count|search|load|look_?up|translate|resolve)(?![a-z])"
)
# What is lost of a cache is reckoned again, and what is lost of first data is seen at once.
_UPKEEP = re.compile(r"cache|(^|[._])(populat|seed)", re.IGNORECASE)
_ROUND = re.compile(r"(Sync|Synchroni[sz]er|Scanner|Crawler|Poller)$")  # of a class: it comes round again
# What is told of who did what, or when somebody was last here, must not fail what it is told of.
_ASIDE = re.compile(r"audit|last_?(seen|used|login|active)|telemetry|analytic", re.IGNORECASE)
_TELLS = re.compile(r"[\w.]*\b_?(log\w*|console|print\w*|tracer)\b[\w.]*\(", re.IGNORECASE)


def _untold(body: str) -> str:
    """The text of a handler without the calls that only tell of it, over however many lines they go."""
    body = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', body)  # a text may hold a bracket
    while told := _TELLS.search(body):
        depth, end = 1, told.end()
        while depth and end < len(body):
            depth += {"(": 1, ")": -1}.get(body[end], 0)
            end += 1
        body = body[: told.start()] + body[end:]
    return body


def acts(body: str) -> str:
    """What is left of the text of a handler without what only tells of the failure."""
    return re.sub(r"(?m)^.*\b(log\w*|console|print\w*|_log)\b.*$|\bpass\b|[\s;{}()]", "", _untold(body))


_BARE = re.compile(r"(?m)^\s*return\s*(?:None|;)?\s*$")
_VALUE = re.compile(r"\breturn[ \t]+(?!None\b)[^\s;}]")


def _silent(function: Function, catch: Catch) -> str:
    """The text of a handler without a `return` that tells nobody: the function never returns a value."""
    return catch.body if _VALUE.search(function.body) else _BARE.sub("", catch.body)


def _certain(call: Call) -> bool:
    return _RUNS.match(call.name) is not None and words.DB_RECEIVER.search(call.receiver) is not None


# Who waits for it cannot go on without it: a code to log in with, a link to a new password.
_OWED = re.compile(
    r"(send|mail|email|sms|deliver)\w*(otp|pass_?code|pass_?word|second_?factor|2fa|verif|activat|confirm|invit|reset|magic_?link)",
    re.IGNORECASE,
)


def _owed(call: Call) -> bool:
    return _OWED.match(call.name.lstrip("_")) is not None


def _commits(function: Function, catch: Catch, tried: list[Effect]) -> bool:
    """Whether the try ends a transaction: it commits, or leaves a block that does."""
    calls = _tried(function, catch)
    if any(e.kind == "commit" and not e.via for e in tried):
        return True
    blocks = [b for c in calls for b in c.within("with") if b.end < catch.line]
    return any(re.search(r"\bwith\b[^\n]*\.begin\(", b.header) for b in blocks) and bool(calls)


def _comes_back(function: Function, catch: Catch) -> bool:
    """A failure in a loop that waits and tries again is not passed over."""
    loops = {id(b): b for c in function.calls for b in c.within("loop")}.values()
    around = [b for b in loops if b.line <= catch.line and catch.end <= b.end]
    waits = [c for c in function.calls if words.WAIT.search(c.callee)]
    return any(any(block is b for b in c.inside) for block in around for c in waits)
