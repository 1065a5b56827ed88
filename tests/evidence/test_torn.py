"""What a report says of two changes: whether no transaction is around them, or one goes past it."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect
from archgen.rules.data_consistency.dtc_007_torn_writes import RULE

_BARE = """
import { prisma } from './prisma';
export async function place(order) {
  await prisma.order.create({ data: order });
  await prisma.stock.update({ data: order });
}
"""
_PAST = """
import { prisma } from './prisma';
export async function place(order) {
  await prisma.$transaction(async () => {
    await prisma.order.create({ data: order });
    await prisma.stock.update({ data: order });
  });
}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [(_BARE, "outside of any transaction"), (_PAST, "past the transaction around both")],
)
def test_a_transaction_that_is_there_is_not_said_to_be_missing(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "order.ts").write_text(text, encoding="utf-8")
    (hit,) = RULE.check(collect(tmp_path))
    assert hit.message.endswith(said)
