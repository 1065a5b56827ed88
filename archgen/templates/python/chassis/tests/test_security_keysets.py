"""An issuer's keys: cached, renewed, and never a way to make this service hammer the issuer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import httpx
import pytest

from chassis.errors import Unavailable
from chassis.security import keysets
from chassis.security.keys import new_key
from chassis.security.keysets import DISCOVERY, RemoteKeys

KEY, LATER = new_key("issuer"), new_key("issuer")
URL = "https://issuer.example"


class Issuer:
    """Answers with `keys`; counts how often it is asked, and fails while `down`."""

    def __init__(self) -> None:
        self.keys = [KEY.public]
        self.asked = 0
        self.down = False
        self.body: bytes | None = None
        self.discovered = {"issuer": URL, "jwks_uri": f"{URL}/keys"}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path == DISCOVERY:
            return httpx.Response(200, json=self.discovered)
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(200, content=self.body or json.dumps({"keys": self.keys}).encode())


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def remote(issuer: Callable[[httpx.Request], object], *, discover: bool = False) -> RemoteKeys:
    url = URL if discover else f"{URL}/keys"
    return RemoteKeys(url, discover=discover, transport=httpx.MockTransport(issuer))  # type: ignore[arg-type]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


async def test_it_is_asked_once(issuer: Issuer, clock: Callable[[float], None]) -> None:
    keys = remote(issuer)
    found = await asyncio.gather(*(keys.find(KEY.kid) for _ in range(50)))
    assert all(found)
    assert issuer.asked == 1


async def test_unknown_keys_do_not_hammer_it(issuer: Issuer, clock: Callable[[float], None]) -> None:
    keys = remote(issuer)
    await keys.find(KEY.kid)
    for number in range(1000):
        assert await keys.find(f"made-up-{number}") is None
    await asyncio.gather(*(keys.find(f"at-once-{number}") for number in range(100)))
    assert issuer.asked == 1
    clock(keysets.COOLDOWN + 1)
    await asyncio.gather(*(keys.find(f"later-{number}") for number in range(100)))
    assert issuer.asked == 2


async def test_a_key_that_is_new_is_found(issuer: Issuer, clock: Callable[[float], None]) -> None:
    keys = remote(issuer)
    await keys.find(KEY.kid)
    issuer.keys = [KEY.public, LATER.public]
    clock(keysets.COOLDOWN + 1)
    assert await keys.find(LATER.kid)


async def test_a_key_that_is_gone_is_forgotten(issuer: Issuer, clock: Callable[[float], None]) -> None:
    keys = remote(issuer)
    await keys.find(KEY.kid)
    issuer.keys = [LATER.public]
    clock(keysets.FRESH + 1)
    assert await keys.find(KEY.kid) is None


async def test_known_keys_serve_on_while_it_is_away(issuer: Issuer, clock: Callable[[float], None]) -> None:
    keys = remote(issuer)
    await keys.find(KEY.kid)
    issuer.down = True
    clock(keysets.FRESH + 1)
    assert await keys.find(KEY.kid)
    clock(keysets.STALE)
    with pytest.raises(Unavailable):
        await keys.find(KEY.kid)


async def test_before_it_was_reached_nothing_can_be_told(
    issuer: Issuer, clock: Callable[[float], None]
) -> None:
    keys, issuer.down = remote(issuer), True
    for _ in range(100):
        with pytest.raises(Unavailable):
            await keys.find(KEY.kid)
    assert issuer.asked == 1
    issuer.down = False
    clock(1.1)
    assert await keys.find(KEY.kid)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys": 1}', b"<html>", b" " * (keysets.LARGEST + 1)], ids=lambda b: b[:8]
)
async def test_answers_that_are_no_keys(issuer: Issuer, clock: Callable[[float], None], body: bytes) -> None:
    issuer.body = body or b" "
    with pytest.raises(Unavailable):
        await remote(issuer).find(KEY.kid)


async def test_keys_are_found_through_discovery(issuer: Issuer, clock: Callable[[float], None]) -> None:
    assert await remote(issuer, discover=True).find(KEY.kid)


@pytest.mark.parametrize(
    "changed",
    [{"issuer": "https://other.example"}, {"jwks_uri": "http://issuer.example/keys"}, {"issuer": None}],
)
async def test_discovery_that_leads_elsewhere_is_not_followed(
    issuer: Issuer, clock: Callable[[float], None], changed: dict[str, str]
) -> None:
    issuer.discovered |= changed
    with pytest.raises(Unavailable):
        await remote(issuer, discover=True).find(KEY.kid)
    assert issuer.asked == 0


async def test_a_redirect_is_not_followed(clock: Callable[[float], None]) -> None:
    async def moved(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/keys"})

    with pytest.raises(Unavailable):
        await remote(moved).find(KEY.kid)
