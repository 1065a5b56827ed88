"""Release: reservation.released."""

from __future__ import annotations

from chassis.uow import UnitOfWork
from inventory.domain.reservation import quantities
from inventory.generated.aggregates import RESERVATION, STOCK
from inventory.generated.reservation import Release
from inventory.generated.stock import Deallocate


def release(command: Release, uow: UnitOfWork) -> None:
    """What was reserved is available again; a second release gives nothing back twice."""
    reservation = uow.load(RESERVATION, command.reservation_id)
    released = uow.handle(RESERVATION, command.reservation_id, command)
    if reservation is None or not released:
        return
    for sku, quantity in quantities(reservation.items).items():
        uow.handle(STOCK, sku, Deallocate(sku=sku, quantity=quantity))
