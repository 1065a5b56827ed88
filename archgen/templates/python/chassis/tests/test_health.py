import asyncio

import httpx
from fastapi import FastAPI

from chassis.health import Health


async def ask(health: Health, path: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(health.router())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


async def fine() -> None:
    pass


async def broken() -> None:
    raise ConnectionError("db-7.internal refused")


async def hanging() -> None:
    await asyncio.sleep(60)


async def test_ready_when_every_check_passes() -> None:
    health = Health()
    health.add("database", fine)
    health.add("broker", fine)
    answer = await ask(health, "/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "broker": "ok"}}


async def test_not_ready_tells_which_but_not_why() -> None:
    health = Health(seconds=0.02)
    health.add("database", broken)
    health.add("broker", hanging)
    health.add("disk", fine)
    answer = await ask(health, "/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "failed", "broker": "timeout", "disk": "ok"}
    assert "db-7" not in answer.text


async def test_checks_wait_at_the_same_time() -> None:
    health = Health(seconds=0.1)
    for number in range(20):
        health.add(str(number), hanging)
    began = asyncio.get_running_loop().time()
    await health.report()
    assert asyncio.get_running_loop().time() - began < 1.0


async def test_alive_whatever_the_dependencies_do() -> None:
    health = Health()
    health.add("database", broken)
    health.drain()
    assert (await ask(health, "/health/live")).status_code == 200


async def test_draining_is_not_ready() -> None:
    health = Health()
    health.add("database", fine)
    health.drain()
    answer = await ask(health, "/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")
