"""Every rule hits its own samples where they say so, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archgen.rules
from archgen.evidence.collect import collect
from archgen.rules.model import Rule, Sample
from archgen.rules.registry import ITEMS, RULES

_IDS = [
    "service_boundaries",
    "communication_patterns",
    "event_sourcing",
    "saga",
    "job_queues",
    "circuit_breaker",
    "observability",
    "error_handling",
    "data_consistency",
    "disaster_recovery",
]
_FILE = re.compile(r"^[a-z]{3}_e?\d{2,3}_\w+\.py$")


def _write(sample: Sample, folder: Path) -> None:
    for path, text in sample.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _marked(sample: Sample) -> set[tuple[str, int]]:
    return {
        (path, number)
        for path, text in sample.files.items()
        for number, line in enumerate(text.split("\n"), 1)
        if "<-" in line
    }


def _hit(rule: Rule, folder: Path) -> set[tuple[str, int]]:
    return {(hit.file, hit.line) for hit in rule.check(collect(folder))}


def _cases(shown: bool) -> list[object]:
    return [
        pytest.param(rule, sample, id=f"{rule.id}-{sample.language}-{number}")
        for rule in RULES
        for number, sample in enumerate(rule.valid if (rule.kind == "evidence") is shown else rule.invalid)
    ]


@pytest.mark.parametrize(("rule", "sample"), _cases(shown=True))
def test_a_rule_hits_the_marked_lines_and_no_others(rule: Rule, sample: Sample, tmp_path: Path) -> None:
    _write(sample, tmp_path)
    expected = _marked(sample)
    assert expected, "the sample marks no line"
    assert _hit(rule, tmp_path) == expected


@pytest.mark.parametrize(("rule", "sample"), _cases(shown=False))
def test_a_rule_leaves_the_other_samples_alone(rule: Rule, sample: Sample, tmp_path: Path) -> None:
    _write(sample, tmp_path)
    assert _hit(rule, tmp_path) == set()


def test_the_registry_is_what_is_on_disk() -> None:
    root = Path(archgen.rules.__file__).parent
    on_disk = {f"{path.parent.name}.{path.stem}" for path in root.glob("*/*.py") if _FILE.match(path.name)}
    registered = {".".join(rule.check.__module__.split(".")[-2:]) for rule in RULES}
    shared = {"job_queues.job_e03_dead_letters": "error_handling.err_e03_dead_letters"}
    assert on_disk == registered | {shared[name] for name in registered if name in shared}
    assert len(RULES) == len({rule.id for rule in RULES}) == len(on_disk)


def test_the_ten_items_are_there_in_their_order() -> None:
    assert [item.id for item in ITEMS] == _IDS
    assert {rule.item for rule in RULES} == set(_IDS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_what_to_do_and_shows_each_language_it_claims(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{3}-(\d{3}|E\d{2})", rule.id)
    assert (rule.kind == "evidence") == ("-E" in rule.id)
    assert rule.title and rule.why.endswith(".") and rule.remedy.endswith(".")
    for samples in (rule.valid, rule.invalid):
        assert {sample.language for sample in samples} == set(rule.languages)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_tests_are_no_evidence_and_have_no_defects(rule: Rule, tmp_path: Path) -> None:
    samples = rule.valid if rule.kind == "evidence" else rule.invalid
    for sample in samples:
        if sample.language in ("python", "typescript", "go"):
            moved = Sample(sample.language, {f"tests/{path}": text for path, text in sample.files.items()})
            _write(moved, tmp_path / sample.language)
            assert _hit(rule, tmp_path / sample.language) == set()


_CATALOGUE = {
    "BND": 6,
    "COM": 6,
    "EVS": 4,
    "SAG": 9,
    "JOB": 6,
    "RES": 7,
    "OBS": 6,
    "ERR": 6,
    "DTC": 7,
    "DRP": 4,
    "DRF": 7,
}


def test_the_documentation_names_what_is_done_and_what_is_not() -> None:
    page = (Path(archgen.rules.__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([A-Z]{3}-E?\d{2,3}) \|", page, re.MULTILINE))
    assert listed == {rule.id for rule in RULES}
    missing = page.split("not done yet")[1].split("Done in part")[0]
    open_ = set(re.findall(r"[A-Z]{3}-\d{3}", missing))
    every = {f"{area}-{number:03}" for area, count in _CATALOGUE.items() for number in range(1, count + 1)}
    assert open_ | {rule.id for rule in RULES if rule.kind == "defect"} == every
    assert open_.isdisjoint(listed)
