"""Contracts in Protocol Buffers: sound to buf, the same as their descriptors, and stable in any history."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgen.contracts import contract_files
from archgen.contracts.proto import Proto, protos
from archgen.contracts.proto_descriptor import descriptor
from archgen.contracts.proto_numbers import LARGEST, OWN, Entry, Numbers, dumps, loads
from archgen.contracts.proto_text import proto_text
from archgen.errors import ProjectError
from archgen.spec import loads as load_system
from archgen.spec.reserved import JAVA, PYTHON, TYPESCRIPT

SYSTEM = """
archgen: 1
system: shop
types:
  Item: {{sku: string, quantity: integer}}
services:
  stock:
    aggregates:
      Thing:
        fields: {{{fields}}}
        commands: {{make: {{emits: thing.made}}}}
    views: {{availability: {{of: Thing, from: [thing.*]}}}}
  orders:
    aggregates: {{Order: {{commands: {{place: {{emits: order.placed}}}}}}}}
    calls: {{stock.availability: {{via: {via}}}}}
"""
EVERY_TYPE = Path(__file__).parents[1] / "generated" / "systems" / "over_grpc.yaml"


def contract(fields: str, numbers: Numbers | None = None) -> Proto:
    system = load_system(SYSTEM.format(fields=fields, via="grpc"))
    return protos(system, {"stock": numbers} if numbers else {})["stock"]


def field_numbers(proto: Proto, message: str = "AvailabilityRow") -> dict[str, int]:
    [found] = [each for each in proto.messages if each.name == message]
    return {field.name: field.number for field in found.fields}


def buf(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("buf", path=str(Path(sys.executable).parent))
    assert program, "buf comes with the development dependencies"
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def put(folder: Path, text: str) -> Path:
    """The contracts of a system on disk; returns where buf begins."""
    system = load_system(text)
    for path, contents in contract_files(system, {}, protos(system, {}), {}):
        if path.startswith("contracts/proto/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(contents)
    return folder / "contracts" / "proto"


def sound(folder: Path) -> dict[str, Any]:
    """The descriptors of all files, once linter and formatter have nothing to say."""
    for command in (["lint"], ["format", "--diff", "--exit-code"]):
        done = buf(folder, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    done = buf(folder, "build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=json")
    assert done.returncode == 0, done.stderr
    return {file["name"]: file for file in json.loads(done.stdout)["file"]}


# What is written


def test_buf_reads_every_file_as_its_descriptor_says(tmp_path: Path) -> None:
    text = EVERY_TYPE.read_text("utf-8")
    compiled = sound(put(tmp_path, text))
    found = protos(load_system(text), {})
    assert set(found) == {"stonepit", "mason", "google"}
    for proto in found.values():
        assert compiled[proto.path] == descriptor(proto)


def test_retired_numbers_are_reserved_and_the_descriptor_says_so_too(tmp_path: Path) -> None:
    before = contract("a: string, b: integer, c: one|two|three, d: [one|two]")
    after = contract("b: string, c: two|four", before.numbers)
    text = proto_text(after)
    assert "reserved 3, 4, 6;" in text
    assert 'reserved "a", "d";' in text, "and b is in use again"
    assert 'reserved "C_ONE", "C_THREE";' in text
    root = put(tmp_path, SYSTEM.format(fields="a: string", via="grpc"))
    (root / after.path).write_text(text)
    assert sound(root)[after.path] == descriptor(after)


WORDS = """
    message enum service rpc returns option optional repeated required reserved extend extensions import
    package public syntax oneof map group stream to max weak edition int32 int64 bool string double bytes
    value values key row amount currency google protobuf timestamp inf nan zero unspecified_yet
"""


def test_no_word_is_a_problem(tmp_path: Path) -> None:
    """Words of Protocol Buffers, and what its compilers' languages reserve, as names of everything."""
    words = WORDS.split()
    free = sorted(set(words) - PYTHON - JAVA - TYPESCRIPT - {"date", "bool", "str", "version"})
    fields = ", ".join(f"{word}: {word}|other_{word}" for word in free)
    text = (
        SYSTEM.format(fields=fields, via="grpc")
        .replace("availability", "optional")
        .replace("shop", "message")
    )
    compiled = sound(put(tmp_path, text))
    assert len(compiled["message/stock/v1/stock.proto"]["messageType"][2]["field"]) == len(free) + 2


def test_names_that_would_clash_make_way(tmp_path: Path) -> None:
    text = SYSTEM.format(
        fields="a: b_c|d, a_b: c|d, row: AvailabilityRow, request: [GetAvailabilityRequest], line: x|y, "
        "lines: 'optional [Line]', lines_list: 'optional [x|y]'",
        via="grpc",
    ).replace(
        "types:\n",
        "types:\n  AvailabilityRow: {sku: string}\n  GetAvailabilityRequest: {sku: string}\n"
        "  Line: {price: money}\n  StockService: {sku: string}\n",
    )
    put_there = put(tmp_path, text)
    compiled = sound(put_there)["shop/stock/v1/stock.proto"]
    names = [message["name"] for message in compiled["messageType"]]
    assert len(names) == len(set(names))
    assert {"AvailabilityRow", "AvailabilityRowMessage", "StockServiceServiceGetAvailabilityRequest"} <= set(
        names
    )


def test_without_calls_over_grpc_there_is_nothing() -> None:
    system = load_system(SYSTEM.format(fields="a: string", via="rest"))
    assert protos(system, {}) == {}
    assert not [path for path, _ in contract_files(system) if "proto" in path]


# Numbers


def test_a_number_stays_whatever_becomes_of_the_others() -> None:
    first = contract("a: string, b: integer, c: Item")
    assert field_numbers(first) == {"thing_id": 1, "version": 2, "a": 3, "b": 4, "c": 5}
    moved = contract("c: Item, d: boolean, a: string", first.numbers)
    assert field_numbers(moved) == {"thing_id": 1, "version": 2, "a": 3, "c": 5, "d": 6}
    back = contract("a: string, b: integer, c: Item", moved.numbers)
    assert field_numbers(back) == field_numbers(first), "what comes back is what it was"
    retyped = contract("a: integer, b: integer, c: Item", back.numbers)
    assert field_numbers(retyped)["a"] == 7, "another type is another field"


@pytest.mark.parametrize(
    ("one", "other"),
    [("a: string", "a: uuid"), ("a: integer", "a: optional integer"), ("a: x|y", "a: y|z|x")],
)
def test_what_is_the_same_on_the_wire_keeps_its_number(one: str, other: str) -> None:
    before = contract(f"{one}, b: string")
    assert field_numbers(contract(f"b: string, {other}", before.numbers)) == field_numbers(before)


def test_a_view_that_nobody_asks_for_leaves_its_numbers_behind() -> None:
    before = contract("b: string, a: string")
    system = load_system(SYSTEM.format(fields="a: string, b: string", via="rest"))
    [(path, text)] = [
        each for each in contract_files(system, {}, {}, {"stock": before.numbers}) if "proto" in each[0]
    ]
    assert field_numbers(contract("a: string, b: string", loads(text, path))) == field_numbers(before)


NAMES = st.sampled_from("abcdefgh")
TYPES = st.sampled_from(["string", "int64", "enum", "repeated Item"])
SHAPES = st.lists(st.dictionaries(NAMES, TYPES, max_size=6), min_size=1, max_size=8)


@given(SHAPES)
def test_over_any_history_a_number_means_one_thing(shapes: list[dict[str, str]]) -> None:
    numbers = Numbers()
    meaning: dict[int, tuple[str, str]] = {}
    for shape in shapes:
        entries = numbers.given("s", shape)
        assert {entry.name: entry.type for entry in entries if not entry.retired} == shape
        for entry in entries:
            assert meaning.setdefault(entry.number, (entry.name, entry.type)) == (entry.name, entry.type)
        assert set(meaning) == {entry.number for entry in entries}, "nothing is forgotten"
        numbers = loads(dumps(Numbers({"s": entries})), "numbers.json")
        assert numbers.scopes["s"] == entries


def test_numbers_that_protocol_buffers_keeps_for_itself_are_passed_over() -> None:
    known = Numbers({"s": (Entry(OWN.start - 1, "last", "string"),)})
    assert known.given("s", {"last": "string", "next": "string"})[1].number == OWN.stop


FIELDS = (
    *("string", "integer", "boolean", "money", "x|y", "timestamp", "Item"),
    *("[Item]", "optional [string]", "optional number"),
)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_buf_finds_nothing_breaking_in_any_change(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Fields come, go, move and change their type; what is on the wire goes on meaning the same."""
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("history")
    root = put(folder, SYSTEM.format(fields="a: string", via="grpc"))
    old = folder / "old"
    numbers = Numbers()
    for step in range(3):
        names = chance.sample("abcdefgh", chance.randint(1, 6))
        proto = contract(", ".join(f"{name}: '{chance.choice(FIELDS)}'" for name in names), numbers)
        numbers = proto.numbers
        (root / proto.path).write_text(proto_text(proto))
        if step:
            done = buf(root, "breaking", "--against", str(old))
            assert done.returncode == 0, done.stdout
        shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(root, old)


def test_buf_does_find_what_is_breaking(tmp_path: Path) -> None:
    """Without the numbers of before, the same change is one that breaks."""
    root = put(tmp_path, SYSTEM.format(fields="a: string, b: integer", via="grpc"))
    shutil.copytree(root, tmp_path / "old")
    anew = contract("b: integer, a: string")
    (root / anew.path).write_text(proto_text(anew))
    assert buf(root, "breaking", "--against", str(tmp_path / "old")).returncode != 0


# Numbers that can't be trusted


def document(**scopes: list[Mapping[str, object]]) -> str:
    return json.dumps({"format": 1, "note": "", "numbers": scopes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is damaged"),
        ("[]", "it is damaged"),
        ('{"format": 1}', "it is damaged"),
        ('{"format": 2, "numbers": {}}', "its format is 2 (use a newer archgen)"),
        (document(s=[{"name": "a"}]), "it is damaged"),
        (document(s=[{"number": 0, "name": "a"}]), "it is damaged"),
        (document(s=[{"number": True, "name": "a"}]), "it is damaged"),
        (document(s=[{"number": 19_500, "name": "a"}]), "it is damaged"),
        (document(s=[{"number": LARGEST + 1, "name": "a"}]), "it is damaged"),
        (document(s=[{"number": 1, "name": 7}]), "it is damaged"),
        (
            document(s=[{"number": 1, "name": "a"}, {"number": 1, "name": "b"}]),
            "s: 1 stands for `a` and for `b` (give the newer one the next number that is free)",
        ),
        ("{\n<<<<<<< ours\n}", "it holds conflict markers"),
    ],
)
def test_numbers_that_can_not_be_trusted_are_refused(text: str, message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        loads(text, "contracts/x.numbers.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("contracts/x.numbers.json: ")
