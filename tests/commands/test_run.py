from pathlib import Path

import pytest

from archgen import console
from archgen.commands.run import run
from archgen.errors import ProjectError, SpecError

SPEC = """\
archgen: 1
system: tiny
services:
  things:
    aggregates:
      Thing:
        fields: {name: string}
        commands:
          create: {takes: {name: string}, emits: thing.created}
          rename: {takes: {name: string}, emits: thing.renamed}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "_level", console.NORMAL)
    path = tmp_path / "tiny" / "system.yaml"
    path.parent.mkdir()
    path.write_text(SPEC, "utf-8")
    return path


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".archgen" not in path.parts
    }


def test_the_project_grows_around_the_description(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(spec) == 0
    assert {"README.md", "Makefile", "system.yaml", "services/things/src/things/domain/thing.py"} <= set(
        _tree(spec.parent)
    )
    talk = capsys.readouterr()
    assert talk.out == ""
    assert "Next: cd tiny && make" in talk.err
    assert "Score" in talk.err
    before = _tree(spec.parent)
    assert run(spec, audit=False) == 0
    assert _tree(spec.parent) == before
    assert "unchanged" in capsys.readouterr().err


def test_the_same_project_comes_out_elsewhere_with_the_description(spec: Path, tmp_path: Path) -> None:
    assert run(spec, tmp_path / "out", audit=False) == 0
    assert run(spec, audit=False) == 0
    assert _tree(tmp_path / "out") == _tree(spec.parent)


def test_a_description_that_was_copied_is_not_lost_when_it_is_run_in_place(
    spec: Path, tmp_path: Path
) -> None:
    run(spec, tmp_path / "out", audit=False)
    assert run(tmp_path / "out" / "system.yaml", audit=False) == 0
    assert (tmp_path / "out" / "system.yaml").read_text("utf-8") == SPEC
    (tmp_path / "out" / "other.yaml").write_text(SPEC.replace("rename", "retitle"), "utf-8")
    assert run(tmp_path / "out" / "other.yaml", audit=False) == 0
    assert (tmp_path / "out" / "system.yaml").read_text("utf-8") == SPEC


def test_a_dry_run_lists_and_writes_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _tree(spec.parent)
    assert run(spec, dry_run=True) == 0
    assert _tree(spec.parent) == before
    assert not (spec.parent / ".archgen").exists()
    listed = capsys.readouterr().err
    assert "created services/things/src/things/domain/thing.py" in listed
    assert "Next" not in listed


def test_diff_prints_unified_diffs_on_stdout(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(spec, audit=False)
    capsys.readouterr()
    spec.write_text(SPEC.replace("system: tiny", "system: tiny\nabout: Small things."), "utf-8")
    assert run(spec, dry_run=True, diff=True) == 0
    shown = capsys.readouterr().out
    assert "--- a/README.md\n+++ b/README.md\n" in shown
    assert "+Small things.\n" in shown


def test_a_conflict_is_1_and_says_the_way_out(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(spec, audit=False)
    readme = spec.parent / "README.md"
    readme.write_text("# Mine\n" + readme.read_text("utf-8").partition("\n")[2], "utf-8")
    spec.write_text(SPEC.replace("system: tiny", "system: huge"), "utf-8")
    assert run(spec, audit=False) == 1
    assert "--take README.md" in capsys.readouterr().err
    assert "# Mine\n" in readme.read_text("utf-8")
    assert run(spec, take=["README.md"], audit=False) == 0
    assert "Mine" not in readme.read_text("utf-8")


def test_a_service_that_goes_takes_its_files_along(spec: Path) -> None:
    run(spec, audit=False)
    mine = spec.parent / "services/things/src/things/domain/thing.py"
    mine.write_bytes(mine.read_bytes() + b"# mine\n")
    spec.write_text(SPEC.replace("things:", "stuff:"), "utf-8")
    assert run(spec, audit=False) == 0
    assert [path for path in _tree(spec.parent) if path.startswith("services/things")] == [
        "services/things/src/things/domain/thing.py"
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [("", SpecError), ("archgen: 1\n", SpecError), ("{", SpecError), (SPEC + "nope: 1\n", SpecError)],
)
def test_bad_input_writes_nothing(spec: Path, text: str, error: type[Exception]) -> None:
    spec.write_text(text, "utf-8")
    with pytest.raises(error):
        run(spec)
    assert [path.name for path in spec.parent.iterdir()] == ["system.yaml"]


def test_an_error_that_check_finds_is_1_and_writes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC.replace("    aggregates:", "    language: go\n    aggregates:", 1), "utf-8")
    assert run(spec) == 1
    assert "system.yaml:5" in capsys.readouterr().err
    assert [path.name for path in spec.parent.iterdir()] == ["system.yaml"]


def test_a_folder_that_archgen_did_not_make_is_refused(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("x", "utf-8")
    with pytest.raises(ProjectError, match="did not make it"):
        run(spec, tmp_path / "other")
    (spec.parent / "precious.txt").write_text("x", "utf-8")
    with pytest.raises(ProjectError, match="did not make it"):
        run(spec)


def test_quiet_says_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_level", console.QUIET)
    assert run(spec) == 0
    assert capsys.readouterr() == ("", "")


def test_fail_on_makes_a_finding_count(spec: Path) -> None:
    assert run(spec, fail_on="never") == 0
    assert run(spec, fail_on="note") == 1


# Numbers of contracts

ASKED = (
    SPEC
    + """\
    views: {thing_list: {of: Thing, from: [thing.*]}}
  askers:
    aggregates:
      Question:
        commands: {ask: {emits: question.asked}}
    calls: {things.thing_list: {via: grpc}}
"""
)
PROTO = "contracts/proto/tiny/things/v1/things"


def _numbers(spec: Path) -> list[str]:
    text = (spec.parent / f"{PROTO}.proto").read_text("utf-8")
    row = text[text.index("message ThingListRow") :]
    return [line.strip() for line in row.split("\n}")[0].splitlines() if " = " in line or "reserved" in line]


def test_a_field_keeps_its_number_from_run_to_run(spec: Path) -> None:
    spec.write_text(ASKED)
    assert run(spec, audit=False) == 0
    assert _numbers(spec)[1:] == ["int64 version = 2;", "optional string name = 3;"]
    spec.write_text(ASKED.replace("fields: {name: string}", "fields: {age: integer, name: string}"))
    assert run(spec, audit=False) == 0
    assert _numbers(spec)[1:] == [
        "int64 version = 2;",
        "optional string name = 3;",
        "optional int64 age = 4;",
    ]
    spec.write_text(ASKED.replace("fields: {name: string}", "fields: {age: integer}"))
    assert run(spec, audit=False) == 0
    assert _numbers(spec)[:2] == ["reserved 3;", 'reserved "name";']
    before = _tree(spec.parent)
    assert run(spec, audit=False) == 0
    assert _tree(spec.parent) == before


def test_numbers_outlive_the_calls_that_needed_them(spec: Path) -> None:
    spec.write_text(ASKED.replace("name: string}\n", "name: string, age: integer}\n", 1))
    assert run(spec, audit=False) == 0
    spec.write_text(ASKED.replace("via: grpc", "via: rest"))
    assert run(spec, audit=False) == 0
    assert not (spec.parent / f"{PROTO}.proto").exists()
    spec.write_text(ASKED.replace("fields: {name: string}", "fields: {age: integer, name: string}"))
    assert run(spec, audit=False) == 0
    assert "optional int64 age = 4;" in _numbers(spec)


def test_lost_numbers_stop_the_run_and_nothing_is_written(spec: Path) -> None:
    spec.write_text(ASKED)
    assert run(spec, audit=False) == 0
    (spec.parent / f"{PROTO}.numbers.json").unlink()
    before = _tree(spec.parent)
    with pytest.raises(ProjectError) as caught:
        run(spec, audit=False)
    assert str(caught.value) == (
        f"{PROTO}.numbers.json: it is missing (restore it from version control; "
        "without it, fields would get other numbers)"
    )
    assert _tree(spec.parent) == before


def test_numbers_of_two_branches_that_both_added_a_field_are_not_guessed_at(spec: Path) -> None:
    spec.write_text(ASKED)
    assert run(spec, audit=False) == 0
    path = spec.parent / f"{PROTO}.numbers.json"
    last = '      {"number": 3, "name": "name", "type": "string"}\n'
    assert last in path.read_text()
    mine, theirs = (last.replace('3, "name": "name"', f'4, "name": "{name}"') for name in ("age", "size"))
    path.write_text(
        path.read_text().replace(last, last.replace("}\n", "},\n") + mine.replace("}\n", "},\n") + theirs)
    )
    with pytest.raises(ProjectError, match="4 stands for `age` and for `size`"):
        run(spec, audit=False)


def test_an_error_that_the_audit_finds_ends_the_run_with_1(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(spec) == 0
    handler = spec.parent / "services/things/src/things/commands/create.py"
    handler.write_text(
        "import httpx\nfrom chassis.uow import UnitOfWork\n\n"
        "def create(command, uow: UnitOfWork) -> None:\n"
        "    httpx.post('http://bank.example/pay', timeout=None)\n"
    )
    capsys.readouterr()
    assert run(spec) == 1
    assert "RES-001 services/things/src/things/commands/create.py:5" in capsys.readouterr().err
    assert run(spec, fail_on="never") == 0
    assert run(spec, audit=False) == 0
