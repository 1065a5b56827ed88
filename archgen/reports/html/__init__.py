"""The audit as one HTML file that needs nothing else: no network, no fonts, and no script to be read.

Everything that comes from the project is text: Jinja escapes it, and the page's own policy forbids any
style or script but the two in it, which it names by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

from archgen import __version__
from archgen.checklist import Audit
from archgen.console import printable
from archgen.reports.html.map import draw
from archgen.reports.wording import compared, headline, standing, summary
from archgen.rules.model import Finding, Severity, Verdict

_WORDS = {
    Verdict.PASS: ("pass", "✓"),
    Verdict.PARTIAL: ("partial", "◐"),
    Verdict.FAIL: ("fail", "✕"),
    Verdict.NOT_APPLICABLE: ("not applicable", "\N{EN DASH}"),
    Verdict.UNKNOWN: ("unknown", "?"),
    Verdict.ERROR: ("error", "!"),
}
_FIRST = 6
_RING = 326.7  # the length of the score's ring: 2 pi 52


def render(audit: Audit) -> str:
    """The page."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    counts = Counter(str(finding.severity) for finding in audit.findings)
    page: str = _template().render(
        audit=audit,
        version=__version__,
        policy=policy,
        style=style,
        script=script,
        map=draw(audit),
        summary=summary(audit),
        headline=headline(audit),
        compared=compared(audit),
        first=_first(audit),
        counts=[(str(severity), counts[str(severity)]) for severity in reversed(Severity)],
        ring=f"{_RING * (audit.score or 0) / 100:.1f} {_RING}",
        rules={rule.id: rule for rule in audit.rules},
    )
    return page.strip() + "\n"


def _first(audit: Audit) -> list[tuple[Finding, int]]:
    """What to look at first: an error of each rule that decides, and how many more there are of it."""
    errors = [f for f in audit.findings if f.decides and f.severity is Severity.ERROR]
    count = Counter(finding.rule for finding in errors)
    first = {finding.rule: finding for finding in reversed(errors)}
    ranked = sorted(first.values(), key=lambda finding: -count[finding.rule])
    return [(finding, count[finding.rule] - 1) for finding in ranked[:_FIRST]]


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # what comes from a file or its name may hold anything, control characters included
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters["verdict"] = lambda verdict: _WORDS[verdict][0]
    environment.filters["sign"] = lambda verdict: _WORDS[verdict][1]
    environment.filters["standing"] = standing
    return environment.from_string(_part("page.html.jinja"))


@cache
def _part(name: str) -> str:
    return files("archgen.reports.html").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
