"""Stacks of functions: CloudFormation, SAM and the Serverless Framework. Functions with their code, stores,
queues, alarms, backups, and state machines that take steps back.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from archgen.evidence.config import bridges
from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.located import Node, load_all
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_STORE = re.compile(
    r"::(DynamoDB::(Global)?Table|RDS::DB(Instance|Cluster)|DocDB::DBCluster|Neptune::DBCluster|Serverless::SimpleTable|"
    r"OpenSearchService::Domain|Elasticsearch::Domain|QLDB::Ledger)$"
)
_BROKER = re.compile(
    r"::(SQS::Queue|SNS::Topic|Events::EventBus|Kinesis::Stream|MSK::Cluster|AmazonMQ::Broker)$"
)
_FUNCTION = re.compile(r"::(Serverless::Function|Lambda::Function)$")
_MACHINE = re.compile(r"::(Serverless::StateMachine|StepFunctions::StateMachine)$")
_MESSAGES = {
    "SQS",
    "SNS",
    "Kinesis",
    "DynamoDB",
    "EventBridgeRule",
    "CloudWatchEvent",
    "MSK",
    "MQ",
    "SelfManagedKafka",
}
_EVENT_KEYS = {"sqs", "sns", "stream", "eventBridge", "msk", "kafka", "activemq", "rabbitmq"}
_UNDO = re.compile(
    r"compensat|rollback|refund|release|cancel|undo|revert|void|unreserve|restock", re.IGNORECASE
)

_PUT_ASIDE = re.compile(r"dlq|dead.?letter|park|failed", re.IGNORECASE)


def wants(docs: list[Node]) -> bool:
    return any(_resources(doc) is not None or _is_serverless(doc) or _is_machine(doc) for doc in docs)


def collect(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    for doc in docs:
        resources = _resources(doc)
        for name, resource in resources.items() if resources else ():
            yield from _resource(source, name, resource, strength)
        if _is_serverless(doc):
            yield from _serverless(source, doc, strength)
        if _is_machine(doc):
            yield from _states(source, doc, strength)
        if doc.text("Globals", "Function", "Tracing") == "Active":
            what = {"what": "Tracing: Active of all functions"}
            yield Fact(
                "trace.provider", source.path, doc.place("Globals", "Function", "Tracing"), strength, what
            )


def collect_json(source: Source, strength: Strength) -> Iterator[Fact]:
    """The same from JSON, which is YAML but for its tabs."""
    if '"AWS::' in source.text or '"StartAt"' in source.text:
        try:
            json.loads(source.text)
        except (ValueError, RecursionError):
            return
        docs = load_all(source.text.replace("\t", " "))
        if wants(docs):
            yield from collect(source, docs, strength)


def _resources(doc: Node) -> Node | None:
    for path in (("Resources",), ("resources", "Resources")):
        found = doc.get(*path)
        if found is not None and any(
            r.text("Type").startswith(("AWS::", "Custom::")) for _, r in found.items()
        ):
            return found
    return None


def _is_serverless(doc: Node) -> bool:
    return (
        doc.get("functions") is not None
        and doc.get("provider") is not None
        and doc.get("service") is not None
    )


def _is_machine(doc: Node) -> bool:
    return bool(doc.text("StartAt")) and doc.get("States") is not None


def _resource(source: Source, name: str, resource: Node, strength: Strength) -> Iterator[Fact]:
    kind = resource.text("Type")
    of = resource.get("Properties") or resource

    def fact(sort: str, line: int = 0, /, **data: Any) -> Fact:
        return Fact(sort, source.path, line or resource.line, strength, data)

    if _STORE.search(kind):
        told = of.get("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")
        days = of.get("BackupRetentionPeriod")
        kept = (told and told.value == "true") or (days and str(days.value) not in ("0", ""))
        bare = kind.endswith("Table") or (days and str(days.value) == "0")
        engine = database_of(kind) or kind.rpartition("::")[2].lower()
        # a cluster, an instance and a domain are backed up by whoever runs them, unless one says no
        data: dict[str, Any] = {"kept": True if kept else False if bare else None, "managed": not bare}
        yield fact("datastore", engine=engine, name=name, **data)
        if kept:
            place = (told or days).line  # type: ignore[union-attr]
            said: dict[str, Any] = {"by": "template", "scheduled": True, "can_fail": True, "store": name}
            yield fact("backup", place, command=f"{name} keeps backups", **said)
    elif kind.endswith(("Backup::BackupPlan", "DLM::LifecyclePolicy")):
        yield fact("backup", by="template", scheduled=True, command=kind, can_fail=True)
    elif _BROKER.search(kind):
        yield fact("broker", engine=broker_of(kind) or kind.split("::")[1].lower(), name=name)
        yield from _redrive(fact, of)
    elif kind.endswith("CloudWatch::Alarm"):
        yield fact("alert", name=name, expr="", runbook="", managed=True)
    elif kind.endswith("CloudWatch::Dashboard"):
        yield fact("dashboard", exprs="")
    elif _FUNCTION.search(kind):
        yield from _function(source, name, of, fact)
    elif kind.endswith("Lambda::EventSourceMapping"):
        yield from _worker(fact, name, "an event source")
    elif kind.endswith("Pipes::Pipe"):
        yield from bridges.pipe(source, name, resource, of, strength)
    elif kind.endswith("Serverless::Api") and of.text("TracingEnabled") == "true":
        yield fact("trace.provider", of.place("TracingEnabled"), what="TracingEnabled of the API")
    elif _MACHINE.search(kind):
        definition = of.get("Definition") or _spelled(of)
        if definition is not None:
            yield from _states(source, definition, strength)


def _spelled(machine: Node) -> Node | None:
    """The definition of a state machine that is spelled out as JSON in a text; None when it is not."""
    text = machine.get("DefinitionString")
    said = text and next((v for _, v, _ in text.flat() if '"StartAt"' in v), "")
    if not text or not said:
        return None
    try:
        docs = load_all("\n" * text.line + said.replace("\t", " "))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    return next((doc for doc in docs if _is_machine(doc)), None)


def _redrive(fact: Callable[..., Fact], queue: Node) -> Iterator[Fact]:
    policy = queue.get("RedrivePolicy")
    if policy is not None:
        yield fact("dead_letters", policy.line, by="template", what="RedrivePolicy")
        count = policy.get("maxReceiveCount")
        if count is not None:
            what = f"maxReceiveCount {count.value}"
            yield fact("attempts", count.line, what=what, function="")


def _function(source: Source, name: str, of: Node, fact: Callable[..., Fact]) -> Iterator[Fact]:
    code = of.text("CodeUri") or of.text("Code")
    if not code.startswith(("s3:", "http")):
        folder = posixpath.normpath(posixpath.join(source.folder, code.removesuffix(".zip"))).removeprefix(
            "./"
        )
        events = of.get("Events")
        hears = {event.text("Type") for _, event in events.items()} if events else set()
        hears_messages = not hears.isdisjoint(_MESSAGES - {"DynamoDB"})
        data = {"handler": of.text("Handler"), "stream": "DynamoDB" in hears, "hears": hears_messages}
        yield fact("function", name=name, code="" if folder == "." else folder, **data)
    for label, event in of.get("Events").items() if of.get("Events") else ():  # type: ignore[union-attr]
        if event.text("Type") in _MESSAGES:
            yield from _worker(fact, name, f"{event.text('Type')} {label}", event.line)
    for key in ("DeadLetterQueue", "DeadLetterConfig", "EventInvokeConfig"):
        place = of.get(key)
        if place is not None:
            yield fact("dead_letters", place.line, by="template", what=key)
    if of.text("Tracing") == "Active" or of.text("TracingConfig", "Mode") == "Active":
        yield fact("trace.provider", of.place("Tracing"), what="Tracing: Active")


def _worker(fact: Callable[..., Fact], function: str, what: str, line: int = 0) -> Iterator[Fact]:
    yield fact("consumer", line, what=what, function=function)
    if what.startswith(("SQS", "sqs", "an event source")):
        # a queue and a stream bring what has failed again, until it is too old
        yield fact("job.worker", line, what=what, attempts=None, function=function)


def _serverless(source: Source, doc: Node, strength: Strength) -> Iterator[Fact]:
    functions = doc.get("functions")
    for name, function in functions.items() if functions else ():
        line = function.line

        def fact(sort: str, at: int = 0, /, line: int = line, **data: Any) -> Fact:
            return Fact(sort, source.path, at or line, strength, data)

        events = function.get("events")
        stream = _hears_a_table(events)
        keys = {key for event in events.each() for key, _ in event.items()} if events else set()
        hears = not stream and not keys.isdisjoint(_EVENT_KEYS)
        data: dict[str, Any] = {"handler": function.text("handler"), "stream": stream, "hears": hears}
        yield fact("function", name=name, code=source.folder, **data)
        for event in events.each() if events else ():
            for key, node in event.items():
                if key in _EVENT_KEYS:
                    yield from _worker(fact, name, key, node.line)
        if function.get("onError") is not None or function.get("destinations") is not None:
            yield fact("dead_letters", by="template", what="onError")
    if doc.get("provider", "tracing") is not None:
        yield Fact(
            "trace.provider", source.path, doc.place("provider", "tracing"), strength, {"what": "tracing"}
        )


def _hears_a_table(events: Node | None) -> bool:
    """Whether one of a function's events is a stream of a table's changes."""
    said = (pair for event in events.each() for pair in event.items()) if events else ()
    streams = [node for key, node in said if key == "stream"]
    return any("dynamodb" in value.lower() for node in streams for _, value, _ in node.flat())


def _states(source: Source, machine: Node, strength: Strength) -> Iterator[Fact]:
    """A state machine whose failures lead to states that take back what was done."""
    states = machine.get("States")
    said: dict[str, Any]
    used = Strength.CLAIMED if strength is Strength.CLAIMED else Strength.USED
    for name, state in states.items() if states else ():
        for catch in state.get("Catch").each() if state.get("Catch") else ():  # type: ignore[union-attr]
            target = catch.text("Next")
            if _UNDO.search(target):
                data: dict[str, Any] = {"what": f"{name}, on failure {target}", "definition": name}
                yield Fact("saga.compensation", source.path, catch.line, used, data)
        if "sqs:sendMessage" in state.text("Resource") and _PUT_ASIDE.search(name):
            said = {"by": "template", "what": f"state {name}"}
            yield Fact("dead_letters", source.path, state.line, strength, said)
        if state.get("Retry") is not None:
            said = dict.fromkeys(("bounded", "backoff", "near"), True)
            said |= {"what": f"Retry of {name}", "by": "state machine"}
            yield Fact("retry", source.path, state.place("Retry"), strength, said)
    if states and any(state.get("TimeoutSeconds") is not None for _, state in states.items()):
        yield Fact("saga.timeout", source.path, machine.line, used, {"function": "state machine"})
