import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.settings import Settings, SettingsError

PROD = {
    "PROFILE": "prod",
    "DATABASE_URL": "postgresql://orders:9fJq2kLm@db/orders",
    "BROKER_URL": "nats://broker:4222",
    "TOKEN_SECRET": "9fJq2kLmXw",
}


def prod(**changes: str) -> Settings:
    return Settings.from_env("orders", secrets={"TOKEN_SECRET": "only-for-dev"}, env=PROD | changes)


def test_development_needs_nothing() -> None:
    settings = Settings.from_env("orders", env={})
    assert settings.database_url == "sqlite:///data/orders.db"
    assert settings.broker_url == "nats://127.0.0.1:4222"
    assert (settings.host, settings.port, settings.profile) == ("127.0.0.1", 8000, "dev")


def test_production_takes_what_it_is_given() -> None:
    settings = prod(PORT="80", SHUTDOWN_SECONDS="2.5", LOG_LEVEL="warning")
    assert settings.prod
    assert (settings.host, settings.port) == ("0.0.0.0", 80)
    assert (settings.shutdown_seconds, settings.log_level) == (2.5, "WARNING")
    assert settings.secret("TOKEN_SECRET") == "9fJq2kLmXw"


def test_every_problem_is_reported_at_once() -> None:
    env = {"PROFILE": "prod", "PORT": "http", "LOG_LEVEL": "LOUD", "SHUTDOWN_SECONDS": "-1"}
    with pytest.raises(SettingsError) as error:
        Settings.from_env("orders", peers=["inventory"], secrets={"TOKEN_SECRET": "x"}, env=env)
    named = {problem.split()[0] for problem in error.value.problems}
    assert named == {
        "PORT",
        "LOG_LEVEL",
        "SHUTDOWN_SECONDS",
        "DATABASE_URL",
        "BROKER_URL",
        "INVENTORY_URL",
        "TOKEN_SECRET",
    }
    assert all(problem in str(error.value) for problem in error.value.problems)


@pytest.mark.parametrize("secret", ["changeme", "Change-This!", "only-for-dev", "your_secret_here", ""])
def test_production_refuses_a_placeholder_for_a_secret(secret: str) -> None:
    with pytest.raises(SettingsError, match="TOKEN_SECRET"):
        prod(TOKEN_SECRET=secret)


def test_production_refuses_a_placeholder_inside_an_address() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL holds a placeholder"):
        prod(DATABASE_URL="postgresql://orders:changeme@db/orders")


def test_an_unknown_profile_is_not_taken_for_dev() -> None:
    with pytest.raises(SettingsError, match="PROFILE is 'production'"):
        Settings.from_env("orders", env={"PROFILE": "production"})


def test_secrets_do_not_show() -> None:
    settings = prod()
    assert "9fJq2kLm" not in repr(settings)
    with pytest.raises(SettingsError) as error:
        prod(DATABASE_URL="9fJq2kLm")
    assert "9fJq2kLm" not in str(error.value)


def test_peers() -> None:
    env = {"STOCK_KEEPING_URL": "http://stock:8000/"}
    settings = Settings.from_env("orders", peers=["stock-keeping"], env=env)
    assert settings.peer_url("stock-keeping") == "http://stock:8000"
    with pytest.raises(KeyError):
        settings.peer_url("payments")


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.from_env("orders", env={}).port = 1  # type: ignore[misc]


NAMES = ["PROFILE", "PORT", "HOST", "DATABASE_URL", "BROKER_URL", "LOG_LEVEL", "SHUTDOWN_SECONDS"]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20)))
def test_any_environment_gives_settings_or_a_list_of_problems(env: dict[str, str]) -> None:
    try:
        settings = Settings.from_env("orders", env=env)
    except SettingsError as error:
        assert error.problems
    else:
        assert 0 <= settings.port <= 65535
        assert settings.shutdown_seconds >= 0
