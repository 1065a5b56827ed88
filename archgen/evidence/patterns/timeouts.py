"""Calls of peers, and whether they end after a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact


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
        if not makers.match(origin) or (
            origin == "fetch" and not any(e.call is call for e in function.effects)
        ):
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
