"""A contract in Protocol Buffers at work: its methods, and messages to and from plain values.

    INVENTORY = contract(Path(__file__).parent / "grpc" / "inventory.json")
    GET_AVAILABILITY = INVENTORY.method("GetAvailability")
    GET_AVAILABILITY.path  # "/shop.inventory.v1.InventoryService/GetAvailability"

The file is the descriptor of the .proto file, as JSON. Classes are made of it when it is loaded, so there
is no generated code that has to fit the version of the protobuf runtime. Each contract has a pool of
its own: two releases of one file can be loaded side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format, message_factory, timestamp_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message

from chassis.rpc.codec import Unfit, fill, read

_NO_EFFECT = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
_IDEMPOTENT = descriptor_pb2.MethodOptions.IDEMPOTENT


@dataclass(frozen=True)
class Method:
    """One method of a service; requests and answers are dicts in the form that JSON gives them."""

    descriptor: MethodDescriptor = field(repr=False)

    @cached_property
    def path(self) -> str:
        """What is asked for on the wire: `/package.Service/Method`."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @cached_property
    def repeatable(self) -> bool:
        """Whether the contract says that asking twice does no more than asking once."""
        return self.descriptor.GetOptions().idempotency_level in (_NO_EFFECT, _IDEMPOTENT)

    @property
    def files(self) -> tuple[bytes, ...]:
        """The serialised files that describe the method, those that others need first."""
        file = self.descriptor.containing_service.file
        return tuple(each.serialized_pb for each in (*file.dependencies, file))

    def request(self, values: Mapping[str, Any]) -> bytes:
        """Raises Unfit for what the contract has no place for."""
        return _message(self.descriptor.input_type, values)

    def response(self, values: Mapping[str, Any]) -> bytes:
        """Raises Unfit for what the contract has no place for."""
        return _message(self.descriptor.output_type, values)

    def read_request(self, data: bytes) -> dict[str, Any]:
        """Raises Unfit for bytes that are no such message."""
        return _values(self.descriptor.input_type, data)

    def read_response(self, data: bytes) -> dict[str, Any]:
        """Raises Unfit for bytes that are no such message."""
        return _values(self.descriptor.output_type, data)


@dataclass(frozen=True)
class Contract:
    """The one service that a file describes."""

    pool: DescriptorPool = field(repr=False)
    service: ServiceDescriptor = field(repr=False)

    @property
    def name(self) -> str:
        """The service's full name: `shop.inventory.v1.InventoryService`."""
        return str(self.service.full_name)

    def method(self, name: str) -> Method:
        """Raises KeyError when the contract has no such method."""
        return Method(self.service.methods_by_name[name])


def contract(path: Path) -> Contract:
    """The contract in `path`, a FileDescriptorProto as JSON."""
    file = json_format.Parse(path.read_text("utf-8"), descriptor_pb2.FileDescriptorProto())
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return Contract(pool, pool.FindServiceByName(f"{file.package}.{file.service[0].name}"))


def _message(type: Descriptor, values: Mapping[str, Any]) -> bytes:
    message = _new(type)
    fill(message, values)
    return message.SerializeToString()


def _values(type: Descriptor, data: bytes) -> dict[str, Any]:
    message = _new(type)
    try:
        message.ParseFromString(data)
        return read(message)
    except (DecodeError, OverflowError) as error:
        raise Unfit(f"the bytes are no {type.full_name}") from error


def _new(type: Descriptor) -> Message:
    return message_factory.GetMessageClass(type)()
