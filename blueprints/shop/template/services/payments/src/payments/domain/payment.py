"""A charge to a card, and its refund. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal
from uuid import UUID

from chassis.errors import Refused, existing
from chassis.money import Money
from payments.generated.payment import Charge, Command, Completed, Event, Failed, Refund, Refunded

CARD_LIMIT = Decimal("10000.00")
"""The most that one charge may take from a card, in the currency of the charge."""


@dataclass(frozen=True, kw_only=True)
class Payment:
    """The state of one Payment; `reason` says why it failed."""

    payment_id: UUID
    order_id: UUID
    amount: Money
    status: Literal["completed", "failed", "refunded"]
    reason: str = ""


def decide(payment: Payment | None, command: Command) -> list[Event]:
    """The events that `command` leads to; none when there is nothing left to do.

    Raises Refused for a payment that exists already, and NotFound for one that does not.
    """
    match command:
        case Charge():
            if payment is not None:
                raise Refused("this payment exists already")
            reason = _objection(command.amount)
            return [_declined(command, reason) if reason else _charged(command)]
        case Refund():
            payment = existing(payment, "Payment", command.payment_id)
            if payment.status != "completed":
                # Nothing was taken, or it went back already.
                return []
            return [
                Refunded(
                    payment_id=payment.payment_id,
                    order_id=payment.order_id,
                    amount=payment.amount,
                    status="refunded",
                )
            ]


def _objection(amount: Money) -> str:
    """Why the card is not charged; empty when nothing speaks against it."""
    if amount.amount <= 0:
        return "there is nothing to charge"
    if amount.amount > CARD_LIMIT:
        return f"{amount} is above the card limit of {CARD_LIMIT}"
    return ""


def _charged(command: Charge) -> Completed:
    return Completed(
        payment_id=command.payment_id, order_id=command.order_id, amount=command.amount, status="completed"
    )


def _declined(command: Charge, reason: str) -> Failed:
    return Failed(
        payment_id=command.payment_id,
        order_id=command.order_id,
        amount=command.amount,
        status="failed",
        reason=reason,
    )


def evolve(payment: Payment | None, event: Event) -> Payment:
    """The state after `event`."""
    match event:
        case Completed():
            return Payment(
                payment_id=event.payment_id,
                order_id=event.order_id,
                amount=event.amount,
                status=event.status,
            )
        case Failed():
            return Payment(
                payment_id=event.payment_id,
                order_id=event.order_id,
                amount=event.amount,
                status=event.status,
                reason=event.reason,
            )
        case Refunded():
            assert payment is not None
            return replace(payment, status=event.status)
