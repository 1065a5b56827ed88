"""Names and places within one Python service, derived once from the analysis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from archgen.languages.python_imports import Import, block
from archgen.plan_types import Code
from archgen.spec.analysis import Analysis, CommandFacts, EventFacts
from archgen.spec.model import FieldType, Service, System
from archgen.spec.names import pascal, python_module, python_name, snake, unique

# Names that stand for something else in modules that name messages.
_TAKEN = frozenset(
    {"Command", "Event", "Refused", "NotFound", "UnitOfWork", "ClassVar", "Literal", "UUID", "Money"}
    | {"Integer", "Number", "Boolean", "Email", "None", "True", "False"}
)

# What modules that import messages use besides.
_BESIDE = ("access", "aggregates", "use_cases", "jobs", "rpcs", "dict", "str")

Owner = tuple[str, str]


@dataclass(frozen=True)
class Index:
    """What every service's layout looks up.

    Messages by their (service, aggregate), the class of each message by its name, all packages.
    """

    commands: Mapping[Owner, list[CommandFacts]]
    events: Mapping[Owner, list[EventFacts]]
    command_classes: Mapping[str, str]
    event_classes: Mapping[str, str]
    packages: frozenset[str]

    @classmethod
    def of(cls, system: System, analysis: Analysis) -> Index:
        commands: defaultdict[Owner, list[CommandFacts]] = defaultdict(list)
        for command in analysis.commands.values():
            commands[command.service, command.aggregate].append(command)
        events: defaultdict[Owner, list[EventFacts]] = defaultdict(list)
        for event in analysis.events.values():
            events[event.service, event.aggregate].append(event)
        command_classes: dict[str, str] = {}
        event_classes: dict[str, str] = {}
        for owner in events:
            # An aggregate's messages share a module, so all their classes differ.
            taken = {owner[1], *system.types, *_TAKEN}
            command_classes |= _classes([command.name for command in commands[owner]], "Command", taken)
            event_classes |= _classes([event.name for event in events[owner]], "Event", taken)
        packages = frozenset({"chassis", *map(python_module, system.services)})
        return cls(commands, events, command_classes, event_classes, packages)


def _classes(messages: Iterable[str], suffix: str, taken: set[str]) -> dict[str, str]:
    """A class for each message, none of them in `taken`, which they are added to."""
    found = {}
    for message in messages:
        found[message] = unique(pascal(message.partition(".")[2]), taken, suffix)
        taken.add(found[message])
    return found


@dataclass(frozen=True)
class Layout:
    """Where things of service `name` are, and what they are called in Python."""

    system: System
    analysis: Analysis
    name: str
    index: Index

    @property
    def service(self) -> Service:
        return self.system.services[self.name]

    @property
    def package(self) -> str:
        return python_module(self.name)

    def imports(self, wanted: set[Import]) -> Code:
        return block(wanted, self.index.packages)

    # Commands and events

    def commands_of(self, service: str, aggregate: str) -> list[CommandFacts]:
        return self.index.commands[service, aggregate]

    def events_of(self, service: str, aggregate: str) -> list[EventFacts]:
        return self.index.events[service, aggregate]

    def command_class(self, command: CommandFacts) -> str:
        return self.index.command_classes[command.name]

    def event_class(self, event: EventFacts) -> str:
        return self.index.event_classes[event.name]

    def package_of(self, service: str) -> str:
        """The package with the messages of `service`, as this service knows them."""
        peer = "" if service == self.name else f".peers.{python_name(service)}"
        return f"{self.package}.generated{peer}"

    @cached_property
    def modules(self) -> dict[Owner, str]:
        """What each module of messages is called where several are used: `order`, or `billing_order`."""
        found: dict[Owner, str] = {}
        own = [(self.name, aggregate) for aggregate in self.service.aggregates]
        for service, aggregate in dict.fromkeys(
            [*own, *((each.service, each.aggregate) for each in self.foreign)]
        ):
            taken, name = {*found.values(), *_BESIDE}, snake(aggregate)
            if name in taken:
                name = unique(f"{snake(service)}_{name}", taken, "_")
            found[service, aggregate] = name
        return found

    def messages(self, service: str, aggregate: str) -> tuple[str, Import]:
        """The name of an aggregate's module of messages, and the import that it needs."""
        module, name = snake(aggregate), self.modules[service, aggregate]
        return name, (self.package_of(service), module if name == module else f"{module} as {name}")

    def message(self, facts: CommandFacts | EventFacts) -> tuple[str, Import]:
        """How to name a message's class, `payment.Charge`, and the import that it needs."""
        module, needed = self.messages(facts.service, facts.aggregate)
        name = self.command_class(facts) if isinstance(facts, CommandFacts) else self.event_class(facts)
        return f"{module}.{name}", needed

    def row_class(self, view: str) -> str:
        """The class of a view's rows, different from all that its module imports."""
        of = self.service.views[view].of
        events = {self.event_class(event) for event in self.events_of(self.name, of)}
        return unique(pascal(view), {*events, *self.system.types, *_TAKEN}, "Row")

    def saga(self, saga: str) -> str:
        """The variable that holds a saga, or this service's part in it."""
        return unique(python_name(saga), {*self.modules.values(), *_BESIDE}, "_saga")

    @cached_property
    def own_commands(self) -> tuple[CommandFacts, ...]:
        """The commands of this service, in the order of the file."""
        return tuple(
            c for aggregate in self.service.aggregates for c in self.commands_of(self.name, aggregate)
        )

    # What this service has to do with others

    @cached_property
    def orchestrations(self) -> tuple[str, ...]:
        found = self.analysis.orchestrations
        return tuple(name for name, saga in found.items() if saga.owner == self.name)

    @cached_property
    def choreographies(self) -> tuple[str, ...]:
        found = self.analysis.choreographies
        return tuple(
            name
            for name, saga in found.items()
            if any(step.do.command.partition(".")[0] == self.name for step in saga.steps)
        )

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """The services that this one calls over HTTP."""
        return tuple(dict.fromkeys(call.partition(".")[0] for call in self.service.calls))

    @cached_property
    def foreign(self) -> tuple[CommandFacts | EventFacts, ...]:
        """The messages of other services that this one sends or hears."""
        events, commands = self.analysis.events, self.analysis.commands
        found: list[CommandFacts | EventFacts] = []
        for name in self.orchestrations:
            saga = self.analysis.orchestrations[name]
            found.append(events[saga.trigger])
            for step in saga.steps:
                found += [commands[b.command] for b in (step.do, step.undo) if b]
            found += [commands[b.command] for b in (saga.then, saga.otherwise) if b]
        for name in self.choreographies:
            for reaction in self.analysis.choreographies[name].steps:
                if reaction.do.command.partition(".")[0] == self.name:
                    found.append(events[reaction.when])
        found += [events[event] for event in self.service.on]
        return tuple(facts for facts in found if facts.service != self.name)

    @cached_property
    def peer_modules(self) -> dict[str, dict[str, str]]:
        """Peer package → module → aggregate, for every foreign message."""
        found: dict[str, dict[str, str]] = {}
        for facts in self.foreign:
            found.setdefault(python_name(facts.service), {})[snake(facts.aggregate)] = facts.aggregate
        return {peer: dict(sorted(modules.items())) for peer, modules in sorted(found.items())}

    def service_of(self, peer: str) -> str:
        return next(name for name in self.system.services if python_name(name) == peer)

    def fields(self, service: str, aggregate: str) -> dict[str, FieldType]:
        """The state of an aggregate: its id first, then its fields."""
        described = self.system.services[service].aggregates[aggregate]
        event = self.events_of(service, aggregate)[0]
        return {described.id: event.fields[described.id], **described.fields}
