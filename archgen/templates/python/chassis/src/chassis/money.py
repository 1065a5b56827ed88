"""Amounts of money that can't be off by a cent.

On the wire: `{"amount": "19.99", "currency": "EUR"}`, the amount as text, because a JSON number is
read as a binary fraction by most languages. Only the standard library is imported at the top,
because domain code imports this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import Any

from chassis.errors import Refused

# Digits after the point where it is not two. Source: ISO 4217, list one.
_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_UNITS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
# Fifteen digits before the point: a total in cents still fits a 64-bit integer in any language.
AMOUNT = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$"
CURRENCY = r"^[A-Z]{3}$"
LIMIT = Decimal(10) ** 15


class MoneyError(Refused, ValueError):
    """An amount that can't be: a fraction of a cent, too large, or a sum across currencies.

    Both bases are meant: in the domain it is a refusal, and while input is validated a `ValueError`.
    """


@total_ordering
@dataclass(frozen=True)
class Money:
    """An exact amount in one currency; `currency` is its ISO 4217 code.

    Raises `MoneyError` for an amount the currency has no coins for, and `TypeError` for a float.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount is a Decimal, not a {type(self.amount).__name__}")
        if not re.fullmatch(CURRENCY, self.currency):
            raise MoneyError(f"{self.currency!r} is not a currency code such as EUR")
        if not self.amount.is_finite() or abs(self.amount) >= LIMIT:
            raise MoneyError("the amount is out of range")
        exact = self.amount.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(self.currency, 2)))
        if exact != self.amount:
            raise MoneyError(f"{self.currency} has no coin for {self.amount}")
        object.__setattr__(self, "amount", exact + 0)  # adding zero turns -0.00 into 0.00

    @classmethod
    def of(cls, amount: str | int, currency: str) -> Money:
        """`Money.of("19.99", "EUR")`; raises `MoneyError` for text that is not a plain decimal number."""
        if not re.fullmatch(AMOUNT, str(amount)):
            raise MoneyError(f"{amount!r} is not an amount such as 19.99")
        return cls(Decimal(amount), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in `currency`: the start of a `sum`."""
        return cls(Decimal(0), currency)

    @classmethod
    def from_wire(cls, wire: dict[str, str]) -> Money:
        return cls.of(wire["amount"], wire["currency"])

    def to_wire(self) -> dict[str, str]:
        return {"amount": str(self.amount), "currency": self.currency}

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, count: int) -> Money:
        if not isinstance(count, int):
            return NotImplemented
        return Money(self.amount * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: Money) -> Money:
        if not isinstance(other, Money):
            raise TypeError(f"{other!r} is not Money")
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix")
        return other

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        """How pydantic reads, writes and describes the wire form; it alone calls this."""
        from pydantic_core import core_schema as schema

        def text(pattern: str) -> Any:
            return schema.typed_dict_field(schema.str_schema(pattern=pattern, strict=True))

        wire = schema.typed_dict_schema(
            {"amount": text(AMOUNT), "currency": text(CURRENCY)}, extra_behavior="forbid"
        )
        read = schema.no_info_after_validator_function(cls.from_wire, wire)
        return schema.json_or_python_schema(
            json_schema=read,
            python_schema=schema.union_schema([schema.is_instance_schema(cls), read]),
            serialization=schema.plain_serializer_function_ser_schema(cls.to_wire, return_schema=wire),
        )
