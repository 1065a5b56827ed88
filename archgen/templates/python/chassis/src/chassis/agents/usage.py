"""What a run has used, and what that costs by the configured prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True)
class Usage:
    """Tokens by kind. They add up to what the run's limit is about."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, kind) + getattr(other, kind) for kind in KINDS))


NOTHING = Usage()

Prices = Mapping[str, Mapping[str, float]]
"""Model id → kind of token → price of a million of them, in the currency of whoever configures it."""


def cost(prices: Prices, model: str, usage: Usage) -> float | None:
    """The price of `usage`; None when the table does not have the model, which is not the same as 0."""
    price = prices.get(model)
    if price is None:
        return None
    used = zip(KINDS, (usage.input, usage.output, usage.cache_read, usage.cache_write), strict=True)
    return sum(count * price.get(kind, 0.0) for kind, count in used) / 1_000_000
