"""What tests of the proof share: the chassis that the model is held to."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.proof.real import CHASSIS


@pytest.fixture(scope="module")
def chassis() -> Any:
    """`chassis.saga.state` and `definition`, as generated projects get them."""
    sys.path.insert(0, str(CHASSIS))
    try:
        from chassis.saga import definition, state
    finally:
        sys.path.remove(str(CHASSIS))
    return {"definition": definition, "state": state}
