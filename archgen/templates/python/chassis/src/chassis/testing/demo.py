"""Runs scenarios against the whole system and tells them as they happen."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chassis.messages import Message
from chassis.testing.system import System
from chassis.testing.watch import Watch

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Request:
    """A POST to a service."""

    service: str
    path: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What is asked, and the events of which the last one ends it."""

    title: str
    requests: Sequence[Request]
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
        for request in scenario.requests:
            answer = httpx.post(
                running.url(request.service) + request.path, json=request.body, timeout=10, trust_env=False
            )
            say(f"  POST {request.path}  →  {answer.status_code} {answer.text}")
        ended = not scenario.ends_on
        for message in () if ended else watch.messages(patience):
            say(f"  {time.monotonic() - began:6.3f} s  {describe(message, system)}")
            if message.address.removeprefix(f"{system}.event.") in scenario.ends_on:
                ended = True
                break
    for service, path in scenario.look:
        time.sleep(0.3)  # a view is a moment behind
        answer = httpx.get(running.url(service) + path, timeout=10, trust_env=False)
        say(f"  GET {path}  →  {answer.status_code} {answer.text}")
    return ended


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
