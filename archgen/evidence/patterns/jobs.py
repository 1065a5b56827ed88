"""Job queues of the usual libraries: who enqueues, who works, and whether a failed job is tried again."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Call, Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts
from archgen.evidence.patterns.common import calls, fact, imports, marks

WORKER_IMPORT = re.compile(
    r"^(celery|rq|dramatiq|arq|taskiq|huey|procrastinate|apscheduler|django_q|bullmq|bull|@nestjs/bull(mq)?|bee-queue|agenda|"
    r"pg-boss|graphile-worker|node-resque|faktory|resque|"
    r"github\.com/(hibiken/asynq|riverqueue/river|RichardKnop/machinery|gocraft/work|contribsys/faktory_worker_go|"
    r"taskforcesh/bullmq|mikestefanello/backlite|adjust/rmq|vgarvardt/gue|acaloiaro/neoq)|go\.temporal\.io/sdk|"
    r"k8s\.io/client-go/util/workqueue|org\.jobrunr|org\.quartz|org\.springframework\.batch|com\.github\.kagkarlsson\.scheduler|io\.temporal|"
    r"@temporalio/(worker|client)|temporalio\b)"
)
# Queues that others run: they keep a job, call the worker over HTTP, and try again when it fails.
_HOSTED = re.compile(
    r"^(@google-cloud/tasks|google\.cloud\.tasks|google\.cloud|cloud\.google\.com/go/cloudtasks|com\.google\.cloud\.tasks|"
    r"@upstash/qstash|qstash|inngest|github\.com/inngest/inngestgo|@trigger\.dev/sdk)"
)
_HOSTED_CALL = re.compile(
    r"^(createTask|create_task|CreateTask|publishJSON|publish_json|batchJSON|createFunction|create_function|CreateFunction|"
    r"trigger|batchTrigger)$"
)
_HOSTED_ORIGIN = re.compile(r"tasks|qstash|inngest|trigger", re.IGNORECASE)
_JOB_CALL = re.compile(
    r"^(delay|apply_async|enqueue|enqueue_in|enqueue_at|send_task|kiq|defer|defer_async|add|addBulk|Enqueue|EnqueueContext|"
    r"EnqueueIn|EnqueueUnique|AddRateLimited|AddAfter|Insert|InsertTx|InsertMany|InsertManyTx|SendTask|SendTaskWithContext|schedule|scheduleJob|"
    r"scheduleRecurrently|scheduleIfNotExists|upsertJobScheduler|ExecuteWorkflow)$"
)
JOB_MARK = re.compile(r"@(?:\w+\.)*(shared_task|task|actor|job|Process|Processor|Recurring|Job)\b")
# A framework of somebody's own over a queue, by what stands on its functions.
_REGISTERED = re.compile(r"@(?:\w+\.)*(register_)?(\w+_)?(task|job)(_handler)?\b")
_OF_AGENDA = re.compile(r"@?agenda\b|@hokify/agenda")
_AGENDA = re.compile(r"^ag(enda\w*)?$", re.IGNORECASE)
_FAILS = re.compile(r"(^|[\"'`])fail(:|$)")
_TASKS_IMPORT = re.compile(r"^(celery|dramatiq|huey)\b")
_HUEY = re.compile(r"^huey\b")
_HUEY_TASK = re.compile(r"@(?:\w+\.)*(db_)?task\b")
_TASK = re.compile(r"@(?:\w+\.)*(shared_task|task|actor)\b")
_WORKER_CALL = re.compile(
    r"^(Worker(\w*Class)?|New(Typed|Named|RateLimiting|Delaying)*(RateLimiting|Delaying)Queue\w*|NewWorker|NewServer|NewWorkerPool|AddWorker|AddWorkerSafely|work|run_worker|process|worker_main|WorkerHost|"
    r"start|Run|run|useBackgroundJobServer|startBackgroundJobServer)$"
)
_WORKER_NAME = re.compile(r"^(Worker(\w*Class)?|NewServer|useBackgroundJobServer|startBackgroundJobServer)$")
_WORKER_BASE = re.compile(
    r"(^|\.)(Job|QuartzJobBean|Tasklet|ItemProcessor|WorkerDefaults|WorkerHost|JobRequestHandler)\b"
)
# Libraries whose queue is often made in one place and put to work in another.
_SHARED_QUEUE = re.compile(r"^(bull|bee-queue|@nestjs/bull)$")
_QUEUE = re.compile(r"queue|flow|jobs?\b|tasks?\b|bull|agenda|boss|producer", re.IGNORECASE)
# Libraries whose jobs are tried again although nobody says so, with the word that turns it off.
_TRIES_ANYWAY = re.compile(
    r"^(dramatiq|graphile-worker|github\.com/(hibiken/asynq|riverqueue/river|contribsys/faktory_worker_go)|go\.temporal\.io|"
    r"k8s\.io/client-go/util/workqueue|org\.jobrunr|com\.github\.kagkarlsson\.scheduler|io\.temporal|"
    r"@temporalio/|temporalio\b)"
)
TRIED_ONCE = re.compile(r"max_?retry(\(0\)|\s*[:=]\s*0)|retries\s*=\s*0|MaxAttempts:\s*1\b", re.IGNORECASE)
ATTEMPT = re.compile(
    r"max_?deliver|max_?attempts|max_?retry|max_?retries|attempts|RetryPolicy|BackOff\b|autoretry_for|num_delivered|delivery_?count|x-delivery-limit|redelivered|retry_count|maxReceiveCount",
    re.IGNORECASE,
)


def _queues(call: Call, module: Module) -> bool:
    """Whether what is added to may be a queue, by its name or type: sets and lists have an `add`, too."""
    kind = module.types.get(call.receiver, "") or call.callee.rpartition(".")[0]
    return _QUEUE.search(kind) is not None


def _of_bull(call: Call, module: Module, holder: str) -> bool:
    """Whether a queue of Bull's kind is meant, by what it is called or by where its type is from."""
    kind = module.types.get(call.receiver, "")
    return re.search(r"queue", holder, re.IGNORECASE) is not None or (
        kind != "" and _SHARED_QUEUE.match(module.imported(kind)) is not None
    )


def stack_jobs(facts: Facts) -> Iterator[Fact]:
    """`job.enqueue` where a template ties a function to a queue, and code sends to one."""
    tried = facts.has("attempts")
    if any(f.file.endswith((".yaml", ".yml", ".json")) for f in facts.of("job.worker")):
        for sent in facts.of("publisher"):
            if re.search(r"send_?message|queue", str(sent["what"]), re.IGNORECASE):
                yield Fact(
                    "job.enqueue",
                    sent.file,
                    sent.line,
                    sent.strength,
                    {"what": sent["what"], "attempts": tried},
                )


def _tasks(program: Program) -> dict[str, bool]:
    """Tasks of Celery's kind by name, with whether they are tried again: the module of a task may know its
    application only by the project's own name for it.
    """
    usual = any(imports(m, _TASKS_IMPORT) for m in program.modules.values() if m.production)
    pattern = _TASK if usual else _REGISTERED
    again = {f.name for _, f in program.functions() if _TRIES_AGAIN.search(f.body)}
    found = {
        item.name: re.search(r"retr", mark) is not None or _asks_again(item, again)
        for module, item, mark, _ in marks(program)
        if module.language == "python" and isinstance(item, Function) and pattern.match(mark)
    }
    if usual:
        return found
    delayed = {call.receiver for _, _, call in calls(program) if call.name in ("delay", "apply_async")}
    return {name: True for name in found if name in delayed}  # how often, its framework knows


# A bound task asks to be tried again by itself, or through a function that it hands itself to.
_TRIES_AGAIN = re.compile(r"\b(self|task\w*)\.retry\(")


def _asks_again(task: Function, again: set[str]) -> bool:
    if _TRIES_AGAIN.search(task.body):
        return True
    return any(call.name in again and "self" in call.args for call in task.calls)


_ELSEWHERE = re.compile(r"(^|\.)(\w+_)?tasks?(\.|$)")


# Handlers of Restate's: it keeps each step, and calls again until one ends.
_RESTATE = re.compile(r"(@restatedev/|restate\b|github\.com/restatedev/sdk-go|dev\.restate\.)")
_RESTATE_WORKER = re.compile(
    r"((?i:server)\.NewRestate|restate\.(endpoint|serve|app)|RestateHttpServer\.listen)$"
)
_RESTATE_SENDS = re.compile(
    r"\.(Send|send|serviceSend\w*|objectSend\w*|workflowSend\w*|workflowSubmit|service_send|object_send|workflow_send)$"
)


def _of_restate(module: Module, function: Function, call: Call) -> Iterator[Fact]:
    if not module.uses(_RESTATE):
        return
    if _RESTATE_WORKER.search(call.callee):
        yield fact("job.worker", module, call.line, what=call.callee[:60])
        yield fact("attempts", module, call.line, what="Restate calls again", function=function.title)
    elif _RESTATE_SENDS.search(call.callee):
        yield fact("job.enqueue", module, call.line, what=call.shown(60), attempts=True)


# Workflows of Temporal: their steps are kept, and tried again unless somebody limits that.
_TEMPORAL = re.compile(r"^(@temporalio/|nestjs-temporal|temporalio\b|go\.temporal\.io|io\.temporal)")
_STARTS_WORKFLOW = re.compile(
    r"\.(signalWithStart|SignalWithStartWorkflow|start_workflow|execute_workflow|ExecuteWorkflow|newWorkflowStub)$|"
    r"workflow\w*\.(start|execute)$",
    re.IGNORECASE,
)
_TEMPORAL_WORKER = re.compile(
    r"(TemporalModule\.register(Async)?|Worker\.create|worker\.New|\w*[fF]actory\.newWorker)$"
)


def _of_temporal(module: Module, function: Function, call: Call) -> Iterator[Fact]:
    if _TEMPORAL_WORKER.match(call.callee):
        # a module of Nest's is registered for who starts workflows as well as for who works on them
        works = "Module" not in call.callee or "worker" in call.text()
        if imports(module, _TEMPORAL) and works:
            yield fact("job.worker", module, call.line, what=call.callee[:60])
        return
    yield fact("job.enqueue", module, call.line, what=call.shown(60), attempts=True)
    yield fact("attempts", module, call.line, what="the library tries again", function=function.title)


# Queues that live in the database that changes are made in.
_IN_DATABASE = re.compile(
    r"^(procrastinate|django_q|huey|pg-boss|graphile-worker|apscheduler|org\.(jobrunr|quartz)|com\.github\.kagkarlsson|"
    r"org\.springframework\.batch|github\.com/(riverqueue|vgarvardt/gue|mikestefanello/backlite|acaloiaro/neoq)|"
    r"k8s\.io/client-go/util/workqueue)"
)


def leave(program: Program, facts: Facts) -> Iterator[Fact]:
    """The facts of `jobs`. Who leaves a job with a queue outside of the database has the effect `enqueue`
    from then on.
    """
    places: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for found in jobs(program):
        yield found
        if found.kind == "job.enqueue":
            places[found.file].add((found.line, str(found["what"])))
    for path, told in places.items():
        module = program.modules[path]
        if not module.uses(_IN_DATABASE):
            for function in module.functions:
                for call in function.calls:
                    if {(call.line, call.callee[:60]), (call.line, call.shown(60))} & told:
                        _left(function, call)


def _left(function: Function, call: Call) -> None:
    """Notes that `call` leaves a job: what it was taken for is no change of a database's."""
    kept = [e for e in function.effects if e.call is not call or e.kind == "publish"]
    if not any(e.call is call for e in kept):
        kept.append(Effect("enqueue", call, write=True))
    function.effects[:] = sorted(kept, key=lambda e: e.call.line)


def _called(program: Program) -> dict[str, bool]:
    """The tasks of Huey, which are enqueued where they are called, with whether they are tried again."""
    found = {}
    for module in program.modules.values():
        if module.language != "python" or not module.production or not module.uses(_HUEY):
            continue
        again = any("retries=" in f.body for f in module.functions)
        for function in module.functions:
            if any(map(_HUEY_TASK.match, function.marks)):
                found[function.name] = again or any("retries=" in mark for mark in function.marks)
    return found


def tasks_of(program: Program) -> set[str]:
    """The names of all tasks of Celery's and Huey's kind."""
    return {*_tasks(program), *_called(program)}


def jobs(program: Program) -> Iterator[Fact]:
    """`job.worker` and `job.enqueue` of the usual libraries."""
    shared = any(m.production and imports(m, _SHARED_QUEUE) for m in program.modules.values())
    tasks = _tasks(program)
    temporal = any(m.production and imports(m, _TEMPORAL) for m in program.modules.values())
    called = _called(program)
    for module, function, call in calls(program):
        if call.name in called and module.language == "python":
            own = call.callee == call.name and any(f.name == call.name for f in module.functions)
            if own or module.imported(call.receiver or call.name):
                yield fact(
                    "job.enqueue", module, call.line, what=call.callee[:60], attempts=called[call.name]
                )
                continue
        if temporal and (_STARTS_WORKFLOW.search(call.callee) or _TEMPORAL_WORKER.match(call.callee)):
            yield from _of_temporal(module, function, call)
            continue
        yield from _of_restate(module, function, call)
        if _AGENDA.search(call.receiver) and module.uses(_OF_AGENDA):
            if call.name == "define":
                yield fact("job.worker", module, call.line, what=call.callee[:60])
            elif call.name in ("now", "schedule", "every", "create"):
                # who fails is tried again where somebody listens to that
                tried = _FAILS.search(function.body + "".join(t.value for t in module.texts)) is not None
                yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=tried)
                if tried:
                    what = "an attempt of its own after each failure"
                    yield fact("attempts", module, call.line, what=what, function=function.title)
            continue
        if shared and call.name == "process" and call.args and _of_bull(call, module, call.receiver):
            yield fact("job.worker", module, call.line, what=call.callee[:60])
            continue
        if shared and call.name == "add" and call.args and not imports(module, WORKER_IMPORT):
            # `queues.mail.add(…)`, where another file makes the queue
            if _of_bull(call, module, call.callee.rpartition(".")[0]) and "." in call.callee[:-4]:
                tried = ATTEMPT.search(call.text()) is not None
                yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=tried)
            continue
        if _HOSTED_CALL.match(call.name) and call.receiver and imports(module, _HOSTED):
            if _HOSTED_ORIGIN.search(" ".join(i.module + " ".join(i.names) for i in module.imports)):
                yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=True)
                yield fact("job.worker", module, call.line, what="called over HTTP by the queue")
                yield fact(
                    "attempts", module, call.line, what="the queue tries again", function=function.title
                )
            continue
        if call.name in ("delay", "apply_async") and call.receiver in tasks:
            tried = tasks[call.receiver] or "retry=" in call.text()
            yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=tried)
            continue
        if call.name in ("delay", "apply_async") and _ELSEWHERE.search(module.home_of(call.receiver)):
            # how often such a task is tried, its own project knows
            yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=True)
            continue
        if not imports(module, WORKER_IMPORT) and not WORKER_IMPORT.search(origin_of(call, module, function)):
            continue
        origin = origin_of(call, module, function)
        if _WORKER_CALL.match(call.name) and (WORKER_IMPORT.search(origin) or _WORKER_NAME.match(call.name)):
            yield fact("job.worker", module, call.line, what=call.callee[:60])
        elif (
            _JOB_CALL.match(call.name)
            and call.receiver
            and (call.args or call.keywords)
            and call.receiver not in ("set", "list", "router")
            and not (call.name == "add" and (module.language != "typescript" or not _queues(call, module)))
        ):
            text = call.text()
            tried = ATTEMPT.search(text) is not None or imports(module, _TRIES_ANYWAY)
            tried = tried and not TRIED_ONCE.search(
                text + "".join(m for f in module.functions for m in f.marks)
            )
            yield fact("job.enqueue", module, call.line, what=call.callee[:60], attempts=tried)
            if tried and not ATTEMPT.search(text):
                yield fact(
                    "attempts", module, call.line, what="the library tries again", function=function.title
                )
    for module, item, mark, line in marks(program):
        own = item.name in tasks and bool(_TASK.match(mark) or _REGISTERED.match(mark))
        if own or (JOB_MARK.search(mark) and imports(module, WORKER_IMPORT)):
            retry = re.search(r"retr|attempts|backoff", mark) is not None and not TRIED_ONCE.search(mark)
            retry = retry or (own and tasks[item.name])
            yield fact("job.worker", module, line, what=mark[:60], attempts=retry, function=item.name)
    for module, one in program.classes():
        base = next((b for b in one.bases if _WORKER_BASE.search(b)), "")
        if base and imports(module, WORKER_IMPORT) and "interface " not in one.body[:80]:
            yield fact("job.worker", module, one.line, what=one.name, by="class", function=one.name)
