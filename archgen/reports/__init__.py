"""Ways to show an audit. Each module is a pure function from an `Audit` to text; `FORMATS` names them."""

from collections.abc import Callable

from archgen.checklist import Audit
from archgen.reports import html, json, junit, markdown, sarif

FORMATS: dict[str, Callable[[Audit], str]] = {
    "json": json.render,
    "html": html.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
}
