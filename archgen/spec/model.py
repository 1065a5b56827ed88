"""The description of a system as frozen values, after loading and reference checks.

The loader (`archgen.spec.load`) builds these from YAML. Everything derived from several
places at once (who consumes an event, how a step's arguments bind) lives in
`archgen.spec.analysis`, so that the model stays what the file says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Language(StrEnum):
    PYTHON = "python"
    TYPESCRIPT = "typescript"
    GO = "go"
    JAVA = "java"


class Broker(StrEnum):
    NATS = "nats"
    RABBITMQ = "rabbitmq"
    KAFKA = "kafka"
    REDIS = "redis"


class Store(StrEnum):
    """The production database; without a `DATABASE_URL` each service uses one SQLite file."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Scalar(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UUID = "uuid"
    MONEY = "money"
    TIMESTAMP = "timestamp"
    DATE = "date"
    EMAIL = "email"


class FieldType(Model):
    """A parsed field type.

    Exactly one of `scalar`, `enum` and `named` is set. `many` makes it a list of it
    (written `[Item]`), `optional` allows null (written `optional string`).
    """

    scalar: Scalar | None = None
    enum: tuple[str, ...] = ()
    named: str = ""
    many: bool = False
    optional: bool = False

    def __str__(self) -> str:
        base = self.scalar.value if self.scalar else self.named or "|".join(self.enum)
        text = f"[{base}]" if self.many else base
        return f"optional {text}" if self.optional else text


class Backoff(StrEnum):
    FIXED = "fixed"
    EXPONENTIAL = "exponential"


class Retry(Model):
    """`attempts` counts the first call too; `delay` is seconds before the second one."""

    attempts: int = 3
    backoff: Backoff = Backoff.EXPONENTIAL
    delay: float = 0.2


class Breaker(Model):
    """Opens after `failures` failures in a row; admits one probe after `reset` seconds."""

    failures: int = 5
    reset: float = 60.0


class Policy(Model):
    """How a call to a peer behaves. `timeout` is in seconds, for one attempt."""

    timeout: float = 2.0
    retry: Retry = Retry()
    breaker: Breaker = Breaker()


class Command(Model):
    """`creates` is true for the command that starts an aggregate's life.

    Where the file does not say, the first command of an aggregate creates it.
    """

    takes: dict[str, FieldType] = Field(default_factory=dict)
    emits: str
    fails: str = ""
    creates: bool = False


class Aggregate(Model):
    """`id` names the field that identifies one; absent in the file it is `<aggregate>_id: uuid`,
    and the loader fills in that name. It is *not* repeated in `fields` unless the file does so.

    `events` narrows what an event carries besides the id: event name → field names.
    """

    id: str = ""
    event_sourced: bool = False
    fields: dict[str, FieldType] = Field(default_factory=dict)
    commands: dict[str, Command] = Field(default_factory=dict)
    events: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class View(Model):
    """A read model of one aggregate, fed by events; `sources` are names or `prefix.*`."""

    of: str
    sources: tuple[str, ...] = Field(alias="from")


class Fallback(StrEnum):
    NONE = "none"
    LAST_KNOWN = "last_known"


class Call(Model):
    """A synchronous query of another service's view."""

    policy: str = "default"
    fallback: Fallback = Fallback.NONE


class Reaction(Model):
    """`on:` of a service: when the event arrives, do the command (of this same service)."""

    do: str
    with_: dict[str, object] = Field(default_factory=dict, alias="with")


class Service(Model):
    about: str = ""
    owner: str = ""
    language: Language = Language.PYTHON
    store: Store = Store.SQLITE
    port: int | None = None
    aggregates: dict[str, Aggregate] = Field(default_factory=dict)
    views: dict[str, View] = Field(default_factory=dict)
    calls: dict[str, Call] = Field(default_factory=dict)
    on: dict[str, Reaction] = Field(default_factory=dict)


class OrchestratedStep(Model):
    do: str
    undo: str = ""
    with_: dict[str, object] = Field(default_factory=dict, alias="with")
    timeout: float | None = None
    attempts: int | None = None


class ChoreographedStep(Model):
    when: str
    do: str
    with_: dict[str, object] = Field(default_factory=dict, alias="with")


class Orchestration(Model):
    """Commands are `service.command`. `timeout` is seconds to wait for a step's reply."""

    about: str = ""
    style: Literal["orchestration"] = "orchestration"
    owner: str
    when: str
    steps: tuple[OrchestratedStep, ...]
    then: str = ""
    otherwise: str = Field(default="", alias="else")
    timeout: float = 30.0
    attempts: int = 3


class Choreography(Model):
    about: str = ""
    style: Literal["choreography"] = "choreography"
    owner: str = ""
    steps: tuple[ChoreographedStep, ...]


Saga = Orchestration | Choreography


class Recovery(Model):
    """Recovery point and recovery time objectives in seconds; `backup` is a cron line."""

    rpo: float | None = None
    rto: float | None = None
    backup: str = ""


class Decision(Model):
    adopted_for: tuple[str, ...] = ()
    because: str


class System(Model):
    archgen: Literal[1]
    system: str
    about: str = ""
    broker: Broker = Broker.NATS
    policies: dict[str, Policy] = Field(default_factory=dict)
    types: dict[str, dict[str, FieldType]] = Field(default_factory=dict)
    services: dict[str, Service] = Field(default_factory=dict)
    sagas: dict[str, Saga] = Field(default_factory=dict)
    recovery: Recovery = Recovery()
    decisions: dict[str, Decision] = Field(default_factory=dict)
