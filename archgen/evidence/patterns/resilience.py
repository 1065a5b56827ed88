"""Breakers, retries and timeouts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Block, Call, Catch, Class, Function, Module, Program
from archgen.evidence.facts import Fact, Facts, Service, Strength
from archgen.evidence.patterns.common import callers, calls, does_nothing, fact, marks

_BREAKER_ORIGIN = re.compile(
    r"^(pybreaker|aiobreaker|circuitbreaker|purgatory|opossum|cockatiel|mollitia|brakes|github\.com/(sony/gobreaker|afex/hystrix-go|"
    r"eapache/go-resiliency/breaker|failsafe-go/failsafe-go/circuitbreaker|mercari/go-circuitbreaker|rubyist/circuitbreaker)|"
    r"zeromicro/go-zero/core/breaker|go-kratos/aegis/circuitbreaker|gojek/heimdall|alibaba/sentinel-golang|slok/goresilience|"
    r"cep21/circuit|io\.github\.resilience4j\.circuitbreaker|org\.springframework\.cloud\.client\.circuitbreaker|com\.netflix\.hystrix|dev\.failsafe\.CircuitBreaker)"
)
_BREAKER_MARK = re.compile(
    r"@(?:\w+\.)*(CircuitBreaker|HystrixCommand|circuit|SentinelResource|circuit_breaker|circuitBreaker)\b"
)
_BREAKER_TYPE = re.compile(
    r"(CircuitBreaker(Factory|Registry)?|ReactiveCircuitBreakerFactory|gobreaker\.\w*CircuitBreaker)\.(create|run|circuitBreaker|execute\w*|Execute|decorate\w*|fire|call|of\w*)$"
)
_HALF_OPEN = re.compile(r"half[_\-]?open", re.IGNORECASE)
_OPEN = re.compile(r"\bopen(ed)?\b|\bOPEN\b|\.open\b|_opened|State\.Open", re.IGNORECASE)
_COUNT = re.compile(r"\+=\s*1\b|\+\+|\.(Add|incrementAndGet|getAndIncrement|increment)\(")
_CLOCK = re.compile(
    r"monotonic|\btime\(|[dD]ate\.now|time\.(Now|Since)|Instant|clock|nanoTime|currentTimeMillis|setTimeout"
)

_RETRY_ORIGIN = re.compile(
    r"^(tenacity|backoff|stamina|retrying|retry\.|async-retry|p-retry|axios-retry|cockatiel\.retry|ts-retry|exponential-backoff|promise-retry|"
    r"github\.com/(cenkalti/backoff|avast/retry-go|hashicorp/go-retryablehttp|sethvargo/go-retry|eapache/go-resiliency/retrier)|"
    r"org\.springframework\.retry|io\.github\.resilience4j\.retry|dev\.failsafe\.RetryPolicy)"
)
RETRY_MARK = re.compile(r"@(?:\w+\.)*(retry|Retryable|Retry|on_exception|RetryableTopic)\b")
_UNBOUNDED = re.compile(r"^(while\s*\(?\s*(True|true|1)\s*\)?|for\s*\(\s*;\s*;\s*\)|for)\s*:?$")
_ATTEMPTS = re.compile(
    r"attempt|\bretries\b|\btries\b|max_?\w*(tries|attempts)|\btries_?left|\bremaining\b|\bfailed\b|\b[ijn]\s*<|range\(\s*\w*[\d_]|deadline",
    re.IGNORECASE,
)
_RETRY_WORD = re.compile(r"attempt|retr(y|ies)|tries|again|backoff|failed", re.IGNORECASE)
_OVER_THINGS = re.compile(r"\b(in|of|range)\b|\w\s*:\s*\w")
_CONSUMES = re.compile(
    r"\b(consume|poll|fetch|receive|accept|Accept|recv|Recv|next_message|ReadMessage|FetchMessage|select)\b|<-|"
    r"[nN]otification|\b[wW]ait(For|Once)\w*\("
)
_AGAIN = re.compile(r"\bcontinue\b")
# in Go it is a failure that is met again, and not the next page or entry
_GO_AGAIN = re.compile(r"\bif\b[^{\n]*(\berr\w*\b|\bok\b|Cause|errors\.)[^{\n]*\{[^{}]*\bcontinue\b")
_JITTER = re.compile(r"random|jitter|rand\.", re.IGNORECASE)
_GROWS = re.compile(
    r"\*\*|\*=\s*2|<<|Math\.pow|math\.Pow|exponential|backoff|2\s*\*|\*\s*2|multiplier", re.IGNORECASE
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
    r"state\w*\s*(?::[^=\n]+)?=(?!=)\s*(?:[\w.]*\.|[\"'])?open(ed)?\b|\w\(\s*(?:[\w.]*\.|[\"'])?open\b|"
    r"\b(is_?)?open(ed)?\s*=\s*(true|True)",
    re.IGNORECASE,
)
_COUNTS_FAILURES = re.compile(
    r"(fail|err|count|consecutive|trip)\w*(\[\w+\])?\s*(\+=|\+\+|=\s*[\w.]+\s*\+)|(fail|err|result|outcome|window|calls)\w*\.(append|add|push|Add|increment\w*)\(|"
    r"incrementAndGet|\.record\w*\(",
    re.IGNORECASE,
)
_SUCCESS = re.compile(r"^(fail\w*|error\w*)$", re.IGNORECASE)


def _deaf(program: Program) -> Iterator[Fact]:
    """`breaker.deaf`: a breaker written by hand that hears of no failure, counts none, or never opens."""
    for module, one in program.classes():
        text = whole(module, one)
        named = _LOOKS_LIKE_ONE.search(one.name) is not None
        if not named or not all(sign.search(text) for sign in (_HALF_OPEN, _OPEN, _CLOCK)):
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
    r"^(feign\.(hystrix|circuitbreaker)|spring\.cloud\.openfeign\.circuitbreaker)\.enabled$"
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
    for module, one in program.classes():
        mark = next((m for m in one.marks if "FeignClient" in m), "")
        home = facts.service_of(module.path)
        if mark and any(_tells(s, home) for s in on):
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
        if not is_breaker(module, one):
            continue
        own = [f for f in module.functions if f.owner == one.name]
        yield fact("breaker.class", module, one.line, name=one.name)
        uses = callers(program, one.name, {f.name for f in own if not f.name.startswith("__")})
        for user in {m.path: m for m, _, _ in uses}.values():
            yield fact("breaker.user", user, 1, name=one.name)
        made = [
            (m, f, c) for m, f, c in calls(program)
            if c.name in (one.name, f"New{one.name}") and f.owner != one.name and f.name != f"New{one.name}"
        ]  # fmt: skip
        guarded = [(m, f, c) for m, f, c in uses if _meets_remote(program, m, f)]
        if made and guarded:
            user, function, call = guarded[0]
            yield fact("breaker", user, call.line, by=one.name, function=function.title)


def is_breaker(module: Module, one: Class) -> bool:
    """Whether a class counts failures, opens, and tries again half-open."""
    own = [f for f in module.functions if f.owner == one.name]
    text = whole(module, one)
    return (
        all(sign.search(text) for sign in (_HALF_OPEN, _OPEN, _COUNT, _CLOCK))
        and bool(own)
        and not all(does_nothing(f) for f in own)
    )


def whole(module: Module, one: Class) -> str:
    """The text of a class with its methods, which in Go stand outside of it."""
    if module.language != "go":
        return one.body
    return "\n".join([one.body, *(f.body for f in module.functions if f.owner == one.name)])


def retry_origin(call: Call, module: Module, function: Function) -> bool:
    """Whether a call hands something to a library that tries it again."""
    return _RETRY_ORIGIN.search(origin_of(call, module, function)) is not None


def _meets_remote(program: Program, module: Module, function: Function) -> bool:
    """Does the function, or another of its class or module that it works with, call a remote peer?"""
    if any(e.kind == "remote" for e in function.reach):
        return True
    return any(e.kind == "remote" for f in module.functions if f.owner == function.owner for e in f.reach)


def retries(program: Program) -> Iterator[Fact]:
    """`retry` with `bounded`, `backoff`, `jitter`, and whether it is `near` calls to peers: a
    library's, or a loop.
    """
    remote = {m.path for m, f in program.functions() if any(e.kind == "remote" for e in f.effects)}
    for module, function, call in calls(program):
        if _RETRY_ORIGIN.search(origin_of(call, module, function)):
            near = not remote.isdisjoint(function.reached_from()) or any(
                e.kind == "remote" for e in function.reach
            )
            jitter = "jitter" in call.text()
            yield fact(
                "retry",
                module,
                call.line,
                by=call.callee[:40],
                bounded=True,
                backoff=True,
                jitter=jitter,
                loop=False,
                near=near,
            )
    for module, item, mark, line in marks(program):
        if RETRY_MARK.search(mark):
            near = isinstance(item, Function) and any(e.kind == "remote" for e in item.reach)
            yield fact(
                "retry",
                module,
                line,
                by=mark[:60],
                bounded=True,
                backoff=True,
                jitter="jitter" in mark,
                loop=False,
                near=near,
            )
    for module, function in program.functions():
        near = not remote.isdisjoint(function.reached_from()) or any(
            e.kind == "remote" for e in function.reach
        )
        yield from _loops(module, function, near)


def retry_loops(module: Module, function: Function) -> Iterator[Block]:
    """Loops that try again: a caught failure inside a loop, whose success leaves the loop."""
    lines = function.body.split("\n")
    loops = {id(b): b for call in function.calls for b in call.within("loop")}
    for loop in loops.values():
        if _OVER_THINGS.search(loop.header) and not _ATTEMPTS.search(loop.header):
            continue  # one turn per thing, not one per attempt
        if not _UNBOUNDED.match(loop.header.strip()) and not _RETRY_WORD.search(function.body):
            continue
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        catches = [
            c
            for c in function.catches
            if loop.line <= c.line <= loop.end and not re.match(r"(final\s+)?InterruptedException\b", c.types)
        ]
        caught = bool(catches) or (
            module.language == "go"
            and re.search(
                r"err\w*\s*!=\s*nil|err\s*==|Cause\(err|errors\.(Is|As)|,\s*ok\s*:?=\s*\w+\(err", body
            )
            is not None
        )
        # a try that ends in return or break is tried again only after a failure
        leaves = re.search(r"\b(return|break)\b", body) is not None
        again = (_GO_AGAIN if module.language == "go" else _AGAIN).search(body) is not None or any(
            not _gives_up(lines[catch.line - function.line + 1 : catch.end - function.line + 1])
            for catch in catches
        )
        if caught and leaves and again and not (module.language == "go" and _leaves_at_once(body)):
            yield loop


_GO_FAILED = re.compile(r"\bif\b[^\n{]*\berr\w*\s*!=\s*nil[^\n{]*\{([^{}]*)\}")


def _leaves_at_once(body: str) -> bool:
    """Whether every failure in a loop of Go ends it: its turns are pages or entries, not attempts."""
    handlers = _GO_FAILED.findall(body)
    return bool(handlers) and all(
        re.search(r"\b(return|break|panic|os\.Exit|Fatalf?)\b", text) for text in handlers
    )


def _loops(module: Module, function: Function, near: bool) -> Iterator[Fact]:
    """Loops that try again, with how often and after which pause."""
    lines = function.body.split("\n")
    for loop in retry_loops(module, function):
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        if re.search(r"\byield\b", body):
            continue  # it hands on what comes, one after the other
        inside = [c for c in function.calls if any(b is loop for b in c.inside)]
        # `retry.wait()` computes a pause; what pauses is awaited, or sleeps
        waits = [
            c
            for c in inside
            if re.search(r"(sleep|delay|setTimeout|After|backoff|park)$", c.name, re.IGNORECASE)
            or (c.awaited and re.search(r"wait|pause|retry", c.name, re.IGNORECASE))
        ]
        unbounded = _UNBOUNDED.match(loop.header.strip()) is not None and (
            not _ATTEMPTS.search(body) or _never_gives_up(module, function, loop)
        )
        consumer = _CONSUMES.search(
            re.sub(r"\bfetch\(", "", body) if module.language == "typescript" else body
        )
        if consumer and not waits:
            continue
        yield fact(
            "retry", module, loop.line, by="loop", loop=True, bounded=not unbounded, backoff=bool(waits),
            grows=any(_GROWS.search(f.body) for f in module.functions),
            jitter=any(_JITTER.search(f.body) for f in module.functions if f.name),
            function=function.title, consumer=consumer is not None, near=near,
        )  # fmt: skip


def _never_gives_up(module: Module, function: Function, loop: Block) -> bool:
    """Whether nothing in the loop but the try itself leaves it, so that counting failures changes nothing."""
    tries = {id(b): b for c in function.calls for b in c.within("try") if loop.line <= b.line <= loop.end}
    if module.language == "go" or not tries:
        return False
    kept = [
        line
        for number, line in enumerate(function.body.split("\n"), function.line)
        if loop.line < number <= loop.end and not any(b.line <= number <= b.end for b in tries.values())
    ]
    return re.search(r"\b(raise|throw|return|break|exit|abort)\b", "\n".join(kept)) is None


def _gives_up(handler: list[str]) -> bool:
    """Whether a handler always ends in raising or returning, as far as its indentation tells."""
    body = [line for line in handler if line.strip(" })\t")]
    if not body:
        return False
    first, last = body[0], body[-1]
    indent = len(last) - len(last.lstrip())
    return re.match(r"\s*(raise|throw|return|break)\b", last) is not None and indent <= len(first) - len(
        first.lstrip()
    )


def timeouts(program: Program) -> Iterator[Fact]:
    """`client`: a remote call or the making of its client, and whether a time limit is set where it
    is made.
    """
    makers = re.compile(
        r"^(httpx\.(AsyncClient|Client)|(anthropic|openai)\.(Async)?(Anthropic|OpenAI)|aiohttp\.ClientSession|requests\.(get|post|put|patch|delete|request|head)|urllib\.request\.urlopen|"
        r"httpx\.(get|post|put|patch|delete|request)|axios\.create|axios(\.(get|post|put|patch|delete|request))?|RestTemplate|WebClient\.create|"
        r"WebClient\.builder|net/http\.(Get|Post|PostForm|Head)|net/http\.Client|net/http\.DefaultClient\.\w+|OkHttpClient|HttpClient\.newHttpClient|fetch|"
        r"urllib3\.PoolManager|smtplib\.SMTP(_SSL)?)$"
    )
    for module, function, call in calls(program):
        origin = origin_of(call, module, function)
        if call.callee in (
            "RestTemplate",
            "WebClient.create",
            "WebClient.builder",
            "axios.create",
            "OkHttpClient",
            "HttpClient.newHttpClient",
        ):
            origin = call.callee
        if not makers.match(origin):
            continue
        yield fact(
            "client",
            module,
            call.line,
            what=origin,
            timeout=_timed(call.text(), function, module, origin),
            function=function.title,
        )


_TIMED = re.compile(r"timeout|Timeout|signal|AbortController|deadline|Deadline")


def _timed(text: str, function: Function, module: Module, origin: str) -> bool:
    if origin.startswith("httpx."):
        # httpx waits five seconds unless it is told otherwise
        return not re.search(r"timeout\s*=\s*None", text)
    if origin.startswith("aiohttp."):
        return re.search(r"timeout=None|ClientTimeout\((total=)?None", text) is None
    if origin.startswith(("anthropic.", "openai.")):
        return "timeout=None" not in text  # they give up after ten minutes unless told otherwise
    if "DefaultClient" in origin and "WithContext" in function.body:
        return True  # whoever gave the context may have set an end to it
    if _TIMED.search(text) or (module.language == "python" and re.search(r"[(,]\s*\*\*", text)):
        return True  # or told by what is spread into the call
    if origin.startswith(("requests.", "urllib.", "smtplib.")):
        return False
    # a client that is built and then configured, in the same function
    # clients of that name that are not Spring's have a limit of their own
    spring = any("springframework" in item.module for item in module.imports)
    limited = module.language == "java" and "WebClient" in origin and not spring
    return limited or _TIMED.search(function.body) is not None
