"""Ways to show an audit. Each module is a pure function from an `Audit` to text; `FORMATS` names them."""

from collections.abc import Callable

from archgen.checklist import Audit
from archgen.reports import json, markdown, sarif

FORMATS: dict[str, Callable[[Audit], str]] = {
    "json": json.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
}
