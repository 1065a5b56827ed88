"""Finding the services of a project from what any project has: entry points in code, build files, images.

A service is a folder with production code that starts a server, a consumer or a worker.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from archgen.evidence.code.live import Imports
from archgen.evidence.code.model import Module, Program
from archgen.evidence.facts import Fact, Service

_MANIFESTS = {
    "pyproject.toml", "setup.py", "requirements.txt", "requirements.in", "package.json", "go.mod",
    "pom.xml", "build.gradle", "build.gradle.kts", "Dockerfile", "Pipfile", "serverless.yml",
    "nest-cli.json",
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
# What a main of Go leads to when it is a service's: it listens, serves, consumes, or is run by a framework.
_SERVES_GO = re.compile(
    r"(ListenAndServe(TLS)?|ListenAndServeContext|(^|\.)Serve(TLS)?|grpc\.NewServer|net\.Listen|fx\.New|lambda\.Start|"
    r"http\.Serve\w*|echo\.New|gin\.(Default|New)|fiber\.New|iris\.New|mux\.NewRouter|chi\.NewRouter|http\.NewServeMux)$"
)
_SERVES_JAVA = re.compile(
    r"SpringApplication|Micronaut\b|Quarkus\b|Vertx\b|Javalin\b|ServerBuilder|\bServer\(|\.start\(|\.startAsync\(|"
    r"\.serve\(|\.listen\(|\.bind\(|ActorSystem|AbstractBehavior|awaitTermination|\.await\(|Jetty|Undertow|HttpServer|"
    r"\.run\(|Application\.launch"
)
_TOOL = re.compile(
    r"(^|/)(tools?|scripts?|hack|gen(erat\w*)?|codegen|internal/cmd|migrat\w*|cli|ctl|build|bench\w*|docs?|devtools?|"
    r"\w*(ctl|-cli|tool|gen))(/|$)"
)
_REACH = 600
_COMMAND = re.compile(
    r"\bpython3?\b[^;&|]*?\s-m\s+(?!pip|venv|build|pytest|http\.server|alembic|uvicorn|gunicorn|hypercorn|celery|honcho)([\w.]+)|"
    r"\b(?:uvicorn|gunicorn|hypercorn|granian|daphne)\b[^;&|]*?\s([\w./]+):\w+|\bcelery\b[^;&|]*?\s-A\s*([\w.]+)|"
    r"\bpython3?\s+(?:-u\s+)?([\w./-]+\.py)\b"
)
_LIBRARY_HINT = re.compile(
    r"(^|/)(lib|libs|common|shared|pkg|building-blocks|tools|scripts|hack|web|ui|migrations?|seeds?|docs|testing|e2e)(/|$)"
)


def find_services(
    program: Program, paths: Iterable[str], processes: Iterable[Fact], imports: Imports
) -> tuple[Service, ...]:
    """Services in order of their folders. `paths` are all files of the project, `processes` what
    starts them.
    """
    manifests: dict[str, str] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name == "Dockerfile" or name.endswith(".Dockerfile"):
            manifests[folder] = path
        elif name in _MANIFESTS:
            manifests.setdefault(folder, path)
    found: dict[str, Service] = {}
    for module, line in _started(program, processes):
        folder = _home(module.path, manifests, module.language)
        found.setdefault(folder, Service(_name(folder), folder, module.path, line, module.language))
    told = set(found)
    for module in program.modules.values():
        line = (
            (
                _entry(module, strict=bool(told))
                or _image(module, manifests)
                or _leads_to_server(module, program, imports)
            )
            if module.production
            else 0
        )
        if not line:
            continue
        folder = _home(module.path, manifests, module.language)
        if folder in told:
            continue
        built = folder in manifests and manifests[folder].endswith("Dockerfile")
        if _LIBRARY_HINT.search(folder) and not built:
            continue
        known = found.get(folder)
        if known is None or (len(module.path), module.path) < (len(known.file), known.file):
            found[folder] = Service(_name(folder), folder, module.path, line, module.language)
    for folder in _libraries(
        program,
        [f for f in found if f not in told and found[f].language in ("python", "typescript")],
        list(found),
        imports,
    ):
        del found[folder]
    # a folder that holds other services is their repository, not one of them
    inner = [f for f in found if not any(o != f and (f == "" or o.startswith(f + "/")) for o in found)]
    return tuple(found[folder] for folder in sorted(inner))


def _name(folder: str) -> str:
    return posixpath.basename(folder) or "the project"


def _started(program: Program, processes: Iterable[Fact]) -> Iterable[tuple[Module, int]]:
    """The module behind each command that a Procfile, an image or a compose file starts."""
    for process in processes:
        match = _COMMAND.search(str(process["command"]))
        if not match:
            continue
        dotted = next(group for group in match.groups() if group)
        stem = (
            dotted.removesuffix(".py").replace(".", "/") if "/" not in dotted else dotted.removesuffix(".py")
        )
        wanted = (f"{stem}/__main__.py", f"{stem}.py", f"{stem}/__init__.py")
        for tail in wanted:
            near = process.file.rpartition("/")[0]
            hits = [
                p for p in program.modules if (p == tail or p.endswith("/" + tail)) and p.startswith(near)
            ]
            chosen = next(
                (program.modules[p] for p in sorted(hits, key=len) if program.modules[p].production), None
            )
            if chosen is not None:
                yield chosen, _entry(chosen) or _guard(chosen)
                break


def _image(module: Module, manifests: dict[str, str]) -> int:
    """The line of a Go main that has an image of its own: a worker starts no server."""
    folder = posixpath.dirname(module.path)
    if module.package != "main" or not manifests.get(folder, "").endswith("Dockerfile"):
        return 0
    return next((f.line for f in module.functions if f.name == "main" and not f.owner), 0)


def _leads_to_server(module: Module, program: Program, imports: Imports) -> int:
    """The line of a Go main whose own packages listen or serve somewhere; a tool's lead to none."""
    if module.language != "go" or module.package != "main" or _TOOL.search(posixpath.dirname(module.path)):
        return 0
    main = next((f for f in module.functions if f.name == "main" and not f.owner), None)
    if main is None:
        return 0
    waiting, seen = [module.path], {module.path}
    while waiting and len(seen) < _REACH:
        path = waiting.pop(0)
        one = program.modules[path]
        if any(_SERVES_GO.search(call.callee) for f in one.functions for call in f.calls):
            return main.line
        for target in imports.of(path):
            if target not in seen and program.modules[target].production:
                seen.add(target)
                waiting.append(target)
    return 0


def _guard(module: Module) -> int:
    """The last call at the module's top level: what runs when it is started."""
    return max((c.line for f in module.functions if not f.name for c in f.calls), default=1)


def _libraries(program: Program, weak: list[str], folders: list[str], imports: Imports) -> list[str]:
    """Folders whose code two or more others import: they start something, but only for those."""
    found = []
    for folder in weak:
        users = set()
        for path, module in program.modules.items():
            home = next((f for f in folders if f and f != folder and path.startswith(f + "/")), None)
            if (
                home
                and not module.test
                and home not in users
                and any(t.startswith(folder + "/") for t in imports.of(path))
            ):
                users.add(home)
        if folder and len(users) >= 2:
            found.append(folder)
    return found


def _entry(module: Module, *, strict: bool = False) -> int:
    """The line that starts a process, 0 when there is none.

    `strict`, where other processes of the project are known by their commands: a Python function that
    would start a server when somebody called it is then a library's.
    """
    if module.language == "java":
        for one in module.classes:
            if any("SpringBootApplication" in mark for mark in one.marks):
                return one.line
        if _TOOL.search(posixpath.dirname(module.path).partition("/src/main")[0]):
            return 0
        mains = [f for f in module.functions if f.name == "main" and "static" in f.body[:60]]
        return next((f.line for f in mains if _SERVES_JAVA.search(f.body)), 0)
    starts = _STARTS[module.language]
    for function in module.functions:
        if strict and module.language == "python" and function.name not in ("", "main"):
            continue
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
