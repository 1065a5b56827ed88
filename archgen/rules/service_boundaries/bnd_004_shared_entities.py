"""Services that share the classes of their tables."""

import re
from collections import defaultdict
from collections.abc import Iterable

from archgen.evidence.code.live import Imports
from archgen.evidence.code.model import Class
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_MARK = re.compile(r"@(?:\w+\.)*(Entity|Schema|Document|Table|ObjectType\.entity)\b")
_BASE = re.compile(r"^(\w+\.)*(Base|DeclarativeBase|Model|Document|SQLModel|BaseEntity|AbstractDocument)$")
# What entities are made from, and the tables of a messaging library.
_GROUND = re.compile(r"^(Abstract|Base)|(Base|Mixin)$|outbox|inbox", re.IGNORECASE)
_ORM = re.compile(
    r"sqlalchemy|django\.db|mongoengine|peewee|sqlmodel|tortoise|beanie|typeorm|mongoose|sequelize|mikro-orm|persistence|"
    r"data\.mongodb"
)


def check(facts: Facts) -> Iterable[Hit]:
    if len(facts.services) < 2:
        return
    entities: dict[str, Class] = {}
    for module in facts.program.modules.values():
        apart = module.production and facts.service_of(module.path) is None
        if apart and any(_ORM.search(item.module) for item in module.imports):
            for one in module.classes:
                stored = any(map(_MARK.search, one.marks)) or any(map(_BASE.match, one.bases))
                if stored and not _GROUND.search(one.name):
                    entities.setdefault(module.path, one)
    if not entities:
        return
    imports = Imports(facts.program)
    users: dict[str, set[str]] = defaultdict(set)
    for path, module in facts.program.modules.items():
        service = facts.service_of(path)
        if service and module.production:
            for target in _through(imports, path, facts):
                if target in entities:
                    users[target].add(service.name)
    for path in sorted(users):
        if len(users[path]) > 1:
            one, names = entities[path], ", ".join(sorted(users[path]))
            yield Hit(
                path,
                one.line,
                f"{one.name} is the stored form of data in {len(users[path])} services: {names}",
            )


def _through(imports: Imports, path: str, facts: Facts) -> set[str]:
    """What a file imports, and what the index files in between pass on."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        for target in imports.of(waiting.pop()):
            if target not in found and facts.service_of(target) is None:
                found.add(target)
                if re.search(r"(^|/)(index\.[jt]s|__init__\.py)$", target):
                    waiting.append(target)
    return found


def _python(second: str, mark: str = "") -> dict[str, str]:
    return {
        "shared/__init__.py": "",
        "shared/entities.py": f"from sqlalchemy.orm import DeclarativeBase\nclass Customer(DeclarativeBase):{mark}\n    id: int\n",
        "orders/requirements.txt": "",
        "orders/main.py": "from flask import Flask\nfrom shared.entities import Customer\napp = Flask('a')\n",
        "billing/requirements.txt": "",
        "billing/main.py": f"from flask import Flask\n{second}\napp = Flask('a')\n",
    }


def _typescript(second: str, mark: str = "") -> dict[str, str]:
    return {
        "libs/data/customer.ts": f"import {{ Entity }} from 'typeorm';\n@Entity()\nexport class Customer {{ }}{mark}\n",
        "orders/package.json": "{}",
        "orders/main.ts": "import { Customer } from '../libs/data/customer';\napp.listen(1);\n",
        "billing/package.json": "{}",
        "billing/main.ts": f"{second}\napp.listen(2);\n",
    }


RULE = Rule(
    id="BND-004",
    item="service_boundaries",
    kind="defect",
    severity=Severity.WARNING,
    title="Shared entity library",
    why="A column that one service needs changes the build, and often the database, of all.",
    remedy="Give each service its own stored form, and share only the messages between them.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", _python("# from shared.entities import Customer")),
        Sample("typescript", _typescript("// import { Customer } from '../libs/data/customer';")),
    ),
    invalid=(
        Sample("python", _python("from shared.entities import Customer", "  # <-")),
        Sample("typescript", _typescript("import { Customer } from '../libs/data/customer';", " // <-")),
    ),
    check=check,
)
