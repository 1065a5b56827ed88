"""Rules of a team's own: loaded apart, proved by their samples, refused with every reason at once."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

import archgen.rules
from archgen.checklist import audit
from archgen.commands.catalogue import explain, list_rules
from archgen.errors import ArchgenError
from archgen.rules.registry import RULES
from archgen.rules.team import load

_DOCS = Path(archgen.rules.__file__).parents[2] / "docs" / "audit.md"


def _example() -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", _DOCS.read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if "RULE" in block)


def _folder(root: Path, **files: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / f"{name}.py").write_text(text, "utf-8")
    return root


def _problems(folder: Path) -> str:
    with pytest.raises(ArchgenError) as caught:
        load([folder])
    return "\n".join(str(problem) for problem in caught.value.problems)


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    before = set(sys.modules)
    (rule,) = load([_folder(tmp_path / "rules", price=_example())])
    assert rule.id == "SHOP-001"
    assert not {name for name in set(sys.modules) - before if "team_rule" in name}
    assert rule not in RULES
    root = tmp_path / "shop"
    root.mkdir()
    (root / "a.py").write_text(
        "import uvicorn\ndef pay(amount: float):\n    return amount\nuvicorn.run(pay)\n"
    )
    result = audit(root, rules=(*RULES, rule))
    assert ("SHOP-001", "a.py", 2) in {(f.rule, f.file, f.line) for f in result.findings}


def test_list_and_explain_know_them(tmp_path: Path) -> None:
    folder = _folder(tmp_path, price=_example())
    out = io.StringIO()
    list_rules([folder], out)
    assert "SHOP-001" in out.getvalue()
    explain("shop-001", [folder], out)
    assert "Floats round" in out.getvalue()
    with pytest.raises(ArchgenError, match="there is no rule"):
        explain("shop-001")


def test_files_with_an_underscore_are_passed_over(tmp_path: Path) -> None:
    assert len(load([_folder(tmp_path, _help="1 / 0", price=_example())])) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id="SHOP-001"', 'id="DTC-001"', "the id DTC-001 is taken by archgen"),
        ('id="SHOP-001"', 'id="shop1"', "has not the form TEAM-001"),
        ('id="SHOP-001"', 'id="SHOP-E01"', "an id of evidence has an E"),
        ('kind="defect"', 'kind="smell"', "kind is evidence or defect"),
        ('item="error_handling"', 'item="errors"', "there is no item 'errors'"),
        ('severity=Severity.WARNING', 'severity="warning"', "severity is one of"),
        ('why="Floats round, and sums of prices no longer add up."', 'why=" "', "why is missing"),
        ('languages=("python",)', "languages=()", "languages is empty"),
        ('languages=("python",)', 'languages=("python", "go")', "no valid sample for go"),
        ('languages=("python",)', 'languages=("python", "cobol")', "unknown language 'cobol'"),
        ("check=check", "check=None", "check is no function"),
        ("  # <-", "", "marks no line"),
        ("amount: Money", "amount: float", "valid sample 0 (python) is hit at a.py:1"),
        ("amount: float", "amount: Money", "invalid sample 0 (python) is not hit at a.py:1"),
        ("Hit(module.path, function.line,", "Hit(module.path, 2,", "is hit at a.py:2, which is not marked"),
        ("facts.program.functions()", "[(m, f) for m in facts.program.modules.values() for f in m.functions]",
         "moved to tests/, is hit at tests/a.py:1"),
        ("yield Hit", "1 / 0\n                yield Hit", "check crashes on invalid sample 0"),
        ("RULE = Rule(", "RULES = Rule(", "RULE is missing"),
        ("import re\n", "import re\n1 / 0\n", "does not load: ZeroDivisionError"),
        ("import re\n", "import nowhere\n", "does not load: ModuleNotFoundError"),
        ("import re\n", "def (\n", "does not load: SyntaxError"),
        ('title="Price as a float",', "", "does not load: TypeError"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_sound_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = _example()
    assert old in text
    said = _problems(_folder(tmp_path, price=text.replace(old, new)))
    assert message in said
    assert "price.py" in said


def test_a_problem_of_loading_names_its_line(tmp_path: Path) -> None:
    assert "price.py:4" in _problems(
        _folder(tmp_path, price=_example().replace("import re\n", "import re\n1 / 0\n"))
    )


def test_two_with_one_id_are_told_and_all_problems_at_once(tmp_path: Path) -> None:
    said = _problems(_folder(tmp_path, a=_example(), b=_example(), c="x = 1\n"))
    assert "the id SHOP-001 is taken by a.py" in said
    assert "RULE is missing" in said


def test_a_folder_without_rules_and_none_at_all_are_told(tmp_path: Path) -> None:
    assert "has no rule" in _problems(_folder(tmp_path / "empty"))
    assert "no such folder" in _problems(tmp_path / "nowhere")
