"""Finding the services of a project from what any project has: entry points in code, build files, images.

A service is a folder with production code that starts a server, a consumer or a worker, that an image
runs, or that a stack of functions deploys.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from archgen.evidence import entries
from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.live import Imports
from archgen.evidence.code.model import Program
from archgen.evidence.config.processes import is_dockerfile
from archgen.evidence.facts import Facts, Service

_LANGUAGES = {"python", "typescript", "go", "java"}
# Each with the language that it builds, where it says so.
_MANIFESTS = {
    "pyproject.toml": "python", "setup.py": "python", "requirements.txt": "python",
    "requirements.in": "python", "Pipfile": "python", "package.json": "typescript",
    "nest-cli.json": "typescript", "go.mod": "go",
    "pom.xml": "java", "build.gradle": "java", "build.gradle.kts": "java", "Dockerfile": "",
    "serverless.yml": "", "serverless.yaml": "", "serverless.ts": "",
}  # fmt: skip
_LIBRARY_HINT = re.compile(
    r"(^|/)(lib|libs|common|shared|pkg|building-blocks|tools|scripts|hack|cli|web|ui|migrations?|seeds?|docs|testing|e2e)(/|$)"
)
# Folders that every service may have, so that their names say nothing of which one it is.
_USUAL_FOLDERS = {
    "app", "apps", "bin", "cmd", "server", "main", "src", "service", "services", "internal", "interface",
    "job", "worker", "api", "backend", "web", "pkg",
}  # fmt: skip
_UNDER_CMD = re.compile(r"(.+)/cmd(?:/[^/]+)?$")
_COMMAND = re.compile(r"(^|/)cmd/(web|ui|api)$")
_SITE = re.compile(r"(^|/)(docs?|documentation|storybook)$")
_NO_SERVICE = re.compile(
    r"(^|[/_-])(tests?|e2e|docs?|tools?|scripts?|seed(-data)?|migrations?|ci|dev|devcontainer|loadtest|benchmarks?|docker|deploy(ments?)?|infra|ops)(/|$)"
)


def find_services(
    program: Program, paths: Iterable[str], facts: Facts, imports: Imports
) -> tuple[Service, ...]:
    """Services in order of their folders. `paths` are all files of the project; of `facts`, what
    configuration says of processes, images, commands and functions is asked.
    """
    manifests = _Manifests(paths)
    found: dict[str, Service] = {}

    def add(folder: str, file: str, line: int, language: str = "", name: str = "") -> None:
        found.setdefault(folder, Service(name or _name(folder), folder, file, line, language))

    for module, line in entries.started(program, facts.of("process")):
        add(_home(module.path, manifests, module.language), module.path, line, module.language)
    for process in entries.whole(facts.of("process")):
        folder = posixpath.dirname(process.file)
        if any(m.production and _within(p, folder) for p, m in program.modules.items()):
            add(folder, process.file, process.line, "typescript")
    installed = entries.installed(program, facts.of("script"), imports)
    if len(installed) > 1:
        for folder, (name, module, line) in installed.items():
            add(folder, module.path, line, module.language, name)
    elif installed and not found:
        name, module, line = next(iter(installed.values()))
        add(_home(module.path, manifests, module.language), module.path, line, module.language, name)
    for module, line in entries.run_apart(program):
        # several programs lie in one folder: each file is a service
        add(
            module.path,
            module.path,
            line,
            module.language,
            posixpath.basename(module.path).rpartition(".")[0],
        )
    for folder, module, line in entries.assembled(program, facts.of("build.module")):
        if not any(_within(f, folder) for f in found):
            add(folder, module.path, line, module.language)
    told = {folder for folder in found if found[folder].language != "java"}
    _by_code(program, manifests, found, told, imports)
    for module in () if found else program.modules.values():
        line = entries.leads_to_server(module, program, imports, lone=True) if module.production else 0
        if line:
            add(_home(module.path, manifests, module.language), module.path, line, module.language)
    for built in facts.of("build.module"):
        folder = str(built["folder"])
        apart = not any(_within(f, folder) or _within(folder, f) for f in found if f or not folder)
        if built["war"] and apart:
            add(folder, built.file, built.line, "java")  # a server of servlets starts it
    for folder in _stacks(program, facts):
        place = next(f for f in facts.of("function") if _within(str(f["code"]), folder))
        if not any(_within(f, folder) for f in found if f):
            add(folder, place.file, place.line)
    for image in facts.of("image"):
        folder = str(image["folder"])
        if any(_within(f, folder) for f in found) or _NO_SERVICE.search(folder) or (not folder and found):
            continue
        code = [
            m
            for m in program.modules.values()
            if m.production and _home(m.path, manifests, m.language) == folder
        ]
        if code:
            add(folder, image.file, image.line, code[0].language)
    for folder in _libraries(
        program,
        [f for f in found if f not in told and found[f].language in ("python", "typescript")],
        list(found),
        imports,
    ):
        del found[folder]
    _weed(found, facts, manifests)
    facts.fronts = tuple(_fronts(found, facts, program, imports))
    for folder in facts.fronts:
        del found[folder]
    services = [found[folder] for folder in sorted(found) if not _is_repository(folder, found, program)]
    services = [_with_its_code(s, services, program) for s in services]
    return _told_apart(_grown_together(services, program, imports))


_ENTANGLED = 6  # modules on each side that import the other: fewer are clients or contracts that strayed


def _grown_together(services: list[Service], program: Program, imports: Imports) -> list[Service]:
    """Processes that import each other's code throughout are one deployable, which starts in several ways."""
    uses: Counter[tuple[str, str]] = Counter()
    inner = sorted((s.folder for s in services if s.folder), key=len, reverse=True)

    def home(path: str) -> str:
        return next((folder for folder in inner if _within(path, folder)), "")

    for path, module in program.modules.items() if len(inner) > 1 else ():
        if module.production and (own := home(path)):
            reached = {home(target) for target in imports.of(path)}
            uses.update((own, other) for other in reached - {own, ""})
    whole = list(services)
    for one, other in [pair for pair, n in uses.items() if min(n, uses[pair[::-1]]) >= _ENTANGLED]:
        folder = posixpath.commonpath([one, other])
        parts = [s for s in whole if _within(s.folder, folder)]
        if folder and len(parts) > 1 and all(_tied(s.folder, folder, uses) for s in parts):
            whole = [s for s in whole if s not in parts]
            whole.append(replace(parts[0], name=_name(folder), folder=folder))
    return sorted(whole, key=lambda s: s.folder)


def _tied(folder: str, whole: str, uses: Counter[tuple[str, str]]) -> bool:
    """Whether a process below `whole` is entangled with another one there."""
    return any(
        folder == one and _within(other, whole) and min(n, uses[other, one]) >= _ENTANGLED
        for (one, other), n in uses.items()
    )


def _weed(found: dict[str, Service], facts: Facts, manifests: _Manifests) -> None:
    """Takes out what stands beside services and is none: pages about the system, programs for a desktop, and
    published packages that install a command. Where there is nothing else, they are the system.
    """
    tools = {
        str(package["folder"])
        for package in facts.of("package")
        if package["command"]
        and not is_dockerfile(posixpath.basename(manifests.get(str(package["folder"]), "")))
    }
    aside = {folder for folder in found if folder in tools or _SITE.search(folder)}
    for folder in aside if aside != found.keys() else ():
        del found[folder]


_HOSTED = re.compile(
    r"(@supabase|firebase|@vercel/(postgres|kv|blob)|@upstash|@neondatabase|@planetscale|@libsql|kysely|@aws-sdk|convex|@prisma|payload)\b"
)


def _keeps(source: str) -> bool:
    """Whether a module that is imported speaks to a store or to a broker."""
    return (
        words.STORE_IMPORT.match(source) is not None
        or words.BROKER_IMPORT.search(source) is not None
        or _HOSTED.match(source) is not None
    )


_PAGES = re.compile(r"\b(next|nuxt|nuxi|remix-serve|react-router-serve)\b")


def _fronts(found: dict[str, Service], facts: Facts, program: Program, imports: Imports) -> list[str]:
    """Services that only show what others keep: pages rendered on a server, which reach no store and no
    broker. Where there is nothing else, they are the system.
    """
    fronts = []
    for process in facts.of("process"):
        folder = posixpath.dirname(process.file)
        whole = process.file.endswith("package.json") and _PAGES.search(str(process["command"]))
        if not whole or folder not in found or folder in fronts:
            continue
        own = [
            path for path, module in program.modules.items() if module.production and _within(path, folder)
        ]
        reached = [program.modules[path] for path in imports.reached(own)]
        if not any(_keeps(i.module) for m in reached if m.language == "typescript" for i in m.imports):
            fronts.append(folder)
    return fronts if len(fronts) < len(found) else []


def live_folders(service: Service) -> tuple[str, ...]:
    """Folders whose code a service may run: its own, and the package of a command that starts it, of which
    much is loaded by name.
    """
    apart = service.file.endswith(".py") and not _within(service.file, service.folder)
    return (service.folder, service.file.partition("/")[0]) if apart else (service.folder,)


class _Manifests(dict[str, str]):
    """By folder, the file that builds it: that of its image, else the first of those of a language."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__()
        self._foreign: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if is_dockerfile(name):
                self[folder] = path
                self._foreign[folder] = set()
            elif name in _MANIFESTS:
                self.setdefault(folder, path)
                others = _LANGUAGES - {_MANIFESTS[name]} if _MANIFESTS[name] else set()
                self._foreign[folder] = self._foreign.get(folder, others) & others

    def build(self, folder: str, language: str) -> bool:
        """Whether a folder is built by itself, as code of `language`: styles that a package of Node packs
        make no program of the Python beside them.
        """
        return folder in self and language not in self._foreign[folder]


def _name(folder: str) -> str:
    return posixpath.basename(folder) or "the project"


def _with_its_code(service: Service, services: list[Service], program: Program) -> Service:
    """A command of Go, `cart/cmd/server`, with the packages that lie beside `cmd`, where it is the only
    command there.
    """
    above = _UNDER_CMD.match(service.folder) if service.language == "go" else None
    if above is None or any(s is not service and _within(s.folder, above[1]) for s in services):
        return service
    beside = (p for p, m in program.modules.items() if m.production and _within(p, above[1]))
    if not any("/cmd/" not in path for path in beside):
        return service
    return replace(service, folder=above[1], name=_telling(above[1]) or _name(above[1]))


def _told_apart(services: list[Service]) -> tuple[Service, ...]:
    """Services whose folders end alike (`cart/cmd/server`, `order/cmd/server`) are named by what tells them
    apart: the nearest folder above that has a name of its own, else the whole path.
    """
    names = Counter(s.name for s in services)
    alike = [s for s in services if names[s.name] > 1]
    nearer = {s.folder: _telling(s.folder) or s.folder for s in alike}
    taken = Counter(nearer.values()) + names
    return tuple(
        replace(s, name=nearer[s.folder] if taken[nearer[s.folder]] == 1 else s.folder)
        if s.folder in nearer
        else s
        for s in services
    )


def _telling(folder: str) -> str:
    """The last part of a path that not every service may have."""
    return next((part for part in reversed(folder.split("/")) if part not in _USUAL_FOLDERS), "")


def _within(path: str, folder: str) -> bool:
    return folder == "" or path == folder or path.startswith(folder + "/")


def _by_code(
    program: Program, manifests: _Manifests, found: dict[str, Service], told: set[str], imports: Imports
) -> None:
    """Adds the folders whose code starts a server, a consumer or a worker."""
    for module in program.modules.values():
        if not module.production:
            continue
        line = (
            entries.entry(module, strict=bool(told))
            or entries.image_of_main(module, manifests)
            or entries.leads_to_server(module, program, imports)
        )
        folder = _home(module.path, manifests, module.language)
        if not line or folder in told:
            continue
        built = folder in manifests and is_dockerfile(posixpath.basename(manifests[folder]))
        if module.language == "go" and entries.is_tool(module.path) and not built:
            continue
        command = module.package == "main" and _COMMAND.search(folder) is not None
        if _LIBRARY_HINT.search(folder) and not built and not command:
            continue
        known = found.get(folder)
        if known is None or (len(module.path), module.path) < (len(known.file), known.file):
            found[folder] = Service(_name(folder), folder, module.path, line, module.language)


def _is_repository(folder: str, found: dict[str, Service], program: Program) -> bool:
    """Whether a folder holds other services and is only their repository. One that starts code of its
    own beside theirs is an application with others below it.
    """
    inner = [f for f in found if f != folder and _within(f, folder)]
    if not inner:
        return False
    own = [
        path
        for path, module in program.modules.items()
        if module.production
        and _within(path, folder)
        and module.language == found[folder].language
        and not any(_within(path, f) for f in inner)
    ]
    below = sum(1 for path in program.modules if any(_within(path, f) for f in inner))
    return found[folder].file not in own or len(own) <= max(4, below)


def _stacks(program: Program, facts: Facts) -> list[str]:
    """Folders that are deployed as functions: that of the template where it has one of its own, else
    that of each function's code.
    """
    templates: dict[str, set[str]] = {}
    for function in facts.of("function"):
        templates.setdefault(function.file, set()).add(str(function["code"]))
    above = {template: _above(template, codes) for template, codes in templates.items()}
    homes = list(above.values())
    found: list[str] = []
    for template, codes in templates.items():
        home = above[template]
        alone = homes.count(home) == 1 and (home or len(templates) == 1)
        nested = any(other != home and _within(other, home) for other in homes)
        for folder in [home] if alone and not nested else sorted(codes):
            has_code = any(m.production and _within(p, folder) for p, m in program.modules.items())
            if has_code and folder not in found:
                found.append(folder)
    return found


def _above(template: str, codes: set[str]) -> str:
    """The folder of a template's service: its own, or the one that holds it and the code beside it
    (`orders/infra/template.yaml` with `orders/src`).
    """
    home = posixpath.dirname(template)
    if any(_within(code, home) for code in codes):
        return home
    return posixpath.commonpath([home, *codes]) or home


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


def _home(path: str, manifests: _Manifests, language: str) -> str:
    """The nearest folder above `path` that can be built by itself."""
    folder = posixpath.dirname(path)
    own = folder
    while folder:
        if manifests.build(folder, language):
            return folder
        folder = posixpath.dirname(folder)
    if language == "go" or "" not in manifests:
        # one build file for many programs: each program's folder is a service
        return own.partition("/src/")[0] if "/src/" in own else own
    return ""
