"""Entry points: the calls that make a program of code, and the commands that start one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from archgen.evidence.code.live import Imports
from archgen.evidence.code.model import Class, Function, Module, Program
from archgen.evidence.config.builds import inherited, needs_of
from archgen.evidence.facts import Fact

_STARTS = {
    "python": re.compile(
        r"^(uvicorn\.(run|Server)|FastAPI|fastapi\.FastAPI|Flask|flask\.Flask|web\.run_app|aiohttp\.web\.run_app|Sanic|Starlette|Litestar|"
        r"grpc(\.aio)?\.server|Celery|celery\.Celery|FastStream|faststream\.FastStream|execute_from_command_line|get_wsgi_application|"
        r"get_asgi_application|hypercorn\.run|granian\.Granian|.*\.run_forever|.*start_consuming|.*serve_forever)$"
    ),
    "typescript": re.compile(
        r"^(NestFactory\.\w+|(Deno|Bun)\.serve|.*\.listen|createServer|http\.createServer|.*startServer|new?Worker|createMicroservice|.*startStandaloneServer)$"
    ),
    "go": re.compile(
        r"(ListenAndServe(TLS)?|\.Serve|RunHTTPServer\w*|RunGRPCServer\w*|\.Run|\.Start|\.Listen|ExecuteContext|lambda\.Start|serve\w*)$",
        re.I,
    ),
}
# What a main of Go leads to when it is a service's: it listens, serves, consumes, or is run by a framework.
_SERVES_GO = re.compile(
    r"(ListenAndServe(TLS)?|ListenAndServeContext|(^|\.)Serve(TLS)?|net\.Listen|fx\.New|lambda\.Start|http\.Serve\w*)$"
)
# What is made to serve, and may be made for something else as well: then the main has to start it.
_SERVER_GO = re.compile(
    r"(grpc\.NewServer|echo\.New|gin\.(Default|New)|fiber\.New|iris\.New|mux\.NewRouter|chi\.NewRouter|http\.NewServeMux)$"
)
_WINDOW = re.compile(
    r"^(github\.com/(webview/webview|zserge/lorca|wailsapp/wails|getlantern/systray)|fyne\.io)"
)
_PLUGIN = re.compile(r"plugin\.Serve$", re.IGNORECASE)
_RUNS_GO = re.compile(r"(^|\.)\w*(start|run|serve|listen|execute|boot|launch|wait|main)\w*$", re.IGNORECASE)
_SERVES_JAVA = re.compile(
    r"SpringApplication|Micronaut\b|Quarkus\b|Vertx\b|Javalin\b|ServerBuilder|\bServer\(|\.start\(|\.startAsync\(|"
    r"\.serve\(|\.listen\(|\.bind\(|ActorSystem|AbstractBehavior|awaitTermination|\.await\(|Jetty|Undertow|HttpServer|"
    r"\.run\(|Application\.launch"
)
# What a framework or its server starts by itself.
_BOOTED = re.compile(r"@(?:\w+\.)*(SpringBootApplication|ApplicationPath|QuarkusMain)\b")
_QUARKUS = re.compile(
    r"^quarkus-(maven-plugin|rest|resteasy|grpc|vertx-http|reactive-routes|messaging|smallrye-(reactive-messaging|graphql))"
)
_ANSWERS = re.compile(
    r"@(?:\w+\.)*(Path|Incoming|GrpcService|Route|GraphQLApi|Scheduled|WebSocket|ServerEndpoint)\b"
)
_APPLICATION = re.compile(r"(Application|Main|App|Server)$")
_TOOL = re.compile(
    r"(^|/)(tools?|scripts?|hack|gen(erat\w*)?|codegen|internal/cmd|[\w-]*migrat\w*|cli|ctl|build|bench\w*|docs?|devtools?|"
    r"[\w-]*(ctl|-cli|tool|gen|-scripts?|-suites?|-tests?|-bench))(/|$)"
)
_REACH = 600
# What a command that a package installs calls when it is a server or a worker, and not a tool.
_SERVES = re.compile(
    r"(^|\.)(serve|launch|launch_service|ServiceLauncher|ServiceManager|ProcessLauncher|start_server|serve_forever|"
    r"run_forever|run_simple|run_app|Process|Thread)$"
)
# Commands of a package that help with it, and those that are named for what they are.
_HELPS = re.compile(
    r"[-_](bench|manage|status|rootwrap|db-?\w*|\w*-db-\w+|upgrade|gc|purge|migrate|cli|admin|fake\w*|fake-\w+)$"
)
_BY_NAME = re.compile(r"[-_](server|api|worker|engine|agent|conductor|scheduler|daemon)$")
_STARTED = re.compile(r"(^|\.)(run|start|wait)$")
_LAUNCHES = re.compile(r"(^|\.)(ProcessLauncher|ServiceLauncher|launch_service|serve_forever|run_forever)$")
# A module that a server of Python's web interface is pointed at.
_WSGI = re.compile(r"(^|/)(wsgi|asgi)(/\w+)?\.py$")
# What every program of a package uses, and none is.
_SHARED = re.compile(
    r"(^|/)(cmd|common|config|conf|db|i18n|utils?|opts|version|wsgi|asgi|hacking|service)(/|$)"
)
_COMMAND = re.compile(
    r"\bpython3?\b[^;&|]*?\s-m\s+(?!pip|venv|build|pytest|http\.server|alembic|uvicorn|gunicorn|hypercorn|celery|honcho)([\w.]+)|"
    r"\b(?:uvicorn|gunicorn|hypercorn|granian|daphne)\b[^;&|]*?\s([\w./]+):\w+|\bcelery\b[^;&|]*?\s-A\s*([\w.]+)|"
    r"\bpython3?\s+(?:-u\s+)?([\w./-]+\.py)\b|"
    r"\b(?:node|ts-node|tsx|nodemon|bun(?: run)?|deno (?:run|serve))\s+(?:-[\w-]+(?:[= ]\S+)?\s+)*"
    r"((?!node_modules)[\w./-]+?(?:\.[cm]?[jt]s)?)(?=\s|$|[\"'])"
)
# What starts the package that its command stands in, whatever files that has.
_WHOLE = re.compile(
    r"\b(next|nuxt|nuxi|nest|medusa|strapi|directus|redwood|blitz|remix-serve|react-router-serve)(\s+start\b|\s+\./|\s*$)"
)
_BUILT = re.compile(r"^(?:\./)?(?:(?:dist|build|lib|out|\.next)/)+")


def is_tool(path: str) -> bool:
    """Whether a file belongs to what helps in working on a project, and not to what it delivers."""
    return _TOOL.search(posixpath.dirname(path)) is not None


def started(program: Program, processes: Iterable[Fact]) -> Iterable[tuple[Module, int]]:
    """The module behind each command that a Procfile, an image, a compose file or a package starts."""
    for process in processes:
        match = _COMMAND.search(str(process["command"]))
        if not match or (process.file.endswith("package.json") and is_tool(process.file)):
            continue
        target = next(group for group in match.groups() if group)
        near = str(process.get("folder", process.file.rpartition("/")[0]))
        for tail in _script_files(target) if match[5] else _python_files(target):
            hits = [
                p for p in program.modules if (p == tail or p.endswith("/" + tail)) and p.startswith(near)
            ]
            chosen = next(
                (program.modules[p] for p in sorted(hits, key=len) if program.modules[p].production), None
            )
            if chosen is not None and process.file.endswith("package.json") and _ends(chosen):
                break
            if chosen is not None:
                yield chosen, entry(chosen) or _guard(chosen)
                break


_STAYS = re.compile(
    r"\b(setInterval|setTimeout|listen|serve|subscribe|consume|run|start|launch|bootstrap|createServer|Worker)\w*\(|"
    r"\.on\(|\bwhile\s*\(\s*(true|1)\s*\)"
)


def _ends(module: Module) -> bool:
    """Whether a script does its work alone and is done: it brings in no other of the project, and waits for
    nothing.
    """
    if module.language != "typescript" or any(i.module.startswith((".", "@/", "~/")) for i in module.imports):
        return False
    done = (f"{call.callee}(" for function in module.functions for call in function.calls)
    loops = (function.body for function in module.functions)
    return not entry(module) and not any(map(_STAYS.search, (*done, *loops)))


def whole(processes: Iterable[Fact]) -> Iterator[Fact]:
    """The start scripts of packages that a framework's own command starts."""
    for process in processes:
        if process.file.endswith("package.json") and _WHOLE.search(str(process["command"])):
            yield process


def _python_files(target: str) -> tuple[str, ...]:
    stem = target.removesuffix(".py") if "/" in target or target.endswith(".py") else target.replace(".", "/")
    stem = stem.removeprefix("./")
    return f"{stem}/__main__.py", f"{stem}.py", f"{stem}/__init__.py"


def _script_files(target: str) -> tuple[str, ...]:
    """Where the source of a built script lies: `dist/main.js` comes from `src/main.ts`."""
    stem = re.sub(r"\.[cm]?[jt]s$", "", target.removeprefix("./"))
    bare = _BUILT.sub("", stem)
    stems = dict.fromkeys((stem, bare, f"src/{bare}" if not bare.startswith("src/") else bare))
    return tuple(
        f"{s}{tail}" for s in stems for tail in (".ts", ".js", ".mjs", ".cjs", "/index.ts", "/index.js")
    )


def assembled(program: Program, builds: Iterable[Fact]) -> Iterator[tuple[str, Module, int]]:
    """The folders that a build makes into a server without a main of theirs, with the first class of each
    that answers something.
    """
    known = list(builds)
    needed = set[str]().union(*needs_of(known).values())
    for folder, needs in inherited(known).items():
        if folder in needed or not any(_QUARKUS.match(need) for need in needs):
            continue
        plugin = "quarkus-maven-plugin" in needs
        for path, module in sorted(program.modules.items()):
            inside = not folder or path.startswith(folder + "/")
            if module.language != "java" or not module.production or not inside:
                continue
            items: list[Class | Function] = [*module.classes, *module.functions]
            marked = [item for item in items if any(map(_ANSWERS.search, item.marks))]
            if plugin and not marked:
                marked = [each for each in module.classes if _APPLICATION.search(each.name)]
            if marked:
                yield folder, module, marked[0].line
                break


def image_of_main(module: Module, manifests: dict[str, str]) -> int:
    """The line of a Go main that has an image of its own: a worker starts no server."""
    folder = posixpath.dirname(module.path)
    if module.package != "main" or not manifests.get(folder, "").endswith("Dockerfile"):
        return 0
    return next((f.line for f in module.functions if f.name == "main" and not f.owner), 0)


def leads_to_server(module: Module, program: Program, imports: Imports, *, lone: bool = False) -> int:
    """The line of a Go main whose own packages listen or serve somewhere; a tool's lead to none. `lone`,
    where nothing else starts: `cli/` may then hold all commands of a system, its server among them.
    """
    folder = posixpath.dirname(module.path)
    tool = _TOOL.search(folder) is not None and not (lone and posixpath.basename(folder) == "cli")
    if module.language != "go" or module.package != "main" or tool:
        return 0
    if _is_plugin(module):
        return 0
    main = next((f for f in module.functions if f.name == "main" and not f.owner), None)
    if main is None:
        return 0
    runs = any(_RUNS_GO.search(call.callee) for f in module.functions for call in f.calls)
    waiting, seen = [module.path], {module.path}
    while waiting and len(seen) < _REACH:
        path = waiting.pop(0)
        one = program.modules[path]
        called = [call.callee for f in one.functions for call in f.calls]
        if any(map(_SERVES_GO.search, called)) or (runs and any(map(_SERVER_GO.search, called))):
            return main.line
        for target in imports.of(path):
            if target not in seen and program.modules[target].production:
                seen.add(target)
                waiting.append(target)
    return 0


def _is_plugin(module: Module) -> bool:
    """Whether a main of Go serves the process that has started it (hashicorp/go-plugin), or a window on its
    user's desktop, and nobody else.
    """
    return module.uses(_WINDOW) or any(
        _PLUGIN.search(call.callee) for f in module.functions for call in f.calls
    )


def _guard(module: Module) -> int:
    """The last call at the module's top level: what runs when it is started."""
    return max((c.line for f in module.functions if not f.name for c in f.calls), default=1)


def entry(module: Module, *, strict: bool = False) -> int:
    """The line that starts a process, 0 when there is none.

    `strict`, where other processes of the project are known by their commands: a Python function that
    would start a server when somebody called it is then a library's.
    """
    if module.language == "java":
        for one in module.classes:
            if any(_BOOTED.search(mark) for mark in one.marks):
                return one.line
        if _TOOL.search(posixpath.dirname(module.path).partition("/src/main")[0]):
            return 0
        mains = [f for f in module.functions if f.name == "main" and "static" in f.body[:60]]
        return next((f.line for f in mains if _SERVES_JAVA.search(f.body)), 0)
    starts = _STARTS[module.language]
    heir = _heir_of_flask(module) if module.language == "python" else 0
    if heir:
        return heir
    for function in module.functions:
        if strict and module.language == "python" and function.name not in ("", "main"):
            continue
        if module.language == "go" and not (module.package == "main" and function.name == "main"):
            continue
        if module.language == "go" and _is_plugin(module):
            return 0
        for call in function.calls:
            if starts.search(call.callee):
                return call.line
    return 0


_APPLICATIONS = re.compile(r"^\w*(Flask|FastAPI|Sanic|Starlette)\w*(App|Application)?$")
_SERVED_AS = {"application", "app"}


def _heir_of_flask(module: Module) -> int:
    """The line where a module makes the application that a web server loads from it, of a class of the
    project's own that is named for its framework: `application = ShopFlaskApp("app")`.
    """
    top = next((f for f in module.functions if not f.name), None)
    kinds = {module.types.get(name, "") for name in _SERVED_AS}
    for call in top.calls if top else ():
        if call.callee in kinds and _APPLICATIONS.match(call.name) and call.name not in ("Flask", "FastAPI"):
            return call.line
    return 0


def run_apart(program: Program) -> list[tuple[Module, int]]:
    """Scripts of one folder that each serve at a port of their own when they are run."""
    found: dict[str, list[tuple[Module, int]]] = {}
    for module in program.modules.values():
        top = next((f for f in module.functions if not f.name), None)
        if module.language == "python" and module.production and top is not None:
            run = next(
                (c for c in top.calls if c.name == "run" and c.keywords.get("port", "").isdigit()), None
            )
            if run is not None and entry(module):
                found.setdefault(posixpath.dirname(module.path), []).append((module, run.line))
    return [one for several in found.values() if len(several) > 1 for one in several]


def installed(
    program: Program, scripts: Iterable[Fact], imports: Imports
) -> dict[str, tuple[str, Module, int]]:
    """Servers and workers among the commands that a Python package installs, by the folder of the code
    that is each one's own: `shop-worker = shop.cmd.worker:main` runs `shop/worker/`, or what it imports.
    With them, what the package has for a web server to load (`shop/wsgi/api.py`).
    """
    found: dict[str, tuple[str, Module, int]] = {}
    folders = {posixpath.dirname(path) for path, module in program.modules.items() if module.production}
    for script in scripts:
        tail = str(script["module"]).replace(".", "/") + ".py"
        module = next((m for p, m in program.modules.items() if p == tail or p.endswith("/" + tail)), None)
        if module is None or not module.production:
            continue
        if _HELPS.search(str(script["name"])):
            continue
        line = _serves(module, str(script["function"]), str(script["name"]))
        if not line:
            continue
        own = _own_folder(module, folders, imports) or posixpath.dirname(module.path)
        found.setdefault(own, (str(script["name"]), module, line))
    # a lone server that a web server may load as well is one service
    alone = len(found) == 1 and re.search(r"[-_](server|api)$", next(iter(found.values()))[0])
    for path, module in program.modules.items() if found and not alone else ():
        loads = next((f for f in module.functions if not f.name and f.calls), None)
        served = {"application", "app"} & module.types.keys()
        if loads is None or not served or not module.production or not _WSGI.search(path):
            continue
        if own := _own_folder(module, folders, imports):
            found.setdefault(own, (posixpath.basename(own), module, loads.calls[0].line))
    return found


def _serves(module: Module, function: str, command: str) -> int:
    """The line in a function of a module that starts what serves or works; where its command is named for a
    server, any start will do. Of another function there, when that is no doubt a launcher: it may be picked
    from a table.
    """
    main = [f for f in module.functions if f.name == function and not f.owner]
    led = {function, *(c.callee for f in main for c in f.calls if "." not in c.callee)}
    signs = [(_SERVES, True), (_LAUNCHES, False)]
    if _BY_NAME.search(command):
        signs.append((_STARTED, True))
    for sign, named in signs:
        for one in module.functions:
            if one.name and not one.owner and (one.name in led) == named:
                line = next((c.line for c in one.calls if sign.search(c.callee)), 0)
                if line:
                    return line
    return 0


def _own_folder(module: Module, folders: set[str], imports: Imports) -> str:
    """Where the code of the program that `module` starts lies: beside its own folder, under its name, or
    else where what it imports does.
    """
    stem = posixpath.basename(module.path).removesuffix(".py")
    package = posixpath.dirname(posixpath.dirname(module.path))
    own = f"{package}/{stem}" if package else stem
    if own in folders:
        return own
    plain = stem.replace("_", "")
    while package:
        beside = [f for f in folders if posixpath.dirname(f) == package]
        same = [f for f in beside if posixpath.basename(f).replace("_", "") == plain]
        if same and not _SHARED.search(f"{same[0]}/"):
            return same[0]
        package = posixpath.dirname(package)
    package = posixpath.dirname(posixpath.dirname(module.path))
    named = [f for f in folders if posixpath.dirname(f) == package and posixpath.basename(f).startswith(stem)]
    if len(named) == 1 and len(stem) > 2:
        return named[0]  # guest, of which the code is in guestagent
    top = module.path.partition("/")[0]
    used = [posixpath.dirname(path) for path in imports.of(module.path)]
    inside = [f for f in used if f.startswith(top + "/") and f in folders and not _SHARED.search(f)]
    words = set(stem.split("_"))
    return max(inside, key=lambda f: (len(words & set(re.split(r"[/_]", f))), f.count("/")), default="")
