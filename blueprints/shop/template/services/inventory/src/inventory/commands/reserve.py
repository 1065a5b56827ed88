"""Reserve: reservation.reserved, or reservation.rejected."""

from __future__ import annotations

from chassis.uow import UnitOfWork
from inventory.domain.reservation import Reject, quantities
from inventory.domain.stock import Stock
from inventory.generated.aggregates import RESERVATION, STOCK
from inventory.generated.reservation import Reserve
from inventory.generated.stock import Allocate


def reserve(command: Reserve, uow: UnitOfWork) -> None:
    """Everything is reserved or nothing; what is short is an event too, so that others hear of it."""
    wanted = quantities(command.items)
    short = [sku for sku, quantity in wanted.items() if not _suffices(uow.load(STOCK, sku), quantity)]
    if short or not wanted:
        reason = f"not enough in stock: {', '.join(short)}" if short else "there is nothing to reserve"
        uow.handle(RESERVATION, command.reservation_id, Reject(wanted=command, reason=reason))
        return
    for sku, quantity in wanted.items():
        uow.handle(STOCK, sku, Allocate(sku=sku, quantity=quantity))
    uow.handle(RESERVATION, command.reservation_id, command)


def _suffices(stock: Stock | None, quantity: int) -> bool:
    return stock is not None and 0 < quantity <= stock.available
