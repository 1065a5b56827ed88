import xml.etree.ElementTree as ElementTree

from archgen.diagrams import sequences
from archgen.diagrams.sequence import Part
from archgen.diagrams.sequence_svg import sequence_svg
from archgen.spec import loads
from archgen.spec.analysis import analyse

HEAD = """\
archgen: 1
system: tiny
services:
  shop:
    aggregates:
      Order:
        fields: {status: created|confirmed|cancelled}
        commands:
          create: {emits: order.created}
          confirm: {emits: order.confirmed}
          cancel: {emits: order.cancelled}
  bank:
    aggregates:
      Payment:
        fields: {order_id: uuid}
        commands:
          charge: {takes: {order_id: uuid}, emits: payment.done, fails: payment.failed}
          refund: {emits: payment.refunded}
  depot:
    aggregates:
      Parcel:
        fields: {order_id: uuid}
        commands:
          send: {takes: {order_id: uuid}, emits: parcel.sent, fails: parcel.lost}
          recall: {emits: parcel.recalled}
sagas:
  place:
"""
ORCHESTRATED = """\
    owner: shop
    when: order.created
    steps:
      - {do: bank.charge, undo: bank.refund}
      - {do: depot.send, undo: depot.recall}
    then: shop.confirm
    else: shop.cancel
"""
CHOREOGRAPHED = """\
    style: choreography
    owner: shop
    steps:
      - {when: order.created, do: bank.charge}
      - {when: payment.done, do: depot.send}
      - {when: parcel.sent, do: shop.confirm}
      - {when: parcel.lost, do: bank.refund}
      - {when: payment.refunded, do: shop.cancel}
      - {when: payment.failed, do: shop.cancel}
"""


def parts(text: str) -> tuple[Part, ...]:
    system = loads(HEAD + text, "system.yaml")
    [one] = sequences(system, analyse(system))
    ElementTree.fromstring(sequence_svg(one))
    return one.parts


def told(part: Part) -> list[str]:
    return [f"{line.source}>{line.target}: {line.text}" for line in part.lines]


def test_an_orchestrated_saga_goes_forward_and_back_in_reverse_order() -> None:
    good, bad = parts(ORCHESTRATED)
    assert told(good) == [
        "caller>shop: shop.create",
        "shop>bank: bank.charge",
        "bank>shop: done",
        "shop>depot: depot.send",
        "depot>shop: done",
        "shop>shop: shop.confirm",
    ]
    assert told(bad)[3:] == [
        "shop>depot: depot.send",
        "depot>shop: refused",
        "shop>bank: bank.refund",
        "bank>shop: done",
        "shop>shop: shop.cancel",
    ]


def test_a_choreographed_saga_has_a_way_back_for_each_failure() -> None:
    good, *back = parts(CHOREOGRAPHED)
    assert told(good) == [
        "caller>shop: shop.create",
        "shop>bank: order.created → bank.charge",
        "bank>depot: payment.done → depot.send",
        "depot>shop: parcel.sent → shop.confirm",
    ]
    assert [part.title for part in back] == [
        "payment.failed: what was done is undone",
        "parcel.lost: what was done is undone",
    ]
    assert told(back[1]) == [
        "bank>depot: payment.done → depot.send",
        "depot>depot: parcel.lost",
        "depot>bank: parcel.lost → bank.refund",
        "bank>shop: payment.refunded → shop.cancel",
    ]
