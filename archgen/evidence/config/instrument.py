"""Agents that instrument a program from outside, as it is started: nothing of them is in its code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_STARTS = re.compile(
    r"(^|/)(\w+\.)?(Dockerfile|Containerfile|Procfile)[\w.-]*$|\.(ya?ml|sh|env|properties|service)$"
)
# What is attached, and whether it only counts.
_AGENT = re.compile(
    r"-javaagent:\S*?(?P<java>opentelemetry|applicationinsights|newrelic|dd-java-agent|elastic-apm|skywalking|splunk|"
    r"(?P<counts>jmx_prometheus|jmx-exporter))|"
    r"^\s*(?:COPY|ADD)\s[^\n]*(?P<copied>applicationinsights)[\w.-]*\.(?:jar|json)\b|"
    r"(?<![\w-])(?P<run>opentelemetry-instrument|ddtrace-run|newrelic-admin\s+run-program)(?![\w-])|"
    r"(?:--require|-r|--import)[=\s]+['\"]?(?P<node>@opentelemetry/auto-instrumentations-node/register|dd-trace/(?:init|register\.js)|newrelic|"
    r"elastic-apm-node/start)|"
    r"^\s*instrumentation\.opentelemetry\.io/(?P<injected>inject-\w+):\s*['\"]?(?!false)\S",
    re.MULTILINE,
)
_WORDS = (
    "javaagent",
    "applicationinsights",
    "opentelemetry",
    "ddtrace",
    "dd-trace",
    "newrelic",
    "elastic-apm",
)


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`trace.provider`, `trace.carried` and `metrics.exposed` for the agent that a start attaches."""
    if not _STARTS.search(source.path) or not any(word in source.text for word in _WORDS):
        return
    for match in _AGENT.finditer(source.text):
        begin = source.text.rfind("\n", 0, match.start()) + 1
        if source.text[begin : match.start()].lstrip().startswith(("#", "//")):
            continue
        line = source.text.count("\n", 0, match.end()) + 1
        what = f"the agent {next(filter(None, match.groupdict().values()))}"
        kinds = (
            ("metrics.exposed",)
            if match["counts"]
            else ("trace.provider", "trace.carried", "metrics.exposed")
        )
        for kind in kinds:
            yield Fact(
                kind, source.path, line, strength, {"what": what, "path": "by an agent", "by": "agent"}
            )
        return
