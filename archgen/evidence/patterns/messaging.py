"""Brokers, consumers, acknowledgements, dead letters, job workers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact, imports, marks

_WORKER_IMPORT = re.compile(
    r"^(celery|rq|dramatiq|arq|taskiq|huey|procrastinate|apscheduler|bullmq|bull|@nestjs/bull(mq)?|bee-queue|agenda|pg-boss|graphile-worker|"
    r"github\.com/(hibiken/asynq|riverqueue/river|RichardKnop/machinery|gocraft/work)|org\.jobrunr|org\.quartz|org\.springframework\.batch|"
    r"com\.github\.kagkarlsson\.scheduler|node-resque|faktory|resque)"
)
_JOB_CALL = re.compile(
    r"^(delay|apply_async|enqueue|enqueue_in|enqueue_at|send_task|kiq|defer|defer_async|add|addBulk|Enqueue|EnqueueContext|Insert|InsertTx|schedule|scheduleJob|upsertJobScheduler)$"
)
_JOB_MARK = re.compile(r"@(?:\w+\.)*(shared_task|task|actor|job|Process|Processor|Recurring|Scheduled|Job)\b")
_WORKER_CALL = re.compile(
    r"^(Worker|NewWorker|NewServer|work|run_worker|process|worker_main|WorkerHost|start|Run|run)$"
)
_ATTEMPT = re.compile(
    r"max_?deliver|max_?attempts|max_?retries|attempts|autoretry_for|num_delivered|delivery_?count|x-delivery-limit|redelivered|retry_count|maxReceiveCount",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"^(send|publish|put|add|save|insert|write|move|park|store|append|create)\w*$", re.IGNORECASE
)
_DEAD = re.compile(r"dead[-_ ]?letter|\bdlq\b|\bdlx\b|dlt\b|DeadLetter|_dlq|\.dlq", re.IGNORECASE)


def consumers(program: Program) -> Iterator[Fact]:
    """`consumer`: a handler of messages is set up. `publisher`: a message is sent. `ack`, `reject`."""
    for module, function in program.functions():
        for effect in function.effects:
            if effect.kind == "consume":
                yield fact(
                    "consumer",
                    module,
                    effect.call.line,
                    what=effect.call.callee[-60:],
                    function=function.title,
                )
            elif effect.kind in ("publish", "outbox"):
                yield fact(
                    "publisher",
                    module,
                    effect.call.line,
                    what=effect.call.callee[-60:],
                    function=function.title,
                    outbox=effect.kind == "outbox",
                )
    for module, item, mark, line in marks(program):
        if words.CONSUME_MARK.search(mark) and any(
            words.BROKER_WORD.search(i.module)
            or _WORKER_IMPORT.search(i.module)
            or re.search(r"microservices|messaging|faststream|axon", i.module)
            for i in module.imports
        ):
            yield fact("consumer", module, line, what=mark[:60], function=item.name)


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
                    yield fact("dead_letters", module, call.line, what=call.callee[-60:])
            elif (
                _DEAD.search(keys)
                and not words.LOG.search(call.callee)
                and (
                    any(e.call is call and e.kind != "db.write" for e in function.effects)
                    or (
                        call.name != "Table"
                        and re.search(r"x-dead-letter|deadLetter|DeadLetter|redrive_?policy", keys)
                    )
                )
            ):
                yield fact("dead_letters", module, call.line, what=call.callee[-60:])
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
            or imports(module, _WORKER_IMPORT)
        )
        if near:
            match = _ATTEMPT.search(function.body)
            if match:
                line = function.line + function.body.count("\n", 0, match.start())
                yield fact("attempts", module, line, what=match[0], function=function.title)


def jobs(program: Program) -> Iterator[Fact]:
    """`job.worker` and `job.enqueue` of the usual libraries."""
    for module, function, call in calls(program):
        if not imports(module, _WORKER_IMPORT) and not _WORKER_IMPORT.search(
            origin_of(call, module, function)
        ):
            continue
        origin = origin_of(call, module, function)
        if _WORKER_CALL.match(call.name) and (
            _WORKER_IMPORT.search(origin) or call.name in ("Worker", "NewServer")
        ):
            yield fact("job.worker", module, call.line, what=call.callee[:60])
        elif (
            _JOB_CALL.match(call.name)
            and call.receiver
            and (call.args or call.keywords)
            and call.receiver not in ("set", "list", "router")
        ):
            text = call.text()
            yield fact(
                "job.enqueue",
                module,
                call.line,
                what=call.callee[:60],
                attempts=_ATTEMPT.search(text) is not None,
            )
    for module, item, mark, line in marks(program):
        if _JOB_MARK.search(mark) and imports(module, _WORKER_IMPORT):
            retry = re.search(r"retr|attempts|backoff", mark) is not None
            yield fact("job.worker", module, line, what=mark[:60], attempts=retry, function=item.name)
