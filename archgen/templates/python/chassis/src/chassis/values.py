"""What comes from outside is checked as the contract says it, not as Python would forgive it.

For a type checker these are the plain types; only validation sees the difference.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

# Every language of the system reads an integer up to here exactly. Source: RFC 8259, section 6.
SAFE = 2**53 - 1

Integer = Annotated[int, Field(strict=True, ge=-SAFE, le=SAFE)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Boolean = Annotated[bool, Field(strict=True)]
# A mailbox is known to exist only when a message arrives; this catches what can't be one.
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
