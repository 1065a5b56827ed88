"""The HTTP routes of a service: one function per operation, and a class per body."""

from __future__ import annotations

from archgen.contracts.addresses import Kind, Route
from archgen.contracts.addresses import routes as http_routes
from archgen.contracts.jobs import enqueue_path
from archgen.escape import py
from archgen.languages.python_access import account_routes
from archgen.languages.python_agents import agent_routes
from archgen.languages.python_format import call
from archgen.languages.python_imports import Import
from archgen.languages.python_jobs import job_class
from archgen.languages.python_layout import Layout
from archgen.languages.python_messages import FieldLine
from archgen.languages.python_types import annotation, imports
from archgen.plan_types import Code
from archgen.spec.analysis import CommandFacts
from archgen.spec.model import FieldType, Job, Scalar
from archgen.spec.names import pascal, python_name, snake, unique

# What a routes module uses besides its own functions and the modules of messages.
_TAKEN = frozenset(
    {"aggregates", "use_cases", "types", "router", "execute", "state_of", "view_page", "view_row"}
    | {"jobs", "enqueue", "enqueue_scheduled", "state_of_job", "get_job", "UUID"}
    | {"add_agent", "add_analysis"}
    | {"access", "add_accounts", "owner", "owner_text", "Guarded"}
    | {"uuid4", "date", "datetime", "bool", "int", "str", "tuple"}
)
# Methods of pydantic's models, which a field may not hide.
_METHODS = frozenset(
    {"construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema"}
    | {"schema_json", "update_forward_refs", "validate"}
)


class _Routes:
    """Collects the imports and the names that the functions of one module share."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.wanted: set[Import] = {
            ("fastapi", "APIRouter"),
            ("fastapi", "Request"),
            ("fastapi.responses", "JSONResponse"),
        }
        ids = {aggregate.id for aggregate in layout.service.aggregates.values()}
        # Parameters hide what is outside of the function, so modules get other names than these.
        self.inside = {"body", "request", "command", "limit", "after", "min_version", *ids}
        self.taken = {*_TAKEN, *self.inside}
        self.modules = {name: self._name(snake(name), "_messages") for name in layout.service.aggregates}

    def _name(self, name: str, suffix: str) -> str:
        self.taken.add(free := unique(name, self.taken, suffix))
        return free

    def entry(self, route: Route) -> dict[str, object]:
        """The context of one route."""
        aggregate = self.layout.service.aggregates[route.aggregate]
        id_type = self.layout.fields(self.layout.name, route.aggregate)[aggregate.id]
        self.wanted |= imports([id_type], self.layout.package)
        common = {
            "kind": route.kind.value,
            "path": py(route.path),
            "id_field": aggregate.id,
            "id_annotation": annotation(id_type),
            "request": unique("request", {aggregate.id}, "_"),
        }
        match route.kind:
            case Kind.STATE:
                self.wanted |= {
                    ("chassis.http", "state_of"),
                    (f"{self.layout.package}.generated", "aggregates"),
                }
                function = self._name(f"get_{snake(route.aggregate)}", "_state")
                return {**common, "function": function, "constant": snake(route.aggregate).upper()}
            case Kind.VIEW_ROW:
                self.wanted |= {("chassis.http", "view_row"), ("typing", "Annotated"), ("fastapi", "Query")}
                minimum = unique("min_version", {aggregate.id}, "_")
                bounds = [("ge", "0"), *([("alias", py("min_version"))] if minimum != "min_version" else [])]
                return {
                    **common,
                    "minimum": Code(minimum),
                    "bounds": call("Query", bounds),
                    "function": self._name(f"get_{route.name}_row", "_"),
                    "view": py(route.name),
                }
            case Kind.VIEW_LIST:
                self.wanted |= {("chassis.http", name) for name in ("PAGE", "PAGE_MAX", "view_page")}
                self.wanted |= {("typing", "Annotated"), ("fastapi", "Query")}
                return {**common, "function": self._name(f"list_{route.name}", "_"), "view": py(route.name)}
        return {**common, **self._command(route, id_type)}

    def job(self, name: str, job: Job) -> dict[str, object]:
        """The context of the route that enqueues a job."""
        enqueue = "enqueue_scheduled" if job.schedule else "enqueue"
        self.wanted |= {("chassis.jobs.http", enqueue), (f"{self.layout.package}.generated", "jobs")}
        return {
            "path": py(enqueue_path(name)),
            "function": self._name(f"enqueue_{python_name(name)}", "_job"),
            "enqueue": enqueue,
            "cls": job_class(self.layout, name),
        }

    def _command(self, route: Route, id_type: FieldType) -> dict[str, object]:
        facts = self.layout.analysis.commands[f"{self.layout.name}.{route.name}"]
        module, alias = snake(route.aggregate), self.modules[route.aggregate]
        self.wanted |= {
            ("chassis.http", "execute"),
            (f"{self.layout.package}.generated", module if module == alias else f"{module} as {alias}"),
            (f"{self.layout.package}.generated", "use_cases"),
        }
        fields = self._fields(facts, id_type)
        body = f"{pascal(route.name)}Body" if fields else ""
        payload, request, command = (
            unique(name, {facts.id_field}, "_") for name in ("body", "request", "command")
        )
        parameters = [] if facts.creates else [f"{facts.id_field}: {annotation(id_type)}"]
        if body:
            self.wanted.add(("chassis.http", "Body"))
            parameters.append(f"{payload}: {body}")
        parameters.append(f"{request}: Request")
        id = f"{payload}.{_attribute(facts.id_field)}" if facts.creates else facts.id_field
        new = Code("")  # whether the id is made here, so that nothing can have it yet
        owner = self._owner(facts)
        if facts.id_field == owner:
            id = self._bound(facts, owner, request, payload)
        elif facts.creates and id_type.scalar is Scalar.UUID:
            self.wanted.add(("uuid", "uuid4"))
            new = Code(f", new={id} is None")
            id = f"{id} or uuid4()"
        given = {name: f"{payload}.{_attribute(name)}" for name in facts.arguments if name != facts.id_field}
        if owner in given:
            given[owner] = self._bound(facts, owner, request, payload)
        return {
            "body": body,
            "fields": fields,
            "function": self._name(python_name(route.name), "_command"),
            "parameters": Code(", ".join(parameters)),
            "command_name": command,
            "command": call(
                f"{alias}.{self.layout.command_class(facts)}", [(facts.id_field, id), *given.items()]
            ),
            "use_case": route.name.upper(),
            "new": new,
            "status": 201 if facts.creates else 200,
        }

    def _owner(self, facts: CommandFacts) -> str:
        """The argument that says whose a new one is, which the caller's token decides on."""
        owner = self.layout.service.aggregates[facts.aggregate].owned_by
        return owner if facts.creates else ""

    def _bound(self, facts: CommandFacts, owner: str, request: str, payload: str) -> str:
        text = facts.arguments[owner].scalar is Scalar.STRING
        function = "owner_text" if text else "owner"
        self.wanted.add(("chassis.security.ownership", function))
        return f"{function}({request}, {payload}.{_attribute(owner)})"

    def _fields(self, facts: CommandFacts, id_type: FieldType) -> list[FieldLine]:
        """What is posted: the arguments, and the id of what is to be created."""
        fields = {name: field for name, field in facts.arguments.items() if name != facts.id_field}
        if facts.creates:
            assigned = id_type.scalar is Scalar.UUID
            fields[facts.id_field] = id_type.model_copy(update={"optional": assigned})
        if owner := self._owner(facts):
            fields[owner] = fields[owner].model_copy(update={"optional": True})
        found = []
        for name, field in fields.items():
            if field.named:
                self.wanted.add((f"{self.layout.package}.generated", "types"))
            else:
                self.wanted |= imports([field], self.layout.package, wire=True)
            found.append(
                FieldLine(
                    _attribute(name), annotation(field, wire=True, types="types."), self._default(name, field)
                )
            )
        return found

    def _default(self, name: str, field: FieldType) -> Code:
        if _attribute(name) == name:
            return Code(" = None" if field.optional else "")
        self.wanted.add(("pydantic", "Field"))
        arguments = [("", "None")] if field.optional else []
        return Code(f" = {call('Field', [*arguments, ('alias', py(name))])}")


def _attribute(field: str) -> str:
    return f"{field}_" if field in _METHODS or field.startswith("model_") else field


def routes(layout: Layout) -> dict[str, object]:
    """The context of generated/routes.py."""
    found = _Routes(layout)
    entries = [found.entry(route) for route in http_routes(layout.service)]
    agents = agent_routes(layout, found.taken, found.wanted)
    jobs = [found.job(name, job) for name, job in layout.service.jobs.items()]
    if jobs:
        found.wanted |= {("uuid", "UUID"), ("chassis.jobs.http", "state_of_job")}
    statements = [*agents, *account_routes(layout, found.wanted)]
    if layout.system.auth is not None:
        found.wanted.add(("chassis.security", "Guarded"))
    return {
        "imports": layout.imports(found.wanted),
        "router": Code("APIRouter(route_class=Guarded)" if layout.system.auth else "APIRouter()"),
        "routes": entries,
        "jobs": jobs,
        "statements": statements,
    }
