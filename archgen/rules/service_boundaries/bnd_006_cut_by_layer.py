"""Services that are layers: one for the data, one for the logic, and none for a thing that the business does."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_LAYER = re.compile(
    r"^(data(base|access|layer)?|db|dao|dal|persistence|repositor(y|ies)|storagelayer|entit(y|ies)|"
    r"business(logic|layer)?|logic|bll|domainlayer|controllers?|presentation(layer)?|viewlayer|crud|models?)$"
)
_SUFFIX = re.compile(r"(micro)?services?$|svc$|server$|app$|api$|[-_. ]")


def check(facts: Facts) -> Iterable[Hit]:
    """A single layer may be a tool of the others; two are how the system was cut."""
    layers = [s for s in facts.services if _LAYER.match(_SUFFIX.sub("", _SUFFIX.sub("", s.name.lower())))]
    if len(layers) > 1:
        for service in layers:
            yield Hit(
                service.file, service.line, f"{service.name} is named after a layer, not after what it does"
            )


def _python(*names: str, mark: str = "") -> dict[str, str]:
    files = {}
    for name in names:
        files[f"{name}/requirements.txt"] = ""
        files[f"{name}/main.py"] = f"from flask import Flask\napp = Flask('a'){mark}\n"
    return files


def _typescript(*names: str, mark: str = "") -> dict[str, str]:
    files = {}
    for name in names:
        files[f"{name}/package.json"] = "{}"
        files[f"{name}/src/main.ts"] = f"app.listen(3000);{mark}\n"
    return files


RULE = Rule(
    id="BND-006",
    item="service_boundaries",
    kind="defect",
    severity=Severity.WARNING,
    title="Cut by layer",
    why="Every feature changes all of them, and every request passes through all of them.",
    remedy="Cut by what the business does, and let each service keep its own data and rules.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", _python("orders", "payments", "data-access")),
        Sample("typescript", _typescript("gateway", "orders", "models")),
    ),
    invalid=(
        Sample("python", _python("business-logic", "data-access-service", mark="  # <-")),
        Sample("typescript", _typescript("persistence", "logic-service", mark=" // <-")),
    ),
    check=check,
)
