"""Finding the services of a project from what any project has: entry points in code, build files, images.

A service is a folder with production code that starts a server, a consumer or a worker.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from archgen.evidence.code.model import Module, Program
from archgen.evidence.facts import Service

_MANIFESTS = {
    "pyproject.toml", "setup.py", "requirements.txt", "requirements.in", "package.json", "go.mod", "pom.xml", "build.gradle",
    "build.gradle.kts", "Dockerfile", "Pipfile", "serverless.yml", "nest-cli.json",
}  # fmt: skip
_STARTS = {
    "python": re.compile(
        r"^(uvicorn\.(run|Server)|FastAPI|fastapi\.FastAPI|Flask|flask\.Flask|web\.run_app|aiohttp\.web\.run_app|Sanic|Starlette|Litestar|"
        r"grpc(\.aio)?\.server|Celery|celery\.Celery|FastStream|faststream\.FastStream|execute_from_command_line|get_wsgi_application|"
        r"get_asgi_application|hypercorn\.run|granian\.Granian|.*\.run_forever|.*start_consuming|.*serve_forever)$"
    ),
    "typescript": re.compile(
        r"^(NestFactory\.\w+|.*\.listen|createServer|http\.createServer|.*startServer|new?Worker|createMicroservice)$"
    ),
    "go": re.compile(
        r"(ListenAndServe(TLS)?|\.Serve|RunHTTPServer\w*|RunGRPCServer\w*|\.Run|\.Start|\.Listen|ExecuteContext|lambda\.Start|serve\w*)$",
        re.I,
    ),
    "java": re.compile(
        r"^(SpringApplication\.run|Quarkus\.run|Micronaut\.run|new?SpringApplicationBuilder|.*\.start)$"
    ),
}
_LIBRARY_HINT = re.compile(
    r"(^|/)(lib|libs|common|shared|pkg|building-blocks|tools|scripts|hack|web|ui|migrations?|seeds?|docs|testing|e2e)(/|$)"
)


def find_services(program: Program, paths: Iterable[str]) -> tuple[Service, ...]:
    """Services in order of their folders. `paths` are all files of the project."""
    manifests: dict[str, str] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in _MANIFESTS or name.endswith(".Dockerfile"):
            manifests.setdefault(folder, path)
    found: dict[str, Service] = {}
    for module in program.modules.values():
        if not module.production:
            continue
        line = _entry(module)
        if not line:
            continue
        folder = _home(module.path, manifests, module.language)
        if _LIBRARY_HINT.search(folder) and not (
            folder in manifests and manifests[folder].endswith("Dockerfile")
        ):
            continue
        name = posixpath.basename(folder) or "the project"
        known = found.get(folder)
        if known is None or (len(module.path), module.path) < (len(known.file), known.file):
            found[folder] = Service(name, folder, module.path, line, module.language)
    # a folder that holds other services is their repository, not one of them
    inner = [f for f in found if not any(o != f and (f == "" or o.startswith(f + "/")) for o in found)]
    return tuple(found[folder] for folder in sorted(inner))


def _entry(module: Module) -> int:
    """The line that starts a process, 0 when there is none."""
    if module.language == "java":
        for one in module.classes:
            if any("SpringBootApplication" in mark for mark in one.marks):
                return one.line
        mains = [f for f in module.functions if f.name == "main" and "static" in f.body[:60]]
        return next((f.line for f in mains if any(_STARTS["java"].match(c.callee) for c in f.calls)), 0)
    starts = _STARTS[module.language]
    for function in module.functions:
        if module.language == "go" and not (module.package == "main" and function.name == "main"):
            continue
        for call in function.calls:
            if starts.search(call.callee):
                return call.line
    return 0


def _home(path: str, manifests: dict[str, str], language: str) -> str:
    """The nearest folder above `path` that can be built by itself."""
    folder = posixpath.dirname(path)
    own = folder
    while folder:
        if folder in manifests:
            return folder
        folder = posixpath.dirname(folder)
    if language == "go" or "" not in manifests:
        # one build file for many programs: each program's folder is a service
        return own.partition("/src/")[0] if "/src/" in own else own
    return ""
