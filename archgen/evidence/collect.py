"""From a folder to facts: reads every file once and runs each collector on what it can read."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from archgen.errors import ArchgenError, Problem
from archgen.evidence import declared, docs
from archgen.evidence.code.carry import connect
from archgen.evidence.code.grammar import BY_SUFFIX
from archgen.evidence.code.links import Links
from archgen.evidence.code.live import Imports, mark_live
from archgen.evidence.code.model import Program
from archgen.evidence.code.settle import settle
from archgen.evidence.code.streams import bound
from archgen.evidence.config import (
    asyncapi,
    bridges,
    builds,
    compose,
    connectors,
    instrument,
    kubernetes,
    operations,
    owners,
    packages,
    paste,
    processes,
    settings,
    stacks,
    terraform,
)
from archgen.evidence.config.helm import Charts
from archgen.evidence.config.located import Node, TooMuchError, load_all
from archgen.evidence.config.pages import Pages
from archgen.evidence.facts import Fact, Facts, Note, Strength
from archgen.evidence.nature import Nature
from archgen.evidence.patterns import (
    acks,
    agents,
    answers,
    background,
    backups,
    batches,
    breakers,
    choreographies,
    clocks,
    consistency,
    dropped,
    edges,
    embedded,
    eventsourcing,
    givenup,
    jobs,
    jobtables,
    lostjobs,
    messaging,
    naive,
    noops,
    outboxes,
    repeats,
    requests,
    retried,
    retries,
    saga_life,
    sagas,
    secrets,
    silent,
    swallowed,
    telemetry,
    timeouts,
    torn,
    transactions,
    transitions,
    unheard,
    updates,
    weakqueues,
)
from archgen.evidence.reading import many_objects, read_code
from archgen.evidence.services import find_services, live_folders
from archgen.evidence.tree import Source, walk

_PAGE = re.compile(
    r"(^|/)(src/main/resources/(static|public|META-INF/resources)|wwwroot|(static|public|assets)/(js|scripts?|libs?|vendor))/"
)
_GO_MODULE = re.compile(r"^module\s+\"?([\w./~-]+)", re.MULTILINE)
_DOCUMENTS = {".md", ".mdx", ".adoc", ".rst", ".txt"}
_SETTING_FILES = re.compile(r"(^|/)(\.env(\.[\w.-]+)?|[\w.-]+\.properties|[\w.-]*\.env)$")
_SPRING_YAML = re.compile(
    r"(^|/)(application|bootstrap)([-.][\w-]+)*\.ya?ml$|src/main/resources/(.*/)?[\w.-]+\.ya?ml$|(^|/)config-?repo/.*\.ya?ml$"
)
_SHELL = re.compile(
    r"(\.(sh|bash|cron|crontab|mk)|(^|/)(Makefile|crontab|justfile|Justfile|Taskfile\.ya?ml|Procfile))$"
)
_SPOKEN = "archgen:"


def collect(root: Path, step: Callable[[], None] = lambda: None, workers: int = 1) -> Facts:
    """Everything that can be known of the folder `root`. `step` is called once per file. A large
    project is read by as many processes as `workers` says.

    Raises ArchgenError when `root` is not a folder that can be read.
    """
    require(root)
    with many_objects():
        return _collect(root, step, workers)


def _collect(root: Path, step: Callable[[], None], workers: int) -> Facts:
    notes: list[Note] = []
    facts, program, paths, charts = Facts(), Program(), [], Charts()
    sources = _samples_alone(list(walk(root, notes)))
    pages = Pages.of(sources)
    for source in sources:
        if source.name == "go.mod" and (match := _GO_MODULE.search(source.text)):
            program.roots[match[1]] = source.folder
        elif source.suffix == ".json":
            program.alias(packages.aliases(source), "" if source.name == "package.json" else source.folder)
            if (base := packages.base_of(source)) is not None:
                program.alias(_below(base, sources), source.folder)
    twins = {s.path.rpartition(".")[0] for s in sources if s.suffix in (".ts", ".tsx")}
    code: list[Source] = []
    for source in sources:
        paths.append(source.path)
        if _SPOKEN in source.text:
            facts.marked[source.path] = source.text
        if packages.wants(source):
            facts.add(packages.collect(source, _strength(source)))
        if source.suffix not in BY_SUFFIX:
            facts.add(_read_other(source, charts, notes))
            step()
        elif source.suffix == ".js" and source.path.rpartition(".")[0] in twins:
            step()  # compiled from the TypeScript beside it
        elif BY_SUFFIX[source.suffix][0].language == "typescript" and (
            _PAGE.search(source.path) or pages.hold(source)
        ):
            step()  # runs in a browser: what it lacks, no service lacks
        else:
            code.append(source)
    for source, (module, told) in zip(code, read_code(code, step, workers), strict=True):
        notes += told
        if module is not None:
            program.modules[source.path] = module
    facts.files, facts.sources = len(paths), len(program.modules)
    imports = Imports(program)
    facts.services = find_services(program, paths, facts, imports)
    needs = builds.needs_of(facts.of("build.module"))
    run = {f for s in facts.services for f in live_folders(s)}.union(facts.fronts)
    mark_live(program, [*run], imports, needs)
    links = Links(program)
    settle(links, bound(facts))
    program.freeze()
    _recognise(jobs.leave, ("job_queues", "data_consistency"), program, facts)  # others have it through calls
    connect(links)
    facts.program = program
    for recognise, items in _RECOGNISERS:
        _recognise(recognise, items, program, facts)
    facts.notes = tuple(notes)
    return facts


def _below(base: str, sources: list[Source]) -> dict[str, str]:
    """The folders and scripts in `base` by the name that they are imported by from there."""
    found = {}
    for source in sources:
        inside = not base or source.path.startswith(f"{base}/")
        if inside and source.suffix in BY_SUFFIX and BY_SUFFIX[source.suffix][0].language == "typescript":
            name = source.path[len(base) + 1 if base else 0 :].partition("/")[0]
            stem = name.rpartition(".")[0] if name.endswith(source.suffix) else name
            found[stem] = f"{base}/{stem}".strip("/")
    return found


def require(root: Path) -> None:
    """Raises ArchgenError when `root` is not a folder that can be read."""
    if not root.exists():
        raise ArchgenError(
            Problem("there is no such folder", file=str(root), remedy="give the folder of a project")
        )
    if not root.is_dir():
        raise ArchgenError(
            Problem("this is a file, not a folder", file=str(root), remedy="give the folder of a project")
        )
    try:
        next(root.iterdir(), None)
    except OSError as error:
        raise ArchgenError(Problem(f"the folder cannot be read: {error.strerror}", file=str(root))) from error


def _samples_alone(sources: list[Source]) -> list[Source]:
    """`sources`, where examples count if the project is hardly anything else."""
    size = dict.fromkeys(Nature, 0)
    for source in sources:
        if source.suffix in BY_SUFFIX:
            size[source.nature] += len(source.text)
    if size[Nature.EXAMPLE] < 10 * size[Nature.PRODUCTION] or not size[Nature.EXAMPLE]:
        return sources
    return [replace(s, nature=Nature.PRODUCTION) if s.nature is Nature.EXAMPLE else s for s in sources]


Recogniser = Callable[[Program, Facts], Iterator[Fact]]


def _recognise(recognise: Recogniser, items: tuple[str, ...], program: Program, facts: Facts) -> None:
    """Adds what a recogniser finds to `facts`, or why it failed for each of the `items` that rest on it."""
    try:
        facts.add(list(recognise(program, facts)))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        facts.crashed.update(dict.fromkeys(items, message))


_ITEMS = (
    "service_boundaries", "communication_patterns", "event_sourcing", "saga", "job_queues", "circuit_breaker",
    "observability", "error_handling", "data_consistency", "disaster_recovery",
)  # fmt: skip
# Each with the items that cannot be judged when it fails.
_RECOGNISERS: tuple[tuple[Recogniser, tuple[str, ...]], ...] = (
    (breakers.breakers, ("circuit_breaker",)),
    (lambda program, _: retries.retries(program), ("circuit_breaker", "error_handling")),
    (lambda program, _: timeouts.timeouts(program), ("circuit_breaker",)),
    (lambda program, _: messaging.consumers(program), _ITEMS),
    (lambda program, _: messaging.listeners(program), _ITEMS),
    (messaging.functions, _ITEMS),
    (lambda _, facts: messaging.broker_settings(facts), _ITEMS),
    (lambda program, _: messaging.schedules(program), ("job_queues",)),
    (lambda program, _: clocks.clocks(program), ("job_queues",)),
    (lambda program, _: edges.edges(program), _ITEMS),
    (lambda program, _: messaging.dead_letters(program), ("job_queues", "error_handling")),
    (lambda program, _: retried.retried(program), ("circuit_breaker",)),
    (lambda program, _: retried.crowds(program), ("circuit_breaker",)),
    (lambda program, _: agents.agents(program), ("circuit_breaker",)),
    (lambda program, _: secrets.secrets(program), ("observability",)),
    (lambda program, _: batches.batches(program), ("error_handling",)),
    (lambda _, facts: jobs.stack_jobs(facts), ("job_queues",)),
    (telemetry.telemetry, ("observability",)),
    (lambda program, _: silent.silent_metrics(program), ("observability",)),
    (lambda program, _: silent.lost_traces(program), ("observability",)),
    (outboxes.outboxes, ("data_consistency",)),
    (consistency.consistency, ("data_consistency",)),
    (jobtables.job_tables, ("job_queues",)),
    (eventsourcing.event_sourcing, ("event_sourcing",)),
    (lambda program, _: sagas.sagas(program), ("saga",)),
    (lambda program, _: noops.noops(program), ("saga",)),
    (lambda program, _: choreographies.choreographed(program), ("saga",)),
    (choreographies.reacted, ("saga",)),
    (lambda program, _: saga_life.saga_life(program), ("saga",)),
    (lambda program, _: answers.answers(program), ("error_handling",)),
    (lambda program, _: swallowed.swallowed(program), ("error_handling",)),
    (lambda program, _: unheard.unheard(program), ("error_handling",)),
    (lambda program, _: givenup.given_up(program), ("error_handling",)),
    (lambda program, _: lostjobs.lost_jobs(program), ("error_handling",)),
    (lambda program, _: dropped.dropped(program), ("error_handling",)),
    (lambda program, _: dropped.overwritten(program), ("error_handling",)),
    (lambda program, _: dropped.unanswered(program), ("error_handling",)),
    (lambda program, _: dropped.logged_away(program), ("error_handling",)),
    (lambda program, _: dropped.unasked(program), ("error_handling",)),
    (lambda program, _: dropped.wrapped_wrong(program), ("error_handling",)),
    (lambda program, _: transactions.transactions(program), ("data_consistency",)),
    (lambda program, _: repeats.remembered(program), ("data_consistency",)),
    (lambda program, _: updates.updates(program), ("data_consistency",)),
    (lambda program, _: torn.torn(program), ("data_consistency",)),
    (lambda program, _: updates.documents(program), ("data_consistency",)),
    (lambda program, _: transitions.transitions(program), ("data_consistency",)),
    (naive.naive_consumers, ("data_consistency",)),
    (lambda _, facts: embedded.embedded(facts), ("disaster_recovery",)),
    (naive.added_up, ("data_consistency",)),
    (naive.counted_up, ("data_consistency",)),
    (naive.put_anew, ("data_consistency",)),
    (lambda program, _: acks.acknowledgements(program), ("job_queues",)),
    (lambda program, _: weakqueues.weak_queues(program), ("job_queues",)),
    (lambda program, _: background.background(program), ("job_queues",)),
    (lambda program, _: backups.backups(program), ("disaster_recovery",)),
    (lambda program, _: requests.static_state(program), ("error_handling",)),
    (lambda program, _: requests.writing_questions(program), ("communication_patterns",)),
)


def _strength(source: Source) -> Strength:
    return Strength.CONFIGURED if source.nature.counts else Strength.CLAIMED


def _read_other(source: Source, charts: Charts, notes: list[Note]) -> list[Fact]:
    strength = _strength(source)
    found: list[Fact] = []
    if source.suffix in (".yml", ".yaml"):
        found += _read_yaml(source, strength, charts, notes)
    elif source.suffix in _DOCUMENTS:
        found += docs.collect(source)
    elif source.suffix == ".json":
        found += operations.collect_json(source, strength)
        found += stacks.collect_json(source, strength)
    elif source.suffix == ".tf":
        found += terraform.collect(source, strength)
    elif source.suffix in (".libsonnet", ".jsonnet"):
        found += operations.collect_jsonnet(source, strength)
    elif source.suffix == ".sql":
        found += operations.collect_sql(source, strength)
    elif source.suffix == ".conf":
        found += operations.collect_conf(source, strength)
    elif _SETTING_FILES.search(source.path):
        found += settings.collect_env(source, strength)
    found += owners.collect(source)
    found += instrument.collect(source, strength)
    found += connectors.collect(source, strength)
    found += paste.collect(source, strength)
    found += asyncapi.collect_schema(source)
    if builds.wants(source) and source.nature.counts:
        found += builds.collect(source)
    if processes.wants(source):
        found += processes.collect(source, strength)
    if _SHELL.search(source.path):
        found += operations.collect_shell(source, strength)
    return found


def _read_yaml(source: Source, strength: Strength, charts: Charts, notes: list[Note]) -> list[Fact]:
    try:
        nodes: list[Node] = load_all(charts.render(source) or source.text)
        found: list[Fact] = list(charts.collect(source, nodes, strength))
        if compose.wants(source, nodes):
            found += compose.collect(source, nodes, strength)
        if kubernetes.wants(source, nodes):
            found += kubernetes.collect(source, nodes, strength)
        if stacks.wants(nodes):
            found += stacks.collect(source, nodes, strength)
        if _SPRING_YAML.search(source.path):
            found += settings.collect_yaml(source, nodes, strength)
        if source.path.startswith(".github/workflows/"):
            found += operations.collect_workflow(source, nodes, strength)
        found += operations.collect_prometheus(source, nodes, strength)
        if declared.wants(source):
            found += declared.collect(source, notes)
        found += asyncapi.collect(source, nodes, strength)
        for doc in nodes:
            found += bridges.collect(source, doc, strength)
        found += owners.collect_catalogue(source, nodes)
        return found
    except (yaml.YAMLError, RecursionError, TooMuchError, ValueError) as error:
        if "{{" not in source.text:  # a Helm template is not YAML before it is rendered
            words = " ".join(str(error).split())
            notes.append(Note(source.path, f"not read as YAML: {words[:100]}"))
        return []
