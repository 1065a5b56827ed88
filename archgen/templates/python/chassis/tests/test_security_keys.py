"""Key files: made once, readable by their owner, rotated without any token's becoming invalid."""

from __future__ import annotations

import json
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from security_for_tests import SECURITY

from chassis.security import tokens
from chassis.security.keys import LEAD, OVERLAP, KeyProblem, KeyRing, ensure, public_path, rotate
from chassis.security.keysets import keys_in
from chassis.security.settings import SecuritySettings
from chassis.settings import Settings, SettingsError

PROD = {"PROFILE": "prod", "DATABASE_URL": "sqlite:///x.db", "BROKER_URL": "nats://n"}


def settings(env: dict[str, str]) -> SecuritySettings:
    return SecuritySettings.from_env(SECURITY, Settings.from_env("users", env=env), env)


def test_of_many_who_make_the_same_key_one_wins(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: ensure(tmp_path, "issuer"), range(16)))
    assert len({ring.signing().kid for ring in rings}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issuer.json", "issuer.pub.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")
def test_only_its_owner_can_read_a_private_key(tmp_path: Path) -> None:
    ring = ensure(tmp_path / "keys", "issuer")
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600
    rotate(tmp_path / "keys", "issuer")
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600


def test_what_is_published_is_not_secret(tmp_path: Path) -> None:
    ring = ensure(tmp_path, "issuer")
    published = json.loads(public_path(tmp_path, "issuer").read_text())
    assert published == ring.public()
    assert all("d" not in key for key in published["keys"])
    assert "private" not in repr(ring.signing())


def test_a_new_key_is_published_first_and_signs_later(tmp_path: Path) -> None:
    ring, now = ensure(tmp_path, "issuer"), time.time()
    old = ring.signing(now)
    new = rotate(tmp_path, "issuer", now)
    assert new.kid in keys_in(ring.public())
    assert ring.signing(now + LEAD - 1).kid == old.kid
    assert ring.signing(now + LEAD + 1).kid == new.kid


def test_tokens_live_through_rotations_and_old_keys_go(tmp_path: Path) -> None:
    ring, now = ensure(tmp_path, "issuer"), time.time()
    first = ring.signing(now)
    token = tokens.sign(first, tokens.ACCESS, {"iss": "i", "aud": "a", "sub": "s"}, 600)
    # Every hour for a day: who signed last stays published for as long as its tokens live.
    for hour in range(24):
        at = now + hour * 3600
        rotate(tmp_path, "issuer", at)
        signing = ring.signing(at + LEAD + 1)
        assert signing.kid in keys_in(ring.public())
        if hour * 3600 + LEAD < OVERLAP:
            assert tokens.verify(token, keys_in(ring.public())[first.kid], "i", "a")["sub"] == "s"
    assert first.kid not in keys_in(ring.public())
    assert len(ring.keys) <= 4


def test_a_ring_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    ring = ensure(tmp_path, "issuer")
    before = len(ring.keys)
    rotate(tmp_path, "issuer")
    assert len(ring.keys) == before + 1


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"keys": []}', '{"keys": [{"kid": "k"}]}', '{"keys": [{"kid": "k", "d": "AA"}]}'],
)
def test_a_broken_file_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "issuer.json").write_text(text)
    with pytest.raises(KeyProblem, match=r"issuer\.json"):
        _ = KeyRing(tmp_path, "issuer").keys


def test_development_makes_its_keys(tmp_path: Path) -> None:
    found = settings({"KEYS_DIR": str(tmp_path)})
    assert KeyRing(found.keys, "issuer").signing().kid.startswith("dev-")


def test_production_makes_none_and_takes_none_of_development(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KEYS_DIR is missing"):
        settings(PROD)
    with pytest.raises(SettingsError, match=r"issuer\.json is missing"):
        settings({**PROD, "KEYS_DIR": str(tmp_path)})
    assert not list(tmp_path.iterdir())
    ensure(tmp_path, "issuer", dev=True)
    with pytest.raises(SettingsError, match="made in development"):
        settings({**PROD, "KEYS_DIR": str(tmp_path)})
    rotate(tmp_path, "issuer")  # does not launder it
    with pytest.raises(SettingsError, match="made in development"):
        settings({**PROD, "KEYS_DIR": str(tmp_path)})


def test_production_with_keys_of_its_own_starts(tmp_path: Path) -> None:
    ensure(tmp_path, "issuer")
    with pytest.raises(SettingsError, match=r"orders\.pub\.json is missing"):
        settings({**PROD, "KEYS_DIR": str(tmp_path)})
    ensure(tmp_path, "orders")
    assert settings({**PROD, "KEYS_DIR": str(tmp_path)}).issuer == "shop/users"


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "RATE_PER_SECOND"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", "٣", "99999999"])
def test_numbers_that_are_none(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings({"KEYS_DIR": str(tmp_path), name: value})
