import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from archgen.commands.diagram import FORMATS, diagram
from archgen.errors import ArchgenError
from tests.commands.test_run import SPEC


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "system.yaml"
    path.write_text(SPEC, "utf-8")
    return path


def test_all_svgs_go_into_a_folder_and_their_paths_are_told(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diagram(spec, "svg", "", Path("pictures")) == 0
    told = capsys.readouterr().out.replace("\\", "/").splitlines()
    assert told == ["pictures/context.svg", "pictures/containers.svg"]
    for path in told:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert sorted(path.name for path in Path("pictures").iterdir()) == ["containers.svg", "context.svg"]


@pytest.mark.parametrize(
    ("format", "begins"),
    [("mermaid", "%% context\nflowchart"), ("structurizr", "workspace"), ("html", "<!doctype html>")],
)
def test_the_other_formats_are_printed(
    spec: Path, capsys: pytest.CaptureFixture[str], format: str, begins: str
) -> None:
    assert format in FORMATS
    assert diagram(spec, format, "", Path("pictures")) == 0
    assert capsys.readouterr().out.startswith(begins)
    assert not Path("pictures").exists()


def test_one_picture_is_printed(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diagram(spec, "svg", "containers", Path("pictures")) == 0
    assert "<svg" in capsys.readouterr().out
    assert diagram(spec, "mermaid", "context", Path("pictures")) == 0
    assert "subgraph" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("format", "picture", "told"),
    [
        ("png", "", "there is no format 'png'"),
        ("svg", "saga-x", "there is no picture 'saga-x'"),
        ("html", "context", "html holds all pictures at once"),
    ],
)
def test_what_there_is_not_is_refused(spec: Path, format: str, picture: str, told: str) -> None:
    with pytest.raises(ArchgenError, match=told):
        diagram(spec, format, picture, Path("pictures"))


def test_a_folder_that_can_t_be_made_is_told(spec: Path) -> None:
    Path("file").write_text("in the way")
    with pytest.raises(ArchgenError, match="can't be written"):
        diagram(spec, "svg", "", Path("file") / "pictures")
