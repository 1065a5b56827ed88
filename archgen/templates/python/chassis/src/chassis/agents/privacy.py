"""Secrets stay out of what a model reads, and so out of every transcript."""

from __future__ import annotations

import re
from typing import Any

from chassis import logs

# Keys as providers write them: a prefix, then a long random part.
_KEY = re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp])[-_][\w-]{16,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
# 13 to 19 digits, perhaps in groups: the number of a payment card.
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")


def cleaned(value: Any) -> Any:
    """`value` (as JSON has it) without what names, addresses or the text itself show to be secret."""
    return _texts(logs.redacted(value, depth=16))


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return _CARD.sub(_card, _KEY.sub(logs.HIDDEN, value))
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return value


def _card(found: re.Match[str]) -> str:
    digits = [int(char) for char in found.group() if char.isdigit()]
    # Luhn's check digit (ISO/IEC 7812-1): an order number of sixteen digits is not a card.
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return logs.HIDDEN if (sum(doubled) + sum(digits[-1::-2])) % 10 == 0 else found.group()
