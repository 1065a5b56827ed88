"""Queues and streams that lose what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact


def weak_queues(program: Program) -> Iterator[Fact]:
    """`queue.weak`, `queue.unacked`."""
    yield from _forgetful(program)
    for module, function in program.functions():
        yield from _queues(module, function)
        yield from _listed(module, function)
        if module.language == "python":
            yield from _handed_on(program, module, function)


_WAITING = r"(\w*(?:[qQ]ueue|[pP]ending|[bB]acklog|[wW]aiting|[jJ]obs|[tT]asks))"
_LISTS = re.compile(
    rf"\b(\w+)\.{_WAITING}\s*=\s*append\(\1\.\2\s*,|\b(?:this|self)\.{_WAITING}\.(?:push|append|put|put_nowait|unshift)\("
)
_GOES = re.compile(r"\bgo \w+\.\w+\(")


def _listed(module: Module, function: Function) -> Iterator[Fact]:
    """Work that waits for its turn in a list of the process: one method adds to it, one takes the first and
    does something that matters.
    """
    for added in _LISTS.finditer(function.body):
        field = added[2] or added[3]
        first = re.compile(
            rf"\.{field}\s*=\s*\w+\.{field}\[1:\]|\.{field}\.(?:shift|popleft|get|get_nowait)\(|\.{field}\.pop\(0\)"
        )
        for taker in module.functions:
            if taker.owner != function.owner or not first.search(taker.body):
                continue
            if _GOES.search(taker.body) or any(_matters(e) for e in taker.reach):
                line = function.line + function.body.count("\n", 0, added.start())
                what = f"a list in memory ({field}), which ends with its process"
                yield fact("queue.weak", module, line, function=function.title, what=what)
                return


def _matters(effect: Effect) -> bool:
    return effect.kind in ("db.write", "publish") or (effect.kind == "remote" and effect.write)


_REDIS = re.compile(r"^org\.springframework\.data\.redis\.listener")
_RECEIVES = re.compile(r"^(receive|handle|on)(Message)?$")


def _forgetful(program: Program) -> Iterator[Fact]:
    """What hands messages to who is there, and keeps none: a channel of the process, publish/subscribe of
    Redis where what is heard is written down.
    """
    writes = any(
        _RECEIVES.match(f.name) and any(e.kind == "db.write" for e in f.reach) for _, f in program.functions()
    )
    for module, function, call in calls(program):
        if call.callee.endswith("gochannel.NewGoChannel"):
            what = "a channel in memory, which ends with the process"
            yield fact("queue.weak", module, call.line, function=function.title, what=what)
        elif writes and call.name == "addMessageListener" and module.uses(_REDIS):
            what = "publish/subscribe of Redis, which keeps nothing for who is away"
            yield fact("queue.weak", module, call.line, function=function.title, what=what)
            return


_MEMORY = re.compile(r"^((queue|asyncio|multiprocessing)\.)?(Queue|SimpleQueue|LifoQueue|PriorityQueue)$")


def _handed_on(program: Program, module: Module, function: Function) -> Iterator[Fact]:
    """A message that a broker has handed over, put into a queue of the process: it is acknowledged when the
    handler returns, and lost when the process ends before its turn.
    """
    for call in function.calls:
        held = call.name in ("put", "put_nowait") and _MEMORY.match(module.types.get(call.receiver, ""))
        if not held or not call.args or call.args[0] not in function.params:
            continue
        near = {module.path} | {caller.file for caller in function.callers}
        broker = any(words.BROKER_IMPORT.search(i.module) for p in near for i in program.modules[p].imports)
        settled = any(e.kind == "ack" for p in near for f in program.modules[p].functions for e in f.effects)
        if broker and not settled:
            what = f"a queue in memory ({call.receiver}) that holds what a broker has handed over"
            yield fact("queue.weak", module, call.line, function=function.title, what=what)


def _jetstream(call: Call) -> tuple[str, bool]:
    """What is weak about a stream or a consumer of JetStream, and whether it wants no acknowledgements."""
    keys = {key.lower().replace("_", ""): value for key, value in call.keywords.items()}
    if call.name in ("StreamConfig",) and re.search(
        r"MEMORY|MemoryStorage|\.Memory\b", keys.get("storage", "")
    ):
        return "a stream that is kept in memory", False
    if call.name != "ConsumerConfig":
        return "", False
    policy = keys.get("ackpolicy", "")
    if re.search(r"NONE|AckNone|\.None\b", policy):
        return "", True
    named = keys.keys() & {"durablename", "durable", "name"}
    return (
        "" if named or not re.search(r"explicit", policy, re.IGNORECASE) else "a consumer that is not durable"
    ), False


def _fleeting(call: Call, module: Module) -> bool:
    """Whether a bean of Spring's declares a queue that ends with its broker."""
    if module.language != "java" or not any(
        i.module.startswith("org.springframework.amqp") for i in module.imports
    ):
        return False
    if call.callee.endswith("QueueBuilder.nonDurable"):
        return True
    return call.name == "Queue" and call.args[1:2] == ("false",)


def _queues(module: Module, function: Function) -> Iterator[Fact]:
    weak: list[tuple[int, str]] = []
    for call in function.calls:
        name, keys = call.name, call.keywords
        if name in (
            "assertQueue",
            "assertExchange",
            "queue_declare",
            "exchange_declare",
            "declare_queue",
            "declare_exchange",
        ):
            if keys.get("exclusive", "").lower() == "true":
                weak.append((call.line, "an exclusive queue"))
            if keys.get("durable", "").lower() == "false":
                weak.append(
                    (
                        call.line,
                        "a queue that is not durable"
                        if "ueue" in name
                        else "an exchange that is not durable",
                    )
                )
        elif name in ("QueueDeclare", "ExchangeDeclare") and len(call.args) >= 5:
            durable, exclusive = (
                (call.args[1], call.args[3]) if name == "QueueDeclare" else (call.args[2], "")
            )
            if durable == "false":
                weak.append((call.line, "a queue that is not durable"))
            if exclusive == "true":
                weak.append((call.line, "an exclusive queue"))
        elif name in ("queueDeclare", "exchangeDeclare") and len(call.args) >= 3:
            durable, exclusive = call.args[1:3] if name == "queueDeclare" else (call.args[2], "")
            if durable == "false":
                weak.append((call.line, f"{'a queue' if exclusive else 'an exchange'} that is not durable"))
            if exclusive == "true":
                weak.append((call.line, "an exclusive queue"))
        if _fleeting(call, module):
            yield fact(
                "queue.weak", module, call.line, function=function.title, what="a queue that is not durable"
            )
        weak_stream, unheard = _jetstream(call)
        if weak_stream:
            yield fact("queue.weak", module, call.line, function=function.title, what=weak_stream)
        off = (
            unheard
            or keys.get("noAck") == "true"
            or keys.get("auto_ack") == "True"
            or keys.get("no_ack") == "True"
        )
        if name in ("Consume",) and len(call.args) >= 7 and call.args[2] == "true":
            off = True
        if off or (name == "basicConsume" and len(call.args) > 1 and call.args[1] == "true"):
            yield fact("queue.unacked", module, call.line, function=function.title, call=call.shown(40))
    subscribes = any(e.kind in ("consume", "ack") for e in function.reach) or any(
        c.name in ("consume", "basic_consume", "Consume", "basicConsume") for c in function.calls
    )
    if weak and subscribes:
        what = " and ".join(dict.fromkeys(w for _, w in weak))
        yield fact("queue.weak", module, weak[0][0], function=function.title, what=what)
