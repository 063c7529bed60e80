"""Settings come from CIBX_* variables; what is nearly a setting is told, what isn't one is left alone."""

from __future__ import annotations

import pytest

from exchange.errors import SettingError
from exchange.settings import Settings, read_settings

KEY = "b6fa3f17c5d0429e8a7b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607"


def test_without_variables_the_defaults_hold() -> None:
    assert read_settings({"PATH": "/bin"}) == Settings()


@pytest.mark.parametrize(("variable", "text", "name", "value"), [
    ("CIBX_DATABASE_URL", "sqlite:///x.db", "database_url", "sqlite:///x.db"),
    ("CIBX_PAGE_SIZE", "10", "page_size", 10),
    ("CIBX_PROXIES", "0", "proxies", 0),
    ("CIBX_TITLE", "Ours", "title", "Ours"),
])
def test_a_variable_sets_its_field(variable: str, text: str, name: str, value: object) -> None:
    assert getattr(read_settings({variable: text}), name) == value


@pytest.mark.parametrize("variable", ["CIBX_DATABASE_URI", "CIBX_PAGESIZE", "CIBX_PROXIE", "CIBX_MAX_CONTENT_LENGHT"])
def test_a_misspelt_setting_stops_the_start_and_names_the_right_one(variable: str) -> None:
    with pytest.raises(SettingError, match="Did you mean CIBX_"):
        read_settings({variable: "1"})


@pytest.mark.parametrize("variable", ["CIBX_SECRET_OF_ALPHA", "CIBX_ALPHA_PASSWORD", "CIBX_TOKEN", "CIBXLIKE"])
def test_other_variables_are_left_alone(variable: str) -> None:
    assert read_settings({variable: "x"}) == Settings()


@pytest.mark.parametrize(("variable", "text"), [
    ("CIBX_PAGE_SIZE", "0"), ("CIBX_PAGE_SIZE", "-1"), ("CIBX_PAGE_SIZE", "1e3"), ("CIBX_PAGE_SIZE", ""),
    ("CIBX_PAGE_SIZE", "１"), ("CIBX_MAX_OBJECTS", "9" * 13), ("CIBX_PROXIES", "x"), ("CIBX_POLICIES", "/no/such/folder"),
    ("CIBX_SECRET_KEY", f"{KEY}, {KEY}"), ("CIBX_SECRET_KEY", f",{KEY}"), ("CIBX_SECRET_KEY", f"{KEY},"),
    ("CIBX_CERTIFICATE_PROXIES", "10.0.0.0/8, proxy"), ("CIBX_OIDC_NETWORKS", "10.0.0.0/33"), ("CIBX_WEBHOOK_NETWORKS", "10.0.0.0/8;fd00::/8"),
    ("CIBX_PUBLIC_URL", "exchange.example"), ("CIBX_PUBLIC_URL", "https://"),
])
def test_a_value_that_is_none_stops_the_start(variable: str, text: str) -> None:
    with pytest.raises(SettingError, match=variable):
        read_settings({variable: text})


@pytest.mark.parametrize(("variable", "text", "what"), [
    ("CIBX_SECRET_KEY", "lorem", "a key of 5 characters"), ("CIBX_SECRET_KEY", KEY[:31], "a key of 31 characters"),
    ("CIBX_SECRET_KEY", f"{KEY},lorem", "a key of 5 characters"), ("CIBX_SECRET_KEY", f"lorem,{KEY}", "a key of 5 characters"),
    ("CIBX_SECRET_KEY", "x" * 64, "a key of 1 different characters"), ("CIBX_SECRET_KEY", "changeme" * 8, "a key of 7 different characters"),
    ("CIBX_PROXY_SECRET", KEY[:31], "a key of 31 characters"), ("CIBX_PROXY_SECRET", "0123" * 8, "a key of 4 different characters"),
])
def test_a_secret_that_can_be_guessed_stops_the_start_and_is_not_shown(variable: str, text: str, what: str) -> None:
    with pytest.raises(SettingError, match=rf"{variable} has {what}.*openssl rand") as refused:
        read_settings({variable: text})
    assert not any(part in str(refused.value) for part in ("lorem", KEY[:31], "changeme", "xx", "0123"))


@pytest.mark.parametrize("text", [KEY[:32], KEY, f"{KEY},{KEY[::-1]}"])
def test_a_random_secret_is_taken(text: str) -> None:
    assert read_settings({"CIBX_SECRET_KEY": text, "CIBX_PROXY_SECRET": KEY}).secret_key == text


def test_the_password_of_the_database_is_not_shown() -> None:
    shown = read_settings({"CIBX_DATABASE_URL": "postgresql://me:s3cret@host/db"}).shown_database
    assert "s3cret" not in shown
    assert "me:***@host" in shown
