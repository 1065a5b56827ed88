"""A short torture of the shop in both styles, each on another database; `make torture` is the long one."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.torture.campaign import outcome, project
from tests.torture.shop import STYLES

SEED = 8
STORES = {"orchestration": "sqlite", "choreography": "postgres"}
HAPPENED = (
    "jobs: notifications delivered",
    "jobs: reconciliations",
    "gateway: asked again under the same key",
    "gateway: refused for good",
    "rebuilds while all was serving",
    "snapshots",
    "reads of what was just written",
    "stale writes refused",
)
OPTIONS = ("--seed", str(SEED), "--orders", "60", "--seconds", "10", "--patience", "90")
LONGEST = 240.0


@pytest.mark.skipif(os.name != "posix", reason="processes are frozen with SIGSTOP")
def test_nothing_is_lost_charged_twice_or_left_behind(tmp_path: Path) -> None:
    """Both at the same time: a run mostly waits for timeouts and for messages to be delivered again."""
    shops = [project(tmp_path / style, style) for style in STYLES]
    with ExitStack() as stack:
        runs = []
        for shop in shops:
            output = stack.enter_context((tmp_path / f"{shop.style}.txt").open("w", encoding="utf-8"))
            result = tmp_path / f"{shop.style}.json"
            run = shop.torture(result, "--store", STORES[shop.style], *OPTIONS, output=output)
            stack.callback(_end, run)
            runs.append(run)
        codes = {shop.style: run.wait(LONGEST) for shop, run in zip(shops, runs, strict=True)}
    told = {style: (tmp_path / f"{style}.txt").read_text("utf-8") for style in STYLES}
    for style in STYLES:
        assert codes[style] == 0, told[style][-20_000:]
        counts = outcome(tmp_path / f"{style}.json")["counts"]
        broken = [name for name in counts if name.startswith(("kills of", "copies", "freezes"))]
        assert counts["orders accepted"] == 60
        assert len(broken) >= 13
        assert all(counts[name] for name in (*broken, *HAPPENED)), told[style]


def _end(run: subprocess.Popen[str]) -> None:
    """SIGTERM lets a run stop the processes that it started."""
    run.terminate()
    try:
        run.wait(30)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
