"""Keys for a deployment: each service gets what it needs, and no other's private key."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from chassis.security.__main__ import main
from chassis.security.deployed import deploy
from chassis.security.keys import KeyRing

ACCESS = {
    "issuer": {"service": "users"},
    "operations": [
        {"service": "inventory", "callers": ["orders", "web"]},
        {"service": "orders", "callers": ["web"]},
        {"service": "users", "callers": []},
    ],
}


@pytest.fixture
def access(tmp_path: Path) -> Path:
    path = tmp_path / "access.json"
    path.write_text(json.dumps(ACCESS))
    return path


def test_each_service_gets_its_own(access: Path, tmp_path: Path) -> None:
    deploy(access, tmp_path / "keys")
    found = {
        folder.name: sorted(file.name for file in folder.iterdir())
        for folder in (tmp_path / "keys").iterdir()
        if folder.name != "all"
    }
    assert found == {
        "inventory": ["orders.pub.json", "web.pub.json"],
        "orders": ["orders.json", "web.pub.json"],
        "users": ["issuer.json"],
        "web": ["web.json"],
    }
    assert not [file for file in (tmp_path / "keys").glob("*/*.pub.json") if '"d"' in file.read_text()]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")
def test_others_on_the_machine_do_not_get_in(access: Path, tmp_path: Path) -> None:
    deploy(access, tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_again_keeps_the_keys_and_rotating_adds_one(access: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    deploy(access, folder)
    first = KeyRing(folder / "users", "issuer").signing().kid
    deploy(access, folder)
    assert KeyRing(folder / "users", "issuer").signing().kid == first
    deploy(access, folder, rotated=True)
    ring = KeyRing(folder / "users", "issuer")
    assert (len(ring.keys), ring.signing().kid) == (2, first)


def test_as_it_is_typed(access: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path / "keys"), "deploy", "--access", str(access)]) == 0
    told = capsys.readouterr().out
    assert "users: issuer.json" in told
    assert "dev-" not in (tmp_path / "keys" / "users" / "issuer.json").read_text()
    assert main(["--folder", str(tmp_path / "none"), "rotate", "issuer"]) == 1
    assert "missing" in capsys.readouterr().err
