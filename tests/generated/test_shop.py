"""The shop in both styles, in the hands of a developer: its linters, its tests, its demo."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.generated.environment import Project

Told = Callable[[Project, str], str]
# What takes minutes: the folder, the command, and the seconds after which it counts as hanging.
LONG = {
    "chassis": ("chassis/python", ("-m", "pytest", "-q", "-p", "no:cacheprovider"), 900),
    "system": (".", ("-m", "pytest", "-q", "tests"), 900),
    "recovery": (".", ("scripts/drill.py", "--store", "postgres", "everything"), 400),
}


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, shops: dict[str, Project]) -> Iterator[Told]:
    """Gives what a long command prints in a shop. Those of the chosen tests begin at once, two at a time:
    each keeps one core busy, and one after the other they would take most of the time of all tests.
    """
    chosen = {item.name for item in request.session.items if item.path == request.path}
    begun: dict[tuple[Project, str], Future[str]] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, (folder, command, most) in LONG.items():
            for style, shop in shops.items():
                if any(name in test and style in test for test in chosen):
                    place = Project(shop.root / folder, shop.python)
                    begun[shop, name] = pool.submit(place.run, *command, timeout=most)
        yield lambda shop, name: begun[shop, name].result()
        for future in begun.values():
            future.cancel()


def test_ruff_has_nothing_to_say(shop: Project) -> None:
    shop.run("-m", "ruff", "check", "--no-cache", ".")
    shop.run("-m", "ruff", "format", "--no-cache", "--check", ".")


def test_mypy_is_strict_and_content(shop: Project) -> None:
    assert "strict = true" in (shop.root / "pyproject.toml").read_text()
    shop.run("-m", "mypy")


def test_the_services_pass_their_tests(shop: Project) -> None:
    told = shop.run("-m", "pytest", "-q", "services")
    assert int(re.findall(r"(\d+) passed", told)[0]) > 60


def test_the_whole_system_passes_its_tests_killed_or_not(shop: Project, told: Told) -> None:
    assert "skipped" not in told(shop, "system")


def test_the_recovery_of_a_postgresql_from_its_dumps(shop: Project, told: Told) -> None:
    said = told(shop, "recovery")
    assert said.count(" kept ") == 2
    assert "invariants hold" in said


@pytest.mark.parametrize("shop", ["orchestration"], indirect=True)  # the files are the same in both shops
def test_the_chassis_passes_its_tests(shop: Project, told: Told) -> None:
    told(shop, "chassis")


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
