"""Builds of several modules: which module needs which, and which folders hold what runs in a browser."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
_PROJECT = re.compile(r"project\(\s*(?:path\s*[:=]\s*)?[\"'](:[\w:.-]+)[\"']|\bprojects\.([\w.]+)")
_COORDINATE = re.compile(r"[\"'][\w.-]+:([\w.-]+)(?::[^\"']*)?[\"']")
_SHOWN = re.compile(
    r"^(react-dom|vue|@angular/core|svelte|preact|solid-js|ember-source|backbone|jquery|@vue/compiler-sfc)$"
)
_SERVED = re.compile(
    r"^(express|fastify|koa|@nestjs/core|next|nuxt|@hapi/hapi|hono|@remix-run/(node|server-runtime|express)|"
    r"@sveltejs/kit|astro|apollo-server.*|@apollo/server|@trpc/server|electron|moleculer|@medusajs/.*|@feathersjs/.*)$"
)


def wants(source: Source) -> bool:
    return source.name in ("pom.xml", "build.gradle", "build.gradle.kts")


def collect(source: Source) -> Iterator[Fact]:
    """`build.module`: its folder's names for itself and for what it needs."""
    text = re.sub(r"<!--.*?-->", "", source.text, flags=re.DOTALL)
    if source.name == "pom.xml":
        own_text = re.sub(r"<parent>.*?</parent>", "", text, flags=re.DOTALL)
        names = _ARTIFACT.findall(own_text)
        own, needs = (names[0], names[1:]) if names else ("", [])
    else:
        own = posixpath.basename(source.folder)
        needs = [
            *_COORDINATE.findall(text),
            *(
                (path or dotted).replace(".", ":").rpartition(":")[2]
                for path, dotted in _PROJECT.findall(text)
            ),
        ]
    yield Fact(
        "build.module", source.path, 1, Strength.CONFIGURED,
        {"name": own, "folder": source.folder, "needs": tuple(dict.fromkeys(needs))},
    )  # fmt: skip


def needs_of(modules: Iterable[Fact]) -> dict[str, set[str]]:
    """Folders of modules, with the folders of those that they need."""
    known = list(modules)
    folders = {str(m["name"]): str(m["folder"]) for m in known}
    return {str(m["folder"]): {folders[n] for n in m["needs"] if n in folders} for m in known}


def browser_folders(sources: Iterable[Source]) -> tuple[set[str], set[str]]:
    """Folders whose package is a web page's, and folders with a package that is not."""
    pages: set[str] = set()
    others: set[str] = set()
    for source in sources:
        if source.name != "package.json":
            continue
        try:
            data = json.loads(source.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict):
            continue
        groups = (data.get(group) for group in ("dependencies", "devDependencies", "peerDependencies"))
        names = [name for group in groups if isinstance(group, dict) for name in group]
        shown = any(_SHOWN.match(name) for name in names)
        (pages if shown and not any(_SERVED.match(name) for name in names) else others).add(source.folder)
    return pages, others


def in_browser(path: str, pages: set[str], others: set[str]) -> bool:
    """Whether the nearest package above `path` is a web page's."""
    folder = posixpath.dirname(path)
    while True:
        if folder in pages:
            return True
        if folder in others or not folder:
            return False
        folder = posixpath.dirname(folder)
