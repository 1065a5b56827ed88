from pathlib import Path

import pytest

from archgen import blueprints, console
from archgen.commands.new import list_blueprints, new
from archgen.commands.run import run
from archgen.errors import ProjectError
from tests.commands.test_run import SPEC

CONFIG = """\
_about: "A small system: for tests."
name:
  type: str
  default: tiny
  validator: "{% if not name.isidentifier() %}one plain word{% endif %}"
port: {type: int, default: 8000}
"""


@pytest.fixture
def blueprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "_level", console.NORMAL)
    folder = tmp_path / "shelf" / "small"
    for path, text in {
        "copier.yml": CONFIG,
        "system.yaml.jinja": SPEC.replace("system: tiny", "system: {{ name }}").replace(
            "  things:", "  things:\n    port: {{ port }}", 1
        ),
        "services/things/src/things/domain/thing.py": "# written by a person\n",
        ".gitignore": "*.db\n",
        "build/state.db": "kept\n",
        "run.sh": "#!/bin/sh\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    monkeypatch.setattr(blueprints, "shelf", lambda: folder.parent)
    return folder


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_list_has_a_line_per_blueprint(blueprint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (blueprint.parent / "no-blueprint").mkdir()
    assert list_blueprints() == 0
    assert capsys.readouterr().out == "small  A small system: for tests.\n"


def test_a_blueprint_becomes_a_system_that_runs(blueprint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("small", Path("mine"), ["name=shop", "port=9000"], False) == 0
    assert "Next: archgen architect run mine/system.yaml" in capsys.readouterr().err.replace("\\", "/")
    assert [path for path in _files(Path("mine")) if ".archgen" not in path] == [
        ".gitignore",
        "build/state.db",
        "run.sh",
        "services/things/src/things/domain/thing.py",
        "system.yaml",
    ]
    text = Path("mine/system.yaml").read_text("utf-8")
    assert "system: shop" in text
    assert "port: 9000" in text
    assert run(Path("mine/system.yaml"), audit=False) == 0
    domain = Path("mine/services/things/src/things/domain/thing.py")
    assert domain.read_text("utf-8") == "# written by a person\n"


def test_without_a_folder_it_takes_the_name_of_the_blueprint(blueprint: Path) -> None:
    new("small", None, [], True)
    assert Path("small/system.yaml").exists()


def test_a_folder_of_ones_own_is_a_blueprint_too(blueprint: Path) -> None:
    blueprint.rename("elsewhere")
    new("./elsewhere", Path("mine"), [], True)
    assert "system: tiny" in Path("mine/system.yaml").read_text("utf-8")


def test_a_persons_own_copier_settings_change_nothing(
    blueprint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yml").write_text("defaults: {name: leaked}\ntrust: ['*']\n", "utf-8")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    new("small", Path("mine"), [], True)
    assert "leaked" not in Path("mine/system.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("smal", [], "did you mean small"),
        ("nothing-like-it", [], "lists the blueprints"),
        ("shelf", [], "no blueprint|not a blueprint"),
        ("small", ["nme=x"], "did you mean name"),
        ("small", ["name"], "key=value"),
        ("small", ["=x"], "key=value"),
        ("small", ["name=two words"], "one plain word"),
        ("small", ["port=many"], "many"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    blueprint: Path, name: str, data: list[str], why: str
) -> None:
    with pytest.raises(ProjectError, match=why):
        new(name, Path("mine"), data, True)
    assert not Path("mine").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"copier.yml": CONFIG + "_tasks: ['touch hacked']\n"}, "unsafe|task"),
        ({"copier.yml": CONFIG + "_jinja_extensions: [os.path.join]\n"}, "unsafe|extension"),
        ({"copier.yml": ": {"}, "mend the blueprint"),
        ({"broken.txt.jinja": "{% if %}"}, "can't be used"),
        ({"undefined.txt.jinja": "{{ nothing.at_all }}"}, "can't be used"),
        ({"system.yaml.jinja": "x", "System.yaml": "y"}, "same file"),
    ],
)
def test_a_blueprint_that_is_wrong_leaves_nothing_behind(
    blueprint: Path, change: dict[str, str], why: str
) -> None:
    for path, text in change.items():
        (blueprint / path).write_text(text, "utf-8")
    with pytest.raises(ProjectError, match=why):
        new("small", Path("mine"), [], True)
    assert not Path("mine").exists()
    assert not list(Path().rglob("hacked"))


def test_a_folder_in_use_is_refused(blueprint: Path) -> None:
    Path("mine").mkdir()
    Path("mine/precious").write_text("x", "utf-8")
    with pytest.raises(ProjectError, match="did not make it"):
        new("small", Path("mine"), [], True)
    new("small", Path("system"), [], True)
    with pytest.raises(ProjectError, match="already holds a system"):
        new("small", Path("system"), [], True)
    assert _files(Path("mine")) == ["precious"]


def test_archgens_own_blueprints_all_say_what_they_are() -> None:
    own = blueprints.available()
    assert "shop" in own
    assert all(own.values())
