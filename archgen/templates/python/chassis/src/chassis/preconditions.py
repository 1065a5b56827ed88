"""`If-Match`: do it only if the aggregate is still at the version that the caller saw.

Every answer that tells a version carries it as an ETag as well, and that is what comes back here.
Without the header a clash is solved by deciding again on what there is now; with it, the caller has
said that only one version will do, so nothing is tried again.
Source: RFC 9110, sections 8.8.3 and 13.1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.exceptions import HTTPException

from chassis.errors import Conflict

_TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS = re.compile(rf"\s*(?:{_TAG}\s*(?:,\s*|$))+")


@dataclass(frozen=True)
class IfMatch:
    """What the caller asks for: one of `versions`, or with `anything` that there is one at all."""

    versions: frozenset[int]
    anything: bool = False

    def check(self, version: int) -> None:
        """Raises Conflict, with `expected`, when an aggregate at `version` is not the one meant."""
        if version in self.versions or (self.anything and version):
            return
        seen = ", ".join(map(str, sorted(self.versions))) or "none"
        expected = max(self.versions, default=0)
        raise Conflict(f"it is at version {version}; you have seen {seen}", expected)


def if_match(request: Request) -> IfMatch | None:
    """What `request` demands, or `None`. Raises HTTPException 400 for what is not a list of tags.

    A weak tag never matches, nor does one that this service can't have given.
    """
    values = request.headers.getlist("if-match")
    if not values:
        return None
    text = ",".join(values).strip()
    if text == "*":
        return IfMatch(frozenset(), anything=True)
    if not _TAGS.fullmatch(text):
        raise HTTPException(400, 'If-Match is a version in quotes, such as "3", or *.')
    return IfMatch(frozenset(int(tag) for tag in re.findall(r'(?<!W/)"([0-9]{1,18})"', text)))


def etag(version: int) -> dict[str, str]:
    """The header that says at which version an answer was true; none for what does not exist."""
    return {"ETag": f'"{version}"'} if version else {}


def guard(wanted: IfMatch | None, version: Callable[[], int], *, creates: bool) -> None:
    """Check `wanted` against what there is. Raises Conflict.

    What does not exist is left for the domain to say: a 404 tells more than a failed precondition.
    """
    if wanted is not None and ((found := version()) or creates):
        wanted.check(found)
