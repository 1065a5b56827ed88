"""Descriptions that tests start from."""

# ruff: noqa: E501

BASE = """\
archgen: 1
system: shop
services:
  orders:
    aggregates:
      Order:
        fields: {amount: money, status: unpaid|paid}
        commands:
          create: {takes: {amount: money}, emits: order.created}
          pay: {emits: order.paid}
"""
PEER = (
    BASE
    + """\
  cards:
    aggregates:
      Card:
        fields: {order_id: uuid, amount: money}
        commands:
          charge: {takes: {order_id: uuid, amount: money}, emits: card.charged, fails: card.refused}
          refund: {emits: card.refunded}
"""
)

AGENT = (
    PEER
    + """\
    views:
      charges: {of: Card, from: [card.*]}
    calls:
      orders.details: {}
    agents:
      advisor:
        goal: Look after cards.
        of: Card
        tools: [charges, orders.details, refund, charge]
        unconfirmed: [refund]
        limits: {turns: 3, tokens: 5000, seconds: 20, runs: 2}
"""
).replace("  cards:", "    views: {details: {of: Order, from: [order.*]}}\n  cards:")

ORCHESTRATED = "sagas:\n  s:\n    owner: orders\n    when: order.created\n    steps:\n"
CHOREOGRAPHED = "sagas:\n  s:\n    style: choreography\n    steps:\n"

_SERVICES = """\
archgen: 1
system: shop
about: Takes orders, charges cards, reserves stock, ships and notifies.
broker: nats
policies:
  default: {timeout: 2s, retry: {attempts: 3, backoff: exponential, delay: 200ms}, breaker: {failures: 5, reset: 60s}}
types:
  Item: {sku: string, quantity: integer, price: money}
services:
  orders:
    about: Order creation, management and status tracking.
    owner: checkout
    language: python
    store: postgres
    aggregates:
      Order:
        event_sourced: true
        fields: {customer_id: uuid, items: [Item], amount: money, status: created|confirmed|cancelled}
        commands:
          create: {takes: {customer_id: uuid, items: [Item]}, emits: order.created}
          confirm: {emits: order.confirmed}
          cancel: {takes: {reason: optional string}, emits: order.cancelled}
    views:
      order_details: {of: Order, from: [order.*]}
    calls:
      inventory.availability: {policy: default, fallback: last_known}
  payments:
    aggregates:
      Payment:
        fields: {order_id: uuid, amount: money, status: completed|failed|refunded}
        commands:
          charge: {takes: {order_id: uuid, amount: money}, emits: payment.completed, fails: payment.failed}
          refund: {takes: {order_id: uuid}, emits: payment.refunded}
  inventory:
    aggregates:
      Stock:
        id: sku
        fields: {sku: string, on_hand: integer, reserved: integer}
        commands:
          receive: {takes: {quantity: integer}, emits: stock.received}
      Reservation:
        fields: {order_id: uuid, items: [Item], status: reserved|failed|released}
        commands:
          reserve: {takes: {order_id: uuid, items: [Item]}, emits: stock_reservation.reserved, fails: stock_reservation.failed}
          release: {emits: stock_reservation.released}
    views:
      availability: {of: Stock, from: [stock.received]}
  shipping:
    aggregates:
      Shipment:
        fields: {order_id: uuid, customer_id: uuid, status: created|cancelled}
        commands:
          create: {takes: {order_id: uuid, customer_id: uuid}, emits: shipment.created}
          cancel: {emits: shipment.cancelled}
  users:
    aggregates:
      User:
        fields: {email: email, name: string}
        commands:
          register: {takes: {email: email, name: string}, emits: user.registered}
  notifications:
    aggregates:
      Notification:
        fields: {customer_id: uuid, channel: email|sms|push, status: sent|failed}
        commands:
          send: {takes: {customer_id: uuid, channel: email|sms|push}, emits: notification.sent}
    on:
      order.confirmed: {do: send, with: {channel: email}}
"""

_END = """\
recovery: {rpo: 5m, rto: 30m, backup: "0 2 * * *"}
decisions:
  event_sourcing: {adopted_for: [Order], because: Order history is disputed with customers and auditors.}
"""

SHOP = (
    _SERVICES
    + """\
sagas:
  place_order:
    style: orchestration
    owner: orders
    when: order.created
    steps:
      - {do: payments.charge, undo: payments.refund}
      - {do: inventory.reserve, undo: inventory.release}
      - {do: shipping.create, undo: shipping.cancel}
    then: orders.confirm
    else: orders.cancel
"""
    + _END
)

CHOREOGRAPHED_SHOP = (
    _SERVICES
    + """\
sagas:
  place_order:
    style: choreography
    steps:
      - {when: order.created, do: payments.charge}
      - {when: payment.completed, do: inventory.reserve}
      - {when: stock_reservation.reserved, do: shipping.create}
      - {when: shipment.created, do: orders.confirm}
      - {when: payment.failed, do: orders.cancel}
      - {when: stock_reservation.failed, do: payments.refund}
      - {when: payment.refunded, do: orders.cancel}
"""
    + _END
)
