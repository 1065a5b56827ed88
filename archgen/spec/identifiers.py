"""What the names of a description may look like.

One function per kind of name; each returns the name as it is, or raises FormatError.
"""

from __future__ import annotations

import re
import unicodedata

from archgen.spec.names import pascal, snake
from archgen.spec.reserved import FIELDS, JAVA, PYTHON, TYPES, TYPESCRIPT
from archgen.spec.values import FormatError, shown

MAX_NAME = 40

NAME = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"
TYPE_NAME = r"[A-Z][A-Za-z0-9]*"
EVENT = rf"{NAME}\.{NAME}"
TOOL = rf"{NAME}(\.{NAME})?"
EVENT_PATTERN = rf"{NAME}\.(\*|{NAME})"

ISSUER_URL = r"https://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~\-/]*)?"
CLAIM = r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)*"
AUDIENCE = r"[A-Za-z0-9][A-Za-z0-9._:/\-]*"

_LANGUAGES = (("Python", PYTHON), ("TypeScript", TYPESCRIPT), ("Java", JAVA))


def name(text: str) -> str:
    """A system, service, view, saga or policy: `place_order`."""
    return _matching(text, NAME, "a name", "lower-case words joined by `_`", snake(_plain(text)))


def command(text: str) -> str:
    """A command: `add_item`. In generated code it is a Python module, so no keyword of Python."""
    name(text)
    if text in PYTHON:
        raise FormatError(
            f"`{text}` is a keyword of Python", f"say what it does to what, such as `{text}_order`"
        )
    return text


def field(text: str) -> str:
    """A field, which is called the same in the contracts and in the code of every language."""
    _matching(text, NAME, "a field name", "lower-case words joined by `_`", snake(_plain(text)))
    for language, reserved in _LANGUAGES:
        if text in reserved:
            raise FormatError(f"`{text}` is a keyword of {language}", f"add a word, such as `{text}_value`")
    if text in FIELDS:
        raise FormatError(f"`{text}` is a type in Python", f"add a word, such as `{text}_value`")
    return text


def type_name(text: str) -> str:
    """An aggregate or a value type: `OrderItem`."""
    _matching(text, TYPE_NAME, "a type name", "words that start with a capital, joined", pascal(_plain(text)))
    if text in TYPES or snake(text) in PYTHON:
        raise FormatError(
            f"`{text}` has a meaning of its own in generated code", f"add a word, such as `{text}Record`"
        )
    return text


def event(text: str) -> str:
    """An event: `order.created`."""
    return _matching(text, EVENT, "an event", "`subject.what_happened`", _joined(text))


def event_pattern(text: str) -> str:
    """An event, or all of a subject: `order.*`."""
    return _matching(text, EVENT_PATTERN, "an event", "`subject.what_happened` or `subject.*`", _joined(text))


def command_reference(text: str) -> str:
    """A command and its service: `payments.charge`."""
    return _matching(text, EVENT, "a command", "`service.command`", _joined(text))


def view_reference(text: str) -> str:
    """A view and its service: `inventory.availability`."""
    return _matching(text, EVENT, "a view", "`service.view`", _joined(text))


def tool(text: str) -> str:
    """A tool of an agent: `order_details`, or a call's `inventory.availability`."""
    return _matching(text, TOOL, "a tool", "`view`, `command` or `service.view`", _joined(text))


def issuer(text: str) -> str:
    """The address of an OpenID Connect provider."""
    if not re.fullmatch(ISSUER_URL, text) or len(text) > 200:
        raise FormatError(
            f"{shown(text)} is not an issuer: expected an https address",
            "for example `https://login.example.com/realms/shop`",
        )
    return text


def claim(text: str) -> str:
    """Where a token holds something: `roles`, or `realm_access.roles`."""
    if not re.fullmatch(CLAIM, text) or len(text) > 100:
        raise FormatError(f"{shown(text)} is not a claim: expected names with dots between", "")
    return text


def audience(text: str) -> str:
    """What a token is meant for: `shop`, or an address."""
    if not re.fullmatch(AUDIENCE, text) or len(text) > 100:
        raise FormatError(
            f"{shown(text)} is not an audience: expected a word or an address", "for example `shop`"
        )
    return text


def _plain(text: str) -> str:
    """The text without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _joined(text: str) -> str:
    return ".".join(snake(_plain(part)) for part in text.split("."))


def _matching(text: str, pattern: str, what: str, shape: str, better: str) -> str:
    if not re.fullmatch(pattern, text):
        good = len(better) <= MAX_NAME and re.fullmatch(pattern, better) and better != text
        remedy = f"for example `{better}`" if good else ""
        raise FormatError(f"{shown(text)} is not {what}: expected {shape}", remedy)
    if any(len(part) > MAX_NAME for part in text.split(".")):
        raise FormatError(f"{shown(text)} is longer than {MAX_NAME} characters")
    return text
