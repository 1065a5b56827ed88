"""What a function does through the functions that it calls."""

from __future__ import annotations

import re

from archgen.evidence.code.links import Links
from archgen.evidence.code.model import Call, Effect, Function

_DEEPEST = 8
_CARRIED = ("db.write", "publish", "enqueue", "remote", "outbox", "commit", "tx", "ack", "reject")
_COMMANDS = re.compile(r"&(cobra|cli)\.Command\{")


def connect(links: Links) -> None:
    """Adds to each function's effects those that it has through the functions that it calls."""
    _Carrier(links).connect()


class _Carrier:
    def __init__(self, links: Links) -> None:
        self._links = links
        self._summary: dict[tuple[int, int], tuple[Effect, ...]] = {}

    def connect(self) -> None:
        for module in self._links.program.modules.values():
            for function in module.functions:
                own = list(function.effects)
                known = {id(e.call) for e in own}
                for call in function.calls:
                    targets = self._links.targets(call, module, function)
                    for target in targets:
                        if target is not function:
                            target.callers.append(function)
                    if id(call) in known:
                        continue
                    for target in targets:
                        if target is not function:
                            own += [
                                _through(e, call, target)
                                for e in self._does(target, 1)
                                if not _copies(e, call, target)
                            ]
                function.reach = sorted(own, key=lambda e: e.call.line)

    def _does(self, function: Function, depth: int) -> tuple[Effect, ...]:
        """One effect of each sort that `function` has, itself or through what it calls; of those that are
        `depth` calls away from where one looks, less is seen.
        """
        key = (id(function), depth)
        if key in self._summary:
            return self._summary[key]
        if _COMMANDS.search(function.body):
            return ()  # it puts commands together, which somebody may call later
        sorts: dict[tuple[str, bool, str], Effect] = {}
        module = self._links.program.modules[function.file]
        handed_back = _handed_back(function)
        for effect in function.effects:
            if effect.kind in _CARRIED and handed_back.isdisjoint(map(id, effect.call.inside)):
                sorts.setdefault((effect.kind, effect.write, effect.table), effect)
        if depth < _DEEPEST:
            known = {id(e.call) for e in function.effects}
            for call in function.calls:
                if id(call) in known or not handed_back.isdisjoint(map(id, call.inside)):
                    continue
                for target in self._links.targets(call, module, function):
                    if target is not function:
                        for effect in self._does(target, depth + 1):
                            if not _copies(effect, call, target):
                                sorts.setdefault(
                                    (effect.kind, effect.write, effect.table), _through(effect, call, target)
                                )
        result = self._summary[key] = tuple(sorts.values())
        return result


_HANDS_BACK = re.compile(
    r"return\s+(?:http\.HandlerFunc\()?(?:func\b|(?:async\s*)?(?:function\b|\(?[\w\s,:]*\)?\s*=>))"
)


# What keeps the function that it is handed, for a job, a route or an event that comes later.
_REGISTERS = re.compile(
    r"(^|\.)(define|on|once|addListener|addEventListener|process|subscribe|Handle(Func)?|get|post|put|patch|delete|route|use|"
    r"every|cron|command|action|setInterval|AddFunc|AddHandler|AddNoPublisherHandler)$"
)


def _handed_back(function: Function) -> set[int]:
    """Functions without a name that `function` returns, or leaves with who calls them later: what they do, it
    does not do itself.
    """
    closures = {id(b): b for c in function.calls for b in c.within("closure")}
    if not closures:
        return set()
    kept = {key for key, block in closures.items() if _REGISTERS.search(block.header)}
    if "return" in function.body and _HANDS_BACK.search(function.body):
        lines = function.body.split("\n")
        kept |= {
            key
            for key, block in closures.items()
            if 0 <= (at := block.line - function.line) < len(lines) and _HANDS_BACK.search(lines[at])
        }
    return kept


# What a copy is kept in changes nothing: `PostgresCache.Set`, `cache.put`.
_A_CACHE = re.compile(r"(^|[a-z_])_?[cC]ach(e|ing)([A-Z_]\w*)?$")


def _copies(effect: Effect, call: Call, target: Function) -> bool:
    """Whether a change that is made through `target` is one of a cache."""
    return effect.kind == "db.write" and (
        _A_CACHE.search(target.owner) is not None or _A_CACHE.search(call.receiver) is not None
    )


_CHANGING = re.compile(r"(post|put|patch|delete)$", re.IGNORECASE)


# `perform("post", …)`, `do(ctx, http.MethodPost, …)`, `ask(HttpMethod.POST, …)`
_TOLD_METHOD = re.compile(
    r"[\"'`](?i:post|put|patch|delete)[\"'`]|(\w+\.)*(Method)?(Post|Put|Patch|Delete|POST|PUT|PATCH|DELETE)"
)
_A_METHOD = re.compile(r"(http_?)?(method|verb)$", re.IGNORECASE)


def _told(call: Call, target: Function) -> bool:
    """Whether a wrapper is told as it is called to ask with a method that changes something."""
    return any(map(_A_METHOD.match, target.params)) and any(
        _TOLD_METHOD.fullmatch(arg) for arg in (*call.args[:3], call.keywords.get("method", ""))
    )


def _through(effect: Effect, call: Call, target: Function) -> Effect:
    late = effect.late or effect.call.after_commit or call.after_commit or call.defers
    via = (target.title, *effect.via)
    # a wrapper that is told the method as it is called: its own name says which, or an argument
    write = effect.write or (
        effect.kind == "remote" and (_CHANGING.match(target.name) is not None or _told(call, target))
    )
    return Effect(effect.kind, call, write, effect.table, effect.target, via, late)
