"""What went wrong, as a gRPC status and back: the same errors as over HTTP, told in the other idiom.

Sources: google/rpc/code.proto for what each code means, google/rpc/error_details.proto for the
`RetryInfo` that says when to ask again (over HTTP: Retry-After).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode

from chassis.db import unavailable
from chassis.errors import Conflict, NotFound, Refused, ServiceError, Unavailable
from chassis.rpc.codec import Unfit

log = logging.getLogger(__name__)

DETAILS = "grpc-status-details-bin"

# The codes by which a peer that works says no, and how it would have said so over HTTP.
REFUSALS = {
    StatusCode.INVALID_ARGUMENT: 422,
    StatusCode.OUT_OF_RANGE: 422,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.ABORTED: 409,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.UNAUTHENTICATED: 401,
}


class Denied(Exception):
    """A call that is not answered, for a reason that is safe to show to the caller."""

    def __init__(self, code: StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Outcome:
    """How a call ends that does not end well; `retry_after` is seconds."""

    code: StatusCode
    message: str
    retry_after: float | None = None

    @property
    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """The trailing metadata that goes with it."""
        if self.retry_after is None:
            return ()
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(max(0, round(self.retry_after * 1000)))
        status.details.add().Pack(info)
        return ((DETAILS, status.SerializeToString()),)


def outcome(error: Exception, method: str) -> Outcome:
    """What the caller of `method` is told about `error`. A bug is logged, and its inside stays inside."""
    match error:
        case Denied():
            return Outcome(error.code, str(error))
        case Unfit():
            return Outcome(StatusCode.INVALID_ARGUMENT, str(error))
        case Refused():
            return Outcome(StatusCode.FAILED_PRECONDITION, error.reason)
        case NotFound():
            return Outcome(StatusCode.NOT_FOUND, str(error))
        case Conflict():
            return Outcome(StatusCode.ABORTED, str(error))
        case Unavailable():
            return Outcome(StatusCode.UNAVAILABLE, str(error), error.retry_after or 1.0)
        case ServiceError():
            # A peer's refusal that nobody here expected: this service, not its caller, asked wrongly.
            log.error("a refusal was not handled", exc_info=error)
            return Outcome(StatusCode.INTERNAL, "A service that this one needs refused to help.")
    log.error("%s failed", method, exc_info=error)
    if unavailable(error):
        return Outcome(StatusCode.UNAVAILABLE, "The database does not answer.", 1.0)
    return Outcome(StatusCode.INTERNAL, "Something went wrong here. It has been logged.")


def problem(code: StatusCode, details: str) -> dict[str, Any]:
    """A refusal as the problem that HTTP would have told it by."""
    status = REFUSALS[code]
    title = "Refused" if code is StatusCode.FAILED_PRECONDITION else HTTPStatus(status).phrase
    return {"title": title, "status": status, "detail": details}


def retry_after(metadata: Iterable[tuple[str, str | bytes]] | None) -> float | None:
    """The seconds after which the peer wants to be asked again, if it says so."""
    for name, value in metadata or ():
        if name == DETAILS and isinstance(value, bytes):
            try:
                status = status_pb2.Status.FromString(value)
                for detail in status.details:
                    info = error_details_pb2.RetryInfo()
                    if detail.Unpack(info):
                        return max(0.0, float(info.retry_delay.ToMilliseconds()) / 1000)
            except DecodeError:
                return None
    return None
