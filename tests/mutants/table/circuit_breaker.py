"""Calls to peers: time limits, breakers, retries, and what bounds an agent."""

from __future__ import annotations

from functools import partial

from tests.mutants.edits import Edit, add, body, chain, drop, imports, regex, rewrite, set_argument, unwrap
from tests.mutants.model import Mutation
from tests.mutants.table.places import CHASSIS, INVENTORY, NOTIFICATIONS, ORDERS, PAYMENTS

_calls = partial(Mutation, item="circuit_breaker")
_CLIENT = f"{CHASSIS}http_client.py"
_MODEL = f"{CHASSIS}agents/model.py"
_BREAKER = f"{CHASSIS}breaker.py"
_RETRY = f"{CHASSIS}retry.py"
_RATES = f"{PAYMENTS}rates.py"


def rates(code: str) -> Edit:
    """A client of an exchange-rate service, written by hand."""
    return add(_RATES, code)


MUTATIONS = (
    # time limits
    _calls(
        "the client of peers waits for ever",
        rules=("RES-001",),
        at=_CLIENT,
        edit=chain(
            set_argument(_CLIENT, "timeout", "None"),
            regex(
                _CLIENT,
                r"async with asyncio\.timeout_at\(limit\), self\._places:",
                "async with self._places:",
            ),
        ),
    ),
    _calls(
        "the client of the model waits for ever",
        rules=("RES-001",),
        at=_MODEL,
        edit=chain(
            regex(_MODEL, r"timeout=policy\.timeout,", "timeout=None,"),
            unwrap(_MODEL, "async with asyncio.timeout(self.policy.timeout): $$$B"),
        ),
    ),
    _calls(
        "a call with requests and no time limit",
        rules=("RES-001",),
        at=_RATES,
        edit=rates("""
            import os

            import requests


            def rate(currency: str) -> float:
                return float(requests.get(os.environ["RATES_URL"], params={"c": currency}).json()["rate"])
            """),
    ),
    _calls(
        "a call with urllib and no time limit",
        rules=("RES-001",),
        at=_RATES,
        edit=rates("""
            import json
            import os
            from urllib.request import urlopen


            def rate(currency: str) -> float:
                with urlopen(f"{os.environ['RATES_URL']}/{currency}") as response:
                    return float(json.load(response)["rate"])
            """),
    ),
    _calls(
        "a session of aiohttp whose time limit is switched off",
        rules=("RES-001",),
        at=_RATES,
        edit=rates("""
            import os

            import aiohttp


            async def rate(currency: str) -> float:
                async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
                    async with session.get(os.environ["RATES_URL"], params={"c": currency}) as response:
                        return float((await response.json())["rate"])
            """),
    ),
    # breakers
    _calls(
        "no breaker around calls to peers",
        rules=("RES-002",),
        at=_CLIENT,
        edit=unwrap(_CLIENT, "with self.breaker.guard(): $$$B"),
    ),
    _calls(
        "no breaker around calls of the model",
        rules=("RES-002",),
        at=_MODEL,
        edit=unwrap(_MODEL, "with self.breaker.guard(): $$$B"),
    ),
    _calls(
        "a call by hand that no breaker guards",
        rules=("RES-002",),
        at=_RATES,
        edit=rates("""
            import os

            import httpx

            client = httpx.AsyncClient(base_url=os.environ["RATES_URL"], timeout=2.0)


            async def rate(currency: str) -> float:
                response = await client.get(f"/{currency}")
                response.raise_for_status()
                return float(response.json()["rate"])
            """),
    ),
    _calls(
        "a breaker for each attempt",
        rules=("RES-006",),
        at=_CLIENT,
        edit=rewrite(
            _CLIENT,
            "with self.breaker.guard(): $$$B",
            "with Breaker(self.name, 5, 60.0, is_failure=_speaks_against_peer).guard():\n                    $$$B",
        ),
    ),
    _calls(
        "a breaker for each request, in a service",
        rules=("RES-006",),
        at=_RATES,
        edit=rates("""
            import os

            import httpx

            from chassis.breaker import Breaker

            client = httpx.AsyncClient(base_url=os.environ["RATES_URL"], timeout=2.0)


            async def rate(currency: str) -> float:
                breaker = Breaker("rates", failures=5, reset=60.0)
                with breaker.guard():
                    response = await client.get(f"/{currency}")
                return float(response.json()["rate"])
            """),
    ),
    _calls(
        "a peer, with its breaker, for each request",
        rules=("RES-006",),
        at=f"{INVENTORY}prices.py",
        edit=add(
            f"{INVENTORY}prices.py",
            """
            import os

            from fastapi import APIRouter

            from chassis.http_client import Peer

            router = APIRouter()


            @router.get("/prices/{sku}")
            async def price(sku: str) -> object:
                peer = Peer("catalogue", os.environ["CATALOGUE_URL"])
                answer = await peer.get_json(f"/prices/{sku}")
                return answer.body
            """,
        ),
    ),
    _calls(
        "a breaker of a library for each request",
        rules=("RES-006",),
        at=_RATES,
        edit=rates("""
            import os

            import httpx
            import pybreaker


            def rate(currency: str) -> float:
                breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=60)
                response = breaker.call(httpx.get, f"{os.environ['RATES_URL']}/{currency}", timeout=2.0)
                return float(response.json()["rate"])
            """),
    ),
    _calls(
        "the breaker is told of no failure",
        rules=("RES-006",),
        at=_BREAKER,
        edit=regex(
            _BREAKER,
            r"^            failed = self\._is_failure\(error\)\n(            .*\n)+?(?=            raise)",
            "",
        ),
    ),
    _calls(
        "the breaker takes every failure for a success",
        rules=("RES-006",),
        at=_BREAKER,
        edit=rewrite(_BREAKER, "self._finish(era, failed=failed)", "self._finish(era, failed=False)"),
    ),
    _calls(
        "the breaker does not count",
        rules=("RES-006",),
        at=_BREAKER,
        edit=drop(_BREAKER, "self._failures += 1"),
    ),
    _calls(
        "the breaker never opens",
        rules=("RES-006",),
        at=_BREAKER,
        edit=drop(_BREAKER, "self._enter(State.OPEN)"),
    ),
    _calls(
        "half-open lets everyone through",
        rules=("RES-005",),
        at=_BREAKER,
        edit=drop(_BREAKER, "if self._probing: $$$B"),
    ),
    _calls(
        "half-open does not remember its probe",
        rules=("RES-005",),
        at=_BREAKER,
        edit=drop(_BREAKER, "self._probing = True"),
    ),
    # retries
    _calls(
        "tried again for ever",
        rules=("RES-003",),
        at=_RETRY,
        edit=regex(
            _RETRY,
            r"            wait = retry\.wait(?:.*\n)+?(?=        metrics\.retries\.labels)",
            "            wait = random.uniform(0.0, min(retry.delay * 2 ** min(failed, 30), retry.longest))\n",
        ),
        also=("error_handling",),
    ),
    _calls(
        "tried again at once",
        rules=("RES-003",),
        at=_RETRY,
        edit=drop(_RETRY, "await asyncio.sleep(wait)"),
        also=("error_handling",),
    ),
    _calls(
        "tried again without jitter",
        rules=("RES-003",),
        at=_RETRY,
        edit=rewrite(_RETRY, "random.uniform(0.0, $X)", "$X"),
    ),
    _calls(
        "every call is tried again, also what may not be repeated",
        rules=("RES-004",),
        at=_CLIENT,
        edit=chain(
            rewrite(
                _CLIENT,
                "self.policy.retry if call.repeatable else replace(self.policy.retry, attempts=1)",
                "self.policy.retry",
            ),
            regex(_CLIENT, r"^        repeatable = .*\n", ""),
        ),
    ),
    _calls(
        "a POST without a key is tried again",
        rules=("RES-004",),
        at=_CLIENT,
        edit=chain(
            body(_CLIENT, "Peer.post_json", 'return await self.request("POST", path, body=body)'),
            regex(_CLIENT, r'frozenset\(\{"GET", "HEAD",', 'frozenset({"GET", "POST", "HEAD",'),
        ),
    ),
    _calls(
        "a loop that charges again by hand",
        rules=("RES-004",),
        at=_RATES,
        edit=rates("""
            import asyncio
            import os
            import random

            import httpx

            client = httpx.AsyncClient(base_url=os.environ["CARDS_URL"], timeout=2.0)


            async def charge(card: str, amount: int) -> None:
                for attempt in range(3):
                    try:
                        response = await client.post("/charges", json={"card": card, "amount": amount})
                        response.raise_for_status()
                        return
                    except httpx.HTTPError:
                        await asyncio.sleep(random.uniform(0, 0.2 * 2**attempt))
                raise TimeoutError(card)
            """),
        also=("observability",),
    ),
    _calls(
        "a decorator that charges again",
        rules=("RES-004",),
        at=_RATES,
        edit=rates("""
            import os

            import httpx
            from tenacity import retry, stop_after_attempt, wait_random_exponential

            client = httpx.Client(base_url=os.environ["CARDS_URL"], timeout=2.0)


            @retry(stop=stop_after_attempt(3), wait=wait_random_exponential(max=5))
            def charge(card: str, amount: int) -> None:
                client.post("/charges", json={"card": card, "amount": amount}).raise_for_status()
            """),
        also=("observability",),
    ),
    _calls(
        "a loop by hand that never ends",
        rules=("RES-003",),
        at=_RATES,
        edit=rates("""
            import os

            import httpx

            client = httpx.Client(base_url=os.environ["RATES_URL"], timeout=2.0)


            def rate(currency: str) -> float:
                while True:
                    try:
                        return float(client.get(f"/{currency}").json()["rate"])
                    except httpx.HTTPError:
                        continue
            """),
        also=("error_handling",),
    ),
    # agents
    _calls(
        "the agent's loop has no limits",
        rules=("RES-007",),
        at=f"{CHASSIS}agents/loop.py",
        edit=chain(
            unwrap(f"{CHASSIS}agents/loop.py", "async with asyncio.timeout_at(deadline): $$$B"),
            drop(f"{CHASSIS}agents/loop.py", "if run.turns >= limits.turns: $$$B"),
            drop(f"{CHASSIS}agents/loop.py", "if room <= 0: $$$B"),
            drop(f"{CHASSIS}agents/loop.py", "if run.usage.total >= self.agent.limits.tokens: $$$B"),
            rewrite(f"{CHASSIS}agents/loop.py", "min(room, ANSWER_TOKENS)", "ANSWER_TOKENS"),
            regex(f"{CHASSIS}agents/loop.py", r"^        (limits|room) = .*\n", ""),
        ),
    ),
    _calls(
        "an agent by hand that goes on until the model has enough",
        rules=("RES-007",),
        at=f"{NOTIFICATIONS}writer.py",
        edit=add(
            f"{NOTIFICATIONS}writer.py",
            """
            import os

            import anthropic

            client = anthropic.Anthropic(timeout=30.0)


            def write(prompt: str, tools: list, call) -> str:
                messages = [{"role": "user", "content": prompt}]
                while True:
                    response = client.messages.create(
                        model=os.environ["AGENT_MODEL"], max_tokens=1024, tools=tools, messages=messages
                    )
                    if response.stop_reason != "tool_use":
                        return response.content[0].text
                    messages.append({"role": "assistant", "content": response.content})
                    results = [
                        {"type": "tool_result", "tool_use_id": block.id, "content": call(block)}
                        for block in response.content
                        if block.type == "tool_use"
                    ]
                    messages.append({"role": "user", "content": results})
            """,
        ),
    ),
    _calls(
        "one peer without a policy of its own",
        rules=("RES-001", "RES-002"),
        at=f"{ORDERS}*",
        edit=chain(
            imports(f"{ORDERS}domain/item.py", "import requests"),
            regex(
                f"{ORDERS}domain/item.py",
                r"^(def total)",
                r"""def discount(sku: str) -> str:
    return requests.get(f"{DISCOUNTS}/{sku}").text


\1""",
            ),
            regex(
                f"{ORDERS}domain/item.py",
                r"^(def discount)",
                r'DISCOUNTS = "https://discounts.example.com"\n\n\n\1',
            ),
        ),
    ),
)
