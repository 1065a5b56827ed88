"""A system whose calls go over gRPC, run for real: peers are killed and come back, contracts are compiled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.generated.environment import Project


@pytest.fixture(scope="module")
def quarry(odd: Project) -> Project:
    return Project(odd.root / "over_grpc", odd.python)


def test_calls_go_through_and_a_peer_that_was_killed_is_found_again(quarry: Project) -> None:
    told = quarry.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_grpc_calls.py", timeout=500)
    assert int(re.findall(r"(\d+) passed", told)[0]) == 2 * 4 + 2 * 3


def test_contracts_say_the_same_wherever_they_are(quarry: Project) -> None:
    quarry.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_grpc_contracts.py")


@pytest.mark.skipif(os.name == "nt", reason="the Makefile is for POSIX")
def test_what_would_break_callers_is_found_before_it_is_pushed(quarry: Project) -> None:
    root = quarry.root.parent / "pushed"
    shutil.copytree(quarry.root / "contracts", root / "contracts")
    for name in ("Makefile", "recovery.mk"):
        shutil.copy(quarry.root / name, root)

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, shell=True, cwd=root, env=quarry.env, capture_output=True, text=True)

    identity = "git -c user.name=x -c user.email=x@example.org"
    assert shell(f"git init -q -b main && git add -A && {identity} commit -qm x").returncode == 0
    check = f"make --no-print-directory -o setup check-contracts BIN={quarry.python.parent}"
    assert shell(check).returncode == 0
    proto = next(root.glob("contracts/proto/*/stonepit/v1/*.proto"))
    text = proto.read_text()
    assert "string name = 1;" in text
    proto.write_text(text.replace("string name = 1;", "int64 name = 1;"))
    done = shell(check)
    assert done.returncode != 0
    assert "changed type" in done.stdout
