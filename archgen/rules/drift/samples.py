"""A declared system and its code in each language, as samples of the rules of drift."""

from __future__ import annotations

from collections.abc import Mapping

from archgen.rules.model import Sample

_STARTS = {
    "python": (
        "main.py",
        "import uvicorn\nuvicorn.run('app')\n",
        "Dockerfile",
        'CMD ["python", "main.py"]\n',
    ),
    "typescript": ("main.ts", "const app = express();\napp.listen(80);\n", "package.json", "{}\n"),
    "go": (
        "main.go",
        'package main\nfunc main() { http.ListenAndServe(":80", nil) }\n',
        "go.mod",
        "module a\n",
    ),
    "java": (
        "src/main/java/App.java",
        "@SpringBootApplication\nclass App { static void main() { SpringApplication.run(App.class); } }\n",
        "pom.xml",
        "<project/>\n",
    ),
}
LANGUAGES = tuple(_STARTS)


def sample(
    language: str, description: str, files: Mapping[str, str], services: tuple[str, ...] = ("orders",)
) -> Sample:
    """The `description` with `files` of code, and the services that start."""
    found = {"system.yaml": description}
    for service in services:
        main, code, manifest, built = _STARTS[language]
        found[f"{service}/{main}"] = code
        found[f"{service}/{manifest}"] = built
    return Sample(language, {**found, **files})


SYSTEM = """\
archgen: 1
system: shop
services:
  orders:
    aggregates:
      Order:
        fields: {amount: money}
        commands:
          create: {takes: {amount: money}, emits: order.created}
          cancel: {emits: order.cancelled}
"""
