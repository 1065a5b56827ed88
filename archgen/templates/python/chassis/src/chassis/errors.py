"""What a use case may say instead of succeeding.

Every way in turns these into its own idiom: HTTP into problem+json (`problem`), the inbox into a
refusal of the command or a retry. Anything else that is raised is a bug and is treated as one.
Only the standard library is imported here, because domain code imports this module.
"""

from typing import TypeVar

S = TypeVar("S")


class ServiceError(Exception):
    """The base of the four below; its text is safe to show to a caller."""


class Refused(ServiceError):
    """A business rule says no. Trying again changes nothing; state is as it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(ServiceError):
    """The thing asked for does not exist, or the caller may not know that it does."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"{what} {key!r} does not exist")
        self.what = what
        self.key = key


class Conflict(ServiceError):
    """The state moved on since the caller looked at it: read again, decide again.

    `expected` is the version that the caller named (an If-Match header) and `None` when the
    clash is with a concurrent write that the caller could not know of.
    """

    def __init__(self, message: str, expected: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected


class Unavailable(ServiceError):
    """Something that is needed does not answer now.

    `retry_after` is the seconds after which asking again makes sense, where somebody knows.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def existing(state: S | None, what: str, key: object) -> S:
    """`state`, which has to be there for what is asked. Raises NotFound when it is not."""
    if state is None:
        raise NotFound(what, str(key))
    return state
