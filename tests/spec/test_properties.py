"""Whatever is in a file: a System, or a SpecError that names the file."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from archgen.errors import SpecError
from archgen.spec import Loaded, loads, loads_with_marks
from archgen.spec.analysis import analyse
from archgen.spec.findings import check
from archgen.spec.schema import schema
from tests.spec.mutation import HOSTILE, at, broken, paths, rename, shops
from tests.spec.samples import BASE, CHOREOGRAPHED_SHOP, SHOP

VALIDATOR = jsonschema.Draft202012Validator(schema())

SHAPE = {
    "unknown-key",
    "missing",
    "string_type",
    "int_type",
    "bool_type",
    "dict_type",
    "model_type",
    "tuple_type",
    "enum",
    "literal_error",
    "saga_style",
    "too_short",
    "greater_than_equal",
    "less_than_equal",
}
"""Codes of problems that a JSON Schema can see."""


def loaded(text: str | bytes) -> Loaded | SpecError:
    """What comes of the text; any other exception is a failure of the test."""
    try:
        return loads_with_marks(text, "s.yaml")
    except SpecError as error:
        assert error.problems
        assert all(problem.file == "s.yaml" and problem.message for problem in error.problems)
        return error


def proved(outcome: Loaded | SpecError) -> None:
    """What was accepted can be analysed and judged."""
    if isinstance(outcome, Loaded):
        analysis = analyse(outcome.system)
        for finding in check(outcome.system, outcome.document, analysis):
            assert finding.line > 0


@settings(deadline=None, max_examples=200)
@given(broken())
def test_a_mutated_description(data: Any) -> None:
    outcome = loaded(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    proved(outcome)


@settings(deadline=None, max_examples=200)
@given(broken())
def test_schema_and_loader_agree_on_shapes(data: Any) -> None:
    outcome = loaded(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    valid = VALIDATOR.is_valid(data)
    if isinstance(outcome, Loaded):
        assert valid
    elif valid:
        assert not SHAPE & {problem.code for problem in outcome.problems}


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_lines_lost_moved_and_repeated(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([SHOP, CHOREOGRAPHED_SHOP])).split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        here = data.draw(st.integers(0, len(lines) - 1))
        there = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["lose", "repeat", "move", "indent"])):
            case "lose":
                lines[here] = ""
            case "repeat":
                lines.insert(there, lines[here])
            case "move":
                lines.insert(there, lines.pop(here))
            case _:
                lines[here] = " " + lines[here]
    proved(loaded("\n".join(lines)))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    loaded(text)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(contents: bytes) -> None:
    loaded(contents)


@settings(deadline=None)
@given(st.integers(0, len(SHOP)), st.characters())
def test_any_character_anywhere(place: int, character: str) -> None:
    proved(loaded(SHOP[:place] + character + SHOP[place:]))


FREE = {"about", "owner", "because", "goal"}
"""Keys whose text is anybody's."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_every_value(hostile: str) -> None:
    shop = shops()[0]
    texts = [path for path in paths(shop) if isinstance(at(shop, path), str)]
    assert len(texts) > 80
    for path in texts:
        data = copy.deepcopy(shop)
        at(data, path[:-1])[path[-1]] = hostile
        outcome = loaded(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
        if path[-1] in FREE and "sagas" not in path:
            assert isinstance(outcome, Loaded)
        elif hostile and (hostile not in ("on", "class") or "services" in path):
            assert isinstance(outcome, SpecError), path


@pytest.mark.parametrize("hostile", HOSTILE[::3])
def test_hostile_text_in_every_key(hostile: str) -> None:
    shop = shops()[1]
    keys = [path for path in paths(shop) if path and isinstance(path[-1], str)]
    for path in keys:
        data = copy.deepcopy(shop)
        rename(at(data, path[:-1]), str(path[-1]), hostile)
        outcome = loaded(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
        if hostile not in ("on", "class"):  # which are good names for a policy
            assert isinstance(outcome, SpecError), path


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if text.isprintable()])
def test_free_text_is_passed_on_as_it_is(hostile: str) -> None:
    data = yaml.safe_load(BASE)
    data["about"] = hostile
    data["decisions"] = {"cqrs": {"because": hostile}}
    system = loads(yaml.safe_dump(data, allow_unicode=True))
    assert (system.about, system.decisions["cqrs"].because) == (hostile, hostile)
