"""A service of which nobody wrote what it is for, nor who answers for it."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Service, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if len(facts.services) < 2:
        return
    owned = [(str(f["folder"]), str(f["name"])) for f in facts.of("owner", at_least=Strength.CLAIMED)]
    pages = list(facts.of("doc.words", at_least=Strength.CLAIMED))
    for service in facts.services:
        if any((folder and service.folder == folder) or name == service.name for folder, name in owned):
            continue
        folder = service.folder + "/"
        if any(page.file.startswith(folder) or _named(service, page["words"]) for page in pages):
            continue
        yield Hit(
            service.file, service.line, f"no document says what {service.name} is for, nor who answers for it"
        )


def _named(service: Service, words: frozenset[str]) -> bool:
    """Whether all words of the service's name stand on a page."""
    parts = [
        w
        for w in re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", service.name).lower())
        if len(w) > 2
    ]
    parts = [w for w in parts if w not in ("service", "svc", "api", "app", "the", "project")] or parts
    return all(w in words or w + "s" in words or w.removesuffix("s") in words for w in parts)


_CODE = {
    "orders/requirements.txt": "",
    "orders/main.py": "from flask import Flask\napp = Flask('a')\n",
    "billing/requirements.txt": "",
    "billing/main.py": "from flask import Flask\napp = Flask('a')  # <-\n",
}
RULE = Rule(
    id="BND-005",
    item="service_boundaries",
    kind="defect",
    severity=Severity.NOTE,
    title="No stated responsibility or owner",
    why="What nobody says a service is for, everybody puts into it, and nobody is called when it stops.",
    remedy="Say in a line of the README what each service is for, and name its owner in CODEOWNERS.",
    languages=("docs",),
    valid=(
        Sample("docs", {**_CODE, "README.md": "# Shop\n\nOrders takes orders, billing sends bills.\n"}),
        Sample("docs", {**_CODE, "README.md": "# Orders\n", "CODEOWNERS": "/billing/ @money\n"}),
        Sample("docs", {**_CODE, "README.md": "# Orders\n", "billing/README.md": "# It sends what is due\n"}),
    ),
    invalid=(
        Sample(
            "docs", {**_CODE, "README.md": "# Shop\n\nOrders takes orders.\n", "CODEOWNERS": "# /billing/\n"}
        ),
    ),
    check=check,
)
