"""Services of their own: folders that hold an entry point and the code behind it."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if len(facts.services) > 1:
        for service in facts.services:
            yield Hit(service.file, service.line, f"service {service.name} starts here")


RULE = Rule(
    id="BND-E01",
    item="service_boundaries",
    kind="evidence",
    severity=Severity.NOTE,
    title="Two or more services",
    why="What is built, started and scaled by itself is a service, whatever the documents call it.",
    remedy="Give each business capability a folder of its own with an entry point and a build file.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "orders/pyproject.toml": """
                [project]
                name = 'orders'
            """,
            "orders/main.py": """
                import uvicorn
                uvicorn.run('orders.app:app')  # <-
            """,
            "payments/requirements.txt": "flask\n",
            "payments/app.py": """
                from flask import Flask
                app = Flask(__name__)  # <-
            """,
        }),
        Sample("typescript", {
            "a/package.json": "{}",
            "a/src/main.ts": "const app = await NestFactory.create(AppModule); // <-\n",
            "b/package.json": "{}",
            "b/src/index.ts": "app.listen(3000); // <-\n",
        }),
        Sample("go", {
            "go.mod": "module x\n",
            "cmd/a/main.go": """
                package main
                func main() {
                    http.ListenAndServe(":80", nil) // <-
                }
            """,
            "cmd/b/main.go": """
                package main
                func main() {
                    http.ListenAndServe(":81", nil) // <-
                }
            """,
        }),
        Sample("java", {
            "a/pom.xml": "<project/>",
            "a/src/main/java/a/A.java": """
                package a;
                @SpringBootApplication
                public class A { } // <-
            """,
            "b/pom.xml": "<project/>",
            "b/src/main/java/b/B.java": """
                package b;
                @SpringBootApplication
                public class B { } // <-
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "lib/pyproject.toml": "",
            "lib/a.py": "def f(): pass\n",
            "tests/test_app.py": "uvicorn.run(app)\n",
        }),
        Sample("typescript", {
            "a/package.json": "{}",
            "a/src/main.ts": "// app.listen(3000)\n",
        }),
        Sample("go", {
            "go.mod": "module x\n",
            "tools/gen/main.go": """
                package main
                func main() { generate() }
            """,
        }),
        Sample("java", {
            "a/pom.xml": "<project/>",
            "a/src/test/java/a/ATest.java": """
                @SpringBootApplication
                class ATest { }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
