"""Messages that come twice, and are noticed too late: what was seen is kept in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import fact

_CHECK = re.compile(r"^(containsKey|contains|has|getIfPresent|includes|asMap|exists|get|Load|LoadOrStore)$")
_KEEP = re.compile(r"^(put|add|set|push|Store|append)$")
_MEMORY = re.compile(
    r"(Map|Set|Cache|dict|set\(|\{\}|LinkedHashMap|ConcurrentHashMap|sync\.Map|lru|defaultdict|list|\[\])",
    re.IGNORECASE,
)
# What tells one message or request from another, and not one folder or file name.
# What waits for the next of its kind, or for an answer under way, notes no work that was done.
# Nor does what is opened once and used again.
_NO_RECORD = re.compile(
    r"debounce|throttle|timers?$|in_?flight|pending|(client|connection|channel|pool|socket|subscription|subscriber|"
    r"listener|producer|publisher|limiter|worker|handler|loader|service|strateg(y|ie)|manager|registr(y|ie)|task|member)s?$",
    re.IGNORECASE,
)
_IDENTIFIES = re.compile(r"id\b|Id\b|ID\b|uuid|key|token|nonce|request|message|event|number", re.IGNORECASE)
_SHARED_STORE = re.compile(r"redis|memcache|hazelcast|ignite", re.IGNORECASE)


def remembered(program: Program) -> Iterator[Fact]:
    """`memory_dedup`: messages that were seen are noted in memory, and only after the work."""
    for module, function in program.functions():
        yield from _memory_dedup(module, function)


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
            or re.search(r"cache|redis", module.imported(word))  # a framework's, which others share
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
        if _looked_up(function, store, key):
            continue
        work = [e.call.line for e in acts if e.write or e.kind != "remote"]
        # what a consumer hands a message to is not seen, and may do anything
        work += [
            c.line
            for c in function.calls
            if re.fullmatch(r"_*(handler?|callback|consumer|listener)s?", c.name)
        ]
        if not function.name:  # several closures, it may be, and each works for itself
            work = [line for line in work if line <= keep.line]
        if word in function.params:
            continue  # somebody else's, for as long as that lasts
        if check and any(check <= line for line in work) and check < keep.line:
            yield fact("memory_dedup", module, check, function=function.title, store=store, key=key[:40])
            return
    yield from _noted(module, function, acts)


_OF_A_MESSAGE = re.compile(r"message|msg|event|request|idempot|deliver|nonce|dedup", re.IGNORECASE)


def _looked_up(function: Function, store: str, key: str) -> bool:
    """Whether what is kept under a key is wanted for itself: a cache, and no record of what was done."""
    if _OF_A_MESSAGE.search(f"{store} {key}"):
        return False
    got = re.search(
        rf"\b(\w+)\s*:?=\s*(?:await\s+)?{re.escape(store)}\??\.(?:get\w*|Load|Get)(?:<[^<>()]*>)?\(",
        function.body,
    )
    if got is None:
        return False
    later = function.body[got.end() :]
    return re.search(rf"\breturn\s+{got[1]}\b|[(,]\s*{got[1]}\s*[,)]", later) is not None


_NOTED = re.compile(r"^[ \t]*((?:self\.)?\w+)\[([^\]\n]+)\]\s*=(?!=)", re.MULTILINE)


def _noted(module: Module, function: Function, acts: list[Effect]) -> Iterator[Fact]:
    """The same with a dictionary: `if key in seen`, the work, `seen[key] = True`."""
    for keep in _NOTED.finditer(function.body) if acts else ():
        store, key = keep[1], keep[2]
        if f" in {store}" not in function.body or store in function.params or "cache" in store.lower():
            continue
        if re.search(rf"\breturn\s+{re.escape(store)}\[{re.escape(key)}\]", function.body):
            continue  # wanted for itself
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
