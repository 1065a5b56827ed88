"""Descriptions for proofs: services A to F, each with one aggregate that can be done and undone."""

from __future__ import annotations

from archgen.proof.prove import prove
from archgen.proof.verdict import Proof
from archgen.spec import loads
from archgen.spec.analysis import analyse

HEAD = """\
archgen: 1
system: shop
services:
  orders:
    aggregates:
      Order:
        fields: {amount: money, payment_id: uuid}
        commands:
          create: {emits: order.created}
          confirm: {emits: order.confirmed}
          try_to_confirm: {emits: order.confirmed, fails: order.not_confirmed}
          cancel: {emits: order.cancelled}
        events:
          order.created: [amount]
  payments:
    aggregates:
      Payment:
        fields: {amount: money}
        commands:
          charge: {emits: payment.charged, fails: payment.failed}
          refund: {emits: payment.refunded}
          try_to_refund: {emits: payment.refunded, fails: payment.kept}
          capture: {emits: payment.captured}
      Receipt:
        commands:
          issue: {emits: receipt.issued}
          void: {emits: receipt.voided}
  stock:
    aggregates:
      Hold:
        fields: {amount: money}
        commands:
          reserve: {emits: hold.reserved, fails: hold.rejected}
          release: {emits: hold.released}
  mail:
    aggregates:
      Letter:
        commands:
          send: {emits: letter.sent}
"""
ORCHESTRATION = HEAD + "sagas:\n  s:\n    owner: orders\n    when: order.created\n    steps:\n"
CHOREOGRAPHY = HEAD + "sagas:\n  s:\n    style: choreography\n    steps:\n"


def orchestrated(*steps: str, then: str = "", otherwise: str = "orders.cancel", head: str = "") -> str:
    """`steps` are the insides of flow mappings."""
    text = (head + ORCHESTRATION[len(HEAD) :] if head else ORCHESTRATION) + "".join(
        f"      - {{{step}}}\n" for step in steps
    )
    text += f"    then: {then}\n" if then else ""
    return text + (f"    else: {otherwise}\n" if otherwise else "")


def choreographed(*steps: str, head: str = "") -> str:
    """`steps` are written `event > command`, and may go on with more keys."""
    lines = []
    for step in steps:
        event, _, rest = step.partition(" > ")
        lines.append(f"      - {{when: {event}, do: {rest}}}\n")
    return (head + CHOREOGRAPHY[len(HEAD) :] if head else CHOREOGRAPHY) + "".join(lines)


def many(steps: int, *, refusable: bool = False) -> str:
    """An orchestration over as many services; with `refusable`, each undo may be refused."""
    services, saga = "", ""
    for i in range(steps):
        kept = f", fails: part{i}.kept" if refusable else ""
        services += (
            f"  s{i}:\n    aggregates:\n      Part{i}:\n        commands:\n"
            f"          make: {{emits: part{i}.made, fails: part{i}.failed}}\n"
            f"          scrap: {{emits: part{i}.scrapped{kept}}}\n"
        )
        saga += f"      - {{do: s{i}.make, undo: s{i}.scrap}}\n"
    return (
        HEAD + services + ORCHESTRATION[len(HEAD) :] + saga + "    then: orders.try_to_confirm\n"
        "    else: orders.cancel\n"
    )


def chained(services: int) -> str:
    """A choreography over as many services, one after the other, with a way back through all of them."""
    made, steps = "", []
    for i in range(services):
        made += (
            f"  s{i}:\n    aggregates:\n      Part{i}:\n        commands:\n"
            f"          make: {{emits: part{i}.made, fails: part{i}.failed}}\n"
            f"          scrap: {{emits: part{i}.scrapped}}\n"
        )
        back = f"s{i - 1}.scrap" if i else "orders.cancel"
        steps.append(f"{f'part{i - 1}.made' if i else 'order.created'} > s{i}.make")
        steps.append(f"part{i}.failed > {back}")
        steps.append(f"part{i}.scrapped > {back}")
    steps[-1] = f"part{services - 1}.made > orders.confirm"
    return choreographed(*steps, head=HEAD + made)


def proof(text: str, limit: int = 200_000) -> Proof:
    """The proof of the only saga of a description."""
    system = loads(text)
    [found] = prove(system, analyse(system), limit)
    return found
