"""Names and places within one Python service, derived once from the analysis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archgen.languages.python_imports import Import, block
from archgen.plan_types import Code
from archgen.spec.analysis import Analysis, CommandFacts, EventFacts
from archgen.spec.model import FieldType, Service, System
from archgen.spec.names import pascal, python_module, python_name, snake

# Names that every message module uses for something else.
_TAKEN = {"Command", "Event", "Money", "UUID", "Literal", "ClassVar", "Refused"}


Owner = tuple[str, str]


@dataclass(frozen=True)
class Index:
    """What every service's layout looks up: messages by their (service, aggregate), and all packages."""

    commands: Mapping[Owner, list[CommandFacts]]
    events: Mapping[Owner, list[EventFacts]]
    packages: frozenset[str]

    @classmethod
    def of(cls, system: System, analysis: Analysis) -> Index:
        commands: defaultdict[Owner, list[CommandFacts]] = defaultdict(list)
        for command in analysis.commands.values():
            commands[command.service, command.aggregate].append(command)
        events: defaultdict[Owner, list[EventFacts]] = defaultdict(list)
        for event in analysis.events.values():
            events[event.service, event.aggregate].append(event)
        return cls(commands, events, frozenset({"chassis", *map(python_module, system.services)}))


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
        name = pascal(command.name.partition(".")[2])
        return f"{name}Command" if name in self._taken(command.aggregate) else name

    def event_class(self, event: EventFacts) -> str:
        name = pascal(event.name.partition(".")[2])
        commands = {pascal(command.name.partition(".")[2]) for command in self.commands_of(event.service, event.aggregate)}
        return f"{name}Event" if name in self._taken(event.aggregate) | commands else name

    def _taken(self, aggregate: str) -> set[str]:
        return {aggregate, *self.system.types, *_TAKEN}

    def module(self, service: str, aggregate: str) -> tuple[str, str]:
        """The package and module that hold an aggregate's messages, as this service imports them."""
        if service == self.name:
            return f"{self.package}.generated", snake(aggregate)
        return f"{self.package}.generated.peers.{python_name(service)}", snake(aggregate)

    def message(self, facts: CommandFacts | EventFacts) -> tuple[str, Import]:
        """How to name a message's class, `payment.Charge`, and the import that it needs."""
        package, module = self.module(facts.service, facts.aggregate)
        name = self.command_class(facts) if isinstance(facts, CommandFacts) else self.event_class(facts)
        return f"{module}.{name}", (package, module)

    @cached_property
    def own_commands(self) -> tuple[CommandFacts, ...]:
        """The commands of this service, in the order of the file."""
        return tuple(c for aggregate in self.service.aggregates for c in self.commands_of(self.name, aggregate))

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
