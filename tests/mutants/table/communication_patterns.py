"""Communication patterns: who waits for whom, by which address, and what a GET may do."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import add_key
from tests.mutants.edits import Edit, add, append, chain, regex, rewrite, set_argument
from tests.mutants.model import Mutation
from tests.mutants.table.places import CHASSIS, COMPOSE, INVENTORY, NOTIFICATIONS, ORDERS, PAYMENTS, SHIPPING

_communication = partial(Mutation, item="communication_patterns")


def calls(service: str, peer: str) -> Edit:
    """A guarded call of a peer under a time limit, as somebody would add it by hand; with its address."""
    url = f"{peer.upper()}_URL"
    return chain(
        add(
            f"services/{service}/src/{service}/{peer}_lookup.py",
            f"""
            import os
            from urllib.parse import quote

            from chassis.http_client import Peer

            {peer} = Peer("{peer}", os.environ["{url}"])


            async def look_up(key: str) -> object:
                answer = await {peer}.get_json("/{peer}/" + quote(key, safe=""))
                return answer.body
            """,
        ),
        add_key(COMPOSE, f"services.{service}.environment", f'{url}: "http://{peer}:8000"'),
    )


MUTATIONS = (
    _communication(
        "a command behind GET, in the routes",
        rules=("COM-004",),
        at=f"{ORDERS}*",
        edit=rewrite(
            f"{ORDERS}generated/routes.py",
            '$R.post("/orders/{order_id}/confirm", $$$A)',
            '$R.get("/orders/{order_id}/confirm")',
        ),
    ),
    _communication(
        "a command behind GET, in a router written by hand",
        rules=("COM-004",),
        at=f"{SHIPPING}shortcuts.py",
        edit=add(
            f"{SHIPPING}shortcuts.py",
            """
            from uuid import UUID

            from fastapi import APIRouter, Request
            from fastapi.responses import JSONResponse

            from chassis.http import execute
            from shipping.generated import shipment, use_cases

            router = APIRouter()


            @router.get("/shipments/{shipment_id}/cancel")
            async def cancel(shipment_id: UUID, request: Request) -> JSONResponse:
                return await execute(request, use_cases.CANCEL, shipment.Cancel(shipment_id=shipment_id))
            """,
        ),
    ),
    _communication(
        "a row written by GET",
        rules=("COM-004",),
        at=f"{PAYMENTS}links.py",
        edit=add(
            f"{PAYMENTS}links.py",
            """
            from fastapi import APIRouter, Request
            from sqlalchemy import text

            router = APIRouter()


            @router.get("/payments/{payment_id}/dispute")
            async def dispute(payment_id: str, request: Request) -> dict[str, str]:
                runtime = request.app.state.runtime
                await runtime.db.run(
                    lambda conn: conn.execute(
                        text("INSERT INTO disputes (payment_id) VALUES (:id)"), {"id": payment_id}
                    )
                )
                return {"status": "disputed"}
            """,
        ),
        also=("data_consistency",),
    ),
    _communication(
        "a GET that deletes, registered by a call",
        rules=("COM-004",),
        at=f"{INVENTORY}admin.py",
        edit=add(
            f"{INVENTORY}admin.py",
            """
            from fastapi import APIRouter
            from sqlalchemy import Connection, text

            router = APIRouter()


            def purge(conn: Connection) -> dict[str, str]:
                conn.execute(text("DELETE FROM reservations"))
                return {"status": "gone"}


            router.add_api_route("/purge", purge, methods=["GET"])
            """,
        ),
    ),
    _communication(
        "the address of a peer in the wiring",
        rules=("COM-005",),
        at=f"{CHASSIS}http.py",
        edit=rewrite(
            f"{CHASSIS}http.py", "settings.peer_urls(name)", '("http://inventory.shop.svc:8003", "")'
        ),
    ),
    _communication(
        "the address of a peer in a client",
        rules=("COM-005",),
        at=f"{NOTIFICATIONS}gateways.py",
        edit=rewrite(
            f"{NOTIFICATIONS}gateways.py", "HttpGateway(url)", 'HttpGateway("http://gateway.shop.local:9000")'
        ),
    ),
    _communication(
        "the address of a peer as the base of a connection",
        rules=("COM-005",),
        at=f"{CHASSIS}http_client.py",
        edit=set_argument(f"{CHASSIS}http_client.py", "base_url", '"http://10.0.3.17:8003"'),
    ),
    _communication(
        "two services wait for each other",
        rules=("COM-002",),
        at="services/*",
        edit=chain(
            calls("inventory", "orders"),
            calls("orders", "inventory"),
        ),
    ),
    _communication(
        "three services wait in a circle",
        rules=("COM-002",),
        at="services/*",
        edit=chain(calls("orders", "payments"), calls("payments", "shipping"), calls("shipping", "orders")),
    ),
    _communication(
        "five services wait in a row",
        rules=("COM-003",),
        at="services/*",
        edit=chain(
            calls("orders", "payments"),
            calls("payments", "shipping"),
            calls("shipping", "notifications"),
            calls("notifications", "users"),
        ),
    ),
    _communication(
        "messages without a version",
        rules=("COM-006",),
        at=f"{CHASSIS}*",
        edit=chain(
            regex(f"{CHASSIS}uow.py", r'\.v\{version_of\(type\(recorded\.event\)\)\}"', '"'),
            regex(f"{CHASSIS}saga/orchestrator.py", r"\{command\}\.v1", "{command}"),
            regex(f"{CHASSIS}saga/participant.py", r"reply\.v1", "reply"),
        ),
    ),
    _communication(
        "an event without a schema",
        rules=("COM-006",),
        at="*",
        edit=chain(
            append(
                f"{INVENTORY}commands/receive.py",
                """


                async def announce(js, sku: str) -> None:
                    await js.publish("stock.counted", sku.encode())
                """,
            ),
        ),
        also=("saga", "data_consistency", "error_handling", "observability"),
    ),
    _communication(
        "events whose contract has no schema",
        rules=("COM-006",),
        at="contracts/*",
        edit=regex("contracts/asyncapi.yaml", r"^ +payload:\n(?: {8,}.*\n)+", ""),
    ),
)
