"""Circuit breakers: a library's, one that the project wrote, the mesh's, the gateway's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Catch, Class, Function, Module, Program
from archgen.evidence.facts import Fact, Facts, Service, Strength
from archgen.evidence.patterns.common import callers, calls, does_nothing, fact, marks

_BREAKER_ORIGIN = re.compile(
    r"^(pybreaker|aiobreaker|circuitbreaker|purgatory|opossum|cockatiel|mollitia|brakes|github\.com/(sony/gobreaker|afex/hystrix-go|"
    r"eapache/go-resiliency/breaker|failsafe-go/failsafe-go/circuitbreaker|mercari/go-circuitbreaker|rubyist/circuitbreaker)|"
    r"zeromicro/go-zero/core/breaker|go-kratos/aegis/circuitbreaker|gojek/heimdall|alibaba/sentinel-golang|slok/goresilience|"
    r"cep21/circuit|io\.github\.resilience4j\.circuitbreaker|org\.springframework\.cloud\.client\.circuitbreaker|com\.netflix\.hystrix|dev\.failsafe\.CircuitBreaker|io\.vertx\.(\w+\.)*circuitbreaker)"
)
_BREAKER_MARK = re.compile(
    r"@(?:\w+\.)*(CircuitBreaker|HystrixCommand|circuit|SentinelResource|circuit_breaker|circuitBreaker)\b"
)
_BREAKER_TYPE = re.compile(
    r"([cC]ircuit_?[bB]reaker(Factory|Registry)?|ReactiveCircuitBreakerFactory|gobreaker\.\w*CircuitBreaker)\.(create|run|circuitBreaker|execute\w*|Execute|decorate\w*|fire|call|of\w*)$"
)
_HALF_OPEN = re.compile(r"half[_\-]?open", re.IGNORECASE)
_OPEN = re.compile(r"\bopen(ed)?\b|[sS]tateOpen\b|\bOPEN\b|\.open\b|_opened|State\.Open", re.IGNORECASE)
_COUNT = re.compile(r"\+=\s*1\b|\+\+|\.(Add|incrementAndGet|getAndIncrement|increment)\(")
_CLOCK = re.compile(
    r"monotonic|\btime\(|[dD]ate\.now|time\.(Now|Since)|Instant|clock|nanoTime|currentTimeMillis|setTimeout"
)


def breakers(program: Program, facts: Facts) -> Iterator[Fact]:
    """`breaker`: one in use around calls; `data.by` is a library, the class, the mesh or the gateway."""
    yield from _declared(program, facts)
    for module, function, call in calls(program):
        origin = origin_of(call, module, function)
        if _BREAKER_ORIGIN.search(origin) or _BREAKER_TYPE.search(origin):
            yield fact("breaker", module, call.line, by=call.callee[:60], function=function.title)
    for module, item, mark, line in marks(program):
        if _BREAKER_MARK.search(mark) and any(
            re.search(
                r"resilience4j|hystrix|circuit|sentinel|breaker",
                " ".join([i.module, *i.names]),
                re.IGNORECASE,
            )
            for i in module.imports
        ):
            yield fact("breaker", module, line, by=mark[:60], function=item.name)
    yield from _written(program)
    yield from _deaf(program)


_LOOKS_LIKE_ONE = re.compile(r"breaker|circuit", re.IGNORECASE)
_OPENS = re.compile(
    r"state\w*\s*(?::[^=\n]+)?=(?!=)\s*(?:[\w.]*\.|[\"'])?(?:state_?)?open(ed)?\b|\w\(\s*(?:[\w.]*\.|[\"'])?open\b|"
    r"\b(is_?)?open(ed)?\s*=\s*(true|True)|\bstate[\"']?\s*:\s*[\"']open\b",
    re.IGNORECASE,
)
_COUNTS_FAILURES = re.compile(
    r"(fail|err|count|consecutive|trip)\w*(\[\w+\])?\s*(\+=|\+\+|=\s*[\w.]+\s*\+)|(fail|err|result|outcome|window|calls)\w*\.(append|add|push|Add|increment\w*)\(|"
    r"incrementAndGet|\.record\w*\(|\.(h?incr(by)?|zadd|zcard|consume)\(",
    re.IGNORECASE,
)
_SUCCESS = re.compile(r"^(fail\w*|error\w*)$", re.IGNORECASE)


def _deaf(program: Program) -> Iterator[Fact]:
    """`breaker.deaf`: a breaker written by hand that hears of no failure, counts none, or never opens."""
    for module, one in program.classes():
        if not _LOOKS_LIKE_ONE.search(one.name):
            continue
        text = whole(program, module, one)
        if not all(sign.search(text) for sign in (_HALF_OPEN, _OPEN, _CLOCK)):
            continue
        if not _moves(program, module, one):
            continue
        own = [f for f in module.functions if f.owner == one.name and f.name]
        if not _COUNTS_FAILURES.search(text):
            yield fact("breaker.deaf", module, one.line, name=one.name, why="counts no failure")
        elif not _OPENS.search(text):
            yield fact("breaker.deaf", module, one.line, name=one.name, why="never opens")
        for function in own:
            for catch in function.catches:
                broad = re.match(r"\(?(Exception|Throwable|err(or)?|e)\b|$", catch.types.strip())
                if (
                    broad
                    and re.fullmatch(r"(raise|throw)( \w+)?;?", catch.body.strip())
                    and _guards(function, catch)
                ):
                    why = "passes a failure on and does not note it"
                    yield fact("breaker.deaf", module, catch.line, name=function.title, why=why)
            for call in function.calls:
                wrong = [k for k, v in call.keywords.items() if _SUCCESS.match(k) and v in ("False", "false")]
                if wrong and any(call.within("catch")):
                    why = "notes a failure as a success"
                    yield fact("breaker.deaf", module, call.line, name=function.title, why=why)


def _guards(function: Function, catch: Catch) -> bool:
    """Whether the guarded work is what the try holds: it yields to it, or calls what it was given."""
    given = any(c.callee in function.params for c in function.calls if any(c.within("try")))
    return given or re.search(r"\btry:\s*\n\s+yield\b", function.body) is not None


_SWITCHED_ON = re.compile(
    r"^(feign\.(hystrix|circuitbreaker|sentinel)|spring\.cloud\.openfeign\.circuitbreaker)\.enabled$"
)
_GATEWAY = re.compile(
    r"^spring\.cloud\.gateway\.(\w+\.)*(routes|default-filters)\b.*(filters|name)", re.IGNORECASE
)


def _declared(program: Program, facts: Facts) -> Iterator[Fact]:
    """Breakers that a framework puts around declared clients and routes, where a setting turns them on."""
    settings = list(facts.of("setting"))
    for setting in settings:
        if _GATEWAY.search(str(setting["key"])) and "CircuitBreaker" in str(setting["value"]):
            data = {"by": "gateway", "name": str(setting["value"])[:40]}
            yield Fact("breaker", setting.file, setting.line, Strength.USED, data)
    on = [s for s in settings if _SWITCHED_ON.match(str(s["key"])) and str(s["value"]).lower() == "true"]
    off = any(_SWITCHED_ON.match(str(s["key"])) and str(s["value"]).lower() == "false" for s in settings)
    # the switch is with the settings that a server hands out: a fallback would be there for nothing
    remote = any(str(s["key"]).startswith("spring.cloud.config.") for s in settings)
    for module, one in program.classes():
        mark = next((m for m in one.marks if "FeignClient" in m), "")
        home = facts.service_of(module.path)
        elsewhere = "fallback" in mark and remote and not off
        if mark and (elsewhere or any(_tells(s, home) for s in on)):
            yield fact("breaker", module, one.line, by=mark[:60], function=one.name)


def _tells(setting: Fact, home: Service | None) -> bool:
    """Whether a setting is for the service: it lies in its folder, bears its name, or is for all."""
    stem = setting.file.rpartition("/")[2].rpartition(".")[0]
    if home is None or setting.file.startswith(home.folder + "/"):
        return True
    return home.name in stem or (stem.startswith(("application", "bootstrap")) and "config" in setting.file)


def _written(program: Program) -> Iterator[Fact]:
    """Breakers written by hand: a class that counts failures, opens, and tries again half-open."""
    for module, one in program.classes():
        if not is_breaker(program, module, one):
            continue
        own = [f for f in _package(program, module) if f.owner == one.name]
        yield fact("breaker.class", module, one.line, name=one.name)
        uses = callers(program, one.name, {f.name for f in own if not f.name.startswith("__")})
        for user in {m.path: m for m, _, _ in uses}.values():
            yield fact("breaker.user", user, 1, name=one.name)
        made = [
            (m, f, c) for m, f, c in calls(program)
            if c.name in (one.name, f"New{one.name}") and f.owner != one.name and f.name != f"New{one.name}"
        ]  # fmt: skip
        guarded = [(m, f, c) for m, f, c in uses if _meets_remote(m, f)]
        if made and guarded:
            user, function, call = guarded[0]
            yield fact("breaker", user, call.line, by=one.name, function=function.title)


def is_breaker(program: Program, module: Module, one: Class) -> bool:
    """Whether a class counts failures, opens, and tries again half-open."""
    text = whole(program, module, one)
    return all(sign.search(text) for sign in (_HALF_OPEN, _OPEN, _COUNT, _CLOCK)) and _moves(
        program, module, one
    )


def _moves(program: Program, module: Module, one: Class) -> bool:
    """Whether methods of the class itself know the states, as those of its settings and its store do not."""
    own = [f for f in _package(program, module) if f.owner == one.name]
    told = module.language != "go" or any(_HALF_OPEN.search(f.body) for f in own)
    return told and bool(own) and not all(does_nothing(f) for f in own)


def whole(program: Program, module: Module, one: Class) -> str:
    """The text of a class with its methods. In Go they stand outside of it, in any file of the package, and
    what manages breakers may be another struct than what is one.
    """
    if module.language != "go":
        return one.body
    named = _LOOKS_LIKE_ONE.search(one.name) is not None
    return "\n".join(
        [
            one.body,
            *(
                f.body
                for f in (_package(program, module) if named else module.functions)
                if f.owner == one.name or (named and _LOOKS_LIKE_ONE.search(f.owner))
            ),
        ]
    )


def _package(program: Program, module: Module) -> Iterator[Function]:
    """The functions of a file; in Go, of all files of its package."""
    if module.language != "go":
        yield from module.functions
        return
    folder = module.path.rpartition("/")[0]
    for path, other in program.modules.items():
        if path.rpartition("/")[0] == folder and not other.test:
            yield from other.functions


def _meets_remote(module: Module, function: Function) -> bool:
    """Does the function, or another of its class or module that it works with, call a remote peer?"""
    if any(e.kind == "remote" for e in function.reach):
        return True
    return any(e.kind == "remote" for f in module.functions if f.owner == function.owner for e in f.reach)
