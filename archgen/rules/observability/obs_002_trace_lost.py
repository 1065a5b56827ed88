"""Tracing is set up, and messages leave without the trace context."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    carried = [
        f for f in facts.of("trace.carried") if f["by"] in ("traceparent", "propagation", "correlation")
    ]
    if carried or not facts.has("trace.provider"):
        return
    for publisher in facts.of("publisher"):
        if not publisher["outbox"] and re.search(
            r"(channel|producer|js|nc|client|conn|connection|broker)\.\w+$", str(publisher["what"])
        ):
            yield Hit(
                publisher.file,
                publisher.line,
                f"{publisher['function']} sends a message without trace context",
                publisher.strength,
            )


RULE = Rule(
    id="OBS-002",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="Trace lost in messages",
    why="The trace ends at the broker, which is where the interesting half begins.",
    remedy="Put traceparent into the headers of every message, and continue it in the consumer.",
    languages=("python",),
    valid=(
        Sample("python", {
            "a.py": """
                from opentelemetry import trace, propagate
                trace.set_tracer_provider(p)
                async def f(js):
                    headers = {}
                    propagate.inject(headers)
                    await js.publish('x', b, headers=headers)
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from opentelemetry import trace
                trace.set_tracer_provider(p)
                async def f(js):
                    await js.publish('x', b, headers={})  # <-
            """,
        }),
    ),
    check=check,
)  # fmt: skip
