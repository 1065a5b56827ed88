"""Authorisation as data: which roles and which services may reach an operation, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from chassis.domain import AggregateType, UseCase


@dataclass(frozen=True)
class Rule:
    """Who may reach one operation: these roles, these services, or everybody. By default nobody.

    `does` names what is done, where that may be done by other means as well: a command as
    `orders.cancel`, a row of a view as `view order_details`, a job as `job reconcile`.
    """

    roles: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    public: bool = False
    does: str = ""


NOBODY = Rule()


@dataclass(frozen=True)
class OwnIssuer:
    """Users sign in at `service` of this system."""

    service: str


@dataclass(frozen=True)
class ExternalIssuer:
    """Users sign in at an OpenID Connect provider; `AUTH_ISSUER` overrides its `url`.

    `roles_claim` is where its tokens hold the roles; dots lead inwards, as in `realm_access.roles`.
    """

    url: str
    roles_claim: str = "roles"


@dataclass(frozen=True)
class Accounts:
    """How this service signs people in: `register` makes the `account` that goes with a password.

    `login` and `roles` name fields of the account. One whose `status` field, if it has one, is not
    `active` can't sign in. `access` and `refresh` are seconds: the life of a token, and of a session.
    """

    account: AggregateType[Any]
    register: UseCase
    login: str = "email"
    roles: str = "roles"
    access: float = 600.0
    refresh: float = 30 * 86_400.0


@dataclass(frozen=True)
class Security:
    """What one service of `system` needs to know to judge a request.

    `staff` are the roles that see what belongs to others. `rules` are by method and path, such as
    `POST /orders/{order_id}/cancel`; an operation without one is nobody's. `calls` are the peers that
    this service signs requests to.
    """

    system: str
    service: str
    audience: str
    issuer: OwnIssuer | ExternalIssuer
    roles: frozenset[str]
    staff: frozenset[str] = frozenset()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    accounts: Accounts | None = None

    @cached_property
    def callers(self) -> frozenset[str]:
        """The services that may call this one at all."""
        return frozenset[str]().union(*(rule.callers for rule in self.rules.values()))

    @cached_property
    def _by_deed(self) -> Mapping[str, Rule]:
        return {rule.does: rule for rule in self.rules.values() if rule.does}

    def rule(self, operation: str) -> Rule:
        return self.rules.get(operation, NOBODY)

    def rule_of(self, deed: str) -> Rule:
        """The rule of the operation that does this; see `Rule.does`."""
        return self._by_deed.get(deed, NOBODY)


@dataclass(frozen=True)
class Caller:
    """Who asks. `subject` is the user's id or the service's name.

    `anybody` is whoever asks a system whose description has no `auth:`; all is open to them.
    """

    kind: Literal["anybody", "nobody", "user", "service"]
    subject: str = ""
    roles: frozenset[str] = frozenset()
    sees_all: bool = False

    @property
    def key(self) -> str:
        """Tells callers apart, for what is kept per caller; empty for one without a name."""
        return f"{self.kind}:{self.subject}" if self.subject else ""

    def kept(self) -> dict[str, Any]:
        """As values, to be stored; `restored` turns them back."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "roles": sorted(self.roles),
            "sees_all": self.sees_all,
        }

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Caller:
        """The caller that was `kept`; a stranger, if nothing was."""
        return cls(**{**kept, "roles": frozenset(kept["roles"])}) if kept else STRANGER

    def meets(self, rule: Rule) -> bool:
        match self.kind:
            case "anybody":
                return True
            case "service":
                return rule.public or self.subject in rule.callers
            case "user":
                return rule.public or bool(self.roles & rule.roles)
        return rule.public


ANYBODY = Caller("anybody", sees_all=True)
STRANGER = Caller("nobody")
