"""Prometheus rules, dashboards, workflows, SQL, shell: what operates the system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from archgen.evidence.config.located import Node
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_DUMP = re.compile(
    r"\b(pg_dump(all)?|pg_basebackup|mysqldump|mongodump|xtrabackup|wal-g|wal-push|pgbackrest|barman|"
    r"litestream|VACUUM INTO|\.backup\b|"
    r"rclone (sync|copy)|restic backup|velero (backup|schedule) create|backups? create|"
    r"create-db-snapshot|nats stream backup|etcdctl snapshot save|"
    r"python3? -m [\w.]+ backup\b)|"
    # who hosts the store is asked for one
    r"\bcurl\b[^|;&]{0,200}-X\s*POST[^|;&]{0,200}/(backups?|snapshots?)\b"
)
_RESTORE = re.compile(
    r"\b(pg_restore|mongorestore|wal-fetch|litestream restore|restic restore|velero restore|"
    r"restores? create|restore-db-instance|"
    r"psql\b.*<.*(dump|backup)|mysql\b.*<.*(dump|backup)|nats stream restore|etcdctl snapshot restore|"
    r"point-in-time|pgbackrest.*restore|\.restore\b|python3? -m [\w.]+ restore\b)"
)
# What makes a command that failed look well: `|| true`, `; exit 0`; a pipe, whose last part alone counts.
_ALWAYS_WELL = re.compile(
    r"\|\|\s*(true|:|exit 0|/bin/true)(?!\w)|;\s*(exit 0|true|:)\s*[\"']?$|[^|]\|\s*tee\b"
)
_JSONNET_ALERT = re.compile(r"""(?<![\w"'])["']?alert["']?:\s*(["'])([\w% ()-]+)\1""")
_FORGIVEN = re.compile(r"\t@?-")  # by make
_TABLE = re.compile(
    r"create\s+table\s+(?:if\s+not\s+exists\s+)?[\"'`\[]?([\w.]+)[\"'`\]]?\s*\((.*?)\)\s*(?:;|$|with|engine)",
    re.I | re.S,
)
_BLOCKED = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:rule|trigger)\s+(\w+)[^;]*?\b(?:on|before)\s+(update|delete)\b[^;]*?(?:to|on)\s+([\w.]+)[^;]*?(?:do\s+instead\s+nothing|raise|execute)",
    re.I | re.S,
)


def collect_prometheus(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    """Alerts of rule files and of PrometheusRule objects, and what is scraped."""
    for doc in docs:
        for key, node in doc.walk():
            if (
                isinstance(node.value, dict)
                and node.get("alert") is not None
                and node.get("expr") is not None
            ):
                links = [
                    n.value for k, n in node.walk() if k.startswith("runbook") and isinstance(n.value, str)
                ]
                data = {"name": node.text("alert"), "expr": node.text("expr"), "runbook": "".join(links[:1])}
                yield Fact("alert", source.path, node.place("alert"), strength, data)
            elif key == "scrape_configs" and isinstance(node.value, list):
                yield Fact("metrics.scraped", source.path, node.line, strength, {})


def collect_jsonnet(source: Source, strength: Strength) -> Iterator[Fact]:
    """Alerts of a mixin: `{ alert: 'X', expr: ... }`. What an expression is put together from is not read."""
    for match in _JSONNET_ALERT.finditer(source.text):
        data = {"name": match[2], "expr": "", "runbook": ""}
        yield Fact("alert", source.path, source.text.count("\n", 0, match.start()) + 1, strength, data)


def collect_workflow(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    """Scheduled jobs of a pipeline that take backups or try a restore."""
    for doc in docs:
        on = doc.get("on") or doc.get("true")
        scheduled = on is not None and on.get("schedule") is not None
        for key, node in doc.walk():
            if key == "run" and isinstance(node.value, str):
                yield from _commands(
                    source.path, node.line, node.value, strength, scheduled=scheduled, by="workflow"
                )


def collect_shell(source: Source, strength: Strength) -> Iterator[Fact]:
    """Scripts, Makefiles, crontabs: dump and restore commands that are not in a comment."""
    cron = "cron" in source.name.lower()
    piped = "pipefail" in source.text
    for number, line in enumerate(source.text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        scheduled = cron or bool(re.match(r"\s*(@daily|@hourly|@weekly|([\d*/,-]+\s+){4}[\d*/,-]+\s)", line))
        command = re.sub(r"\|\s*tee\b", "> >(tee", line) if piped else line
        yield from _commands(source.path, number, command, strength, scheduled=scheduled, by="script")


def _commands(
    path: str, line: int, text: str, strength: Strength, *, scheduled: bool, by: str
) -> Iterator[Fact]:
    if _DUMP.search(text):
        can_fail = not (_ALWAYS_WELL.search(text) or (by == "script" and _FORGIVEN.match(text)))
        yield Fact(
            "backup",
            path,
            line,
            strength,
            {"by": by, "scheduled": scheduled, "command": text.strip()[:120], "can_fail": can_fail},
        )
    if _RESTORE.search(text):
        yield Fact("restore", path, line, strength, {"by": by, "command": text.strip()[:120]})


def collect_conf(source: Source, strength: Strength) -> Iterator[Fact]:
    """Where a server is told to keep its data: NATS's `store_dir`, Redis's and PostgreSQL's `dir`."""
    for number, line in enumerate(source.text.splitlines(), 1):
        match = re.match(r"\s*store_dir\s*[:=]?\s*[\"']?(/[^\s\"']+)", line)
        if match:
            yield Fact("store.folder", source.path, number, strength, {"engine": "nats", "folder": match[1]})


def collect_sql(source: Source, strength: Strength) -> Iterator[Fact]:
    """Tables with their columns, and rules that forbid changing what was written."""
    text = re.sub(r"--[^\n]*", lambda m: " " * len(m[0]), source.text)
    for match in _TABLE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Fact(
            "table",
            source.path,
            line,
            strength,
            {"name": match[1].lower(), "columns": " ".join(match[2].split()).lower()[:1500]},
        )
    blocked = list(_BLOCKED.finditer(text))
    kept = {match[3].lower() for match in blocked if match[2].lower() == "update"}
    for match in (m for m in blocked if m[3].lower() in kept):  # what may only not be deleted is no ledger
        line = text.count("\n", 0, match.start()) + 1
        yield Fact(
            "append_only",
            source.path,
            line,
            strength,
            {"table": match[3].lower(), "rule": match[1], "blocks": match[2].lower()},
        )


def collect_json(source: Source, strength: Strength) -> Iterator[Fact]:
    """Grafana dashboards and package manifests."""
    if source.name == "package.json":
        try:
            data = json.loads(source.text)
        except (ValueError, RecursionError):
            return
        for group in ("dependencies", "optionalDependencies"):
            for name in (
                data.get(group) or {}
                if isinstance(data, dict) and isinstance(data.get(group) or {}, dict)
                else {}
            ):
                at = source.text.find(f'"{name}"')
                yield Fact(
                    "dependency",
                    source.path,
                    source.text.count("\n", 0, at) + 1,
                    Strength.DECLARED,
                    {"name": name},
                )
    elif '"panels"' in source.text and '"targets"' in source.text:
        yield Fact(
            "dashboard",
            source.path,
            1,
            strength,
            {"exprs": " ".join(re.findall(r'"expr"\s*:\s*"([^"]+)"', source.text))[:20000]},
        )
