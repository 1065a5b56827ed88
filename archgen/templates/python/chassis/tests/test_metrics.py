import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.parser import text_string_to_metric_families

from chassis import edge, metrics
from chassis.health import Health

app = FastAPI()
edge.install(app, Health(), seconds=0.05)
orders = APIRouter(prefix="/orders")


@orders.get("/{order_id}")
async def read(order_id: str) -> str:
    return order_id


@orders.get("/{order_id}/bug")
async def bug(order_id: str) -> None:
    raise RuntimeError


@orders.get("/{order_id}/slow")
async def slow(order_id: str) -> None:
    await asyncio.sleep(60)


app.include_router(orders, prefix="/api")


async def count(method: str, path: str, route: str, status: str, label: str = "") -> float:
    labels = {"method": label or method, "route": route, "status": status}
    before = metrics.registry.get_sample_value("http_requests_total", labels) or 0.0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.request(method, path)
    return (metrics.registry.get_sample_value("http_requests_total", labels) or 0.0) - before


async def test_requests_count_under_the_template_with_its_prefix() -> None:
    assert await count("GET", "/api/orders/1", "/api/orders/{order_id}", "200") == 1
    assert await count("GET", "/api/orders/2", "/api/orders/{order_id}", "200") == 1


async def test_errors_count_with_the_status_the_caller_saw() -> None:
    assert await count("GET", "/api/orders/1/bug", "/api/orders/{order_id}/bug", "500") == 1
    assert await count("GET", "/api/orders/1/slow", "/api/orders/{order_id}/slow", "503") == 1


async def test_paths_and_methods_nobody_defined_share_one_series() -> None:
    assert await count("GET", "/wp-admin/1.php", "unmatched", "404") == 1
    assert await count("BREW", "/anything", "unmatched", "404", label="other") == 1


async def test_a_caller_who_goes_away_is_counted_as_aborted() -> None:
    async def never_answers(*_: object) -> None:
        await asyncio.sleep(60)

    scope = {"type": "http", "method": "GET", "path": "/"}
    task = asyncio.create_task(metrics.Requests(never_answers)(scope, None, None))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert metrics.registry.get_sample_value("http_requests_in_flight") == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    labels = {"method": "GET", "route": "unmatched", "status": "aborted"}
    assert metrics.registry.get_sample_value("http_requests_total", labels) == 1
    assert metrics.registry.get_sample_value("http_requests_in_flight") == 0


async def test_the_page_is_what_prometheus_reads() -> None:
    metrics.saga_finished.labels("place_order", "done").inc()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        page = await client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(page.text)}
    assert families["saga_finished"].samples[0].labels == {"saga": "place_order", "outcome": "done"}
    assert "process_cpu_seconds" in families
    assert all(family.documentation for family in families.values())
