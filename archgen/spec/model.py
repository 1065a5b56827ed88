"""The description of a system as frozen values, after loading and reference checks.

The loader (`archgen.spec.load`) builds these from YAML. Everything derived from several
places at once (who consumes an event, how a step's arguments bind) lives in
`archgen.spec.analysis`, so that the model stays what the file says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from archgen.spec.base import Model
from archgen.spec.constrained import (
    Allow,
    Audience,
    Claim,
    CommandName,
    CommandReference,
    Count,
    EventName,
    EventPattern,
    FieldName,
    Flag,
    Issuer,
    Name,
    OptionalCommandReference,
    OptionalCronLine,
    OptionalEventName,
    OptionalFieldName,
    OptionalName,
    OptionalTypeName,
    Port,
    Seconds,
    Share,
    Tokens,
    ToolReference,
    TypeName,
    Version,
    ViewReference,
)
from archgen.spec.fieldtypes import FieldType, Scalar, Type
from archgen.spec.names import snake

__all__ = [
    "Agent",
    "AgentLimits",
    "Aggregate",
    "Auth",
    "Backoff",
    "Breaker",
    "Broker",
    "Call",
    "ChoreographedStep",
    "Choreography",
    "Command",
    "Decision",
    "Fallback",
    "FieldType",
    "Job",
    "JobBackoff",
    "Language",
    "Model",
    "OrchestratedStep",
    "Orchestration",
    "Policy",
    "Priority",
    "Reaction",
    "Recovery",
    "Retry",
    "Saga",
    "Scalar",
    "Service",
    "Slo",
    "Store",
    "System",
    "Via",
    "View",
]


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


class Backoff(StrEnum):
    FIXED = "fixed"
    EXPONENTIAL = "exponential"


class Retry(Model):
    """`attempts` counts the first call too; `delay` is seconds before the second one."""

    attempts: Count = Field(default=3, description="How often at most, the first call included.")
    backoff: Backoff = Field(default=Backoff.EXPONENTIAL, description="How the delay grows.")
    delay: Seconds = Field(default=0.2, description="The wait before the second attempt.")


class Breaker(Model):
    """Opens after `failures` failures in a row; admits one probe after `reset` seconds."""

    failures: Count = Field(default=5, description="How many failures in a row open the breaker.")
    reset: Seconds = Field(default=60.0, description="How long it stays open before one probe.")


class Policy(Model):
    """How a call to a peer behaves. `timeout` is in seconds, for one attempt."""

    timeout: Seconds = Field(default=2.0, description="How long one attempt may take.")
    retry: Retry = Retry()
    breaker: Breaker = Breaker()

    @property
    def total(self) -> float:
        """How long a call may take in all, waits between its attempts included."""
        return self.timeout * self.retry.attempts


_ALLOW = "Who may reach it over HTTP: roles, or `public`; nobody when left out."


class Command(Model):
    """`creates` is true for the command that starts an aggregate's life.

    Where the file does not say, the first command of an aggregate creates it.
    """

    takes: dict[FieldName, Type] = Field(
        default_factory=dict, description="Arguments. The aggregate's id is always one more."
    )
    emits: EventName = Field(description="The event that says it was done.")
    fails: OptionalEventName = Field(default="", description="The event that says it was refused.")
    creates: Flag = Field(
        default=False, description="Starts an aggregate's life; by default the first command does."
    )
    allow: Allow = Field(default=(), description=_ALLOW)


class Aggregate(Model):
    """`id` names the field that identifies one; absent in the file it is `<aggregate>_id: uuid`,
    and `Service` fills in that name. It is *not* repeated in `fields` unless the file does so.

    `events` narrows what an event carries besides the id: event name → field names. `versions` says of
    which version its data is: it goes up by one with every change that older readers can't read.
    """

    id: OptionalFieldName = Field(
        default="", description="The field that identifies one; by default `<aggregate>_id: uuid`."
    )
    event_sourced: Flag = Field(default=False, description="Store its events instead of its state.")
    fields: dict[FieldName, Type] = Field(default_factory=dict, description="What it remembers.")
    commands: dict[CommandName, Command] = Field(
        default_factory=dict, description="What it can be asked to do; the first creates it."
    )
    events: dict[EventName, tuple[FieldName, ...]] = Field(
        default_factory=dict, description="The fields that an event carries, if not all of them."
    )
    versions: dict[EventName, Count] = Field(
        default_factory=dict, description="The version of an event's data; 1 for those not named here."
    )
    snapshot_every: Count = Field(
        default=100, description="Every so many events their result is kept, so that loading stays quick."
    )
    owned_by: OptionalFieldName = Field(
        default="", description="The field that says whose one is; others but staff don't get at it."
    )
    allow: Allow = Field(default=(), description="Who may read its state over HTTP: roles, or `public`.")

    @field_validator("commands")
    @classmethod
    def _first_creates(cls, commands: dict[str, Command]) -> dict[str, Command]:
        first = next(iter(commands), "")
        if not first or any("creates" in command.model_fields_set for command in commands.values()):
            return commands
        return {**commands, first: commands[first].model_copy(update={"creates": True})}


class View(Model):
    """A read model of one aggregate, fed by events; `sources` are names or `prefix.*`."""

    of: TypeName = Field(description="The aggregate that a row stands for.")
    sources: tuple[EventPattern, ...] = Field(
        alias="from", min_length=1, description="The events that feed it, such as `order.*`."
    )
    allow: Allow = Field(default=(), description=_ALLOW)


class Fallback(StrEnum):
    NONE = "none"
    LAST_KNOWN = "last_known"


class Via(StrEnum):
    REST = "rest"
    GRPC = "grpc"


class Call(Model):
    """A synchronous query of another service's view."""

    policy: Name = Field(default="default", description="One of `policies`.")
    fallback: Fallback = Field(default=Fallback.NONE, description="The answer when the peer has none.")
    via: Via = Field(default=Via.REST, description="The protocol; the caller's code is the same for both.")


_WITH = "Arguments: a value, `$field` of the event, or `$service.command.field` of an earlier step's result."


class Reaction(Model):
    """`on:` of a service: when the event arrives, do the command (of this same service)."""

    do: CommandName = Field(description="A command of this service.")
    with_: dict[FieldName, Any] = Field(default_factory=dict, alias="with", description=_WITH)


class JobBackoff(Model):
    """`delay` is seconds before the second attempt; up to half of every wait is left out at random."""

    type: Backoff = Field(default=Backoff.EXPONENTIAL, description="How the delay grows.")
    delay: Seconds = Field(default=2.0, description="The wait before the second attempt.")


class Priority(StrEnum):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Job(Model):
    """Work that a worker of the service does later. Times are in seconds.

    One with a `schedule` takes nothing and is told the time it is due for.
    """

    about: str = Field(default="", description="What it is for, in a sentence.")
    takes: dict[FieldName, Type] = Field(default_factory=dict, description="Arguments.")
    schedule: OptionalCronLine = Field(default="", description="When it is due by itself, in UTC.")
    attempts: Count = Field(default=3, description="How often at most, the first attempt included.")
    backoff: JobBackoff = JobBackoff()
    timeout: Seconds = Field(default=60.0, description="How long one attempt may take.")
    priority: Priority = Field(default=Priority.NORMAL, description="What waits is done in this order.")
    keep: Seconds = Field(default=3600.0, description="How long one that is done can be asked about.")
    allow: Allow = Field(default=(), description="Who may enqueue it over HTTP, and ask about it: roles.")


class AgentLimits(Model):
    """Where a run ends whatever the model wants; `runs` is how many at once in one process."""

    turns: Count = Field(default=8, description="Answers of the model at most.")
    tokens: Tokens = Field(default=20_000, description="Tokens read and written at most, in all turns.")
    seconds: Count = Field(default=60, description="How long it may work; waiting for a person is free.")
    runs: Count = Field(default=4, description="Runs at once in one process.")


class Agent(Model):
    """A model that works on a task with `tools`: views and commands of this service, and its `calls`.

    A command waits until a person confirms it, unless `unconfirmed` names it.
    """

    goal: str = Field(min_length=1, description="What it is for; the model reads it.")
    of: OptionalTypeName = Field(
        default="", description="The aggregate that `POST /<aggregates>/{id}/analyse` looks at."
    )
    tools: tuple[ToolReference, ...] = Field(
        default=(), description="Its only means: views, commands, and calls as `service.view`."
    )
    unconfirmed: tuple[CommandName, ...] = Field(
        default=(), description="Commands that it may do without a person's yes."
    )
    limits: AgentLimits = AgentLimits()
    allow: Allow = Field(default=(), description="Who may give it a task: roles.")


class Slo(Model):
    """What a service promises over 30 days: the share of requests that are answered without a server
    error, and the seconds within which 99 % are answered. None where the common objective holds."""

    availability: Share | None = Field(default=None, description="Answered without a server error; 99.9%.")
    latency: Seconds | None = Field(default=None, description="99% are answered within; 500ms.")


class Service(Model):
    about: str = Field(default="", description="What it is for, in a sentence.")
    owner: str = Field(default="", description="The team that answers for it.")
    language: Language = Field(default=Language.PYTHON)
    store: Store = Field(default=Store.SQLITE, description="The database in production.")
    port: Port | None = Field(default=None, description="Its HTTP port on one machine.")
    slo: Slo = Field(default=Slo(), description="What it promises, where that is not the common objective.")
    aggregates: dict[TypeName, Aggregate] = Field(default_factory=dict)
    views: dict[Name, View] = Field(default_factory=dict, description="Read models, fed by events.")
    calls: dict[ViewReference, Call] = Field(
        default_factory=dict, description="Views of other services that it asks, synchronously."
    )
    on: dict[EventName, Reaction] = Field(
        default_factory=dict, description="What it does when an event arrives."
    )
    jobs: dict[CommandName, Job] = Field(default_factory=dict, description="Work that its worker does later.")

    agents: dict[CommandName, Agent] = Field(
        default_factory=dict, description="Models that work with tools of this service."
    )

    @field_validator("aggregates")
    @classmethod
    def _name_ids(cls, aggregates: dict[str, Aggregate]) -> dict[str, Aggregate]:
        return {
            name: aggregate if aggregate.id else aggregate.model_copy(update={"id": f"{snake(name)}_id"})
            for name, aggregate in aggregates.items()
        }


class OrchestratedStep(Model):
    do: CommandReference = Field(description="The command to send.")
    undo: OptionalCommandReference = Field(default="", description="The command that undoes it.")
    with_: dict[FieldName, Any] = Field(default_factory=dict, alias="with", description=_WITH)
    timeout: Seconds | None = Field(default=None, description="The wait for its reply.")
    attempts: Count | None = Field(default=None, description="How often at most it is sent.")


class ChoreographedStep(Model):
    when: EventName = Field(description="The event that sets it off.")
    do: CommandReference = Field(description="The command it leads to.")
    with_: dict[FieldName, Any] = Field(default_factory=dict, alias="with", description=_WITH)


class Orchestration(Model):
    """Commands are `service.command`. `timeout` is seconds to wait for a step's reply."""

    about: str = Field(default="", description="What it is for, in a sentence.")
    style: Literal["orchestration"] = "orchestration"
    owner: Name = Field(description="The service that conducts it.")
    when: EventName = Field(description="The event that starts it.")
    steps: tuple[OrchestratedStep, ...] = Field(min_length=1, description="In this order.")
    then: OptionalCommandReference = Field(default="", description="The command when all is done.")
    otherwise: OptionalCommandReference = Field(
        default="", alias="else", description="The command when all is undone."
    )
    timeout: Seconds = Field(default=30.0, description="The wait for a step's reply.")
    attempts: Count = Field(default=3, description="How often at most a step is sent.")


class Choreography(Model):
    about: str = Field(default="", description="What it is for, in a sentence.")
    style: Literal["choreography"] = "choreography"
    owner: OptionalName = Field(default="", description="The service that documents it.")
    steps: tuple[ChoreographedStep, ...] = Field(min_length=1, description="In any order.")


Saga = Orchestration | Choreography


def saga_style(value: object) -> str | None:
    """The style of a saga, as a value of the model or as the file has it; None if there is no such style."""
    if isinstance(value, dict):
        style = value.get("style", "orchestration")
    else:
        style = getattr(value, "style", "orchestration")
    return style if style in ("orchestration", "choreography") else None


class Recovery(Model):
    """Recovery point and recovery time objectives in seconds; `backup` is a cron line."""

    rpo: Seconds | None = Field(default=None, description="How much work may be lost at most.")
    rto: Seconds | None = Field(default=None, description="How long recovery may take at most.")
    backup: OptionalCronLine = Field(default="", description="When backups are made.")


class Decision(Model):
    adopted_for: tuple[str, ...] = Field(default=(), description="What it applies to.")
    because: str = Field(description="The reason.")


class Auth(Model):
    """Who users are, and what roles they can have.

    They sign in at `service`, whose aggregate `account` has their roles, or at an OpenID Connect provider,
    the `issuer`. With this, what is allowed to nobody can't be reached over HTTP; without it, all can.
    """

    service: OptionalName = Field(default="", description="The service that signs users in.")
    account: OptionalTypeName = Field(default="", description="Its aggregate with `email` and `roles`.")
    issuer: Issuer = Field(default="", description="An OpenID Connect provider that does so instead.")
    audience: Audience = Field(
        default="", description="What tokens must be meant for; by default the system."
    )
    roles: tuple[Name, ...] = Field(min_length=1, description="The roles that users can have.")
    staff: tuple[Name, ...] = Field(default=(), description="Those of them that see what is others' own.")
    roles_claim: Claim = Field(default="roles", description="Where the issuer's tokens hold roles.")
    access: Seconds = Field(default=600.0, description="How long a token is good for.")
    refresh: Seconds = Field(default=30 * 86_400.0, description="How long one stays signed in at most.")


class System(Model):
    archgen: Version = Field(description="The version of this format.")
    system: Name = Field(description="The system's name.")
    about: str = Field(default="", description="What it is for, in a sentence.")
    broker: Broker = Broker.NATS
    auth: Auth | None = Field(default=None, description="Who users are, and what roles they can have.")
    policies: dict[Name, Policy] = Field(default_factory=dict, description="Named once, used by name.")
    types: dict[TypeName, dict[FieldName, Type]] = Field(
        default_factory=dict, description="Values made of fields."
    )
    services: dict[Name, Service] = Field(default_factory=dict)
    sagas: dict[
        Name,
        Annotated[
            Annotated[Orchestration, Tag("orchestration")] | Annotated[Choreography, Tag("choreography")],
            Discriminator(saga_style, custom_error_type="saga_style", custom_error_message="unknown style"),
        ],
    ] = Field(default_factory=dict)
    recovery: Recovery = Recovery()
    decisions: dict[Name, Decision] = Field(default_factory=dict)
