"""A project that was edited takes a change of its description, and still works."""

from __future__ import annotations

from pathlib import Path

from archgen.commands.run import run
from tests.generated.environment import Project

BEFORE = """
archgen: 1
system: desk
services:
  notes:
    aggregates:
      Note:
        fields: {text: string, status: open|archived}
        commands:
          write: {takes: {text: string}, emits: note.written}
          archive: {emits: note.archived}
    views: {all_notes: {of: Note, from: [note.*]}}
"""

AFTER = """
archgen: 1
system: desk
types:
  Tag: {label: string}
services:
  notes:
    aggregates:
      Note:
        fields: {text: string, status: open|archived, tags: [Tag], owner: string}
        commands:
          write: {takes: {text: string, owner: string}, emits: note.written}
          archive: {emits: note.archived}
          label_it: {takes: {tags: [Tag]}, emits: note.labelled}
    views: {all_notes: {of: Note, from: [note.*]}}
  digests:
    aggregates:
      Digest:
        fields: {note_id: uuid, text: string}
        commands: {add: {takes: {note_id: uuid, text: string}, emits: digest.added}}
    on: {note.written: {do: add}}
"""

RULE = """        case Write():
            if not text_of(command):
                raise Refused("an empty note is no note")
"""

HELPER = '''def text_of(command: Write) -> str:
    """What is left when the blanks around it are gone."""
    return command.text.strip()


'''

TEST = """def test_an_empty_note_is_refused() -> None:
    with pytest.raises(errors.Refused, match="empty"):
        decide(None, replace(WRITE, text=" "))


"""


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), "utf-8")


def test_a_field_a_command_and_a_service_more(python: Path, tmp_path: Path) -> None:
    spec = tmp_path / "system.yaml"
    spec.write_text(BEFORE)
    assert run(spec, audit=False) == 0
    service = tmp_path / "services" / "notes"
    domain = service / "src" / "notes" / "domain" / "note.py"
    replaced(domain, RULE.splitlines(keepends=True)[0], RULE)
    replaced(domain, "def decide(", f"{HELPER}def decide(")
    tests = service / "tests" / "test_note.py"
    replaced(tests, "from uuid import UUID\n", "from dataclasses import replace\nfrom uuid import UUID\n")
    replaced(tests, "def test_archive() -> None:", f"{TEST}def test_archive() -> None:")
    replaced(tmp_path / "README.md", "## Start", "Ask Ada before you change anything.\n\n## Start")
    (service / "src" / "notes" / "domain" / "words.py").write_text('"""Ours."""\n')

    spec.write_text(AFTER)
    assert run(spec, audit=False) == 0

    assert RULE in domain.read_text("utf-8")
    assert HELPER in domain.read_text("utf-8")
    assert "owner=command.owner" in domain.read_text("utf-8")
    assert TEST in tests.read_text("utf-8")
    assert "Ask Ada" in (tmp_path / "README.md").read_text("utf-8")
    assert "digests" in (tmp_path / "README.md").read_text("utf-8")
    assert (service / "src" / "notes" / "domain" / "words.py").exists()
    project = Project(tmp_path, python)
    project.run("-m", "pytest", "-q", "services")
    project.run("-m", "mypy")
    project.run("-m", "ruff", "check", "--no-cache", "services", "tests", "scripts")
