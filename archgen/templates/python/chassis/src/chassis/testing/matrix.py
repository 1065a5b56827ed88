"""The authorisation matrix: every operation of a system against everybody who could ask for it.

What is expected comes from `contracts/access.json`, and so from the description; what is tried is the
running system. Requests are empty where that is enough: whoever may not ask is told so before
anybody looks at a body.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from chassis.security import tokens
from chassis.security.keys import KeyRing, new_key
from chassis.security.settings import ISSUER
from chassis.testing.credentials import Credentials, Operation, bearer, signed
from chassis.testing.system import System

MINE, THEIRS = "0ea11ce0-0000-4000-8000-000000000001", "0b0b0b0b-0000-4000-8000-000000000002"
DENIED = (401, 403)
PATIENCE = 10.0  # seconds for a view to follow


@dataclass(frozen=True)
class Try:
    """One request: who makes it, and whether they may."""

    who: str
    headers: Mapping[str, str]
    operation: Operation
    may: bool


class Matrix:
    """The tries for the running `system`, and what came of them."""

    def __init__(self, system: System) -> None:
        assert system.credentials is not None, "the system has no `auth`"
        self.system = system
        self.credentials: Credentials = system.credentials

    def tries(self) -> Iterator[Try]:
        """Each operation with each caller."""
        for operation in self.credentials.operations:
            for who, headers, may in self._callers(operation):
                yield Try(who, headers, operation, may)

    def holes(self, client: httpx.Client) -> list[str]:
        """What is open and should not be, and the other way round."""
        found = []
        for each in self.tries():
            answer = self._ask(client, each)
            denied = answer.status_code in DENIED
            about = f"{each.who}: {each.operation.method} {each.operation.service}{each.operation.path}"
            if denied == each.may:
                found.append(f"{about} → {answer.status_code}, and it {'may' if each.may else 'may not'}")
            elif denied and "www-authenticate" not in answer.headers:
                found.append(f"{about} → {answer.status_code} without WWW-Authenticate")
            elif denied and answer.headers["content-type"] != "application/problem+json":
                found.append(f"{about} → {answer.status_code} that is no problem+json")
        return found

    def _callers(self, operation: Operation) -> Iterator[tuple[str, Mapping[str, str], bool]]:
        sign, everybody = self.credentials, operation.public
        yield "nobody", {}, everybody
        yield "somebody with rubbish", bearer("a.b.c"), everybody
        for role in sign.roles:
            yield f"a {role}", bearer(sign.token(role)), operation.allows(role)
        yield "somebody without a role", bearer(sign.token()), everybody
        every = sign.roles
        yield "with another audience", bearer(sign.token(*every, aud="another")), everybody
        yield "from another issuer", bearer(sign.token(*every, iss="another")), everybody
        yield "expired", bearer(sign.token(*every, exp=1)), everybody
        claims = {"iss": sign.issuer, "aud": sign.audience, "sub": MINE, "roles": list(every)}
        key = new_key(ISSUER)
        yield "with a key of their own", bearer(signed(key, tokens.ACCESS, claims)), everybody
        for name in sign.signers[1:]:
            may = everybody or name in operation.callers
            yield f"the service {name}", bearer(sign.service_token(name, operation.service)), may
            elsewhere = bearer(sign.service_token(name, "another"))
            yield f"the service {name} with a token for another", elsewhere, everybody
            ring = KeyRing(sign.keys, name)
            as_user = bearer(signed(ring.signing(), tokens.ACCESS, claims))
            yield f"the service {name} as a user", as_user, everybody

    def _ask(self, client: httpx.Client, each: Try) -> httpx.Response:
        path = re.sub(r"{[^}]*}", str(uuid4()), each.operation.path)
        url = self.system.url(each.operation.service) + path
        if each.operation.method == "POST":
            return client.post(url, json={}, headers=each.headers)
        return client.get(url, headers=each.headers)


class Owned:
    """One thing that belongs to somebody, tried by its owner, another, and staff."""

    def __init__(self, matrix: Matrix, client: httpx.Client) -> None:
        self.matrix, self.client = matrix, client
        self.sign = matrix.credentials
        self.others = [role for role in self.sign.roles if role not in self.sign.staff]

    def kinds(self) -> list[tuple[str, str]]:
        """The services and aggregates of which somebody may create one over HTTP."""
        creating = (each for each in self.sign.operations if each.kind == "create" and each.owner)
        return [(each.service, each.aggregate) for each in creating if each.roles]

    def holes(self, service: str, aggregate: str) -> list[str]:
        """What another may do that only the owner may, and what the owner or staff may not."""
        operations = [
            each
            for each in self.sign.operations
            if each.service == service and each.aggregate == aggregate and each.roles
        ]
        id = self._create(next(each for each in operations if each.kind == "create"))
        found: list[str] = []
        for each in operations:
            if each.kind in ("create", "view_list"):
                continue
            if each.kind == "view_row":
                self._shown(each, id)
            for role in each.roles:
                subjects = (MINE, THEIRS) if role in self.others else (THEIRS,)
                for subject in subjects:
                    answer = self._ask(each, id, bearer(self.sign.token(role, subject=subject)))
                    sees = role in self.sign.staff or subject == MINE
                    # A command may be refused all the same: what counts is who is told that it is there.
                    if (answer.status_code in (404, *DENIED)) == sees:
                        whose = "their own" if subject == MINE else "another's"
                        found.append(f"a {role} on {whose}: {each.method} {each.path} → {answer.status_code}")
        return found + self._lists(operations, id)

    def _lists(self, operations: list[Operation], id: str) -> list[str]:
        found = []
        for each in operations:
            if each.kind != "view_list":
                continue
            for role in each.roles:
                if role in self.others:
                    answer = self._ask(each, id, bearer(self.sign.token(role, subject=THEIRS)))
                    if id in answer.text or answer.status_code != 200:
                        found.append(f"a {role} who is not the owner: GET {each.path} → {answer.text[:200]}")
        return found

    def _create(self, operation: Operation) -> str:
        """One that belongs to MINE, created as the contract's example says."""
        url = self.matrix.system.url(operation.service)
        body = {**self._example(operation), operation.key: str(uuid4())}
        if operation.owner == operation.key:
            body[operation.key] = MINE
        body[operation.owner] = MINE
        headers = bearer(self.sign.token(*self.sign.roles, subject=MINE))
        answer = self.client.post(url + operation.path, json=body, headers=headers)
        assert answer.status_code == 201, f"POST {operation.path} → {answer.text}"
        return str(answer.json()[operation.key])

    def _ask(self, operation: Operation, id: str, headers: Mapping[str, str]) -> httpx.Response:
        url = self.matrix.system.url(operation.service) + re.sub(r"{[^}]*}", id, operation.path)
        if operation.method == "POST":
            return self.client.post(url, json=self._example(operation), headers=headers)
        return self.client.get(url, headers=headers)

    def _example(self, operation: Operation) -> dict[str, Any]:
        """What the contract shows as a typical body; empty for an operation that takes none."""
        document = self.client.get(f"{self.matrix.system.url(operation.service)}/openapi.json").json()
        body = document["paths"][operation.path]["post"].get("requestBody", {})
        media = body.get("content", {}).get("application/json", {})
        found: dict[str, Any] = media.get("examples", {}).get("typical", {}).get("value", {})
        return found

    def _shown(self, operation: Operation, id: str) -> None:
        """Wait until the view, which is a moment behind, shows the row to who sees everything."""
        headers = bearer(self.sign.token(*self.sign.roles, subject=MINE))
        deadline = time.monotonic() + PATIENCE
        while self._ask(operation, id, headers).status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.05)
