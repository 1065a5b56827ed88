"""A service imports the code of another."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_CONTRACT = re.compile(
    r"contract|proto|api|client|events?$|schema|types|dto|genproto|generated", re.IGNORECASE
)


def check(facts: Facts) -> Iterable[Hit]:
    folders = {s.folder: s.name for s in facts.services if s.folder}
    packages = _java_packages(facts)
    for module in facts.program.modules.values():
        own = facts.service_of(module.path)
        if own is None or not module.production:
            continue
        for item in module.imports:
            if module.language == "java":
                homes = packages.get(item.module, set())
                if homes and own.name not in homes and not _CONTRACT.search(item.module):
                    yield Hit(module.path, item.line, f"{own.name} imports {item.module} of {min(homes)}")
                continue
            path = item.module.replace(".", "/") if module.language == "python" else item.module
            for folder, name in folders.items():
                word = folder.rpartition("/")[2]
                package = f"/{word}/" if module.language in ("typescript", "go") else f"{word}/"
                reaches = f"/{folder}/" in f"/{path}/" or (
                    (path + "/").startswith(package) and module.language == "python"
                )
                names = " ".join(item.names.values()) if module.language == "python" else ""
                if name != own.name and reaches and not _CONTRACT.search(f"{path} {names}"):
                    yield Hit(module.path, item.line, f"{own.name} imports {item.module} of {name}")


def _java_packages(facts: Facts) -> dict[str, set[str]]:
    """Packages, with the services that they are written in."""
    found: dict[str, set[str]] = {}
    for module in facts.program.modules.values():
        home = facts.service_of(module.path)
        if module.language == "java" and home is not None and module.production:
            found.setdefault(module.package, set()).add(home.name)
    return found


RULE = Rule(
    id="BND-003",
    item="service_boundaries",
    kind="defect",
    severity=Severity.WARNING,
    title="Import of another service's code",
    why="They can only be built, tested and deployed together, whatever the folders say.",
    remedy="Talk to the other service through its contract.",
    languages=("python", "go",),
    valid=(
        Sample("python", {
            "orders/setup.py": "",
            "orders/main.py": """
                import uvicorn
                from payments.contracts import Charge
                uvicorn.run('a')
            """,
            "payments/setup.py": "",
            "payments/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
        }),
        Sample("go", {
            "go.mod": "module x\n",
            "svc/a/main.go": """
                package main
                import "x/common/logs"
                func main() { http.ListenAndServe(p, nil) }
            """,
            "svc/b/main.go": """
                package main
                func main() { http.ListenAndServe(p, nil) }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "orders/setup.py": "",
            "orders/main.py": """
                import uvicorn
                from payments.domain import Payment  # <-
                uvicorn.run('a')
            """,
            "payments/setup.py": "",
            "payments/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
        }),
        Sample("go", {
            "go.mod": "module x\n",
            "svc/a/main.go": """
                package main
                import "x/svc/b/domain" // <-
                func main() { http.ListenAndServe(p, nil) }
            """,
            "svc/b/main.go": """
                package main
                func main() { http.ListenAndServe(p, nil) }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
