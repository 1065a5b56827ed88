"""The contract of a service in Protocol Buffers: the views that anybody asks for over gRPC.

    rpc GetAvailability(GetAvailabilityRequest) returns (GetAvailabilityResponse)

What it says is what OpenAPI says of the same view. One file per service, so that each can be read, linted
and compiled alone; here as values, which `proto_text` and `proto_descriptor` write down.

How a field's type is mapped: text, uuids, e-mail addresses and dates are `string`; money is a message with
its amount as decimal text, as in JSON; a choice of words is an enum whose zero means "not set"; a list that
may be missing is a message around it, since `repeated` can't tell missing from empty. All that a row has
may be missing, as over HTTP, so its fields have presence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archgen.contracts.json_schema import MONEY
from archgen.contracts.proto_numbers import Entry, Numbers
from archgen.spec.calls import over_grpc
from archgen.spec.facts import id_type
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.model import System
from archgen.spec.names import pascal, snake, unique

TIMESTAMP = "google.protobuf.Timestamp"
UNSPECIFIED = "UNSPECIFIED"
KEY, MIN_VERSION = 1, 2
"""The numbers in every request for a row; the chassis goes by them."""

_SCALARS = {
    Scalar.STRING: "string",
    Scalar.INTEGER: "int64",
    Scalar.NUMBER: "double",
    Scalar.BOOLEAN: "bool",
    Scalar.UUID: "string",
    Scalar.MONEY: MONEY,
    Scalar.TIMESTAMP: TIMESTAMP,
    Scalar.DATE: "string",
    Scalar.EMAIL: "string",
}
_NOTES = {
    Scalar.UUID: "A UUID.",
    Scalar.DATE: "A date, YYYY-MM-DD.",
    Scalar.EMAIL: "An e-mail address.",
}
_VERSION = FieldType(scalar=Scalar.INTEGER)
_TEXT = FieldType(scalar=Scalar.STRING)


@dataclass(frozen=True)
class Field:
    """`type` is a scalar of proto3, or a name in this file as it is seen from inside its message."""

    name: str
    number: int
    type: str
    repeated: bool = False
    presence: bool = False  # written `optional`; messages have it anyway
    about: str = ""


@dataclass(frozen=True)
class Enum:
    """A choice of words: `values` are name and number, the first one is zero."""

    name: str
    values: tuple[tuple[str, int], ...]
    reserved: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Message:
    """`lists` are messages inside this one that only hold a list."""

    name: str
    about: str
    fields: tuple[Field, ...]
    enums: tuple[Enum, ...] = ()
    lists: tuple[Message, ...] = ()
    reserved: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Rpc:
    """A method that answers with one row of `view`."""

    name: str
    view: str
    request: str
    response: str


@dataclass(frozen=True)
class Proto:
    """One .proto file. `numbers` are those of this file, to be kept for the next one."""

    owner: str
    package: str
    service: str
    rpcs: tuple[Rpc, ...]
    messages: tuple[Message, ...]
    numbers: Numbers

    @property
    def path(self) -> str:
        """Below contracts/proto, where imports begin."""
        return f"{self.package.replace('.', '/')}/{self.owner}.proto"

    @property
    def imports_time(self) -> bool:
        """Whether it needs the file with timestamps."""
        parts = [part for message in self.messages for part in (message, *message.lists)]
        return any(field.type == TIMESTAMP for part in parts for field in part.fields)


def protos(system: System, numbers: Mapping[str, Numbers]) -> dict[str, Proto]:
    """The contract of each service that is asked anything over gRPC.

    `numbers` are, by service, those that fields were given before.
    """
    found = {}
    for name in system.services:
        if views := over_grpc(system, name):
            found[name] = _Builder(system, name, numbers.get(name, Numbers())).proto(views)
    return found


def rpc_name(view: str) -> str:
    return f"Get{pascal(view)}"


def row_message(system: System, view: str) -> str:
    """What the message of a row is called; types of the description keep their names."""
    return unique(f"{pascal(view)}Row", system.types, "Message")


@dataclass
class _Builder:
    system: System
    owner: str
    numbers: Numbers
    kept: dict[str, tuple[Entry, ...]] = field(default_factory=dict)

    def proto(self, views: tuple[str, ...]) -> Proto:
        service = self.system.services[self.owner]
        # Types of the description keep their names; what is made here makes way for them.
        name = unique(f"{pascal(self.owner)}Service", self.system.types, "Service")
        messages: list[Message] = []
        rpcs: list[Rpc] = []
        used: list[FieldType] = []
        for view in views:
            aggregate = service.aggregates[service.views[view].of]
            key = {aggregate.id: id_type(aggregate)}
            rpc, row = rpc_name(view), row_message(self.system, view)
            request, response = (self._named(name, rpc, end) for end in ("Request", "Response"))
            rpcs.append(Rpc(rpc, view, request, response))
            fields = {
                **key,
                "version": _VERSION,
                **{n: f for n, f in aggregate.fields.items() if n != "version"},
            }
            messages += [
                _request(request, view, aggregate.id, key[aggregate.id]),
                Message(response, "What there is.", (Field("row", 1, row),)),
                self._message(
                    f"views.{view}",
                    row,
                    f"One row of {view}; what it has not seen yet is missing.",
                    fields,
                    row=True,
                ),
            ]
            used += fields.values()
        for type, members in _reached(self.system, used).items():
            messages.append(self._message(f"types.{type}", type, f"{type}.", members, row=False))
        if any(kind.scalar is Scalar.MONEY for kind in _everything(self.system, used)):
            messages.append(_money())
        return Proto(
            self.owner,
            f"{self.system.system}.{self.owner}.v1",
            name,
            tuple(rpcs),
            tuple(messages),
            Numbers({**self.numbers.scopes, **self.kept}),
        )

    def _named(self, service: str, rpc: str, end: str) -> str:
        """The linter accepts two names for what a method takes and answers."""
        name = f"{rpc}{end}"
        return unique(f"{service}{name}" if name in self.system.types else name, self.system.types, end)

    def _message(
        self, scope: str, name: str, about: str, members: Mapping[str, FieldType], *, row: bool
    ) -> Message:
        entries = self._number(scope, {each: _kind(kind) for each, kind in members.items()})
        taken = {*self.system.types, MONEY}  # a name inside would hide one outside
        values: set[str] = set()
        fields, enums, lists = [], [], []
        for entry in entries:
            if entry.retired:
                continue
            kind = members[entry.name]
            type = kind.named or _SCALARS[kind.scalar or Scalar.STRING]
            if kind.enum:
                enum = self._enum(scope, entry.name, kind.enum, taken, values)
                enums.append(enum)
                type = enum.name
            if kind.many and kind.optional:
                taken.add(inside := unique(f"{pascal(entry.name)}List", taken, "Message"))
                about_list = f"A list that may be missing, for {entry.name}."
                lists.append(Message(inside, about_list, (Field("values", 1, type, repeated=True),)))
                fields.append(Field(entry.name, entry.number, inside))
                continue
            whole = type in (TIMESTAMP, MONEY) or bool(kind.named)
            presence = not kind.many and not whole and (kind.optional or row) and entry.name != "version"
            note = _NOTES.get(kind.scalar, "") if kind.scalar and not kind.many else ""
            fields.append(Field(entry.name, entry.number, type, kind.many, presence, note))
        retired = tuple(entry for entry in entries if entry.retired)
        return Message(name, about, tuple(fields), tuple(enums), tuple(lists), retired)

    def _enum(self, scope: str, field: str, words: Iterable[str], taken: set[str], values: set[str]) -> Enum:
        """Values of all enums of a message share one scope, so their names have to differ as well."""
        words = tuple(words)
        name = pascal(field)
        while name in taken or values & (found := {_value(name, word) for word in (UNSPECIFIED, *words)}):
            name += "Value"
        taken.add(name)
        values |= found
        entries = self._number(f"{scope}.{field}", dict.fromkeys(words, ""))
        numbered = [(_value(name, entry.name), entry.number) for entry in entries if not entry.retired]
        retired = tuple(
            Entry(entry.number, _value(name, entry.name), retired=True) for entry in entries if entry.retired
        )
        return Enum(name, ((_value(name, UNSPECIFIED), 0), *numbered), retired)

    def _number(self, scope: str, wanted: Mapping[str, str]) -> tuple[Entry, ...]:
        self.kept[scope] = self.numbers.given(scope, wanted)
        return self.kept[scope]


def _value(enum: str, word: str) -> str:
    return f"{snake(enum)}_{word}".upper()


def _kind(kind: FieldType) -> str:
    """What must stay the same for a number to be kept: a reader goes by it, whatever it calls the field."""
    one = kind.named or ("enum" if kind.enum else _SCALARS[kind.scalar or Scalar.STRING])
    if kind.many:
        return f"list of {one}" if kind.optional else f"repeated {one}"
    return one


def _request(name: str, view: str, key: str, kind: FieldType) -> Message:
    version = "min_version" if key != "min_version" else "minimum_version"
    about = "Wait until the row shows at least this version, which a command answered; 0 for any."
    note = _NOTES.get(kind.scalar or Scalar.STRING, "")
    fields = (Field(key, KEY, "string", about=note), Field(version, MIN_VERSION, "int64", about=about))
    return Message(name, f"Which row of {view}.", fields)


def _money() -> Message:
    fields = (
        Field("amount", 1, "string", about='Decimal text such as "19.99", never a binary float.'),
        Field("currency", 2, "string", about="An ISO 4217 code."),
    )
    return Message(MONEY, "An exact amount.", fields)


def _reached(system: System, fields: Iterable[FieldType]) -> dict[str, dict[str, FieldType]]:
    """The named types that `fields` reach, in the order of the file."""
    found = {kind.named for kind in _everything(system, fields) if kind.named}
    return {name: members for name, members in system.types.items() if name in found}


def _everything(system: System, fields: Iterable[FieldType]) -> list[FieldType]:
    """The fields, and all that is inside of those with named types."""
    found: list[FieldType] = []
    seen: set[str] = set()
    waiting = list(fields)
    while waiting:
        found.append(kind := waiting.pop())
        if kind.named and kind.named not in seen:
            seen.add(kind.named)
            waiting += system.types[kind.named].values()
    return found
