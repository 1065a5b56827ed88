import compileall
from pathlib import Path

import pytest

import archgen.render
from archgen.errors import ProjectError
from archgen.files import File
from archgen.plan_types import Code, Copy, Template, Text
from archgen.render import RenderError, environment, render, tree_items


def _template(folder: Path, source: str, **context: object) -> str:
    name = f"{abs(hash(source))}.jinja"
    (folder / name).write_text(source, "utf-8")
    [file] = render([Template("a", name, context)], folder)
    return file.contents.decode()


def test_a_template_keeps_its_lines(tmp_path: Path) -> None:
    source = "x = {{ x }}\n"
    source += "{% for name in names %}\n  {% if name %}\n- {{ name }}\n  {% endif %}\n{% endfor %}\nend\n"
    assert _template(tmp_path, source, x=1, names=["a", "b"]) == "x = 1\n- a\n- b\nend\n"


def test_nothing_is_html_escaped(tmp_path: Path) -> None:
    source = "{{ a|py }} {{ t }} <&>"
    assert _template(tmp_path, source, a="<&>", t=Code("dict[str, 'A']")) == "\"<&>\" dict[str, 'A'] <&>"


def test_macros_blocks_and_loops_print_what_they_made(tmp_path: Path) -> None:
    source = "{% macro field(n, t) %}{{ n }}: {{ t|py }}{% endmacro %}"
    source += "{% set all %}{{ field(n, v) }}{% endset %}{{ all }}"
    assert _template(tmp_path, source, n="a", v="x'y") == 'a: "x\'y"'


@pytest.mark.parametrize(
    "source",
    [
        "{{ about }}",
        "# {{ about }}",
        "{{ about|upper }}",
        "{{ about|replace('a', 'b') }}",
        "{{ 'x %s'|format(about) }}",
        "{{ [about, about]|join(' ') }}",
        "{{ {'k': about} }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(about) }}",
        "{{ about|oneline }}",
    ],
)
def test_text_that_nobody_escaped_stops_the_run(tmp_path: Path, source: str) -> None:
    with pytest.raises(RenderError, match="not a plain word"):
        _template(tmp_path, source, about="a\n$(rm -rf /)")


def test_joining_safe_with_unsafe_text_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="use two expressions"):
        _template(tmp_path, "{{ code ~ about }}", code=Code("x"), about="a\n")


@pytest.mark.parametrize("value", [None, True])
def test_none_and_booleans_need_a_language(tmp_path: Path, value: object) -> None:
    with pytest.raises(RenderError):
        _template(tmp_path, "{{ value }}", value=value)
    assert _template(tmp_path, "{{ value|py }} {{ value|json }}", value=value) in {"None null", "True true"}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ nme }}", "'nme' is undefined"),
        ("{{ thing.nme }}", "no attribute 'nme'"),
        ("{% if nme %}x{% endif %}", "'nme' is undefined"),
        ("{% if x %}", "Unexpected end of template"),
        ("{% include 'missing' %}", "missing"),
        ("{{ thing|nofilter }}", "nofilter"),
    ],
)
def test_a_broken_template_names_itself(tmp_path: Path, source: str, why: str) -> None:
    with pytest.raises(RenderError, match=why) as caught:
        _template(tmp_path, f"fine\n{source}\n", x=1, thing={"a": 1})
    [problem] = caught.value.problems
    assert problem.line in {2, 3}
    assert problem.file.startswith("templates/")


def test_a_missing_template_is_told(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"a\.py"):
        render([Template("a.py", "none.jinja", {})], tmp_path)


def test_template_syntax_in_a_value_is_only_text(tmp_path: Path) -> None:
    assert _template(tmp_path, "{{ x|py }}", x="{{ 7 * 7 }}{% raw %}") == '"{{ 7 * 7 }}{% raw %}"'


def test_items_become_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0\r\n")
    files = render(
        [
            Text("z.md", "zö\n", kind="generated"),
            Copy("a.png", tmp_path / "logo.png"),
            Text("bin/x", "", True),
        ],
        tmp_path,
    )
    assert files == (
        File("a.png", b"\x89PNG\0\r\n"),
        File("bin/x", b"", executable=True),
        File("z.md", "zö\n".encode(), kind="generated"),
    )


def test_two_items_for_one_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError):
        render([Text("a", ""), Text("A", "")], tmp_path)


def test_a_folder_is_copied_whole_and_without_leftovers(tmp_path: Path) -> None:
    chassis = tmp_path / "chassis"
    for path, text in {
        "pyproject.toml": "[project]\n",
        "src/chassis/__init__.py": "x = 1\n",
        "src/chassis/py.typed": "",
        ".gitignore": "*.db\n",
        "sub/state.db": "kept\n",
        "run.sh": "#!/bin/sh\n",
        ".venv/bin/python": "",
        ".pytest_cache/x": "",
        "src/chassis.egg-info/PKG-INFO": "",
    }.items():
        (chassis / path).parent.mkdir(parents=True, exist_ok=True)
        (chassis / path).write_text(text, "utf-8")
    compileall.compile_dir(chassis / "src", quiet=2)
    items = tree_items(chassis, "chassis/python", "generated")
    assert [item.path for item in items] == [
        "chassis/python/.gitignore",
        "chassis/python/pyproject.toml",
        "chassis/python/run.sh",
        "chassis/python/src/chassis/__init__.py",
        "chassis/python/src/chassis/py.typed",
        "chassis/python/sub/state.db",
    ]
    assert [item.path for item in items if item.executable] == ["chassis/python/run.sh"]
    assert {item.kind for item in items} == {"generated"}
    assert [file.contents for file in render(items)] == [item.source.read_bytes() for item in items]


def test_compiled_templates_are_kept_and_follow_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, kept = tmp_path / "templates", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    monkeypatch.setattr(archgen.render, "TEMPLATES", folder)
    monkeypatch.setattr(archgen.render, "_COMPILED", kept)
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    for text in ("one", "two"):
        (folder / "a.jinja").write_text(text, "utf-8")
        for _ in range(2):
            assert environment(folder).get_template("a.jinja").render() == text
    [file] = kept.iterdir()
    file.write_bytes(b"rubbish")
    assert environment(folder).get_template("a.jinja").render() == "two"


def test_a_place_for_compiled_templates_that_cant_be_written_is_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError

    (tmp_path / "a.jinja").write_text("text", "utf-8")
    monkeypatch.setattr(archgen.render, "TEMPLATES", tmp_path)
    monkeypatch.setattr(archgen.render, "_COMPILED", tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    assert environment(tmp_path).get_template("a.jinja").render() == "text"
