"""Field types as Python: annotations, default values, the imports they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archgen.escape import py
from archgen.languages.python_imports import Import
from archgen.plan_types import Code
from archgen.spec.model import FieldType, Scalar, System

_ANNOTATIONS = {
    Scalar.STRING: "str",
    Scalar.INTEGER: "int",
    Scalar.NUMBER: "float",
    Scalar.BOOLEAN: "bool",
    Scalar.UUID: "UUID",
    Scalar.MONEY: "Money",
    Scalar.TIMESTAMP: "datetime",
    Scalar.DATE: "date",
    Scalar.EMAIL: "str",
}
# On the wire a number in quotes is not a number, and an e-mail address looks like one.
_WIRE = {
    **_ANNOTATIONS,
    Scalar.INTEGER: "Integer",
    Scalar.NUMBER: "Number",
    Scalar.BOOLEAN: "Boolean",
    Scalar.EMAIL: "Email",
}
_IMPORTS: dict[Scalar, Import] = {
    Scalar.UUID: ("uuid", "UUID"),
    Scalar.MONEY: ("chassis.money", "Money"),
    Scalar.TIMESTAMP: ("datetime", "datetime"),
    Scalar.DATE: ("datetime", "date"),
}


def annotation(field: FieldType, *, wire: bool = False, types: str = "") -> Code:
    """The type as it stands in a dataclass, for example `tuple[Item, ...]` or `UUID | None`.

    With `wire`, as it stands in what is read from outside, where it is checked closely. `types`
    comes before the name of a named type.
    """
    one = types + field.named if field.named else _one(field, _WIRE if wire else _ANNOTATIONS)
    text = f"tuple[{one}, ...]" if field.many else one
    return Code(f"{text} | None" if field.optional else text)


def _one(field: FieldType, scalars: Mapping[Scalar, str]) -> str:
    if field.scalar:
        return scalars[field.scalar]
    return "Literal[" + ", ".join(py(value) for value in field.enum) + "]"


def imports(fields: Iterable[FieldType], package: str, *, wire: bool = False) -> set[Import]:
    """What annotations of `fields` need; named types come from the `generated.types` of `package`."""
    wanted: set[Import] = set()
    for field in fields:
        if wire and field.scalar and _WIRE[field.scalar] != _ANNOTATIONS[field.scalar]:
            wanted.add(("chassis.values", _WIRE[field.scalar]))
        elif field.scalar in _IMPORTS:
            wanted.add(_IMPORTS[field.scalar])
        elif field.enum:
            wanted.add(("typing", "Literal"))
        elif field.named:
            wanted.add((f"{package}.generated.types", field.named))
    return wanted


def literal(system: System, field: FieldType, value: object) -> Code:
    """An expression for `value`, given as JSON, of the field's type."""
    if value is None:
        return Code("None")
    if field.many:
        assert isinstance(value, list)
        one = field.model_copy(update={"many": False, "optional": False})
        inner = ", ".join(literal(system, one, item) for item in value)
        return Code(f"({inner}{',' if len(value) == 1 else ''})")
    if field.named:
        assert isinstance(value, dict)
        members = system.types[field.named]
        inner = ", ".join(f"{name}={literal(system, members[name], item)}" for name, item in value.items())
        return Code(f"{field.named}({inner})")
    match field.scalar:
        case Scalar.UUID:
            return Code(f"UUID({py(value)})")
        case Scalar.MONEY:
            assert isinstance(value, dict)
            return Code(f"Money.of({py(value['amount'])}, {py(value['currency'])})")
        case Scalar.TIMESTAMP:
            return Code(f"datetime.fromisoformat({py(value)})")
        case Scalar.DATE:
            return Code(f"date.fromisoformat({py(value)})")
        case _:
            return py(value)


def neutral(system: System, field: FieldType) -> object:
    """As JSON, a value that says nothing: what a field has until somebody decides otherwise."""
    if field.optional:
        return None
    if field.many:
        return []
    if field.named:
        return {name: neutral(system, member) for name, member in system.types[field.named].items()}
    return field.enum[0] if field.enum else _NEUTRAL[field.scalar or Scalar.STRING]


_NEUTRAL: dict[Scalar, object] = {
    Scalar.STRING: "",
    Scalar.INTEGER: 0,
    Scalar.NUMBER: 0.0,
    Scalar.BOOLEAN: False,
    Scalar.UUID: "00000000-0000-0000-0000-000000000000",
    Scalar.MONEY: {"amount": "0.00", "currency": "EUR"},
    Scalar.TIMESTAMP: "1970-01-01T00:00:00+00:00",
    Scalar.DATE: "1970-01-01",
    Scalar.EMAIL: "",
}
