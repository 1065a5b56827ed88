"""Who signs users in, and that every role and every owner in a description stands for something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.spec.constrained import PUBLIC
from archgen.spec.document import Path
from archgen.spec.facts import UUID, aggregates, id_type
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.issue import Issue
from archgen.spec.model import Aggregate, Auth, Command, System
from archgen.spec.suggest import choice

LOGIN, ROLES, STATUS, ACTIVE = "email", "roles", "status", "active"
"""Fields of an account: what it signs in with, what it may do, and whether it may at all."""

_OWN = ("account", "access", "refresh")
_FOREIGN = ("roles_claim",)
_OWNERS = (UUID, FieldType(scalar=Scalar.STRING))


@dataclass(frozen=True)
class Permission:
    """`allow` of something that can be reached over HTTP; `path` leads to the thing that has it.

    `owned_by` is the field that says whose it is, if it is somebody's.
    """

    kind: str  # command, state, view, job or agent
    service: str
    name: str
    allow: tuple[str, ...]
    path: Path
    owned_by: str = ""


def permissions(system: System) -> Iterator[Permission]:
    """Everything that has an `allow`, in the order of the file."""
    for name, service in system.services.items():
        here: Path = ("services", name)
        for of, aggregate in service.aggregates.items():
            path: Path = (*here, "aggregates", of)
            owner = aggregate.owned_by
            for command, described in aggregate.commands.items():
                yield Permission(
                    "command", name, command, described.allow, (*path, "commands", command), owner
                )
            yield Permission("state", name, of, aggregate.allow, path, owner)
        for view, read in service.views.items():
            shown = service.aggregates.get(read.of)
            owner = shown.owned_by if shown else ""
            yield Permission("view", name, view, read.allow, (*here, "views", view), owner)
        for job, work in service.jobs.items():
            yield Permission("job", name, job, work.allow, (*here, "jobs", job))
        for agent, model in service.agents.items():
            yield Permission("agent", name, agent, model.allow, (*here, "agents", agent))


def registration(system: System) -> tuple[str, Aggregate, Command] | None:
    """The command by which users register, as `service.command`; None where an issuer does that."""
    auth = system.auth
    service = system.services.get(auth.service) if auth else None
    account = service.aggregates.get(auth.account) if auth and service else None
    if auth is None or account is None:
        return None
    for name, command in account.commands.items():
        if command.creates:
            return f"{auth.service}.{name}", account, command
    return None


def auth_references(system: System) -> Iterator[Issue]:
    """What `auth`, `allow` and `owned_by` say that contradicts itself or stands for nothing."""
    if system.auth is not None:
        yield from _one_issuer(system.auth)
        yield from _roles(system.auth)
        if system.auth.service:
            yield from _account(system, system.auth)
    for permission in permissions(system):
        yield from _allow(system, permission)
    for _, name, aggregate, path in aggregates(system):
        if aggregate.owned_by:
            yield from _owner(system, name, aggregate, path)


def _one_issuer(auth: Auth) -> Iterator[Issue]:
    here: Path = ("auth",)
    if not auth.service and not auth.issuer:
        yield Issue(
            here, "it does not say who signs users in", "give `service` or `issuer`", "auth", key=True
        )
    if auth.service and auth.issuer:
        message = "users can't sign in at two places"
        yield Issue((*here, "issuer"), message, "leave out `service` or `issuer`", "auth", key=True)
    for key in _OWN if auth.issuer and not auth.service else ():
        if key in auth.model_fields_set:
            yield Issue((*here, key), f"the issuer decides on `{key}`", "leave it out", "auth", key=True)
    for key in _FOREIGN if auth.service else ():
        if key in auth.model_fields_set:
            message = f"`{key}` is for the tokens of an `issuer`"
            yield Issue((*here, key), message, "leave it out", "auth", key=True)


def _roles(auth: Auth) -> Iterator[Issue]:
    for index, role in enumerate(auth.roles):
        at: Path = ("auth", "roles", index)
        if role == PUBLIC:
            yield Issue(at, f"`{PUBLIC}` stands for everybody already", "rename the role", "auth")
        elif role in auth.roles[:index]:
            yield Issue(at, f"`{role}` is listed twice", "once is enough", "twice")
    for index, role in enumerate(auth.staff):
        if role not in auth.roles:
            yield Issue(
                ("auth", "staff", index), f"no role `{role}`", choice(role, auth.roles), about=("auth",)
            )


def _account(system: System, auth: Auth) -> Iterator[Issue]:
    service = system.services.get(auth.service)
    if service is None:
        remedy = choice(auth.service, system.services)
        at: Path = ("auth", "service")
        yield Issue(at, f"no service `{auth.service}`", remedy, about=("services", auth.service))
        return
    about: Path = ("services", auth.service, "aggregates")
    if not auth.account:
        remedy = choice("", service.aggregates) or f"an aggregate with `{LOGIN}` and `{ROLES}`"
        message = f"it does not say which aggregate of `{auth.service}` is an account"
        yield Issue(("auth",), message, f"give `account`: {remedy}", "auth", key=True)
        return
    account = service.aggregates.get(auth.account)
    if account is None:
        remedy = choice(auth.account, service.aggregates)
        message = f"`{auth.service}` has no aggregate `{auth.account}`"
        yield Issue(("auth", "account"), message, remedy, about=about)
        return
    yield from _account_fields(auth, account, (*about, auth.account))


def _account_fields(auth: Auth, account: Aggregate, path: Path) -> Iterator[Issue]:
    here: Path = ("auth", "account")
    of = f"`{auth.account}`, which users sign in as,"
    if id_type(account) != UUID:
        message = f"{of} is known by `{account.id}`, no uuid"
        yield Issue(here, message, "let its id be a uuid", "auth", about=path)
    if account.fields.get(LOGIN) != FieldType(scalar=Scalar.EMAIL):
        yield Issue(here, f"{of} has no field `{LOGIN}: email`", "add it under `fields`", "auth", about=path)
    roles = account.fields.get(ROLES)
    if roles is None or not roles.many or not roles.enum or roles.optional:
        remedy = f"add `{ROLES}: [{'|'.join(auth.roles)}]` under `fields`"
        yield Issue(here, f"{of} has no field `{ROLES}`, a list", remedy, "auth", about=path)
    for role in roles.enum if roles else ():
        if role not in auth.roles:
            message = f"accounts can have the role `{role}`, which `auth` does not know"
            yield Issue((*path, "fields", ROLES), message, choice(role, auth.roles), "auth", about=("auth",))
    status = account.fields.get(STATUS)
    if status is not None and ACTIVE not in status.enum:
        message = f"who has another {STATUS} than `{ACTIVE}` can't sign in, and nobody can have that"
        yield Issue((*path, "fields", STATUS), message, f"add `{ACTIVE}`, or rename the field", "auth")
    for name, command in account.commands.items():
        if not command.creates:
            continue
        at: Path = (*path, "commands", name)
        if LOGIN not in command.takes:
            message = f"users register with `{name}`, and it does not take their `{LOGIN}`"
            yield Issue((*at, "takes"), message, f"add `{LOGIN}: email`", "auth", about=path)
        for field in (ROLES, STATUS):
            if field in command.takes:
                message = f"whoever registers with `{name}` would choose their own `{field}`"
                yield Issue((*at, "takes", field), message, "let the domain decide on it", "auth", key=True)


def _allow(system: System, permission: Permission) -> Iterator[Issue]:
    if not permission.allow:
        return
    here: Path = (*permission.path, "allow")
    if system.auth is None:
        message = "roles need somebody who signs users in"
        yield Issue(here, message, "add `auth:` to the system", "auth", key=True, about=("auth",))
        return
    if permission.allow == (PUBLIC,):
        if permission.kind in ("job", "agent"):
            message = f"a {permission.kind} is work, which not everybody may cause"
            yield Issue(here, message, "name the roles that may", "auth")
        elif permission.owned_by:
            message = f"what has an owner (`{permission.owned_by}`) can't be everybody's"
            yield Issue(here, message, "name the roles that may", "auth")
        return
    for index, role in enumerate(permission.allow):
        if role == PUBLIC:
            message = f"`{PUBLIC}` is everybody already"
            yield Issue((*here, index), message, f"write `allow: {PUBLIC}`, or name roles", "auth")
        elif role not in system.auth.roles:
            remedy = choice(role, system.auth.roles)
            yield Issue((*here, index), f"no role `{role}`", remedy, about=("auth", "roles"))
        elif role in permission.allow[:index]:
            yield Issue((*here, index), f"`{role}` is listed twice", "once is enough", "twice")


def _owner(system: System, name: str, aggregate: Aggregate, path: Path) -> Iterator[Issue]:
    here: Path = (*path, "owned_by")
    field = aggregate.owned_by
    if system.auth is None:
        message = "owners need somebody who signs users in"
        yield Issue(here, message, "add `auth:` to the system", "auth", key=True, about=("auth",))
        return
    kind = id_type(aggregate) if field == aggregate.id else aggregate.fields.get(field)
    if kind is None:
        remedy = choice(field, aggregate.fields) or "declare it under `fields`"
        yield Issue(here, f"`{name}` has no field `{field}`", remedy, about=(*path, "fields"))
        return
    if kind not in _OWNERS:
        message = f"`{field}` is `{kind}`, and an owner is known by the subject of their token"
        yield Issue(here, message, "let it be a uuid or a string", "type", about=(*path, "fields"))
    for command, described in aggregate.commands.items():
        if described.creates and field != aggregate.id and described.takes.get(field) != kind:
            message = f"`{command}` creates `{name}` and is not told its `{field}`"
            remedy = f"add `{field}: {kind}` to what it takes"
            yield Issue((*path, "commands", command), message, remedy, "auth", key=True)
