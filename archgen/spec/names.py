"""Names of the description → identifiers. The one place where reserved words are handled.

Rules keep what is in the file usable as it is in all four languages wherever that costs the user
nothing (fields, types); the rest (services, commands) is escaped here, per language.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from archgen.spec.reserved import JAVA, PYTHON, PYTHON_MODULES, TYPESCRIPT

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")


def words(name: str) -> list[str]:
    """The words of a name in lower case: `OrderItem`, `order_item`, `order.item` → `order`, `item`."""
    return [word.lower() for part in _NOT_WORD.split(name) for word in _HUMP.split(part) if word]


@lru_cache(maxsize=100_000)
def snake(name: str) -> str:
    """`OrderItem` → `order_item`; `order.created` → `order_created`."""
    return "_".join(words(name))


@lru_cache(maxsize=100_000)
def kebab(name: str) -> str:
    """`OrderItem` → `order-item`."""
    return "-".join(words(name))


@lru_cache(maxsize=100_000)
def pascal(name: str) -> str:
    """`order_item` → `OrderItem`."""
    return "".join(word.capitalize() for word in words(name))


def camel(name: str) -> str:
    """`order_item` → `orderItem`."""
    text = pascal(name)
    return text[:1].lower() + text[1:]


def title(name: str) -> str:
    """`order_item` → `Order item`, for headings."""
    return " ".join(words(name)).capitalize()


def plural(name: str) -> str:
    """The regular English plural of a name's last word: `order` → `orders`, `category` → `categories`."""
    if re.search(r"(s|x|z|ch|sh)$", name):
        return f"{name}es"
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}s"


def collection(aggregate: str) -> str:
    """The URL path segment of an aggregate: `StockReservation` → `stock-reservations`."""
    return plural(kebab(aggregate))


def unique(name: str, taken: Container[str], suffix: str) -> str:
    """`name`, with `suffix` behind it as often as it takes to be none of `taken`."""
    while name in taken:
        name += suffix
    return name


def python_name(name: str) -> str:
    """`name` as a Python identifier: snake case, and `class` → `class_`."""
    return _escaped(snake(name), PYTHON)


def typescript_name(name: str) -> str:
    """`name` as a TypeScript variable: camel case, and `delete` → `delete_`."""
    return _escaped(camel(name), TYPESCRIPT)


def java_name(name: str) -> str:
    """`name` as a Java variable: camel case, and `new` → `new_`."""
    return _escaped(camel(name), JAVA)


def go_name(name: str) -> str:
    """`name` as an exported Go identifier, which no reserved word can be."""
    return pascal(name)


@lru_cache(maxsize=100_000)
def python_module(service: str) -> str:
    """The import name of a service's package: itself, or `json_service` where `json` is taken.

    Taken are the standard library, the libraries that a generated service uses, and the folders
    of a generated project.
    """
    name = snake(service)
    return f"{name}_service" if name in PYTHON_MODULES or name in PYTHON else name


def _escaped(name: str, reserved: frozenset[str]) -> str:
    return f"{name}_" if name in reserved else name
