"""The command line: parses, calls one function per command, and turns errors into exit codes.

The only place that does the latter. Everything heavy is imported inside the commands, so that
`archgen --version` costs hardly more than Typer itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from archgen import __version__, console
from archgen.errors import ArchgenError

_INTERNAL = 3
_INTERRUPTED = 130
_BROKEN_PIPE = 141

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="archgen",
    help="One YAML file in, a running and tested distributed system out.",
    context_settings=_SETTINGS,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
architect = typer.Typer(
    help="Turn a description into a system: check it, draw it, generate it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
checklist = typer.Typer(
    help="Judge a project against the scaling-patterns checklist.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(architect, name="architect")
app.add_typer(checklist, name="checklist")


def _version(wanted: bool) -> None:
    if wanted:
        console.out(f"archgen {__version__}")
        raise typer.Exit()


def _quiet(wanted: bool) -> None:
    if wanted:
        console.set_level(console.QUIET)


def _verbose(wanted: bool) -> None:
    if wanted:
        console.set_level(console.VERBOSE)


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.", callback=_quiet)]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell more; show tracebacks.", callback=_verbose)
]
Level = Literal["note", "warning", "error", "never"]
FailOn = Annotated[
    Level,
    typer.Option("--fail-on", help="Exit with 1 when the audit finds something of this level or above."),
]
Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="A folder with rules of your own; may be repeated."),
]
Spec = Annotated[Path, typer.Argument(help="The YAML description of the system.", metavar="SPEC")]


@app.callback()
def _root(
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def new(
    blueprint: Annotated[
        str, typer.Argument(help="A blueprint's name, or a folder with one of your own.")
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to write; default: a folder of the blueprint's name."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", "-d", metavar="KEY=VALUE", help="An answer; may be repeated."),
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing; take the defaults.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Start a system from a blueprint. Without a name: list the blueprints."""
    from archgen.commands import new as command

    if not blueprint:
        raise typer.Exit(command.list_blueprints())
    raise typer.Exit(command.new(blueprint, folder, data or [], defaults))


@architect.command()
def check(
    spec: Spec,
    format_: Annotated[str, typer.Option("--format", "-f", help="text, json or sarif.")] = "text",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Validate the description and prove its sagas; write nothing."""
    from archgen.commands.check import check as command

    raise typer.Exit(command(spec, format_))


@architect.command()
def run(
    spec: Spec,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to write; default: the folder of SPEC."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be written; write nothing.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print the changes as unified diffs on stdout.")
    ] = False,
    take: Annotated[
        list[str] | None,
        typer.Option("--take", metavar="PATH", help="Take archgen's version of this file; may be repeated."),
    ] = None,
    audit: Annotated[bool, typer.Option(help="Audit the project after writing it.")] = True,
    fail_on: FailOn = "error",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Generate the system, or bring it up to date; your edits stay."""
    with _nothing_collected():
        from archgen.commands.run import run as command

        code = command(spec, out, dry_run=dry_run, diff=diff, take=take or [], audit=audit, fail_on=fail_on)
    raise typer.Exit(code)


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """No search for cyclic garbage: what is made in here is needed to its end, and there is hardly any.

    The search took a sixth of the time that generating the shop takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@architect.command()
def diagram(
    spec: Spec,
    format_: Annotated[
        str, typer.Option("--format", "-f", help="svg, mermaid, structurizr or html.")
    ] = "svg",
    picture: Annotated[
        str, typer.Option(metavar="NAME", help="One picture only: context, containers or saga-NAME.")
    ] = "",
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where SVG files are written.")
    ] = Path("diagrams"),
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw the system and each saga."""
    from archgen.commands.diagram import diagram as command

    raise typer.Exit(command(spec, format_, picture, out))


@architect.command()
def schema() -> None:
    """Print the JSON Schema of the description, for editors."""
    from archgen.commands.schema import schema as command

    raise typer.Exit(command())


@checklist.command()
def audit(
    path: Annotated[Path, typer.Argument(help="The project to judge.")] = Path(),
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT[=FILE]",
            help="table (default), json, sarif, junit, markdown or html; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the report there; its name tells the format."
        ),
    ] = None,
    fail_on: FailOn = "error",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 4 when an item is unknown.")] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What was known before; only what is new decides."),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option("--write-baseline", metavar="FILE", help="Write what is found as the baseline."),
    ] = None,
    since: Annotated[
        str,
        typer.Option("--changed-since", metavar="REF", help="Only lines changed since this commit decide."),
    ] = "",
    rules: Rules = None,
    suppress: Annotated[
        bool, typer.Option("--suppressions/--no-suppressions", help="Whether suppressions hide findings.")
    ] = True,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge a project against the ten items, with file and line for every verdict."""
    from archgen.commands.audit import audit as command

    raise typer.Exit(
        command(
            path,
            formats=formats or [],
            output=output,
            fail_on=fail_on,
            strict=strict,
            baseline=baseline,
            write_baseline=write_baseline,
            since=since,
            rules=rules or [],
            suppress=suppress,
        )
    )


@checklist.command("list")
def list_(rules: Rules = None) -> None:
    """List the ten items and their rules."""
    from archgen.commands.catalogue import list_rules

    raise typer.Exit(list_rules(rules or []))


@checklist.command()
def explain(
    rule: Annotated[str, typer.Argument(help="The id of a rule or of an item.")], rules: Rules = None
) -> None:
    """Tell why a rule exists and how to fix what it finds."""
    from archgen.commands.catalogue import explain as command

    raise typer.Exit(command(rule, rules or []))


@checklist.command("schema")
def audit_schema() -> None:
    """Print the JSON Schema of the audit's JSON report."""
    from archgen.commands.catalogue import schema as command

    raise typer.Exit(command())


def main() -> None:
    """The entry point of the `archgen` script."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's encoding lacks is shown as an escape rather than ending the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = _code()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _hung_up()
    sys.exit(code)


def _code() -> int:
    console.set_level(console.NORMAL)
    try:
        app(prog_name="archgen")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except ArchgenError as error:
        for problem in error.problems:
            console.problem(problem)
        if len(error.problems) > 1:
            console.say(f"{len(error.problems)} problems")
        if console.verbose():
            _traceback()
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _hung_up()
    except Exception as error:
        if console.verbose() or os.environ.get("ARCHGEN_TRACEBACK"):
            _traceback()
        text = console.printable(str(error)).partition("\n")[0]
        print(f"internal error: {type(error).__name__}: {text}", file=sys.stderr)
        print("This is a bug in archgen. --verbose shows the traceback for a report.", file=sys.stderr)
        return _INTERNAL
    return 0


def _hung_up() -> int:
    """Whoever read our output left; Python must not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _BROKEN_PIPE


def _traceback() -> None:
    import traceback

    traceback.print_exc()
