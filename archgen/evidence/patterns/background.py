"""Work that is accepted and then left to the memory of one process, which nobody waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Block, Call, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact

_ROUNDS = re.compile(r"\bwhile\b|\basync for\b|\bforever\b|\bevery\w*\(|\bfor\s*\{|\bfor\s*\(\s*;\s*;")
_BEGINS = re.compile(
    r"_*(a?start\w*|on_?(start|connect|ready|join)\w*|before_start\w*|startup|lifespan|setup\w*|init\w*|main|run\w*|open|connect|"
    r"a?enter__)$",
    re.IGNORECASE,
)
# What is lost of these is made again by whoever asks next, or is only told aside.
UPKEEP = re.compile(
    r"cache|clean_?up|expired|refresh|pre_?fetch|pre_?load|warm|purge|prune|track|metric|analytic|telemetry|audit|(?<!b)(?<!cata)(?<!dia)log\b|stat(s|istics)\b|"
    r"last_?(seen|used|login|active)|heartbeat|invalidat|touch|(view|hit|visit|read)_?count",
    re.IGNORECASE,
)
# Who answers a request: by its parameters (Go, Node) or by what stands on it.
_ANSWERER = re.compile(
    r"http\.ResponseWriter|http\.Request|gin\.Context|echo\.Context|fiber\.Ctx|fasthttp\.RequestCtx|iris\.Context"
)
_ROUTE = re.compile(
    r"@(?:\w+\.)*(route|get|post|put|patch|delete|api_view|action|(Request|Get|Post|Put|Patch|Delete)Mapping|"
    r"GET|POST|PUT|PATCH|DELETE|Get|Post|Put|Patch|Delete|(Transactional)?EventListener)\b"
)
_POOL = re.compile(
    r"(^|[._])\w*(executor|pool|scheduler)\w*(\(\))?\.(submit|execute|schedule)$", re.IGNORECASE
)
_ASIDE = re.compile(r"CompletableFuture\.(runAsync|supplyAsync)$|newCachedThreadPool\(\)\.(submit|execute)$")
_PROMISES = re.compile(r"^[^{;]*\b(\w*Future|Uni|Mono|CompletionStage)\s*<(?!\s*(Void|\?)\s*>)[^{;]*\{")
_ASYNC = re.compile(r"@(?:\w+\.)*(Async|Asynchronous)\b")
_DEEPEST = 4


def background(program: Program) -> Iterator[Fact]:
    """`queue.weak` for work in a task, a thread or a goroutine that ends with its process."""
    yield from _tasks(program)
    asked = {
        call.args[1].strip("\"'")
        for module, _, call in calls(program)
        if module.language == "python" and call.name == "cast" and len(call.args) > 1
    }
    spawners = _spawners(program)
    queues = _queues(program)
    for module, function in program.functions():
        yield from _timers(module, function)
        if module.language == "go":
            yield from _goroutines(module, function, spawners)
            yield from _queued(module, function)
        elif module.language == "java":
            yield from _pooled(module, function)
        elif module.language == "python":
            yield from _threads(module, function)
            yield from _put(module, function, queues)
            yield from _submitted(module, function, asked)


def _matters(function: Function) -> bool:
    """Whether it changes something that outlives the process, as far as can be seen."""
    return any(map(_changes, function.reach))


def _changes(effect: Effect) -> bool:
    return effect.kind in ("db.write", "publish", "outbox") or effect.write


def _served(function: Function) -> bool:
    """Whether it answers a request, or is called by what does."""
    seen, now = {id(function)}, [function]
    for _ in range(_DEEPEST):
        for one in now:
            if any(_ROUTE.match(mark) for mark in one.marks) or any(
                _ANSWERER.search(kind) for kind in one.params.values()
            ):
                return True
        now = [c for one in now for c in one.callers if id(c) not in seen][:200]
        seen |= {id(one) for one in now}
    return False


def _tasks(program: Program) -> Iterator[Fact]:
    """Tasks of an event loop that nobody holds: one dies with the process, and may before."""
    # What goes round and round is begun again by the next start of the process, and loses nothing.
    own = {f.name for _, f in program.functions() if f.name and not _ROUNDS.search(f.body) and _matters(f)}
    for module, function, call in calls(program):
        if _BEGINS.match(function.name):
            continue
        if call.name in ("create_task", "ensure_future") and call.discarded and function.name and call.args:
            inner = re.match(r"(?:[\w.]+\.)?(\w+)\(", call.args[0])
            if inner and inner[1] in own and not inner[1].startswith("_") and not UPKEEP.search(inner[0]):
                yield _weak(module, function, call.line, f"a task in memory: {call.args[0][:40]}")


_A_QUEUE = re.compile(r"(asyncio|queue|multiprocessing)\.(\w*Queue)\b")


def _queues(program: Program) -> set[str]:
    """Queues of Python's own, by the names that they are kept under."""
    return {
        name
        for module in program.modules.values()
        if module.language == "python" and not module.test
        for name, kind in module.types.items()
        if _A_QUEUE.match(kind)
    }


def _put(module: Module, function: Function, queues: set[str]) -> Iterator[Fact]:
    """What a change leaves to a queue in memory: it is lost with the process, and the change is not."""
    changed = [e.call.line for e in function.reach if e.kind == "db.write"]
    for call in function.calls if changed else ():
        put = call.name in ("put", "put_nowait") and call.receiver in queues and min(changed) < call.line
        if put and not UPKEEP.search(f"{function.title} {call.receiver}") and not _own(call, module):
            yield _weak(module, function, call.line, f"a queue in memory ({call.receiver})")
            return


def _own(call: Call, module: Module) -> bool:
    """Whether a queue is made by the function in which it is filled, for as long as that is at work."""
    made = re.compile(rf"(?<![\w.]){re.escape(call.receiver)}\b[^=\n]*=\s*[\w.]*Queue\(")
    around = (f for f in module.functions if f.name and f.line <= call.line <= f.end)
    return any(made.search(f.body) for f in around)


def _spawners(program: Program) -> set[str]:
    """Functions of the project that put what they are handed into a goroutine."""
    return {
        function.name
        for module, function in program.functions()
        if module.language == "go"
        and function.name
        and any(
            re.search(
                rf"\bgo\b[^\n]*\b{re.escape(name)}\(|\bgo\s+func\b[^}}]*\b{re.escape(name)}\(", function.body
            )
            for name, kind in function.params.items()
            if kind.startswith("func")
        )
    }


def _spawned(call: Call, spawners: set[str]) -> Block | None:
    """The goroutine that a call is made in, None when it is in none."""
    return next(
        (
            block
            for block in call.within("spawn", "closure")
            if block.kind == "spawn" or block.header.rpartition(".")[2] in spawners
        ),
        None,
    )


def _goroutines(module: Module, function: Function, spawners: set[str]) -> Iterator[Fact]:
    """`go f(x)` in what answers a request, where f changes something."""
    if not any(_spawned(call, spawners) for call in function.calls):
        return
    body = function.body.split("\n")
    told: set[int] = set()
    for effect in function.reach:
        block = _spawned(effect.call, spawners)
        if block is None or block.line in told or not _changes(effect):
            continue
        text = "\n".join(body[block.line - function.line : block.end - function.line + 1])
        inner = effect.via[0].rpartition(".")[2] if effect.via else ""
        if any(f.name == inner and _ROUNDS.search(f.body) for f in module.functions):
            continue  # it serves for as long as its connection lasts
        waited = re.search(r"\.Done\(\)|<-|\berrgroup\b|\.Wait\(\)", text) or ".Wait()" in function.body
        if waited or _ROUNDS.search(text) or UPKEEP.search(_TELLS.sub("", text)) or not _served(function):
            continue
        told.add(block.line)
        what = f"a goroutine in memory: {effect.call.shown(40)}"
        yield _weak(module, function, block.line, what)


# A line of log says nothing of what the work is.
_TELLS = re.compile(r"(?m)^.*\b(log|logger|slog|zap|klog|logrus)\b.*$", re.IGNORECASE)
_QUEUES = re.compile(r"queue|pool|worker", re.IGNORECASE)
_TAKES = re.compile(r"\.(Push|Submit|Enqueue|Go|Add|Put|Schedule)$")


def _queued(module: Module, function: Function) -> Iterator[Fact]:
    """`queue.Push(func() { ... })`: a function that waits in memory, and changes something."""
    told: set[int] = set()
    for effect in function.reach:
        if not _changes(effect) or UPKEEP.search(f"{effect.call.callee} {function.title}"):
            continue
        for block in effect.call.within("closure"):
            holder = block.header.rpartition(".")[0]
            queue = block.header.endswith(".Enqueue") or _QUEUES.search(holder)
            if _TAKES.search(block.header) and queue and block.line not in told:
                if ".Wait()" in function.body:
                    continue
                told.add(block.line)
                yield _weak(module, function, block.line, f"a queue in memory ({holder[-30:]})")


_LATER = re.compile(r"^(time\.AfterFunc|setTimeout|(threading\.)?Timer|.*\.call_later)$")


def _timers(module: Module, function: Function) -> Iterator[Fact]:
    """A change that is put off by a timer: it is forgotten when the process ends before."""
    if not function.name or UPKEEP.search(function.title):
        return
    body = function.body.split("\n")
    for effect in function.reach:
        block = next((b for b in effect.call.within("closure") if _LATER.match(b.header)), None)
        if block is None or not _changes(effect) or UPKEEP.search(effect.call.callee):
            continue
        text = "\n".join(body[block.line - function.line : block.end - function.line + 1])
        if re.search(rf"\b{re.escape(function.name)}\(", text) or _ROUNDS.search(text):
            continue  # it comes round
        yield _weak(module, function, block.line, f"a timer in memory: {effect.call.shown(40)}")
        return


def _pooled(module: Module, function: Function) -> Iterator[Fact]:
    """A closure that is handed to a pool of threads and forgotten, and methods that run there by a mark."""
    if any(map(_ASYNC.match, function.marks)):
        if _PROMISES.search(function.body):
            return  # who has called it is handed what comes of it
        if _matters(function) and not UPKEEP.search(function.title):
            yield _weak(module, function, function.line, "a pool of threads in memory, by its annotation")
        return
    handed = [call for call in function.calls if _hands_over(call)]
    for given in handed:
        task = re.match(r"new\s+(\w+)\(", given.args[0]) if given.args and given.discarded else None
        runs = [f for f in module.functions if task and f.owner == task[1] and f.name in ("run", "call")]
        if any(map(_matters, runs)) and _served(function) and not UPKEEP.search(given.args[0]):
            yield _weak(module, function, given.line, f"a pool of threads in memory: {given.args[0][:40]}")
    told: set[int] = set()
    for effect in function.reach if handed else ():
        for block in effect.call.within("closure"):
            before = [c for c in handed if c.callee == block.header and c.line <= block.line]
            call = max(before, key=lambda c: c.line, default=None)
            if call is None or not call.discarded or call.line in told:
                continue
            if _changes(effect) and not UPKEEP.search(effect.call.callee) and _served(function):
                told.add(call.line)
                what = f"a pool of threads in memory: {effect.call.shown(40)}"
                yield _weak(module, function, call.line, what)


def _hands_over(call: Call) -> bool:
    return _POOL.search(call.callee) is not None or _ASIDE.search(call.callee) is not None


def _threads(module: Module, function: Function) -> Iterator[Fact]:
    """`Thread(target=f).start()` in what answers a request."""
    for call in function.calls:
        if call.name != "Thread" or "target" not in call.keywords or ".join(" in function.body:
            continue
        name = call.keywords["target"].rpartition(".")[2]
        if not name.isidentifier() or UPKEEP.search(name) or not _served(function):
            continue
        found = [f for f in module.functions if f.name == name]
        if any(_matters(f) and not _ROUNDS.search(f.body) for f in found):
            yield _weak(module, function, call.line, f"a thread in memory: {name}")


def _submitted(module: Module, function: Function, asked: set[str]) -> Iterator[Fact]:
    """`executor.submit(f)` in what a message or a request has called, and which has answered by then."""
    for call in function.calls:
        if not call.discarded or not call.args or not _POOL.search(call.callee):
            continue
        name = call.args[0].rpartition(".")[2]
        found = [f for f in module.functions if f.name == name]
        changed = any(_matters(f) and not _ROUNDS.search(f.body) for f in found)
        told = function.name in asked and not any(call.within("loop"))
        changed = changed and not UPKEEP.search(name) and _served(function)
        if name.isidentifier() and (changed or told):
            yield _weak(module, function, call.line, f"a pool of threads in memory: {name}")


def _weak(module: Module, function: Function, line: int, what: str) -> Fact:
    return fact("queue.weak", module, line, function=function.title, what=what)
