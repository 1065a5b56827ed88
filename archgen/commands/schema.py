"""`archgen architect schema`: the JSON Schema of the description."""

from __future__ import annotations

import json

from archgen import console
from archgen.spec.schema import schema as build


def schema() -> int:
    """Prints the JSON Schema on stdout and returns 0."""
    console.out(json.dumps(build(), indent=2, ensure_ascii=False))
    return 0
