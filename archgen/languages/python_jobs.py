"""The jobs of a service: their arguments, their handlers, the worker that does them, and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from archgen.contracts.examples import example
from archgen.escape import py
from archgen.languages.python_domain import needed_by
from archgen.languages.python_format import call, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.languages.python_messages import FieldLine, lines
from archgen.languages.python_sagas import wrapped
from archgen.languages.python_types import imports, literal
from archgen.plan_types import Code, Item
from archgen.spec.model import FieldType, Job, Priority, Scalar
from archgen.spec.names import pascal, python_name, title, unique

FileOf = Callable[..., Item]
# The time that a scheduled job is due for; the chassis fills it in.
DUE = {"due": FieldType(scalar=Scalar.TIMESTAMP)}

_RANK = {Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}
_TAKEN = ("ClassVar", "Literal", "UUID", "Money", "Integer", "Number", "Boolean", "Email", "UnitOfWork")


def job_items(
    layout: Layout, yours: FileOf, generated: FileOf, test_file: Callable[[str], str]
) -> Iterator[Item]:
    """The files that a service has because it has jobs."""
    source = f"services/{layout.name}/src/{layout.package}"
    yield generated("jobs.py", "jobs.py.jinja", **_arguments(layout))
    yield yours(f"{source}/jobs/__init__.py", "jobs/package.py.jinja")
    yield yours(f"{source}/worker.py", "jobs/worker.py.jinja", imports=layout.imports(_worker(layout)))
    for name in layout.service.jobs:
        function = python_name(name)
        yield yours(f"{source}/jobs/{function}.py", "jobs/handler.py.jinja", **_handler(layout, name))
        yield yours(test_file(f"job_{function}"), "jobs/test_job.py.jinja", **_test(layout, name))


def job_class(layout: Layout, name: str) -> str:
    """The class of a job's arguments."""
    return unique(pascal(name), {*layout.system.types, *_TAKEN}, "Job")


def definitions(layout: Layout, wanted: set[Import]) -> Code:
    """The jobs as the worker knows them, for generated/wiring.py."""
    wanted |= {("chassis.jobs", "Backoff"), ("chassis.jobs", "Job"), (f"{layout.package}.generated", "jobs")}
    found = []
    for name, job in layout.service.jobs.items():
        function = python_name(name)
        wanted.add((f"{layout.package}.jobs", f"{function} as {function}_job"))
        backoff = [("type", py(job.backoff.type.value)), ("delay", py(job.backoff.delay))]
        arguments = [
            ("", f"jobs.{job_class(layout, name)}"),
            ("", f"{function}_job.{function}"),
            ("attempts", py(job.attempts)),
            ("backoff", call("Backoff", backoff)),
            ("timeout", py(job.timeout)),
            ("keep", py(job.keep)),
        ]
        if job.schedule:
            wanted.add(("chassis.jobs", "Cron"))
            arguments.append(("schedule", call("Cron", [("", py(job.schedule))])))
        found.append(call("Job", arguments))
    return tuple_of(found)


def _fields(job: Job) -> dict[str, FieldType]:
    return DUE if job.schedule else job.takes


def _arguments(layout: Layout) -> dict[str, object]:
    wanted: set[Import] = {("dataclasses", "dataclass"), ("typing", "ClassVar")}
    entries = []
    for name, job in layout.service.jobs.items():
        fields = _fields(job)
        wanted |= imports(fields.values(), layout.package, wire=True)
        found: tuple[FieldLine, ...] = lines(fields, wire=True)
        about = wrapped(job.about or f"{title(name)}.")
        cls = job_class(layout, name)
        entries.append(
            {"cls": cls, "name": name, "rank": _RANK[job.priority], "fields": found, "about": about}
        )
    return {"imports": layout.imports(wanted), "jobs": entries}


def _worker(layout: Layout) -> set[Import]:
    return {("chassis.jobs.process", "run"), (f"{layout.package}.generated", "wiring")}


def _handler(layout: Layout, name: str) -> dict[str, object]:
    job, cls = layout.service.jobs[name], job_class(layout, name)
    wanted: set[Import] = {
        ("logging", ""),
        ("chassis.uow", "UnitOfWork"),
        (f"{layout.package}.generated.jobs", cls),
    }
    about = wrapped(job.about or f"{title(name)}.")
    return {
        "imports": layout.imports(wanted),
        "job": name,
        "function": python_name(name),
        "cls": cls,
        "about": about,
    }


def _test(layout: Layout, name: str) -> dict[str, object]:
    job, cls = layout.service.jobs[name], job_class(layout, name)
    fields = _fields(job)
    wanted: set[Import] = {
        ("pathlib", "Path"),
        ("chassis.testing.jobs", "perform"),
        (f"{layout.package}.generated.jobs", cls),
        (f"{layout.package}.generated.wiring", "SERVICE"),
    }
    given = [
        (field, literal(layout.system, kind, example(layout.system, kind, field)))
        for field, kind in fields.items()
    ]
    named = [field for field in _inside(layout, fields.values()) if field.named]
    wanted |= imports(named, layout.package) | set(needed_by(value for _, value in given))
    return {
        "imports": layout.imports(wanted),
        "job": name,
        "function": python_name(name),
        "arguments": call(cls, given),
    }


def _inside(layout: Layout, fields: Iterable[FieldType]) -> Iterator[FieldType]:
    """The fields and, of those with named types, all that is inside."""
    for field in fields:
        yield field
        if field.named:
            yield from _inside(layout, layout.system.types[field.named].values())
