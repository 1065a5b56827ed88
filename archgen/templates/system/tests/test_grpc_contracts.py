"""The contracts in contracts/proto: sound, the same as what services load, and the same as OpenAPI says.

What would break those who have an older one is for `make check-contracts` to find, which looks at git.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import descriptor_pb2, json_format

ROOT = Path(__file__).parent.parent
PROTO = ROOT / "contracts" / "proto"
FILES = sorted(PROTO.rglob("*.proto"))
SCALARS = {
    "TYPE_STRING": "string",
    "TYPE_INT64": "integer",
    "TYPE_DOUBLE": "number",
    "TYPE_BOOL": "boolean",
}

Message = descriptor_pb2.DescriptorProto
Field = descriptor_pb2.FieldDescriptorProto
File = descriptor_pb2.FileDescriptorProto


def buf(*arguments: str) -> bytes:
    done = subprocess.run(["buf", *arguments], cwd=PROTO, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout


@pytest.fixture(scope="module")
def compiled() -> dict[str, File]:
    """Every file as buf compiles it, by its path."""
    built = buf("build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=binpb")
    return {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(built).file}


def test_there_are_contracts() -> None:
    assert FILES


def test_the_linter_and_the_formatter_have_nothing_to_say() -> None:
    buf("lint")
    buf("format", "--diff", "--exit-code")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_services_load_what_the_file_says(path: Path, compiled: dict[str, File]) -> None:
    loaded = sorted(ROOT.glob(f"services/*/src/*/generated/grpc/{path.stem}.json"))
    assert loaded, "somebody answers by it, and somebody asks"
    for copy in loaded:
        descriptor = json_format.Parse(copy.read_text("utf-8"), File())
        assert descriptor == compiled[path.relative_to(PROTO).as_posix()], copy


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_numbers_are_those_that_were_given(path: Path, compiled: dict[str, File]) -> None:
    given = json.loads(path.with_suffix(".numbers.json").read_text("utf-8"))["numbers"]
    known = [
        {each["number"]: each["name"] for each in entries if not each.get("retired")}
        for entries in given.values()
    ]
    own = {"Request", "Response"}  # made of the same parts for ever
    for message in compiled[path.relative_to(PROTO).as_posix()].message_type:
        if not any(message.name.endswith(name) for name in own) and message.name != "Money":
            assert {field.number: field.name for field in message.field} in known, message.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rows_are_what_openapi_says_of_them(path: Path, compiled: dict[str, File]) -> None:
    file = compiled[path.relative_to(PROTO).as_posix()]
    messages = {f".{file.package}.{message.name}": message for message in file.message_type}
    schemas = yaml.safe_load((ROOT / "contracts" / "openapi" / f"{path.stem}.yaml").read_text("utf-8"))[
        "components"
    ]["schemas"]
    rows = {name: schema for name, schema in schemas.items() if name.endswith(".row")}
    for method in file.service[0].method:
        [answer] = messages[method.output_type].field
        row = messages[answer.type_name]
        fitting = [name for name in rows if method.name == f"Get{pascal(name.removesuffix('.row'))}"]
        assert len(fitting) == 1, method.name
        agree(row, rows[fitting[0]], messages, schemas)


def pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def agree(
    message: Message, schema: dict[str, Any], messages: dict[str, Message], schemas: dict[str, Any]
) -> None:
    """The message has the fields of the schema, of the same types, and may leave out the same ones."""
    properties = schema["properties"]
    assert {field.json_name for field in message.field} == set(properties), message.name
    inside = {enum.name: enum for enum in message.enum_type}
    lists = {nested.name: nested for nested in message.nested_type}
    for field in message.field:
        place = f"{message.name}.{field.name}"
        said = properties[field.json_name]
        [kind] = [each for each in said.get("anyOf", [said]) if each != {"type": "null"}]
        nullable = kind is not said or (isinstance(kind.get("type"), list) and "null" in kind["type"])
        if nullable:
            assert field.type == Field.TYPE_MESSAGE or field.proto3_optional, place
        nested = lists.get(field.type_name.rpartition(".")[2]) if field.type_name else None
        if nested is not None:
            assert nullable, place
            field = nested.field[0]
        many = "array" in kind.get("type", "")
        assert many == (field.label == Field.LABEL_REPEATED), place
        one = kind["items"] if many else kind
        same_type(field, one, inside, messages, schemas, place)


def same_type(
    field: Field,
    schema: dict[str, Any],
    enums: dict[str, descriptor_pb2.EnumDescriptorProto],
    messages: dict[str, Message],
    schemas: dict[str, Any],
    place: str,
) -> None:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        assert field.type_name.rpartition(".")[2] == name, place
        agree(messages[field.type_name], schemas[name], messages, schemas)
    elif "enum" in schema:
        zero, *values = enums[field.type_name.rpartition(".")[2]].value
        prefix = zero.name.removesuffix("UNSPECIFIED")
        words = {value.name.removeprefix(prefix).lower() for value in values}
        assert words == {word for word in schema["enum"] if word is not None}, place
    elif schema.get("format") == "date-time":
        assert field.type_name == ".google.protobuf.Timestamp", place
    else:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert SCALARS[Field.Type.Name(field.type)] in types, place
