"""Calls of peers, and whether they end after a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import NODE_REQUEST, is_session, origin_of
from archgen.evidence.code.model import Call, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact

_VERBS = r"(get|post|put|patch|delete|request|head)"
# What makes a client, or calls a peer without one: here its time limit is set, or never.
_MAKERS = re.compile(
    r"^(httpx\.(AsyncClient|Client)|(anthropic|openai)\.(Async)?(Anthropic|OpenAI)|aiohttp\.ClientSession|"
    rf"(botocore\.vendored\.)?requests\.{_VERBS}|requests\.[sS]ession\.{_VERBS}|urllib\.request\.urlopen|httpx\.{_VERBS}|"
    rf"axios\.create|axios(\.{_VERBS})?|(got\.)?got(\.{_VERBS})?|node-fetch(\.default)?|HttpService\.{_VERBS}|fetch|"
    r"net/http\.(Get|Post|PostForm|Head)|net/http\.Client|net/http\.DefaultClient\.\w+|"
    r"github\.com/hashicorp/go-retryablehttp\.(NewClient|Get|Post|PostForm|Head)|"
    r"urllib3\.PoolManager|smtplib\.SMTP(_SSL)?)$"
)
# The same, known by the name that is called, wherever that comes from.
_MAKERS_JAVA = re.compile(
    r"^(RestTemplate|RestTemplateBuilder\.build|WebClient\.(create|builder)|HttpClient\.newHttpClient|"
    r"HttpClients\.(createDefault|createSystem|custom)|HttpClientBuilder\.create|DefaultHttpClient|"
    r"ClientBuilder\.(newClient|newBuilder)|JerseyClientBuilder|.*\.openConnection)$"
)
# A builder that Spring hands out, and that sets no limit by itself.
_BUILDERS_JAVA = re.compile(r"(this\.)?(rest_?client|rest_?template|web_?client)\w*builder\b", re.IGNORECASE)
_TIMED = re.compile(r"timeout|Timeout|signal|AbortController|deadline|Deadline|RequestConfig")


def timeouts(program: Program) -> Iterator[Fact]:
    """`client`: a remote call or the making of its client, and whether a time limit is set where it
    is made.
    """
    registered = any(
        call.receiver == "HttpModule" and call.name.startswith("register") and _TIMED.search(call.text())
        for _, _, call in calls(program)
    )
    for module, function, call in calls(program):
        origin = _made(call, module, function)
        if not origin:
            if call.keywords.get("timeout") == "None" and call.name != "stream" and _asks(call, function):
                yield fact(
                    "client", module, call.line, what=call.shown(40), timeout=False, function=function.title
                )
            continue
        timed = _timed(call.text(), function, module, origin) or (registered and "HttpService" in origin)
        timed = timed or _handed(call, origin, function) or _limited(function)
        yield fact("client", module, call.line, what=origin, timeout=timed, function=function.title)
    yield from _endless(program)


def _asks(call: Call, function: Function) -> bool:
    return any(e.call is call and e.kind == "remote" for e in function.effects)


# Calls whose end is set where they are made, by a context or an operator.
_NO_END = re.compile(r"^context\.(Background|TODO)\(\)$")
_ENDS = re.compile(r"WithTimeout|WithDeadline")
_NEST = re.compile(r"@nestjs/microservices")
_ASKED = re.compile(r"^(grpc|dapr|binding)$")


def _endless(program: Program) -> Iterator[Fact]:
    """Remote procedure calls that nothing ends: a context of Go that has no end, a message of Nest that is
    awaited without the operator `timeout`.
    """
    intercepted = any(
        module.language == "typescript"
        and any("NestInterceptor" in base for base in one.bases)
        and any("timeout" in item.names for item in module.imports)
        for module, one in program.classes()
    )
    for module, function in program.functions():
        for effect in function.effects:
            call = effect.call
            if effect.kind != "remote" or effect.via:
                continue
            if module.language == "go" and _ASKED.match(effect.target) and call.args:
                made = re.search(rf"\b{re.escape(call.args[0])}\s*:?=\s*(context\.\w+\(\))", function.body)
                context = made[1] if made else call.args[0]
                if not _NO_END.match(context) or _ENDS.search(function.body):
                    continue
            elif module.language == "typescript" and (
                (effect.target == "rpc" and call.name == "send")
                or (effect.target == "grpc" and module.uses(_NEST))
            ):
                if intercepted or re.search("timeout|deadline", function.body, re.IGNORECASE):
                    continue
            else:
                continue
            yield fact(
                "client", module, call.line, what=call.shown(40), timeout=False, function=function.title
            )
            break


def _made(call: Call, module: Module, function: Function) -> str:
    """What client `call` makes or goes without, "" when it is something else."""
    if module.language == "java":
        names = (call.callee[-60:], origin_of(call, module, function)[-60:])
        if call.name == "build" and _BUILDERS_JAVA.match(call.callee) and call.args == ():
            return f"{call.callee[:40]}...build" if len(call.callee) > 46 else call.callee
        return next(filter(_MAKERS_JAVA.match, names), "")
    if call.callee == "axios.create":
        return call.callee
    origin = origin_of(call, module, function)
    if module.language == "typescript" and NODE_REQUEST.match(call.callee):
        return call.callee if _asks(call, function) else ""
    if is_session(call, module):
        return f"requests.Session.{call.name}"
    if module.language == "typescript" and _INSTANCE.match(call.callee) and _ours(call, module):
        return ""  # the project's own, which is judged where it is made
    asks = origin == "fetch" or origin.startswith("axios")
    if not _MAKERS.match(origin) or (asks and not any(e.call is call for e in function.effects)):
        return ""
    return origin.replace("got.got", "got")  # which the library exports by its name as well


_LIMITER = re.compile(r"@(?:\w+\.)*TimeLimiter\b")


def _limited(function: Function, depth: int = 3) -> bool:
    """Whether who calls waits only so long, as an annotation of Resilience4j says."""
    if any(map(_LIMITER.match, function.marks)):
        return True
    return depth > 0 and any(
        _limited(caller, depth - 1) for caller in function.callers if caller is not function
    )


def _handed(call: Call, origin: str, function: Function) -> bool:
    """Whether the options of a `fetch` come from elsewhere, and may set an end that is not seen here."""
    if origin not in ("fetch", "node-fetch", "node-fetch.default") or len(call.args) < 2:
        return False
    options = call.args[1]
    if options.isidentifier() and re.search(rf"\b{options}\b[^=\n]*=\s*\{{", function.body):
        return False
    spread = re.findall(r"\.\.\.\(?(\w+)", options)
    return options[:1] != "{" or any(name in function.params for name in spread)


_INSTANCE = re.compile(rf"(axios|got|ky)\.{_VERBS}$")


def _ours(call: Call, module: Module) -> bool:
    """Whether what bears the name of a library is taken from another package, or from the project."""
    head = call.callee.partition(".")[0]
    taken = [item.module for item in module.imports if head in item.names]
    # or an object of that name, put together from what the project's own package hands out
    instead = not taken and any(head in name for item in module.imports for name in item.names)
    return instead or any(source != head for source in taken)


_DIALS = re.compile(r"\bnet\.Dialer\b|\bTLSHandshakeTimeout\b|\bIdleConnTimeout\b")
_ANSWERED = re.compile(r"\bResponseHeaderTimeout\b|[(,]\s*Timeout=")  # as the text of a call has it


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
    if origin == "net/http.Client" and any(
        f.owner == function.owner and _ENDS.search(f.body) for f in module.functions
    ):
        return True  # what is asked with it is ended by its context
    if origin == "JerseyClientBuilder" and any("dropwizard" in item.module for item in module.imports):
        return True  # Dropwizard's waits half a second unless it is told otherwise
    if origin == "net/http.Client" and _DIALS.search(text):
        return _ANSWERED.search(text) is not None  # how long it waits for a connection is not all
    if _TIMED.search(text):
        return True
    if module.language == "python" and (spread := re.search(r"[(,]\s*\*\*(\w+)", text)):
        # told by what is spread into the call, unless that is put together here
        made = re.search(rf"\b{spread[1]}\s*=\s*(\{{|dict\()", function.body)
        return made is None or _TIMED.search(function.body) is not None
    if origin.lower().startswith("requests.session."):
        return any("HTTPAdapter" in item.names for item in module.imports)  # which may set one for all
    if origin.startswith(("requests.", "urllib.", "smtplib.")):
        return False
    # a client that is built and then configured, in the same function
    # clients of that name that are not Spring's have a limit of their own
    spring = any("springframework" in item.module for item in module.imports)
    limited = module.language == "java" and "WebClient" in origin and not spring
    return limited or _TIMED.search(function.body) is not None
