"""The base of all parts of a system's description."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value. Its fields go by their names in Python and by their aliases in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
