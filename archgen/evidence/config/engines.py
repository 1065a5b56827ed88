"""Recognising databases and brokers by image, URL, resource type or driver."""

from __future__ import annotations

import re

_DATABASES = {
    "postgres": r"postgres|postgis|timescale|cockroach|yugabyte|cloudsql|alloydb|aurora|spanner",
    "mysql": r"mysql|mariadb|percona",
    "mongodb": r"mongo",
    "mssql": r"mssql|sqlserver",
    "oracle": r"oracle",
    "cassandra": r"cassandra|scylla",
    "dynamodb": r"dynamodb",
    "firestore": r"firestore|datastore",
    "elasticsearch": r"elasticsearch|opensearch",
    "eventstore": r"eventstore",
    "clickhouse": r"clickhouse",
    "sqlite": r"sqlite",
    "couchdb": r"couch",
    "neo4j": r"neo4j",
}
_BROKERS = {
    "kafka": r"kafka|redpanda",
    "rabbitmq": r"rabbit|amqps?:",
    "nats": r"\bnats\b|nats[:-]|jetstream",
    "pulsar": r"pulsar",
    "activemq": r"activemq|artemis",
    "sqs": r"elasticmq|sqs|\bsns\b",
    "pubsub": r"pubsub",
    "servicebus": r"servicebus|eventhub",
}
_NOT_THE_STORE = re.compile(
    r"exporter|admin|adminer|express|init|migrat|backup|client|proxy|operator|pgbouncer|compass|ui\b|console|manager|connect|zookeeper|registry",
    re.I,
)


def _first(table: dict[str, str], text: str) -> str:
    return next((name for name, pattern in table.items() if re.search(pattern, text, re.IGNORECASE)), "")


def database_of(text: str) -> str:
    """The engine that an image, URL or resource type stands for, "" when it is none."""
    return "" if _NOT_THE_STORE.search(text) else _first(_DATABASES, text)


def broker_of(text: str) -> str:
    return "" if _NOT_THE_STORE.search(text) else _first(_BROKERS, text)
