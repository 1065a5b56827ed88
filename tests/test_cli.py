import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from archgen import __version__, cli, console
from archgen.errors import ArchgenError, Problem

ROOT = Path(__file__).parent.parent


def _archgen(patch: pytest.MonkeyPatch, *args: str) -> int:
    patch.setattr(sys, "argv", ["archgen", *args])
    return cli._code()


def _commands() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(cli.app)
    pending = [("archgen", root)]
    while pending:
        name, command = pending.pop()
        if hasattr(command, "commands"):
            pending += [(f"{name} {key}", child) for key, child in command.commands.items()]
        else:
            yield name, command


def test_every_command_has_help_and_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    documented = set(re.findall(r"^## (archgen .*)$", page, re.MULTILINE))
    assert {name for name, _ in _commands()} == documented
    for name, command in _commands():
        assert command.help, name
        chapter = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {parameter.name}"
                common = {"--quiet", "--verbose"}
                long = [
                    option
                    for option in (*parameter.opts, *parameter.secondary_opts)
                    if option.startswith("--")
                ]
                known = [option for option in long if option in chapter] or common & set(long)
                assert known, f"{name} {long} is not in docs/commands.md"


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["architect", "run", "--help"], ["new", "-h"]])
def test_starting_imports_nothing_heavy(args: list[str]) -> None:
    heavy = {"copier", "jinja2", "ast_grep_py", "yaml", "rich", "pydantic"}
    if len(args) > 1:
        # Typer itself loads pydantic to describe the type of an argument.
        heavy.discard("pydantic")
    code = f"""
import sys
from archgen import cli
sys.argv[1:] = {args!r}
try:
    cli.main()
except SystemExit as end:
    assert not end.code
print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stderr == "[]\n"


def test_version_goes_to_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _archgen(monkeypatch, "--version") == 0
    assert capsys.readouterr() == (f"archgen {__version__}\n", "")


@pytest.mark.parametrize(
    "args",
    [
        ["frobnicate"],
        ["architect", "run"],
        ["architect", "run", "--nope"],
        ["checklist", "audit", "--fail-on", "x"],
    ],
)
def test_a_wrong_command_line_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    assert _archgen(monkeypatch, *args) == 2
    assert "Error:" in capsys.readouterr().err


def _raising(error: BaseException) -> object:
    def command(*_: object) -> int:
        raise error

    return command


def _run_raising(patch: pytest.MonkeyPatch, error: BaseException, *options: str) -> int:
    patch.setattr("archgen.commands.schema.schema", _raising(error))
    return _archgen(patch, *options, "architect", "schema")


def test_every_problem_of_an_error_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "system.yaml"
    file.write_text("a: 1\nservices:\n\tordres: 2\n", "utf-8")
    error = ArchgenError(
        Problem(
            "no such service",
            file=str(file),
            line=3,
            column=2,
            key="services.ordres",
            remedy="did you mean orders?",
        ),
        Problem("a problem of the whole"),
    )
    assert _run_raising(monkeypatch, error) == 2
    assert capsys.readouterr().err == (
        f"error: services.ordres: no such service\n  --> {file}:3:2\n    3 |  ordres: 2\n      |  ^\n"
        "  help: did you mean orders?\nerror: a problem of the whole\n2 problems\n"
    )


def test_a_long_line_is_shown_around_the_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x" * 5000 + "HERE" + "y" * 5000, "utf-8")
    console.problem(Problem("wrong", file=str(tmp_path / "f"), line=1, column=5001))
    line, caret = capsys.readouterr().err.splitlines()[2:4]
    assert line[caret.index("^") :].startswith("HERE")
    assert len(line) < 120


@pytest.mark.parametrize("line", [0, 1, 99])
def test_a_file_that_is_gone_is_no_trouble_for_the_message(
    capsys: pytest.CaptureFixture[str], line: int
) -> None:
    console.problem(Problem("wrong", file="not/there.yaml", line=line, column=1))
    assert "not/there.yaml" in capsys.readouterr().err


def test_control_characters_cant_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "f").write_text("a\x1b[2Jb", "utf-8")
    console.problem(
        Problem("has \x1b[31m in it", file=str(tmp_path / "f"), line=1, column=1, remedy="\u202edo not")
    )
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_bug_is_one_line_and_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run_raising(monkeypatch, RuntimeError("it\nbroke")) == 3
    shown = capsys.readouterr().err
    assert shown.startswith("internal error: RuntimeError: it\n")
    assert "Traceback" not in shown


def test_verbose_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run_raising(monkeypatch, RuntimeError("it broke"), "--verbose") == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run_raising(monkeypatch, KeyboardInterrupt()) == 130


def test_a_reader_that_leaves_is_no_traceback() -> None:
    code = "from archgen import cli, console\nimport sys\nsys.argv[1:] = ['architect', 'schema']\ncli.main()"
    run = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout
    assert run.stderr
    run.stdout.close()
    assert b"Traceback" not in run.stderr.read()
    run.stderr.close()
    assert run.wait() in {1, 141}


class _Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert console.colours(_Terminal()) is coloured  # type: ignore[arg-type]
    with Path(os.devnull).open() as stream:
        assert not console.colours(stream)


def test_there_is_no_progress_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("writing", 3) as step:
        step()
    assert capsys.readouterr() == ("", "")


def test_the_progress_bar_waits_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with console.progress("writing", 3) as step:
        step()
        assert step.__self__._advance is None  # type: ignore[attr-defined]
        step.__self__._started -= 5  # type: ignore[attr-defined]
        step()
        step()
        assert step.__self__._advance is not None  # type: ignore[attr-defined]
