"""Terraform: stores with or without backups, queues, alerts, dashboards; resources or well-known modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_BLOCK = re.compile(r'^[ \t]*(?:resource\s+"([\w-]+)"|module)\s+"([\w-]+)"\s*\{', re.MULTILINE)
_END = re.compile(r"^}", re.MULTILINE)
_SOURCE = re.compile(r'^\s*source\s*=\s*"([^"]+)"', re.MULTILINE)
# The registry's modules that make one store; what they make by default is what the resource does.
_MODULES = (
    (re.compile(r"/dynamodb-table/"), "aws_dynamodb_table"),
    (re.compile(r"/rds-aurora/"), "aws_rds_cluster"),
    (re.compile(r"/rds/aws"), "aws_db_instance"),
    (re.compile(r"/sql-db/google"), "google_sql_database_instance"),
    (re.compile(r"/sqs/aws"), "aws_sqs_queue"),
)
_STORE = re.compile(
    r"db_instance$|sql_database_instance|rds_cluster$|dynamodb_table$|spanner_instance|firestore_database|docdb_cluster$"
)
_KEPT = re.compile(
    r"backup_retention_period\s*=\s*([1-9]|var\.)|backup_configuration\s*=?\s*\{[^}]*enabled\s*=\s*true|"
    r"point_in_time_recovery(_enabled\s*=|\s*\{[^}]*enabled\s*=)\s*(true|var\.)"
)
# What keeps no backup unless it is told to. A cluster of RDS keeps a day.
_BARE = re.compile(r"aws_(db_instance|dynamodb_table)$|google_sql_database_instance")
_NONE = re.compile(r"backup_retention_period\s*=\s*0\b")


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    blocks = list(_BLOCK.finditer(source.text))
    for match, after in zip_longest(blocks, blocks[1:]):
        line = source.text.count("\n", 0, match.start(2)) + 1
        body = _END.split(source.text[match.end() : after.start() if after else None], maxsplit=1)[0]
        kind = match[1] or _made(body)
        if kind:
            yield from _block(source.path, line, kind, match[2], body, strength)


def _made(module: str) -> str:
    """The kind of resource that a module stands for, "" when it is none that is known."""
    source = _SOURCE.search(module)
    return next((kind for pattern, kind in _MODULES if source and pattern.search(source[1])), "")


def _block(path: str, line: int, kind: str, name: str, body: str, strength: Strength) -> Iterator[Fact]:
    def fact(sort: str, at: int = 0, /, **data: Any) -> Fact:
        return Fact(sort, path, at or line, strength, data)

    def backup(at: int, command: str, store: str = "") -> Fact:
        said: dict[str, Any] = {"by": "terraform", "scheduled": True, "can_fail": True, "store": store}
        return fact("backup", at, command=command, **said)

    if _STORE.search(kind):
        kept = _KEPT.search(body)
        bare = _NONE.search(body) or _BARE.search(kind)
        known = True if kept else False if bare else None
        yield fact("datastore", engine=database_of(kind) or kind, name=name, kept=known)
        if kept:
            yield backup(line + body.count("\n", 0, kept.start()), kept[0][:60], name)
        elif re.search(r'availability_type\s*=\s*"REGIONAL"|multi_az\s*=\s*true', body):
            yield fact("replicated", name=name)
    elif re.search(r"backup_(plan|schedule|vault)|snapshot_schedule|dlm_lifecycle", kind):
        yield backup(line, kind)
    elif broker_of(kind) or re.search(r"sqs_queue|sns_topic|pubsub_topic|servicebus", kind):
        yield fact("broker", engine=broker_of(kind) or kind, name=name)
        if "redrive_policy" in body or "dead_letter_policy" in body:
            yield fact("dead_letters", by="terraform")
    elif re.search(r"monitoring_alert_policy|cloudwatch_metric_alarm|datadog_monitor|prometheus_rule", kind):
        yield fact("alert", name=name, expr="", runbook="", managed=True)
    elif "dashboard" in kind:
        yield fact("dashboard", name=name)
