"""Sagas: the definition, the engine that asks, and the participant that is asked."""

from __future__ import annotations

from functools import partial

from tests.mutants.edits import (
    add,
    body,
    chain,
    drop,
    drop_argument,
    regex,
    rewrite,
    set_argument,
    unwrap,
)
from tests.mutants.model import CHOREOGRAPHED, ORCHESTRATED, Mutation
from tests.mutants.table.places import CHASSIS, INVENTORY, ORDERS, PAYMENTS, SHIPPING

_saga = partial(Mutation, item="saga")
_STATE = f"{CHASSIS}saga/state.py"
_PLACE = f"{ORDERS}sagas/place_order.py"
# A saga as people write it before they have been paged: in one function of the service.
BY_HAND = """
    import httpx


    class Checkout:
        '''Places an order at three services, and takes it back when one of them says no.'''

        def __init__(self, http: httpx.AsyncClient) -> None:
            self._http = http
            self._saved: list[object] = []

        async def _do(self, step: dict[str, str]) -> None:
            response = await self._http.post(step["do"], json={})
            response.raise_for_status()

        async def _undo(self, step: dict[str, str]) -> None:
            response = await self._http.post(step["undo"], json={})
            response.raise_for_status()

        async def run(self, session, steps: list[dict[str, str]]) -> None:
            completed: list[dict[str, str]] = []
            try:
                for step in steps:
                    await self._do(step)
                    completed.append(step)
                    self.note(session, completed)
            except httpx.HTTPError:
                await self.compensate(session, completed, steps)
                raise

        def note(self, session, completed) -> None:
            session.execute("INSERT INTO checkout_sagas (steps) VALUES (:s)", {"s": str(completed)})

        async def compensate(self, session, completed, steps) -> None:
            for step in reversed(completed):
                try:
                    await self._undo(step)
                except httpx.HTTPError as error:
                    session.execute("UPDATE checkout_sagas SET stuck = :e", {"e": str(error)})
"""


def by_hand(*changes: tuple[str, str]) -> str:
    """The saga written by hand, with something wrong."""
    code = BY_HAND
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    return code


_HAND = f"{ORDERS}checkout.py"
_HAND_ALSO = ("circuit_breaker", "communication_patterns", "data_consistency", "error_handling")
_LOOP = "for step in reversed(completed):"
_GUARDED = """
                try:
                    await self._undo(step)
                except httpx.HTTPError as error:
                    session.execute("UPDATE checkout_sagas SET stuck = :e", {"e": str(error)})
"""

MUTATIONS = (
    # the definition
    _saga(
        "no step has a compensation",
        rules=("SAG-001", "SAG-002"),
        at=_PLACE,
        edit=drop_argument(_PLACE, "undo"),
        systems=ORCHESTRATED,
    ),
    _saga(
        "the first step has no compensation",
        rules=("SAG-002",),
        at=_PLACE,
        edit=drop_argument(_PLACE, "undo", only=0),
        systems=ORCHESTRATED,
    ),
    _saga(
        "the second step has no compensation",
        rules=("SAG-002",),
        at=_PLACE,
        edit=drop_argument(_PLACE, "undo", only=1),
        systems=ORCHESTRATED,
    ),
    _saga(
        "the first step is undone by nothing",
        rules=("SAG-002", "SAG-005"),
        at=_PLACE,
        edit=rewrite(_PLACE, "Step(payment.Charge, undo=payment.Refund)", "Step(payment.Charge, undo=None)"),
        systems=ORCHESTRATED,
    ),
    _saga(
        "a step and its compensation are swapped",
        rules=("SAG-006",),
        at=_PLACE,
        edit=rewrite(_PLACE, "Step($A.Charge, undo=$A.Refund)", "Step($A.Refund, undo=$A.Charge)"),
        systems=ORCHESTRATED,
    ),
    _saga(
        "the last step and its compensation are swapped",
        rules=("SAG-006",),
        at=_PLACE,
        edit=rewrite(_PLACE, "Step($A.Create, undo=$A.Cancel)", "Step($A.Cancel, undo=$A.Create)"),
        systems=ORCHESTRATED,
    ),
    _saga(
        "a rejected reservation refunds nobody",
        rules=("SAG-001", "SAG-002"),
        at="services/*/sagas/*",
        edit=regex(f"{PAYMENTS}sagas/place_order.py", r"^    Reaction\(on=reservation\.R.*\n", ""),
        systems=CHOREOGRAPHED,
    ),
    _saga(
        "a failed shipment releases nothing",
        rules=("SAG-001", "SAG-002"),
        at="services/*/sagas/*",
        edit=regex(
            f"{INVENTORY}sagas/place_order.py", r"^    Reaction\(on=shipment\.(Cancelled|Failed).*\n", ""
        ),
        systems=CHOREOGRAPHED,
    ),
    _saga(
        "news of a failure charges instead of refunding",
        rules=("SAG-006",),
        at=f"{PAYMENTS}*",
        edit=chain(
            regex(
                f"{PAYMENTS}sagas/place_order.py", r"(on=order\.Created, do=use_cases\.)CHARGE", r"\1REFUND"
            ),
            regex(
                f"{PAYMENTS}sagas/place_order.py", r"(on=reservation\.\w+, do=use_cases\.)REFUND", r"\1CHARGE"
            ),
        ),
        systems=CHOREOGRAPHED,
    ),
    # what compensates
    _saga(
        "the refund does nothing",
        rules=("SAG-005",),
        at=f"{PAYMENTS}commands/refund.py",
        edit=body(f"{PAYMENTS}commands/refund.py", "refund", "return None"),
    ),
    _saga(
        "the release only logs",
        rules=("SAG-005",),
        at=f"{INVENTORY}commands/release.py",
        edit=body(
            f"{INVENTORY}commands/release.py",
            "release",
            """
            import logging

            logging.getLogger(__name__).info("released %s", command.reservation_id)
            """,
        ),
    ),
    _saga(
        "the cancellation of a shipment is still to be written",
        rules=("SAG-005",),
        at=f"{SHIPPING}commands/cancel.py",
        edit=body(f"{SHIPPING}commands/cancel.py", "cancel", '"""TODO: tell the carrier."""'),
    ),
    _saga(
        "the domain answers a refund with no event",
        rules=("SAG-005",),
        at=f"{PAYMENTS}domain/payment.py",
        also=("communication_patterns",),  # the event is declared, and nobody emits it any more
        edit=regex(
            f"{PAYMENTS}domain/payment.py",
            r"(        case Refund\(\):\n)(?:            .*\n|\n(?=            ))+?(?=\n\n|    def|        case|\Z|\n\S)",
            r"\1            return []\n",
        ),
    ),
    # the engine
    _saga(
        "the engine undoes in forward order",
        rules=("SAG-003",),
        at=_STATE,
        edit=rewrite(_STATE, "reversed(range(len(saga.steps)))", "range(len(saga.steps))"),
    ),
    _saga(
        "the engine undoes steps that never ran",
        rules=("SAG-004",),
        at=_STATE,
        edit=rewrite(
            _STATE,
            'saga.steps[index].undo and instance.outcomes.get(key) in ("done", "unknown")',
            "saga.steps[index].undo",
        ),
    ),
    _saga(
        "the engine stops at the first compensation that fails",
        rules=("SAG-007",),
        at=_STATE,
        edit=rewrite(
            _STATE,
            "return _compensate(saga, failed, now)",
            "return _stuck(failed, failed.trouble), ()",
        ),
    ),
    _saga(
        "no step has a deadline",
        systems=ORCHESTRATED,
        rules=("SAG-009",),
        at="*",
        edit=set_argument(_STATE, "deadline", "None"),
    ),
    _saga(
        "nobody looks for sagas that are overdue",
        rules=("SAG-009",),
        at="*",
        systems=ORCHESTRATED,
        edit=chain(
            regex(f"{CHASSIS}runtime.py", r"^.*self\._every\(SAGA_LOOK, self\._overdue\).*\n", ""),
            drop(f"{CHASSIS}runtime.py", "async def _overdue(self) -> None: $$$B"),
        ),
    ),
    _saga(
        "sagas wait for ever",
        systems=ORCHESTRATED,
        rules=("SAG-009",),
        at="*",
        edit=body(f"{CHASSIS}saga/state.py", "on_timeout", "return instance, ()"),
    ),
    _saga(
        "the engine keeps its sagas in memory",
        rules=("SAG-008",),
        at=f"{CHASSIS}saga/*",
        edit=chain(
            regex(
                f"{CHASSIS}saga/log.py",
                r"^class SagaLog:",
                "_kept: dict[str, Instance] = {}\n\n\nclass SagaLog:",
            ),
            body(f"{CHASSIS}saga/log.py", "SagaLog.__init__", "self._instances = _kept"),
            body(f"{CHASSIS}saga/log.py", "SagaLog.load", "return self._instances.get(id)"),
            body(f"{CHASSIS}saga/log.py", "SagaLog.prefetch", "return None"),
            body(f"{CHASSIS}saga/log.py", "SagaLog.begin", "return None"),
            body(f"{CHASSIS}saga/log.py", "SagaLog.save", "self._instances[instance.id] = instance"),
            body(f"{CHASSIS}saga/log.py", "SagaLog.flush", "return None"),
        ),
        also=("data_consistency",),
    ),
    _saga(
        "the orchestrator never saves",
        rules=("SAG-008",),
        at=f"{CHASSIS}saga/*",
        edit=chain(
            drop(f"{CHASSIS}saga/orchestrator.py", "session.sagas.save(instance)"),
            drop(f"{CHASSIS}saga/log.py", "def save(self, instance: Instance) -> None: $$$B"),
            drop(f"{CHASSIS}saga/log.py", "def flush(self) -> None: $$$B"),
            drop(f"{CHASSIS}uow.py", "self.sagas.flush()"),
        ),
    ),
    # the participant
    _saga(
        "a participant undoes what it never did",
        rules=("SAG-004",),
        at=f"{CHASSIS}saga/participant.py",
        edit=unwrap(f"{CHASSIS}saga/participant.py", 'if state == "done": $$$B'),
    ),
    _saga(
        "a participant forgets what it was told to undo",
        rules=("SAG-004", "SAG-008"),
        at=f"{CHASSIS}saga/*",
        edit=drop(
            f"{CHASSIS}saga/participant.py",
            "session.steps.save(message.saga_id, message.saga_step, state, reply)",
        ),
    ),
    # written by hand, in the service
    _saga(
        "two peers changed by hand, and nothing taken back",
        rules=("SAG-001",),
        at=_HAND,
        edit=add(
            _HAND,
            """
            import httpx


            async def check_out(http: httpx.AsyncClient, payments_url: str, shipping_url: str, order: dict) -> None:
                paid = await http.post(f"{payments_url}/payments", json=order)
                paid.raise_for_status()
                shipped = await http.post(f"{shipping_url}/shipments", json=order)
                shipped.raise_for_status()
            """,
        ),
        also=_HAND_ALSO,
    ),
    _saga(
        "by hand: undone in forward order",
        rules=("SAG-003",),
        at=_HAND,
        edit=add(_HAND, by_hand((_LOOP, "for step in completed:"))),
        also=_HAND_ALSO,
    ),
    _saga(
        "by hand: every step undone, whether it ran or not",
        rules=("SAG-004",),
        at=_HAND,
        edit=add(_HAND, by_hand((_LOOP, "for step in reversed(steps):"))),
        also=_HAND_ALSO,
    ),
    _saga(
        "by hand: a compensation that does nothing",
        rules=("SAG-005",),
        at=_HAND,
        edit=add(
            _HAND,
            by_hand(
                (
                    '            response = await self._http.post(step["undo"], json={})\n            response.raise_for_status()\n',
                    "            return None\n",
                )
            ),
        ),
        also=_HAND_ALSO,
    ),
    _saga(
        "by hand: the first failed compensation stops the rest",
        rules=("SAG-007",),
        at=_HAND,
        edit=add(_HAND, by_hand((_GUARDED, "\n                await self._undo(step)\n"))),
        also=_HAND_ALSO,
    ),
)
