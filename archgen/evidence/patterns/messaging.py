"""Brokers, consumers, schedules, dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Class, Program
from archgen.evidence.code.streams import bound, hearers
from archgen.evidence.facts import Fact, Facts, Strength
from archgen.evidence.patterns.common import calls, fact, imports, marks
from archgen.evidence.patterns.jobs import ATTEMPT, TRIED_ONCE, WORKER_IMPORT

_STREAM_IN = re.compile(
    r"spring\.cloud\.stream\.bindings\.[\w-]+-in-\d+\.destination$|mp\.messaging\.incoming\.[\w-]+\.connector$"
)
_STREAM_OUT = re.compile(
    r"spring\.cloud\.stream\.bindings\.[\w-]+-out-\d+\.destination$|mp\.messaging\.outgoing\.[\w-]+\.connector$"
)
_LISTENER_BASE = re.compile(
    r"^(MessageListener(Concurrently|Orderly)?|RocketMQListener|DefaultConsumer|ChannelAwareMessageListener|Consumer|MessageHandler)\b|ConsumerGroupHandler"
)
_DEAD_MARK = re.compile(r"@(?:\w+\.)*(RetryableTopic|DltHandler)\b")
_DEAD_SETTING = re.compile(
    r"(enable|autobind|auto-bind|republish-?to)-?dlq$|dead-?letter|dlq-?name", re.IGNORECASE
)
_ATTEMPT_SETTING = re.compile(
    r"(listener|consumer)[\w.-]*(max-?attempts|retry\.enabled|max-?deliver\w*)$|max-?receive-?count|jobrunr[\w.-]*retries",
    re.IGNORECASE,
)
_SCHEDULED = re.compile(
    r"@(?:\w+\.)*(XxlJob|ElasticJob\w*|Scheduled|Schedules|Cron|Interval|repeat_every|crontab)\b"
)
_BEAN = re.compile(
    r"@(Component|Service|Repository|Configuration|Controller|RestController|Singleton|Named|ApplicationScoped|Prototype|Stateless|Bean|SpringBootApplication|Injectable|EnableScheduling)\b"
)
_CRON_IMPORT = re.compile(
    r"robfig/cron|go-co-op/gocron|jasonlvhit/gocron|node-cron|node-schedule|^cron$|apscheduler|^schedule$"
)
_CRON_CALL = re.compile(r"^(AddFunc|AddJob|NewJob|Every|Cron|schedule|scheduleJob|add_job)$")
_CRON_ORIGIN = re.compile(r"^(node-cron|node-schedule|cron)\.(schedule|scheduleJob|CronJob)$")
_RETRIES = re.compile(r"\bretries\s*=\s*[1-9]|retry", re.IGNORECASE)
_ASIDE = re.compile(
    r"^(send|publish|put|add|save|insert|write|move|park|store|append|create)(?!(?-i:[a-z]))\w*$",
    re.IGNORECASE,
)
_DEAD = re.compile(r"dead[-_ ]?letter|\bdlq\b|\bdlx\b|(?<![a-z])dlt\b|DeadLetter|_dlq|\.dlq", re.IGNORECASE)


def consumers(program: Program) -> Iterator[Fact]:
    """`consumer`: a handler of messages is set up. `publisher`: a message is sent. `ack`, `reject`."""
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind == "consume":
                yield fact(
                    "consumer",
                    module,
                    effect.call.line,
                    what=effect.call.shown(60),
                    function=function.title,
                    own=words.STORE_SUBSCRIPTION.search(effect.call.name) is not None,
                )
            elif effect.kind in ("publish", "outbox"):
                yield fact(
                    "publisher",
                    module,
                    effect.call.line,
                    what=effect.call.shown(60),
                    function=function.title,
                    outbox=effect.kind == "outbox",
                )
    direct = _direct(program)
    for module, item, mark, line in marks(program):
        if direct and re.search(r"@(Message|Event)Pattern\b", mark):
            continue
        if words.CONSUME_MARK.search(mark) and any(
            words.BROKER_WORD.search(i.module)
            or WORKER_IMPORT.search(i.module)
            or re.search(r"microservices|messaging|faststream|axon|nameko", i.module)
            for i in module.imports
        ):
            yield fact("consumer", module, line, what=mark[:60], function=item.name)
        if isinstance(item, Class):
            continue
        if _DEAD_MARK.search(mark):
            yield fact("dead_letters", module, line, what=mark[:60])


def listeners(program: Program) -> Iterator[Fact]:
    """`consumer`: classes that a broker's client hands its messages to."""
    for module, one in program.classes():
        base = next((b for b in one.bases if _LISTENER_BASE.search(b)), "")
        if base and imports(module, words.BROKER_IMPORT):
            yield fact(
                "consumer", module, one.line, what=f"{one.name} implements {base}"[:60], function=one.name
            )
    for module, function in program.functions():
        if module.language == "go" and function.name == "ConsumeClaim":
            yield fact("consumer", module, function.line, what=function.title, function=function.title)
        for call in function.calls if module.language == "java" else ():
            if call.name == "addMessageListener" and len(call.args) > 1:
                yield fact("consumer", module, call.line, what=call.shown(60), function=function.title)


def functions(program: Program, facts: Facts) -> Iterator[Fact]:
    """`consumer`: functions that Spring Cloud Stream binds to a topic."""
    for module, function in hearers(program, bound(facts)):
        if module.live:
            yield fact("consumer", module, function.line, what=function.title, function=function.name)


def schedules(program: Program) -> Iterator[Fact]:
    """`job.schedule`: work that comes round by the clock inside a process, of a class that is put to use."""
    made = {
        call.name.removeprefix("new")
        for _, _, call in calls(program)
        if call.name[:3] == "new" or call.name[:1].isupper()
    }
    for module, item, mark, line in marks(program):
        if not _SCHEDULED.search(mark):
            continue
        if isinstance(item, Class):
            if "ElasticJob" in mark:
                yield fact("job.schedule", module, line, what=mark[:60], function=item.name)
            continue
        owner = next((c for c in module.classes if c.name == item.owner), None)
        if (
            owner is None
            or module.language != "java"
            or _BEAN.search(" ".join(owner.marks))
            or owner.name in made
        ):
            yield fact("job.schedule", module, line, what=mark[:60], function=item.title)
    for module, function, call in calls(program):
        if (_CRON_CALL.match(call.name) and imports(module, _CRON_IMPORT)) or _CRON_ORIGIN.search(
            origin_of(call, module, function)
        ):
            yield fact("job.schedule", module, call.line, what=call.shown(60), function=function.title)


def _direct(program: Program) -> bool:
    """Whether Nest's microservices speak to each other without a broker between, or to nobody: what waits for
    messages hears none where no transport is connected.
    """
    names = {call.name for _, _, call in calls(program)} | {c.callee for _, _, c in calls(program)}
    if "NestFactory.create" in names and not names & {"connectMicroservice", "createMicroservice"}:
        return True
    ways = {
        call.keywords[key]
        for _, _, call in calls(program)
        for key in ("transport",)
        if "Transport." in call.keywords.get(key, "")
    }
    return bool(ways) and all(re.search(r"\.(TCP|GRPC)\b", way) for way in ways)


def dead_letters(program: Program) -> Iterator[Fact]:
    """`dead_letters`: messages that cannot be handled are put aside. `attempts`: deliveries are
    counted or limited.
    """
    for module, function in program.functions():
        for call in function.calls:
            keys = " ".join([*call.keywords, *call.keywords.values(), *call.args])[:2000]
            aside = _ASIDE.match(call.name) and _DEAD.search(call.callee[-60:])
            if _DEAD.search(call.name) or (aside and not words.LOG.search(call.callee)):
                if not re.search(r"(inc|labels|Inc|observe|set|counter)$|metrics", call.callee):
                    yield fact("dead_letters", module, call.line, what=call.shown(60))
            elif (
                _DEAD.search(keys)
                and not words.LOG.search(call.callee)
                and (
                    any(e.call is call and e.kind not in ("db.write", "db.read") for e in function.effects)
                    or (
                        call.name != "Table"
                        and re.search(r"x-dead-letter|deadLetter|DeadLetter|redrive_?policy", keys)
                    )
                )
            ):
                yield fact("dead_letters", module, call.line, what=call.shown(60))
        for effect in function.effects:
            if (
                effect.kind == "db.write"
                and _DEAD.search(effect.table)
                and effect.target not in ("update", "delete")
            ):
                yield fact("dead_letters", module, effect.call.line, what=f"{effect.table} is written")
        near = (
            any(e.kind in ("consume", "ack", "reject") for e in function.effects)
            or imports(module, words.BROKER_WORD)
            or imports(module, WORKER_IMPORT)
        )
        if near:
            failed = next((c for c in function.calls if _MARKS_FAILED.match(c.name)), None)
            if failed and imports(module, WORKER_IMPORT):
                yield fact("dead_letters", module, failed.line, what=failed.shown(60), by="row")
            match = ATTEMPT.search(function.body)
            marked = next((m for m in function.marks if ATTEMPT.search(m) or _RETRIES.search(m)), "")
            if marked and not TRIED_ONCE.search(marked):
                yield fact("attempts", module, function.line, what=marked[:60], function=function.title)
            elif match and not TRIED_ONCE.search(function.body):
                line = function.line + function.body.count("\n", 0, match.start())
                yield fact("attempts", module, line, what=match[0], function=function.title)
    for module, one in program.classes():
        mark = next((m for m in one.marks if _OF_ROCKET.match(m)), "")
        if mark and "BROADCASTING" not in mark:
            # the broker delivers sixteen times unless told otherwise, and keeps what failed under %DLQ%
            yield fact("attempts", module, one.line, what=mark[:60], function=one.name)
            yield fact("dead_letters", module, one.line, what=f"RocketMQ's own for {one.name}")


_OF_ROCKET = re.compile(r"@(?:\w+\.)*RocketMQMessageListener\b")
# A row that says that its job has failed for good is kept aside.
_MARKS_FAILED = re.compile(r"(mark|set)_?(as_?)?failed$", re.IGNORECASE)
# ActiveMQ's word for a broker whose messages end with its process.
_FORGETS = re.compile(r"^(vm|tcp|failover|broker)\b.*\bpersistent=false\b", re.IGNORECASE)
_FOR_TESTS = re.compile(r"(^|/)test/|[-_.](test|dev|local)\.", re.IGNORECASE)


def broker_settings(facts: Facts) -> Iterator[Fact]:
    """Dead letters, limits of attempts and bindings that a framework is told of in its settings, and a
    broker that keeps nothing on disk.
    """
    for setting in facts.of("setting"):
        key, value = str(setting["key"]), str(setting["value"])
        if value.lower() in ("", "false", "off", "no", "0", "none"):
            continue
        if _FORGETS.search(value) and not _FOR_TESTS.search(setting.file):
            weak = {"what": f"a broker that keeps nothing on disk ({value[:60]})", "function": "the system"}
            yield Fact("queue.weak", setting.file, setting.line, setting.strength, weak)
        for kind, pattern in (("consumer", _STREAM_IN), ("publisher", _STREAM_OUT)):
            if pattern.search(key):
                bound = {"what": f"{key}={value}"[:60], "function": "", "outbox": False}
                yield Fact(kind, setting.file, setting.line, Strength.USED, bound)
        for kind, pattern in (("dead_letters", _DEAD_SETTING), ("attempts", _ATTEMPT_SETTING)):
            if pattern.search(key):
                said = {"what": f"{key}={value}"[:60], "function": ""}
                yield Fact(kind, setting.file, setting.line, setting.strength, said)
