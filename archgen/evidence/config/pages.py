"""What runs in a browser: what it lacks, no service lacks.

A package that shows pages and serves nothing is one; of a framework that does both, all but what it keeps on
the server; and of a package with a server of its own, the folders that are made of components.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archgen.evidence.tree import Source

_SHOWN = re.compile(
    r"^(react-dom|vue|@angular/core|svelte|preact|solid-js|ember-source|backbone|jquery|@vue/compiler-sfc|nuxt|@sveltejs/kit)$"
)
_SERVED = re.compile(
    r"^(express|fastify|koa|@nestjs/core|next|@hapi/hapi|hono|@remix-run/(node|server-runtime|express)|"
    r"astro|apollo-server.*|@apollo/server|@trpc/server|electron|moleculer|@medusajs/.*|@feathersjs/.*)$"
)
# Frameworks that render on both sides, with what of a package runs on the server alone.
_BOTH = {
    "nuxt": re.compile(r"^(src/)?(server|api|server-?[mM]iddleware)/"),
    "@sveltejs/kit": re.compile(r"\.server\.[cm]?[jt]s$|\+server\.[cm]?[jt]s$|(^|/)(server|api)/"),
}
# Frameworks whose components run on the server, too, unless they say otherwise.
_RENDERED = re.compile(r"^(next|astro|@remix-run/.*|@react-router/.*)$")
_CLIENT = re.compile(r"\s*[\"']use client[\"']")
_COMPONENT = re.compile(r"\.([jt]sx|vue|svelte)$")
_SCRIPT = re.compile(r"\.([cm]?[jt]sx?|vue|svelte)$")
_ON_A_SERVER = re.compile(
    r"(?:from|require\()\s*[\"'](?:node:)?(?:express|koa|fastify|hono|@nestjs/[\w-]+|http|net|child_process|pg|mysql2?|mongoose|mongodb|"
    r"sequelize(?:-typescript)?|typeorm|knex|drizzle-orm|@prisma/client|bull(?:mq)?|ioredis|redis|kafkajs|amqplib|nats)[\"']"
)
# What only a browser has (a path alone is an address nowhere else), and what shows that a server runs the
# same file or drives a browser from it.
_BROWSER = re.compile(
    r"(?<![\w.$])(?:document|window|localStorage|navigator)\.\w|\buse(?:State|Effect|LayoutEffect|Callback|Ref|Reducer|Query|Mutation|InfiniteQuery|SWR)\(|"
    r"\bfetch\(\s*[\"'`]/(?!/)"
)
_NOT_ONLY = re.compile(
    r"\btypeof (?:window|document|navigator)\b|\b(?:puppeteer|playwright|jsdom|cheerio)\b|process\.env\b|"
    r"\bexport\s+(?:async\s+)?(?:function|const|let)\s+(?:loader|action|getServerSideProps|getStaticProps|GET|POST|PUT|PATCH|DELETE)\b"
)
_SHARE = 3  # of so many scripts in a folder of components, one at least is a component
_ENOUGH = 5


@dataclass
class Pages:
    """Folders of packages that are web pages, those that are not, and folders of components in these.

    `both` holds, for a package of a framework that renders on both sides, what runs on the server.
    """

    shown: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    components: set[str] = field(default_factory=set)
    both: dict[str, re.Pattern[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Pages:
        pages, mixed = cls(), set()
        for source in sources:
            names = _dependencies(source)
            if names is None:
                continue
            served = any(map(_SERVED.match, names))
            if any(map(_SHOWN.match, names)) and not served:
                pages.shown.add(source.folder)
                pages.both.update([(source.folder, _BOTH[name]) for name in names if name in _BOTH])
            else:
                pages.others.add(source.folder)
                if not any(map(_RENDERED.match, names)):
                    mixed.add(source.folder)
        pages.components = set(_of_components(sources, pages, mixed))
        return pages

    def hold(self, source: Source) -> bool:
        """Whether the script runs in a browser."""
        if _of_a_browser(source.text):
            return True
        folder = posixpath.dirname(source.path)
        while True:
            if folder in self.components:
                return True
            if folder in self.shown:
                inner = source.path[len(folder) + 1 if folder else 0 :]
                return folder not in self.both or self.both[folder].search(inner) is None
            if folder in self.others or not folder:
                return _CLIENT.match(source.text) is not None
            folder = posixpath.dirname(folder)

    def package_of(self, path: str) -> str:
        """The folder of the nearest package above `path`, "" for the root."""
        folder = posixpath.dirname(path)
        while folder and folder not in self.others and folder not in self.shown:
            folder = posixpath.dirname(folder)
        return folder


# A document that a script has fetched or was handed is none of a page.
_OWN_DOCUMENT = re.compile(r"\b(?:const|let|var)\s+document\b|[(,{]\s*document\s*[:,)}]")
_OF_A_PAGE = re.compile(r"(?<![\w.$])document\.(?=\w)")


def _of_a_browser(text: str) -> bool:
    if _NOT_ONLY.search(text) or _ON_A_SERVER.search(text):
        return False
    return bool(_BROWSER.search(_OF_A_PAGE.sub("", text) if _OWN_DOCUMENT.search(text) else text))


def _dependencies(source: Source) -> list[str] | None:
    """The names that a package.json builds on; None for anything else."""
    if source.name != "package.json":
        return None
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    groups = (data.get(group) for group in ("dependencies", "devDependencies", "peerDependencies"))
    return [name for group in groups if isinstance(group, dict) for name in group]


def _of_components(sources: Sequence[Source], pages: Pages, mixed: set[str]) -> Iterable[str]:
    """Folders one or two steps below a package of `mixed` that hold components, and nothing of a server."""
    scripts: Counter[str] = Counter()
    components: Counter[str] = Counter()
    serve: set[str] = set()
    for source in sources:
        if not _SCRIPT.search(source.path):
            continue
        package = pages.package_of(source.path)
        if package not in mixed:
            continue
        steps = source.path[len(package) + 1 if package else 0 :].split("/")[:-1]
        for folder in (posixpath.join(package, *steps[:depth]) for depth in range(1, min(len(steps), 2) + 1)):
            scripts[folder] += 1
            components[folder] += _COMPONENT.search(source.path) is not None
            if _ON_A_SERVER.search(source.text):
                serve.add(folder)
    return (
        folder
        for folder, count in components.items()
        if count >= _ENOUGH and count * _SHARE >= scripts[folder] and folder not in serve
    )
