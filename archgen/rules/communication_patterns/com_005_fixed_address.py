"""A peer is called at an address that is written in the code."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Function
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

# A name of the own network or this machine; a public name is somebody else's service, and no peer.
_FIXED = re.compile(
    r"""^[frb]*["'`]https?://(?!metadata\.|169\.254)(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|"""
    r"""[\w-]+(?=[:/"'`])|[\w.-]+\.(local|internal|svc|lan)\b|[\w.-]+:\d+)"""
)

# What only names a place inside of somebody's network: one label, a private suffix or address, or a port.
_INSIDE = re.compile(
    r"""^[frb]*["'`]https?://(?!localhost|127\.|0\.0\.0\.0|\$?\{)(?:[\w-]+(?=[:/"'`])|[\w.-]+\.(?:local|internal|svc|lan)\b|"""
    r"""(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+|[\w.-]+:\d+)"""
)
_BASE = re.compile(r"^(base_?ur[li]|prefix_?url|endpoint|address|server_?url)$", re.IGNORECASE)
_MAKES = re.compile(
    r"^(httpx\.(Async)?Client|aiohttp\.ClientSession|axios(\.default)?\.create|axios\.create)$"
)


def check(facts: Facts) -> Iterable[Hit]:
    callers = {
        f.owner for _, f in facts.program.functions() if f.owner and any(e.kind == "remote" for e in f.reach)
    }
    for module, function in facts.program.functions():
        for call in function.calls:
            if call.name not in callers and not _MAKES.match(call.origin or call.callee):
                continue
            given = [value for key, value in call.keywords.items() if _BASE.match(key)]
            told = (_bound(value, function) for value in (*call.args, *given))
            address = next((value for value in told if _INSIDE.match(value)), "")
            if address:
                message = f"{function.title or 'the module'} makes {call.name} for {address[:60]}"
                yield Hit(module.path, call.line, message)
        for effect in function.effects:
            if effect.kind == "remote" and effect.call.args and _FIXED.match(effect.call.args[0]):
                yield Hit(
                    module.path,
                    effect.call.line,
                    f"{function.title or 'the module'} calls {effect.call.args[0][:60]}",
                )


def _bound(value: str, function: Function) -> str:
    """What is handed over: the literal that a name of the function's own stands for, or what is written."""
    if not value.isidentifier():
        return value
    binding = rf"""\b{value}\b[\w, ]*(?::\s*[\w.]+\s*)?(?:(?<![=!<>])=(?!=)|\bin\b)\s*[\[(]*([frb]*["'`][^"'`\n]+)"""
    found = re.search(binding, function.body)
    return found[1] if found else value


RULE = Rule(
    id="COM-005",
    item="communication_patterns",
    kind="defect",
    severity=Severity.WARNING,
    title="Address of a peer in the code",
    why="The code cannot move to another environment, and the edge is invisible to whoever deploys it.",
    remedy="Take the address from configuration.",
    languages=("python", "typescript", "go",),
    valid=(
        Sample("python", {
            "b.py": """
                import httpx
                def client(settings):
                    url = settings.payments_url
                    return httpx.AsyncClient(base_url=url)
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                httpx.get(settings.payments_url + '/x')
                httpx.get('http://metadata.google.internal/x')
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                axios.get(`${config.payments}/x`);
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F() { http.Get(cfg.URL) }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import httpx
                def client():
                    url = 'http://payments.shop.svc:8000'
                    return httpx.AsyncClient(base_url=url)  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                httpx.get('http://payments:8080/x')  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                axios.get('http://payments:8080/x'); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F() { http.Get("http://payments:8080/x") } // <-
            """,
        }),
    ),
    check=check,
)  # fmt: skip
