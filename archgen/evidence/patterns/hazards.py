"""Things done in the wrong order or place: remote calls in transactions, acks before work, state
in statics.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Block, Call, Effect, Function, Module, Program
from archgen.evidence.facts import Fact, Facts, Strength
from archgen.evidence.patterns.common import calls, fact, marks

_CHECK = re.compile(r"^(containsKey|contains|has|getIfPresent|includes|asMap|exists|get|Load|LoadOrStore)$")
_KEEP = re.compile(r"^(put|add|set|push|Store|append)$")
_MEMORY = re.compile(
    r"(Map|Set|Cache|dict|set\(|\{\}|LinkedHashMap|ConcurrentHashMap|sync\.Map|lru|defaultdict|list|\[\])",
    re.IGNORECASE,
)
# What tells one message or request from another, and not one folder or file name.
# What waits for the next of its kind, or for an answer under way, notes no work that was done.
_NO_RECORD = re.compile(r"debounce|throttle|timers?$|in_?flight|pending", re.IGNORECASE)
_IDENTIFIES = re.compile(r"id\b|Id\b|ID\b|uuid|key|token|nonce|request|message|event|number", re.IGNORECASE)
_SHARED_STORE = re.compile(r"redis|memcache|hazelcast|ignite", re.IGNORECASE)
_HANDLER = re.compile(
    r"^(handler|handle|callback|cb|fn|process|consumer|listener|onMessage|on_message|action)$"
)
_HANDLES = re.compile(r"(handler|processor|listener|use_?case|service|strategy)$", re.IGNORECASE)
_GET = re.compile(
    r"""@(?:\w+\.)*(get|Get|GetMapping|GET)\b(?!Mapping)|methods?\s*=\s*\[\s*["']GET["']\s*\]|RequestMethod\.GET"""
)


def hazards(program: Program, facts: Facts) -> Iterator[Fact]:
    """`remote_in_tx`, `publish_in_tx`, `memory_dedup`, `ack_early`, `queue.weak`, `queue.unacked`,
    `static_state`, `get_writes`.
    """
    runners = _runners(program)
    yield from _unawaited(program)
    for module, function in program.functions():
        yield from _in_transactions(module, function, runners)
        yield from _memory_dedup(module, function)
        yield from _acks(module, function)
        yield from _queues(module, function)
        yield from _statics(module, function)
    marked = [
        (m, item, line)
        for m, item, mark, line in marks(program)
        if isinstance(item, Function) and _GET.search(mark)
    ]
    # what a tool wrote is a claim as to what the project can do, and a fault all the same where it runs
    marked += [
        (m, f, f.line)
        for m in program.modules.values()
        if m.live and not m.production and not m.test
        for f in m.functions
        if any(_GET.search(mark) for mark in f.marks)
    ]
    for module, item, line in (*marked, *_registered(program)):
        if item.name:
            writes = [
                e
                for e in item.reach
                if e.kind in ("db.write", "publish")
                # a constructor gets statements ready, and runs none
                and not any(title.endswith(".__init__") for title in e.via)
                # what is called a question keeps something for itself on the way, at most
                and not (e.via and words.READ_NAME.match(e.call.name))
                and not re.search(r"log|audit|seen|metric|token|cache|view_?count", e.call.callee, re.I)
            ]
            if writes:
                data = {
                    "call": writes[0].call.callee[-40:],
                    "at": writes[0].call.line,
                    "function": item.title,
                }
                yield Fact("get_writes", module.path, max(line, 1), Strength.USED, data)


_REGISTERS = re.compile(r"^(add_api_route|add_url_rule|add_route|route|add_get|get)$")


def _registered(program: Program) -> Iterator[tuple[Module, Function, int]]:
    """Handlers of GET that a call registers: `router.add_api_route("/x", handler, methods=["GET"])`."""
    for module, _, call in calls(program):
        if not _REGISTERS.match(call.name) or not call.receiver or len(call.args) < 2:
            continue
        methods = call.keywords.get("methods", "")
        if not re.match(r"[frb]*[\"'`]/", call.args[0]) or (methods and "GET" not in methods):
            continue
        if call.name not in ("get", "add_get") and not methods:
            continue
        name = call.args[-1].rpartition(".")[2]
        for handler in module.functions:
            if handler.name == name and name.isidentifier():
                yield module, handler, call.line


def _runners(program: Program) -> set[str]:
    """Functions that run a function they are given inside a transaction."""
    found = set()
    for _, function in program.functions():
        if not any(e.kind in ("tx", "commit") for e in function.reach):
            continue
        if any(call.callee in function.params and _tx_block(call, set()) for call in function.calls):
            found.add(function.name)
    return found


def _tx_block(call: Call, runners: set[str]) -> Block | None:
    for block in call.inside:
        if block.kind == "with" and words.TX_WITH.search(block.header):
            return block
        if block.kind == "closure":
            name = block.header.rpartition(".")[2]
            if words.TX_NAME.match(name) or name in runners:
                return block
    return None


# Who is handed one of these works inside of a transaction that somebody else ends.
_UNIT = re.compile(r"\b(Abstract)?UnitOfWork\b|\bsql\.Tx\b|\bpgx\.Tx\b")


def _in_transactions(module: Module, function: Function, runners: set[str]) -> Iterator[Fact]:
    whole = any(words.TX_MARK.search(mark) for mark in function.marks) or any(
        _UNIT.search(type_) for type_ in function.params.values()
    )
    begins = sorted(
        e.call.line
        for e in function.effects
        if e.kind == "tx" and e.call.name.lower().startswith(("begin", "start"))
    )
    commits = sorted(e.call.line for e in function.effects if e.kind == "commit")
    seen: set[str] = set()
    for effect in function.reach:
        if effect.kind not in ("remote", "publish") or effect.kind in seen:
            continue
        between = any(b < effect.call.line for b in begins) and any(effect.call.line < c for c in commits)
        if whole or between or _tx_block(effect.call, runners):
            # a publish that is itself handed to the transaction belongs to an outbox of some library
            if effect.kind == "publish" and any(
                re.search(r"\b(tx|session|conn|transaction|client)\b", a) for a in effect.call.args
            ):
                continue
            seen.add(effect.kind)
            kind = "remote_in_tx" if effect.kind == "remote" else "publish_in_tx"
            retried = any(b.kind == "closure" for b in effect.call.inside)
            yield fact(
                kind,
                module,
                effect.call.line,
                function=function.title,
                call=effect.call.callee[-50:],
                retried=retried,
            )


def _memory_dedup(module: Module, function: Function) -> Iterator[Fact]:
    """Asked whether it was seen, then worked, then noted as seen: two at once both get through."""
    acts = [e for e in function.reach if e.kind in ("db.write", "publish", "remote")]
    for keep in function.calls:
        if not _KEEP.match(keep.name) or not keep.args:
            continue
        store = keep.callee.rpartition(".")[0]
        word = store.rpartition(".")[2]
        type_ = module.types.get(word, "") + " " + function.params.get(word, "")
        if (
            not word
            or _NO_RECORD.search(word)
            or _SHARED_STORE.search(store + type_ + " ".join(i.module for i in module.imports))
            or not _MEMORY.search(type_ + word)
        ):
            continue
        if "." not in store and re.search(
            rf"(^|\n)\s*(const\s+|let\s+|(final\s+)?[\w.]+(<[^=\n]*>)?\s+)?{re.escape(word)}\s*(:[^=\n]+)?=[^=]",
            function.body,
        ):
            continue  # made by this very call: it remembers nothing of the one before
        key = keep.args[0]
        if not _IDENTIFIES.search(key):
            continue
        later = any(
            c.callee == f"{store}.get" and key in c.args and c.line > keep.line for c in function.calls
        )
        if later or re.search(rf"{re.escape(store)}\.get\([^()\n]*\)!?\s*(\|\||\?\?|\.push)", function.body):
            continue  # what belongs together is gathered under its key
        check = next(
            (
                c.line
                for c in function.calls
                if _CHECK.match(c.name) and c.callee.startswith(store + ".") and key in c.args
            ),
            0,
        )
        if not check:
            asked = re.search(rf"\bif\s+{re.escape(key)}\s+(not\s+)?in\s+{re.escape(store)}\b", function.body)
            check = function.line + function.body.count("\n", 0, asked.start()) if asked else 0
        work = [e.call.line for e in acts if e.write or e.kind != "remote"]
        # what a consumer hands a message to is not seen, and may do anything
        work += [
            c.line
            for c in function.calls
            if re.fullmatch(r"_*(handler?|callback|consumer|listener)s?", c.name)
        ]
        if not function.name:  # several closures, it may be, and each works for itself
            work = [line for line in work if line <= keep.line]
        if check and any(check <= line for line in work) and check < keep.line:
            yield fact("memory_dedup", module, check, function=function.title, store=store, key=key[:40])
            return
    yield from _noted(module, function, acts)


_NOTED = re.compile(r"^[ \t]*((?:self\.)?\w+)\[([^\]\n]+)\]\s*=(?!=)", re.MULTILINE)


def _noted(module: Module, function: Function, acts: list[Effect]) -> Iterator[Fact]:
    """The same with a dictionary: `if key in seen`, the work, `seen[key] = True`."""
    for keep in _NOTED.finditer(function.body) if acts else ():
        store, key = keep[1], keep[2]
        if f" in {store}" not in function.body:
            continue
        asked = re.search(rf"\bif\s+{re.escape(key)}\s+(not\s+)?in\s+{re.escape(store)}\b", function.body)
        kept = function.line + function.body.count("\n", 0, keep.start())
        check = function.line + function.body.count("\n", 0, asked.start()) if asked else 0
        type_ = module.types.get(store.rpartition(".")[2], "")
        if (
            check
            and check < kept
            and any(check <= e.call.line <= kept for e in acts)
            and _MEMORY.search(type_)
        ):
            yield fact("memory_dedup", module, check, function=function.title, store=store, key=key[:40])
            return


def _acks(module: Module, function: Function) -> Iterator[Fact]:
    """A message acknowledged before its handler is done, or after it was refused."""
    yield from _refused(module, function)
    yield from _settled_first(module, function)
    for ack in (e for e in function.effects if e.kind == "ack"):
        scope = ack.call.inside
        for call in function.calls:
            if call is ack.call or (
                call.inside[: len(scope)] != scope and scope[: len(call.inside)] != call.inside
            ):
                continue
            if not (
                (call.callee in function.params and _HANDLER.match(call.name))
                or _HANDLER.match(call.callee)
                or (_HANDLER.match(call.name) and re.search(_HANDLES, call.receiver))
                or any(e.call is call and (e.kind == "db.write" or e.write) for e in function.reach)
            ):
                continue
            if call.line > ack.call.line and not any(
                b.kind in ("catch", "branch") for b in ack.call.inside[-1:]
            ):
                yield fact(
                    "ack_early",
                    module,
                    ack.call.line,
                    function=function.title,
                    why="before the handler is called",
                )
                return
            promised = module.language == "typescript" and re.search(
                r"async|Promise|=>\s*\{", "".join(function.params.values()) + function.body[:2000]
            )
            if (
                module.language == "typescript"
                and call.discarded
                and not call.awaited
                and call.line < ack.call.line
                and promised
            ):
                yield fact(
                    "ack_early",
                    module,
                    call.line,
                    function=function.title,
                    why="without awaiting the handler",
                )
                return


_WORKS = re.compile(r"^_*(handle|process|dispatch|on_?message)\w*$", re.IGNORECASE)


def _settled_first(module: Module, function: Function) -> Iterator[Fact]:
    """What was acknowledged is then handed on to be worked on, or its handler is called only then."""
    for ack in (e for e in function.reach if e.kind == "ack"):
        apart = [b for b in ack.call.inside if b.kind in ("catch", "branch", "finally")]
        loop = next((b for b in reversed(ack.call.inside) if b.kind == "loop"), None)
        settled = {ack.call.receiver, *(re.findall(r"\w+", loop.header.partition(" in ")[2]) if loop else ())}
        settled -= {"self", "this", ""}
        for call in function.calls:
            behind = call.line > (loop.end if loop else ack.call.line)
            if not behind or any(all(b is not c for c in call.inside) for b in apart):
                continue
            if any(b.kind == "catch" for b in call.inside) or words.LOG.search(call.callee):
                continue
            given = (
                call.awaited
                and not ack.via
                and any(re.fullmatch(r"\w+", a) and a in settled for a in call.args)
            )
            if given or _WORKS.match(call.name):
                yield fact(
                    "ack_early", module, ack.call.line, function=function.title, why="before it is worked on"
                )
                return


def _refused(module: Module, function: Function) -> Iterator[Fact]:
    """A refusal in a branch that does not leave, and an acknowledgement that follows all the same."""
    acks = [e.call for e in function.effects if e.kind == "ack"]
    lines = function.body.split("\n")
    for reject in (e.call for e in function.effects if e.kind == "reject"):
        branch = next(iter([*reject.within("branch", "catch")][::-1]), None)
        if branch is None:
            continue
        inside = "\n".join(lines[reject.line - function.line : branch.end - function.line + 1])
        leaves = re.search(
            r"^\t*\s*(return|continue|break|throw|raise|panic)\b", _outer(inside), re.MULTILINE
        )
        after = next(
            (a for a in acks if a.line > branch.end and not any(b is branch for b in a.inside)), None
        )
        if after is not None and not leaves and branch not in after.inside:
            shared = [b for b in reject.inside if b.kind in ("loop", "closure")]
            if all(any(b is c for c in after.inside) for b in shared) and not any(
                b.kind == "branch" and b.line == branch.line for b in after.inside
            ):
                yield fact(
                    "ack_early", module, after.line, function=function.title, why="what it has just refused"
                )
                return


def _outer(text: str) -> str:
    """What of `text` stands no deeper than where it began: a nested return does not leave."""
    depth, kept = 0, []
    for line in text.split("\n"):
        if depth <= 0:
            kept.append(line)
        depth += line.count("{") - line.count("}")
    return "\n".join(kept)


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


_ROUNDS = re.compile(r"\bwhile\b|\basync for\b|\bforever\b|\bevery\w*\(")
_BEGINS = re.compile(
    r"_*(a?start\w*|on_?(start|connect|ready|join)\w*|before_start\w*|startup|lifespan|setup\w*|init\w*|main|run\w*|open|connect|"
    r"a?enter__)$",
    re.IGNORECASE,
)


def _unawaited(program: Program) -> Iterator[Fact]:
    """Work that is left to a task which nobody holds: it dies with the process, and may before."""
    # What goes round and round is begun again by the next start of the process, and loses nothing.
    own = {f.name for _, f in program.functions() if f.name and not _ROUNDS.search(f.body)}
    for module, function, call in calls(program):
        if _BEGINS.match(function.name):
            continue
        if call.name in ("create_task", "ensure_future") and call.discarded and function.name and call.args:
            inner = re.match(r"(?:[\w.]+\.)?(\w+)\(", call.args[0])
            if inner and inner[1] in own and not inner[1].startswith("_"):
                what = f"a task in memory: {call.args[0][:40]}"
                yield fact("queue.weak", module, call.line, function=function.title, what=what)


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
            yield fact("queue.unacked", module, call.line, function=function.title, call=call.callee[-40:])
    subscribes = any(e.kind in ("consume", "ack") for e in function.reach) or any(
        c.name in ("consume", "basic_consume", "Consume", "basicConsume") for c in function.calls
    )
    if weak and subscribes:
        what = " and ".join(dict.fromkeys(w for _, w in weak))
        yield fact("queue.weak", module, weak[0][0], function=function.title, what=what)


def _statics(module: Module, function: Function) -> Iterator[Fact]:
    """What belongs to one request, kept where all requests share it."""
    if module.language == "python":
        yield from _shared(module, function)
    if module.language not in ("typescript", "java"):
        return
    match = re.search(
        r"\b([A-Z]\w+)\.(\w+)\s*=\s*(req|request|ctx|context|user|principal|session)\b", function.body
    )
    if not match:
        return
    owner = next((c for c in module.classes if c.name == match[1]), None)
    if owner is None:
        return
    at = re.search(rf"\bstatic\b[^;\n(]*\b{match[2]}\b", owner.body)
    if at and "ThreadLocal" not in owner.body and "AsyncLocalStorage" not in owner.body:
        # the line of the field: that is what has to change
        start = owner.body.count("\n", 0, at.start())
        yield fact(
            "static_state",
            module,
            owner.line + start,
            function=function.title,
            field=f"{match[1]}.{match[2]}",
        )


def _consuming(program: Program) -> Iterator[tuple[Module, Call]]:
    for module, function in program.functions():
        for call in dict.fromkeys(e.call for e in function.effects if e.kind == "consume"):
            yield module, call


_REQUEST = r"\b(req|request|user|principal|session|tenant|customer)\b"


def _shared(module: Module, function: Function) -> Iterator[Fact]:
    """The same in Python: a global, or an attribute of a class, that is set from what a request says."""
    hears = any(re.search(r"Request\b", type_) for type_ in function.params.values()) or any(
        re.search(r"\.(get|post|put|patch|delete|route|middleware|before_request)\b", m)
        for m in function.marks
    )
    if not hears:
        return
    names = [
        name.strip() for m in re.finditer(r"\bglobal ([\w, ]+)", function.body) for name in m[1].split(",")
    ]
    for name in names:
        match = re.search(rf"^[ \t]*{re.escape(name)}\s*=(?!=)[^\n]*{_REQUEST}", function.body, re.MULTILINE)
        if match:
            line = function.line + function.body.count("\n", 0, match.start())
            yield fact("static_state", module, line, function=function.title, field=name)
    for match in re.finditer(
        rf"^[ \t]*([A-Z]\w+)\.(\w+)\s*=(?!=)[^\n]*{_REQUEST}", function.body, re.MULTILINE
    ):
        owner = next((c for c in module.classes if c.name == match[1]), None)
        if owner is not None and "ContextVar" not in owner.body and "local()" not in owner.body:
            line = function.line + function.body.count("\n", 0, match.start())
            field = f"{match[1]}.{match[2]}"
            yield fact("static_state", module, line, function=function.title, field=field)
            return


_SEEN_TABLE = re.compile(r"inbox|processed|consumed|handled|dedup|idempot|received", re.IGNORECASE)


def naive_consumers(program: Program, facts: Facts) -> Iterator[Fact]:
    """`naive_consumer`: a handler of messages that inserts, with nothing that notices a repeat."""
    kept = facts.has("inbox")
    idempotent = {(f.file, f["function"]) for f in facts.of("idempotent")}
    safe = {title for _, title in idempotent}
    named: dict[str, list[tuple[Module, Function]]] = defaultdict(list)
    for module, function in program.functions():
        named[function.name].append((module, function))
    seen: set[int] = set()
    if not kept:
        yield from _marked(program, facts, safe, seen)
    for module, call in _consuming(program):
        if any(words.OUTBOX_FRAMEWORK.match(item.module) for item in module.imports):
            continue  # such a framework notices repeats by itself
        if kept and re.search(r"inbox|dedup|idempot|once", call.text(), re.IGNORECASE):
            continue
        given = (*call.args, *call.keywords.values())
        for name in {w for a in given for w in re.findall(r"\b[A-Za-z_]\w+\b", a)} & set(named):
            near = [(m, f) for m, f in named[name] if m is module] or named[name]
            if len(near) != 1:
                continue  # a name that several have says nothing
            owner, handler = near[0]
            if id(handler) in seen or not any(e.kind == "db.write" for e in handler.reach):
                continue
            seen.add(id(handler))
            inserts = [
                e
                for e in handler.reach
                if e.kind == "db.write"
                and (
                    re.match(r"insert|save|create|add|persist", e.target or "save", re.I)
                    or re.search(r"\b(\w+)\s*=\s*\1\s*[-+]", e.call.text())
                )
            ]
            told_inside = kept and any(_SEEN_TABLE.search(e.table) for e in handler.reach)
            told = any(t in safe for e in inserts for t in (handler.title, *e.via))
            looked = re.search(r"exist|find|already|duplicate|seen", handler.body, re.IGNORECASE)
            if inserts and not told and not looked and not told_inside:
                yield fact(
                    "naive_consumer",
                    owner,
                    inserts[0].call.line,
                    function=handler.title,
                    call=inserts[0].call.callee[-40:],
                )


_IDENTIFIED = re.compile(r"[iI]d\b|_id\b|ID\b|[kK]ey|[nN]umber|[uU]uid|[cC]ode\b|[rR]eference")


def _marked(program: Program, facts: Facts, safe: set[str], seen: set[int]) -> Iterator[Fact]:
    """Handlers that an annotation makes such, which insert what bears no identity of the message.

    A save of something with an id of its own changes the row that is there, and is left alone.
    """
    heard = {(f.file, f["function"]) for f in facts.of("consumer")}
    for module, function in program.functions():
        if not function.marks or (module.path, function.name) not in heard or id(function) in seen:
            continue
        if any(words.OUTBOX_FRAMEWORK.match(item.module) for item in module.imports):
            continue
        if re.search(r"exist|find|already|duplicate|seen|idempot", function.body, re.IGNORECASE):
            continue
        for effect in function.effects:
            text = " ".join(effect.call.args)
            inserts = effect.kind == "db.write" and re.match(
                r"insert|save|create|add|persist", effect.target or "save", re.I
            )
            if (
                inserts
                and text.startswith("new ")
                and not _IDENTIFIED.search(text)
                and function.title not in safe
            ):
                seen.add(id(function))
                yield fact(
                    "naive_consumer",
                    module,
                    effect.call.line,
                    function=function.title,
                    call=effect.call.callee[-40:],
                )
                break
