"""Runs scenarios against the whole system and tells them as they happen."""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chassis.messages import Message
from chassis.testing.credentials import bearer
from chassis.testing.system import System
from chassis.testing.watch import Watch

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Request:
    """A POST to a service, by who signed in last (`as_user`), or by somebody who may do everything."""

    service: str
    path: str
    body: dict[str, Any]
    as_user: bool = False


@dataclass(frozen=True)
class SignIn:
    """Somebody registers at `service` with what an account takes, and signs in."""

    service: str
    account: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What is asked, and the events of which the last one ends it."""

    title: str
    requests: Sequence[Request | SignIn]
    ends_on: Sequence[str] = ()
    look: Sequence[tuple[str, str]] = ()  # (service, path) to GET at the end


def run(project: Path, system: str, scenarios: Sequence[Scenario]) -> int:
    """Start the system, play the scenarios, stop everything. Returns 1 when one did not end."""
    with tempfile.TemporaryDirectory(prefix=f"{system}-demo-") as folder:
        running = System(project, Path(folder))
        say(f"Starting {len(running.commands)} processes: {', '.join(running.commands)}")
        began = time.monotonic()
        with running:
            say(f"All are ready after {time.monotonic() - began:.1f} s.")
            missed = [s.title for s in scenarios if not play(running, system, s)]
        say("Everything is stopped.")
    for title in missed:
        print(f"did not end: {title}", file=sys.stderr)
    return 1 if missed else 0


def play(running: System, system: str, scenario: Scenario, patience: float = 20.0) -> bool:
    """Play one scenario; False when its end did not come within `patience` seconds of silence."""
    say(f"\n{scenario.title}")
    with Watch(running.env["BROKER_URL"], system) as watch:
        began = time.monotonic()
        user: dict[str, str] = {}
        for request in scenario.requests:
            if isinstance(request, SignIn):
                user = sign_in(running.url(request.service), request.account)
                continue
            headers = user if request.as_user else running.headers(request.service, request.body)
            url = running.url(request.service) + request.path
            answer = httpx.post(url, json=request.body, headers=headers, timeout=10, trust_env=False)
            say(f"  POST {request.path}  →  {answer.status_code} {answer.text}")
        ended = not scenario.ends_on
        for message in () if ended else watch.messages(patience):
            say(f"  {time.monotonic() - began:6.3f} s  {describe(message, system)}")
            if message.address.removeprefix(f"{system}.event.") in scenario.ends_on:
                ended = True
                break
    for service, path in scenario.look:
        time.sleep(0.3)  # a view is a moment behind
        answer = httpx.get(
            running.url(service) + path, headers=running.headers(service), timeout=10, trust_env=False
        )
        say(f"  GET {path}  →  {answer.status_code} {answer.text}")
    return ended


def sign_in(url: str, account: Mapping[str, Any]) -> dict[str, str]:
    """Register and sign in as people do, and tell of it; returns the headers of who is signed in."""
    password = secrets.token_urlsafe(16)
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        answer = client.post("/auth/register", json={**account, "password": password})
        say(f"  POST /auth/register  →  {answer.status_code} {answer.text}")
        answer = client.post("/auth/login", json={"email": account["email"], "password": password})
        answer.raise_for_status()
        tokens = answer.json()
        about = f"a token for {tokens['expires_in']} s, roles {', '.join(tokens['roles'])}"
        say(f"  POST /auth/login  →  {answer.status_code} {about}")
    return bearer(tokens["access_token"])


def describe(message: Message, system: str) -> str:
    """One line for people: who says what."""
    kind, _, name = message.address.removeprefix(f"{system}.").partition(".")
    service = message.source.rpartition("/")[2]
    if kind == "command":
        verb = "undo" if message.saga_phase == "undo" else "asks"
        return f"{service:<13} {verb}  {name}"
    if kind == "reply":
        reason = f": {message.data['reason']}" if message.data.get("reason") else ""
        return f"{service:<13} says  {message.data.get('outcome')}{reason}"
    details = " ".join(f"{key}={text}" for key, value in message.data.items() if (text := brief(value)))
    return f"{service:<13}  ●    {name:<22} {message.subject[:8]}  {details}".rstrip()


def brief(value: object) -> str:
    """A value in a word; empty for what would only fill the line, such as ids and lists."""
    match value:
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case str() if not _UUID.fullmatch(value):
            return f"{value!r}" if " " in value else value
        case bool() | int() | float():
            return str(value)
    return ""


def say(text: str) -> None:
    print(text, flush=True)
