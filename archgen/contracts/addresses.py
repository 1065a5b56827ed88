"""Where things are reached: HTTP paths, message types and broker addresses.

Names come checked from the loader (services, commands and views `snake_case`, aggregates
`PascalCase`), so that every address below is unique and needs no escaping.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archgen.spec.model import Service
from archgen.spec.names import collection, kebab


class Kind(StrEnum):
    CREATE = "create"
    COMMAND = "command"
    STATE = "state"
    VIEW_ROW = "view_row"
    VIEW_LIST = "view_list"


@dataclass(frozen=True)
class Route:
    """One HTTP operation. `name` is the command's or the view's name and empty for a state."""

    kind: Kind
    method: str
    path: str
    operation_id: str
    aggregate: str
    name: str = ""


def routes(service: Service) -> tuple[Route, ...]:
    """The operations a service answers, in the order of the file; health and metrics not among them."""
    found: list[Route] = []
    for name, aggregate in service.aggregates.items():
        base = f"/{collection(name)}"
        one = f"{base}/{{{aggregate.id}}}"
        for command_name, command in aggregate.commands.items():
            kind = Kind.CREATE if command.creates else Kind.COMMAND
            path = base if command.creates else f"{one}/{kebab(command_name)}"
            found.append(Route(kind, "post", path, f"{name}.{command_name}", name, command_name))
        found.append(Route(Kind.STATE, "get", one, f"get.{name}", name))
    for name, view in service.views.items():
        base = f"/{kebab(name)}"
        key = service.aggregates[view.of].id
        found.append(Route(Kind.VIEW_LIST, "get", base, f"list.{name}", view.of, name))
        found.append(Route(Kind.VIEW_ROW, "get", f"{base}/{{{key}}}", f"get.{name}", view.of, name))
    return tuple(found)


def event_type(system: str, event: str, version: int = 1) -> str:
    """`shop.order.created.v1`"""
    return f"{system}.{event}.v{version}"


def command_type(system: str, command: str, version: int = 1) -> str:
    """`shop.payments.charge.v1`; `command` is `service.command`."""
    return f"{system}.{command}.v{version}"


def reply_type(system: str, version: int = 1) -> str:
    """`shop.reply.v1`"""
    return f"{system}.reply.v{version}"


def event_address(system: str, event: str) -> str:
    """`shop.event.order.created`"""
    return f"{system}.event.{event}"


def command_address(system: str, command: str) -> str:
    """`shop.command.payments.charge`; `command` is `service.command`."""
    return f"{system}.command.{command}"


def reply_address(system: str, owner: str) -> str:
    """`shop.reply.orders`"""
    return f"{system}.reply.{owner}"


def source(system: str, service: str) -> str:
    """`/shop/orders`"""
    return f"/{system}/{service}"
