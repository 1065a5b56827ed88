"""Against a real server, which is killed and started again while messages are on their way."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from chassis import bus as buses
from chassis.bus import Delivery, Outgoing, Subscription
from chassis.bus import nats as implementation
from chassis.bus.nats import NatsBus
from chassis.testing.servers import Nats, free_port


@pytest.fixture
def server() -> Iterator[Nats]:
    """One of its own for each test, since they kill it; it takes 20 ms."""
    with Nats() as nats:
        yield nats


@pytest.fixture
async def bus(server: Nats) -> AsyncIterator[NatsBus]:
    connected = NatsBus(server.url, "shop")
    await connected.connect()
    yield connected
    await connected.close()


@pytest.fixture
async def replica(server: Nats) -> AsyncIterator[NatsBus]:
    """A second process of the same service."""
    connected = NatsBus(server.url, "shop")
    await connected.connect()
    yield connected
    await connected.close()


def out(number: int, address: str = "shop.event.order.created") -> Outgoing:
    return Outgoing(f"m{number}", address, str(number).encode())


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.body) for delivery in deliveries]


async def take(subscription: Subscription, count: int, seconds: float = 5.0) -> list[int]:
    """Fetch and acknowledge until `count` different ones were seen."""
    seen: list[int] = []
    deadline = time.monotonic() + seconds
    while len(set(seen)) < count and time.monotonic() < deadline:
        deliveries = await subscription.fetch(50, 0.2)
        for delivery in deliveries:
            await delivery.ack()
        seen += numbers(deliveries)
    return seen


async def test_what_is_published_arrives_once_in_order(bus: NatsBus) -> None:
    subscription = await bus.subscribe("orders-x", ["shop.event.order.created"])
    await bus.publish([out(n) for n in range(700)])
    assert await take(subscription, 700) == list(range(700))
    assert await subscription.fetch(10, 0.1) == []
    assert await subscription.lag() == 0


async def test_a_delivery_tells_what_it_is(bus: NatsBus) -> None:
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(1)])
    [delivery] = await subscription.fetch(10, 1)
    assert (delivery.body, delivery.address, delivery.attempt) == (b"1", "shop.event.order.created", 1)


async def test_what_was_published_before_anybody_listened_is_there(bus: NatsBus) -> None:
    await bus.publish([out(1), out(2)])
    subscription = await bus.subscribe("late", ["shop.event.order.created"])
    assert await take(subscription, 2) == [1, 2]


async def test_a_consumer_gets_its_addresses_and_no_others(bus: NatsBus) -> None:
    created, paid = "shop.event.order.created", "shop.event.order.paid"
    subscription = await bus.subscribe("c", [created, "shop.command.orders.pay"])
    await bus.publish([out(1, created), out(2, paid), out(3, "shop.command.orders.pay"), out(4, paid)])
    assert await take(subscription, 2) == [1, 3]


async def test_consumers_of_different_names_each_get_everything(bus: NatsBus) -> None:
    subscriptions = [await bus.subscribe(name, ["shop.event.order.created"]) for name in ("a", "b")]
    await bus.publish([out(1)])
    assert [await take(one, 1) for one in subscriptions] == [[1], [1]]


async def test_replicas_share_and_none_gets_what_another_has(bus: NatsBus, replica: NatsBus) -> None:
    ours = await bus.subscribe("c", ["shop.event.order.created"])
    theirs = await replica.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(n) for n in range(600)])
    both = await asyncio.gather(take(ours, 600, 1.0), take(theirs, 600, 1.0))
    assert sorted(both[0] + both[1]) == list(range(600))


async def test_the_same_id_is_stored_once(bus: NatsBus) -> None:
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(1), out(2), out(1)])
    await bus.publish([out(2), out(3)])
    assert await take(subscription, 3) == [1, 2, 3]
    assert await subscription.fetch(10, 0.2) == []


async def test_what_is_to_be_retried_comes_again_after_its_delay_and_counts(bus: NatsBus) -> None:
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(1)])
    [delivery] = await subscription.fetch(10, 1)
    await delivery.retry(0.3)
    began = time.monotonic()
    [again] = await subscription.fetch(10, 2)
    assert 0.25 < time.monotonic() - began < 1.5
    assert again.attempt == 2
    await again.retry(0)
    [third] = await subscription.fetch(10, 2)
    assert third.attempt == 3


async def test_what_is_not_acknowledged_comes_again(bus: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implementation, "ACK_WAIT", 0.3)
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(1)])
    [first] = await subscription.fetch(10, 1)
    [second] = await subscription.fetch(10, 2)
    assert (first.attempt, second.attempt) == (1, 2)


async def test_what_was_fetched_ahead_goes_to_another_when_one_stops(bus: NatsBus, replica: NatsBus) -> None:
    stopping = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(n) for n in range(100)])
    handled = await stopping.fetch(10, 1)
    for delivery in handled:
        await delivery.ack()
    await asyncio.sleep(0.1)  # the rest has arrived, too
    await stopping.close()
    other = await replica.subscribe("c", ["shop.event.order.created"])
    rest = list(range(len(handled), 100))
    assert sorted(await take(other, len(rest), 3.0)) == rest


async def test_killed_and_started_again_nothing_is_lost(server: Nats, bus: NatsBus) -> None:
    """Messages are stored, some of them delivered, none acknowledged, when the server dies."""
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(n) for n in range(50)])
    held = await subscription.fetch(20, 1)
    while len(held) < 20:  # a batch is what has arrived by then
        held += await subscription.fetch(20 - len(held), 1)
    server.kill()
    began = time.monotonic()
    with pytest.raises((ConnectionError, TimeoutError)):
        await bus.publish([out(99)])
    with pytest.raises(ConnectionError):
        await bus.publish([out(99)])
    assert time.monotonic() - began < 1.0, "told at once, not after waiting for an ack"
    for delivery in held:
        await delivery.ack()  # nobody hears it, and nobody minds
    assert not bus.connected
    server.start()
    began = time.monotonic()
    while not bus.connected:
        await asyncio.sleep(0.01)
    await bus.publish([out(n) for n in range(50, 60)])
    # Those that were held may come again as well, and before the others.
    seen: set[int] = set()
    while not set(range(20, 60)) <= seen:
        seen |= set(await take(subscription, 1, 1.0))
        assert time.monotonic() - began < implementation.ACK_WAIT / 3, "at once, not when acks are overdue"
    assert bus.connected


async def test_what_was_delivered_before_a_crash_comes_again(
    server: Nats, bus: NatsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(implementation, "ACK_WAIT", 0.5)
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(n) for n in range(30)])
    await subscription.fetch(10, 1)
    server.kill()
    server.start()
    assert set(await take(subscription, 30, 6.0)) == set(range(30))


async def test_a_subscription_hears_again_within_two_seconds_of_a_restart(server: Nats, bus: NatsBus) -> None:
    """Also one that waits in `fetch` the whole time, whose request the server has forgotten."""
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    heard: list[int] = []

    async def listen() -> None:
        while True:
            heard.extend(await take(subscription, 1, 10.0))

    listening = asyncio.create_task(listen())
    await bus.publish([out(1)])
    await asyncio.sleep(0.3)
    for round in range(2, 5):
        server.kill()
        await asyncio.sleep(0.1)
        server.start()
        began = time.monotonic()
        while not bus.connected:
            await asyncio.sleep(0.01)
        await bus.publish([out(round)])
        while round not in heard:
            assert time.monotonic() - began < 2.0
            await asyncio.sleep(0.01)
    listening.cancel()
    assert Counter(heard) == Counter([1, 2, 3, 4])


@pytest.mark.parametrize("what", ["consumer", "stream"])
async def test_what_is_deleted_on_the_server_is_made_again(bus: NatsBus, replica: NatsBus, what: str) -> None:
    """While it waits in `fetch`; no restart of the service is needed."""
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    await bus.publish([out(1)])
    assert await take(subscription, 1) == [1]
    waiting = asyncio.create_task(take(subscription, 2, 15.0))
    await asyncio.sleep(0.1)
    manager = replica._client.jsm()
    if what == "consumer":
        await manager.delete_consumer("shop", "c")
    else:
        await manager.delete_stream("shop")
        await asyncio.sleep(1.0)
        await replica.connect()
    await replica.publish([out(2), out(3)])
    seen = await waiting
    assert {2, 3} <= set(seen), "what came meanwhile has arrived"


async def test_publishing_goes_on_over_crashes_with_each_message_stored_once(
    server: Nats, bus: NatsBus
) -> None:
    """As the relay does it: a batch that failed is sent again, whole, under the same ids."""

    async def publish_all() -> None:
        for start in range(0, 200, 20):
            batch = [out(n) for n in range(start, start + 20)]
            while True:
                try:
                    await bus.publish(batch)
                    break
                except Exception:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.02)

    publishing = asyncio.create_task(publish_all())
    for _ in range(3):
        await asyncio.sleep(0.1)
        server.kill()
        server.start()
    await asyncio.wait_for(publishing, 15)
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    assert sorted(await take(subscription, 200)) == list(range(200))


async def test_batches_that_fail_do_not_use_up_the_client(server: Nats, bus: NatsBus) -> None:
    """The client allows a number of messages under way; those given up must not count for ever."""
    server.kill()
    for _ in range(50):
        with pytest.raises(Exception, match=r".*"):
            await bus.publish([Outgoing(f"big{n}", "shop.event.x", b"x" * 100_000) for n in range(100)])
    server.start()
    while not bus.connected:
        await asyncio.sleep(0.01)
    for start in range(0, 5000, 500):
        await asyncio.wait_for(bus.publish([out(n) for n in range(start, start + 500)]), 5)


async def test_one_message_that_is_refused_fails_its_batch(bus: NatsBus) -> None:
    with pytest.raises(Exception, match=r"(?i)payload"):
        await bus.publish([out(1), Outgoing("big", "shop.event.x", b"x" * 2_000_000)])
    await bus.publish([out(1), out(2)])
    subscription = await bus.subscribe("c", ["shop.event.order.created"])
    assert await take(subscription, 2) == [1, 2]


async def test_an_address_outside_of_the_stream_is_not_taken(bus: NatsBus) -> None:
    with pytest.raises(Exception, match=r"(?i)no response|NoStreamResponse|not"):
        await bus.publish([Outgoing("m", "elsewhere.event", b"")])


async def test_before_the_server_is_there_connecting_waits_and_publishing_raises() -> None:
    port = free_port()
    bus = NatsBus(f"nats://127.0.0.1:{port}", "shop")
    assert not bus.connected
    with pytest.raises(ConnectionError):
        await bus.publish([out(1)])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bus.connect(), 0.5)
    await bus.close()


async def test_connecting_twice_and_subscribing_twice_is_harmless(bus: NatsBus) -> None:
    await bus.connect()
    await bus.subscribe("c", ["shop.event.order.created"])
    again = await bus.subscribe("c", ["shop.event.order.created", "shop.event.order.paid"])
    await bus.publish([out(1), out(2, "shop.event.order.paid")])
    assert sorted(await take(again, 2)) == [1, 2]


def test_a_url_chooses_the_broker() -> None:
    assert isinstance(buses.from_url("nats://127.0.0.1:1", "shop"), NatsBus)
    with pytest.raises(ValueError, match="amqp"):
        buses.from_url("amqp://127.0.0.1", "shop")
