"""A peer is called at an address that is written in the code."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_FIXED = re.compile(
    r"""^[frb]*["'`]https?://(?!metadata\.|169\.254|[^/"'`]*(googleapis|amazonaws|github|anthropic|openai|stripe)\b|\$?\{)"""
)


def check(facts: Facts) -> Iterable[Hit]:
    for module, function in facts.program.functions():
        for effect in function.effects:
            if effect.kind == "remote" and effect.call.args and _FIXED.match(effect.call.args[0]):
                yield Hit(
                    module.path,
                    effect.call.line,
                    f"{function.title or 'the module'} calls {effect.call.args[0][:60]}",
                )


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
