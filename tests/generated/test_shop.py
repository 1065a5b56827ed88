"""The shop in both styles, in the hands of a developer: its linters, its tests, its demo."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.generated.environment import Project


def test_ruff_has_nothing_to_say(shop: Project) -> None:
    shop.run("-m", "ruff", "check", "--no-cache", ".")
    shop.run("-m", "ruff", "format", "--no-cache", "--check", ".")


def test_mypy_is_strict_and_content(shop: Project) -> None:
    assert "strict = true" in (shop.root / "pyproject.toml").read_text()
    shop.run("-m", "mypy")


def test_the_services_pass_their_tests(shop: Project) -> None:
    told = shop.run("-m", "pytest", "-q", "services")
    assert int(re.findall(r"(\d+) passed", told)[0]) > 60


def test_the_whole_system_passes_its_tests_killed_or_not(shop: Project) -> None:
    told = shop.run("-m", "pytest", "-q", "tests", timeout=600)
    assert "skipped" not in told


def test_a_postgresql_comes_back_from_its_dumps(shop: Project) -> None:
    told = shop.run("scripts/drill.py", "--store", "postgres", "everything", timeout=240)
    assert told.count(" kept ") == 2
    assert "invariants hold" in told


def test_the_chassis_passes_its_tests(shop: Project) -> None:
    if shop.root.parent.name.startswith("choreography"):
        pytest.skip("the files are the same in both shops")
    chassis = Project(shop.root / "chassis" / "python", shop.python)
    chassis.run("-m", "pytest", "-q", "-p", "no:cacheprovider", timeout=600)


@pytest.mark.skipif(os.name == "nt", reason="process groups are how POSIX tells who is left")
def test_the_demo_shows_one_order_that_comes_through_and_one_that_is_undone(shop: Project) -> None:
    with subprocess.Popen(
        [shop.python, "scripts/demo.py"],
        cwd=shop.root,
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as demo:
        told, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, told
    first, second = told.split("Somebody orders seven")
    assert "payment.completed" in first
    assert last_event(first) == "order.confirmed"
    assert "payment.refunded" in second
    assert last_event(second) == "order.cancelled"
    # Two of five teapots went away; those of the undone order are back.
    assert re.search(r'"on_hand": ?5.*"allocated": ?2|"on_hand": ?3', told)
    assert "Everything is stopped." in told
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


def last_event(told: str) -> str:
    return str(re.findall(r"●\s+(\S+)", told)[-1])
