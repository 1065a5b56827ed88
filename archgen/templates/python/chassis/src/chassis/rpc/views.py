"""The rows of views over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from chassis import freshness
from chassis.errors import NotFound
from chassis.rpc.codec import Unfit
from chassis.rpc.contract import Method

if TYPE_CHECKING:
    from chassis.runtime import Runtime

KEY, MIN_VERSION = 1, 2  # the numbers of the fields of every request for a row


@dataclass(frozen=True)
class ServedView:
    """The method that answers with one row of `view`, and what its keys are.

    `key` is `UUID` or `str`: a key is looked for in the form that rows are kept under.
    """

    method: Method
    view: str
    key: Callable[[str], UUID | str] = str

    async def answer(self, runtime: Runtime, request: bytes) -> bytes:
        """The row. Raises NotFound, Unfit, and Unavailable when it does not get as far as wanted in time."""
        fields = self.method.descriptor.input_type.fields_by_number
        asked = self.method.read_request(request)
        key = self._key(fields[KEY].name, asked[fields[KEY].name])
        found = await freshness.at_least(runtime.db, self.view, key, asked[fields[MIN_VERSION].name])
        if found.row is None:
            raise NotFound(self.view, key)
        try:
            return self.method.response({"row": {**found.row, "version": found.version}})
        except Unfit as error:
            # The caller asked well; the view and the contract have come apart.
            raise ValueError(f"a row of {self.view} does not fit the contract: {error}") from error

    def _key(self, name: str, given: str) -> str:
        try:
            key = str(self.key(given))
        except ValueError:
            raise Unfit(f"{name} is not a UUID") from None
        if not key:
            raise Unfit(f"{name} is missing")
        return key
