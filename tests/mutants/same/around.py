"""What is around the code: configuration in another form, and what is wrong where it never runs."""

from __future__ import annotations

import random
import re
import textwrap

from tests.mutants.workspace import Workspace


def decoys(workspace: Workspace, _: random.Random) -> None:
    """Everything wrong at once, in places that never run: a test, an example, a page of documentation."""
    bad = textwrap.dedent("""
        import asyncio
        import httpx
        import pika
        import requests

        seen = set()


        def charge(session, producer, channel, password):
            try:
                requests.post("http://payments:8080/charge")
                session.add(1)
                session.commit()
                producer.send("charged", b"")
            except Exception:
                pass
            channel.basic_consume("q", charge, auto_ack=True)
            channel.queue_declare("q", durable=False, exclusive=True)
            print("password", password)
            while True:
                try:
                    return httpx.get("http://payments:8080/x", timeout=None)
                except Exception:
                    continue
    """)
    workspace.write("tests/test_everything_wrong.py", bad)
    workspace.write("services/orders/tests/test_everything_wrong.py", bad)
    workspace.write("examples/wrong.py", bad)
    workspace.write("docs/wrong.md", f"# How not to do it\n\n```python{bad}```\n")


def compose_lists(workspace: Workspace, _: random.Random) -> None:
    """Environments as lists of `NAME=value` instead of mappings."""
    path = "deploy/compose.yaml"
    source = workspace.read(path)

    def listed(match: re.Match[str]) -> str:
        pad, lines = match[1], match[2]
        entries = re.sub(r'^ +([A-Z_]+): "?(.*?)"?$', rf'{pad}  - "\1=\2"', lines, flags=re.MULTILINE)
        return f"{pad}environment:\n{entries}"

    workspace.write(
        path, re.sub(r"^( +)environment:\n((?: +[A-Z_]+: .*\n)+)", listed, source, flags=re.MULTILINE)
    )


def yaml_comments(workspace: Workspace, chance: random.Random) -> None:
    """Comments in YAML that name what is not there."""
    said = ("# OTEL_SDK_DISABLED: true", "# tmpfs: /var/lib/postgresql/data", "# pg_dump shop || true")
    for path in (
        "deploy/compose.yaml",
        "deploy/kubernetes/base/orders.yaml",
        "observability/prometheus/alerts.yml",
    ):
        lines = workspace.read(path).splitlines()
        for _ in range(12):
            at = chance.randrange(1, len(lines))
            if not re.search(r"[|>]-?$", lines[at - 1]):
                lines.insert(at, chance.choice(said))
        workspace.write(path, "\n".join(lines) + "\n")


def services_in_another_order(workspace: Workspace, chance: random.Random) -> None:
    path = "Procfile"
    lines = workspace.read(path).splitlines()
    workspace.write(path, "\n".join(chance.sample(lines, len(lines))) + "\n")
