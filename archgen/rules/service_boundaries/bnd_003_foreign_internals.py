"""A service imports the code of another."""

import re
from collections.abc import Iterable

from archgen.evidence.code.live import Imports
from archgen.evidence.code.model import Import, Module
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

_CONTRACT = re.compile(
    r"contract|proto|api|client|events?$|schema|types|dto|genproto|generated", re.IGNORECASE
)


def check(facts: Facts) -> Iterable[Hit]:
    """The first import of a service from each other one tells of all."""
    told: set[tuple[str, str]] = set()
    for hit in _imports(facts):
        pair = hit.message.partition(" imports ")[0], hit.message.rpartition(" of ")[2]
        if pair not in told:
            told.add(pair)
            yield hit


def _imports(facts: Facts) -> Iterable[Hit]:
    folders = {s.folder: s.name for s in facts.services if s.folder}
    packages = _java_packages(facts)
    shared = {
        f"{m.package}.{one.name}"
        for m in facts.program.modules.values()
        if m.language == "java" and m.production and facts.service_of(m.path) is None
        for one in m.classes
    }
    imports = Imports(facts.program)
    together = _launchers(facts)
    for module in facts.program.modules.values():
        own = facts.service_of(module.path)
        if own is None or not module.production or own.name in together:
            continue
        for item in module.imports:
            if module.language == "java":
                homes = packages.get(item.module, set())
                if item.names and not shared.isdisjoint(f"{item.module}.{name}" for name in item.names):
                    continue  # the package is split, and what is meant lies in a library
                if homes and own.name not in homes and not _CONTRACT.search(item.module):
                    yield Hit(module.path, item.line, f"{own.name} imports {item.module} of {min(homes)}")
                continue
            if module.language == "typescript":
                if item.module[:1] in ".@~/#" and not _CONTRACT.search(item.module):
                    yield from _scripts(facts, imports, module, item)
                continue
            path = item.module.replace(".", "/") if module.language == "python" else item.module
            for folder, name in folders.items():
                word = folder.rpartition("/")[2]
                package = f"{word}/"
                reaches = f"/{folder}/" in f"/{path}/" or (
                    (path + "/").startswith(package) and module.language == "python"
                )
                names = " ".join(item.names.values()) if module.language == "python" else ""
                if reaches and module.language == "python":
                    behind = imports.behind(module.path, item)
                    reaches = not behind or any(p.startswith(f"{folder}/") for p in behind)
                if name != own.name and reaches and not _CONTRACT.search(f"{path} {names}"):
                    yield Hit(module.path, item.line, f"{own.name} imports {item.module} of {name}")


def _launchers(facts: Facts) -> set[str]:
    """Services that are nothing but a main which starts others in one process, for those who want them so."""
    starts = {s.file: s.name for s in facts.services}
    mains = {s.file.rpartition("/")[2].rpartition(".")[0]: s.name for s in facts.services}
    found = set()
    for service in facts.services:
        own = [
            m
            for p, m in facts.program.modules.items()
            if service.folder and p.startswith(f"{service.folder}/")
        ]
        code = [m for m in own if m.production and m.functions]
        if service.file in starts and service.language == "java" and len(code) <= 3:
            named = {mains.get(name) for m in code for item in m.imports for name in item.names}
            if len(named - {None, service.name}) > 1:
                found.add(service.name)
    return found


def _scripts(facts: Facts, imports: Imports, module: Module, item: Import) -> Iterable[Hit]:
    """What a path leads to: folders of a name that some service has are in every project."""
    own = facts.service_of(module.path)
    for path in imports.behind(module.path, item):
        home = facts.service_of(path)
        if own and home and home is not own and facts.program.modules[path].production:
            yield Hit(module.path, item.line, f"{own.name} imports {item.module} of {home.name}")
            return


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
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("typescript", {  # each has a name of its own for its own folder, and it is the same one
            "orders/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "orders/tsconfig.json": '{"compilerOptions": {"baseUrl": "./", "paths": {"@/*": ["src/*"]}}}',
            "orders/src/main.ts": """
                import { source } from '@/data/source';
                createServer().listen(1);
            """,
            "orders/src/data/source.ts": "export const source = 1;\n",
            "payments/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "payments/tsconfig.json": '{"compilerOptions": {"baseUrl": "./", "paths": {"@/*": ["src/*"]}}}',
            "payments/src/main.ts": """
                import { source } from '@/data/source';
                createServer().listen(2);
            """,
            "payments/src/data/source.ts": "export const source = 2;\n",
        }),
        Sample("java", {  # one package, of which a part lies in a library
            "search/pom.xml": "<project/>",
            "search/src/main/java/App.java": """
                package shop;
                @SpringBootApplication
                class App {}
            """,
            "search/src/main/java/Own.java": """
                package shop.config;
                class Own {}
            """,
            "users/pom.xml": "<project/>",
            "users/src/main/java/Users.java": """
                package shop.users;
                import shop.config.Tasks;
                @SpringBootApplication
                class Users {}
            """,
            "commons/src/main/java/Tasks.java": """
                package shop.config;
                public class Tasks {}
            """,
        }),
        Sample("java", {  # all of them in one process, for those who want it so
            "orders/pom.xml": "<project/>",
            "orders/src/main/java/shop/orders/OrdersApp.java": """
                package shop.orders;
                @SpringBootApplication
                class OrdersApp {}
            """,
            "payments/pom.xml": "<project/>",
            "payments/src/main/java/shop/payments/PaymentsApp.java": """
                package shop.payments;
                @SpringBootApplication
                class PaymentsApp {}
            """,
            "assembly/pom.xml": "<project/>",
            "assembly/src/main/java/shop/All.java": """
                package shop;
                import shop.orders.OrdersApp;
                import shop.payments.PaymentsApp;
                @SpringBootApplication
                class All {
                    public static void main(String[] args) { SpringApplication.run(OrdersApp.class, args); }
                }
            """,
        }),
        Sample("python", {  # a package of the service's own, which another one's folder is called like
            "backup/Dockerfile": "CMD [\"python\", \"main.py\"]",
            "backup/main.py": "import time\nwhile True:\n    time.sleep(1)\n",
            "shop/Dockerfile": "CMD [\"uvicorn\", \"shop.main:app\"]",
            "shop/main.py": """
                from fastapi import FastAPI
                from shop.backup import models
                app = FastAPI()
            """,
            "shop/backup/__init__.py": "",
            "shop/backup/models.py": "class Backup: pass\n",
        }),
        Sample("typescript", {
            "orders/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "orders/src/main.ts": """
                import { Customer } from '../modules/payments/models';
                import { Charge } from '../../payments/src/contracts';
                export const PAYMENTS_URL = '/payments/charges';
                createServer().listen(1);
            """,
            "orders/modules/payments/models.ts": "export class Customer {}\n",
            "payments/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "payments/src/main.ts": "createServer().listen(2);\n",
            "payments/src/contracts.ts": "export class Charge {}\n",
        }),
        Sample("java", {
            "orders/pom.xml": "<project/>",
            "orders/src/main/java/shop/orders/App.java": """
                package shop.orders;
                import shop.payments.api.Charge;
                @SpringBootApplication
                class App {}
            """,
            "payments/pom.xml": "<project/>",
            "payments/src/main/java/shop/payments/App.java": """
                package shop.payments;
                @SpringBootApplication
                class App {}
            """,
            "payments/src/main/java/shop/payments/api/Charge.java": "package shop.payments.api;\nclass Charge {}\n",
        }),
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
        Sample("typescript", {
            "orders/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "orders/src/main.ts": """
                import { Payment } from '../../payments/src/domain'; // <-
                createServer().listen(1);
            """,
            "payments/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "payments/src/main.ts": "createServer().listen(2);\n",
            "payments/src/domain.ts": "export class Payment {}\n",
        }),
        Sample("java", {
            "orders/pom.xml": "<project/>",
            "orders/src/main/java/shop/orders/App.java": """
                package shop.orders;
                import shop.payments.domain.Payment; // <-
                @SpringBootApplication
                class App {}
            """,
            "payments/pom.xml": "<project/>",
            "payments/src/main/java/shop/payments/App.java": """
                package shop.payments;
                @SpringBootApplication
                class App {}
            """,
            "payments/src/main/java/shop/payments/domain/Payment.java":
                "package shop.payments.domain;\nclass Payment {}\n",
        }),
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
