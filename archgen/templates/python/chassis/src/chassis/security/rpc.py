"""The gate for calls over gRPC: what is answered there is for services of the system only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grpc import StatusCode

from chassis import metrics
from chassis.rpc.edge import Guard
from chassis.rpc.status import Denied
from chassis.rpc.views import ServedView
from chassis.security.gate import Gate
from chassis.security.tokens import Invalid


def guard(gate: Gate, views: Sequence[ServedView]) -> Guard:
    """Lets a service ask for the views that the rules give it, and nobody ask for anything else."""
    views_by_path = {view.method.path: view.view for view in views}

    async def check(path: str, metadata: Mapping[str, str]) -> None:
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            metrics.denied.labels("no_token").inc()
            raise Denied(StatusCode.UNAUTHENTICATED, "Send a token as `authorization`.")
        try:
            caller = await gate.bearer(token.strip())
        except Invalid as why:
            metrics.denied.labels("bad_token").inc()
            raise Denied(StatusCode.UNAUTHENTICATED, f"The token does not count: {why}.") from None
        rule = gate.security.rule_of(f"view {views_by_path.get(path, '')}")
        if caller.kind != "service" or not caller.meets(rule):
            metrics.denied.labels("role").inc()
            raise Denied(StatusCode.PERMISSION_DENIED, "This is not for you to ask.")

    return check
