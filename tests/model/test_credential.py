"""A credential is proven by its own secret only, while it is valid, and a refusal says nothing more."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError, UnauthorizedError
from exchange.model.credential import (
    KEY_ID,
    REFUSAL,
    Issued,
    RefusedError,
    digest,
    digest_of_chosen,
    in_force,
    issue,
    read_token,
    verify,
)
from exchange.model.party import Credential, Directory, Organisation

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEY_IDS = st.from_regex(KEY_ID, fullmatch=True)
ALPHA = issue("alpha-feed", bytes(range(32)))
CHOSEN = "correct horse battery staple"


def directory(**changes: object) -> Directory:
    """One organisation with an issued and a chosen credential; ``changes`` are to the issued one."""
    credential = replace(Credential(id=ALPHA.id, org="org-alpha", digest=ALPHA.digest), **changes)  # type: ignore[arg-type]
    chosen = Credential(id="container", org="org-alpha", digest=digest(CHOSEN))
    return Directory(
        version=1,
        groups={},
        communities={},
        collections={},
        organisations={
            "org-alpha": Organisation(id="org-alpha", name="Alpha", kind="platform", jurisdiction="IE"),
            "org-asleep": Organisation(id="org-asleep", name="Zzz", kind="platform", jurisdiction="IE", active=False),
        },
        credentials={credential.id: credential, chosen.id: chosen},
    )


@given(KEY_IDS, st.binary(min_size=32, max_size=32))
def test_every_token_reads_back(key_id: str, entropy: bytes) -> None:
    issued = issue(key_id, entropy)
    assert read_token(issued.token) == (key_id, issued.secret)
    assert re.fullmatch(r"[0-9A-Za-z]{43}", issued.secret)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_bits_are_different_secrets(one: bytes, other: bytes) -> None:
    assert (issue("k", one).secret == issue("k", other).secret) == (one == other)


@given(st.text(max_size=80))
def test_no_text_crashes_the_reader(text: str) -> None:
    assert read_token(text) is None
    assert read_token("cibx_" + text) is None


@given(st.integers(min_value=5, max_value=len(ALPHA.token) - 1), st.characters(codec="utf-8"))
def test_a_mistyped_token_is_no_token(place: int, char: str) -> None:
    mistyped = ALPHA.token[:place] + char + ALPHA.token[place + 1 :]
    assert (read_token(mistyped) is None) == (mistyped != ALPHA.token)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_is_made_of_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        issue("k", b"x" * length)


@pytest.mark.parametrize(
    ("user", "secret", "found"),
    [
        (ALPHA.id, ALPHA.secret, ALPHA.id),
        (ALPHA.id, ALPHA.token, ALPHA.id),
        (None, ALPHA.token, ALPHA.id),
        ("container", CHOSEN, "container"),
    ],
)
def test_the_ways_to_prove_a_credential(user: str | None, secret: str, found: str) -> None:
    assert verify(directory(), user, secret, NOW).id == found


@pytest.mark.parametrize(
    ("user", "secret", "changes"),
    [
        pytest.param(ALPHA.id, "wrong", {}, id="wrong secret"),
        pytest.param(ALPHA.id, "", {}, id="no secret"),
        pytest.param(ALPHA.id, ALPHA.digest, {}, id="the digest isn't the secret"),
        pytest.param("nobody", ALPHA.secret, {}, id="unknown user"),
        pytest.param("", ALPHA.secret, {}, id="empty user"),
        pytest.param(None, ALPHA.secret, {}, id="secret without its key id as Bearer"),
        pytest.param(None, CHOSEN, {}, id="chosen secret as Bearer"),
        pytest.param("container", ALPHA.secret, {}, id="another one's secret"),
        pytest.param("container", ALPHA.token, {}, id="another one's token"),
        pytest.param(None, issue(ALPHA.id, bytes(32)).token, {}, id="well-formed token of other bits"),
        pytest.param(None, issue("nobody", bytes(32)).token, {}, id="well-formed token of nobody"),
        pytest.param(None, ALPHA.token + "x" * 2000, {}, id="far too long"),
        pytest.param(ALPHA.id, "\ud800", {}, id="lone surrogate"),
        pytest.param(None, ALPHA.token, {"revoked": True}, id="revoked"),
        pytest.param(None, ALPHA.token, {"since": "2026-06-15T12:00:00.000001Z"}, id="not yet"),
        pytest.param(None, ALPHA.token, {"until": "2026-06-15T12:00:00Z"}, id="until is outside"),
        pytest.param(None, ALPHA.token, {"org": "org-asleep"}, id="suspended organisation"),
        pytest.param(None, ALPHA.token, {"org": "org-gone"}, id="unknown organisation"),
    ],
)
def test_every_refusal_is_the_same(user: str | None, secret: str, changes: dict[str, object]) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        verify(directory(**changes), user, secret, NOW)
    assert (str(refused.value), refused.value.code, refused.value.status) == (
        "The credential is not valid here.",
        "unauthorized",
        401,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"since": "2026-06-15T12:00:00Z"},
        {"until": "2026-06-15T12:00:00.000001Z"},
        {"since": "2026-06-15T11:59:59.5Z", "until": "2027-01-01T00:00:00Z"},
    ],
)
def test_valid_from_its_first_moment_to_before_its_end(changes: dict[str, object]) -> None:
    assert verify(directory(**changes), None, ALPHA.token, NOW).id == ALPHA.id


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))
def test_intervals_are_half_open(edge: datetime) -> None:
    text = edge.isoformat() + "Z"
    at = edge.replace(tzinfo=UTC)
    before, after = at - timedelta(microseconds=1), at + timedelta(microseconds=1)
    assert [in_force(text, None, moment) for moment in (before, at, after)] == [False, True, True]
    assert [in_force(None, text, moment) for moment in (before, at, after)] == [True, False, False]
    assert in_force(None, None, at)


@pytest.mark.parametrize(
    ("secret", "digested"),
    [
        ("sixteen letters!", "sixteen letters!"),
        (ALPHA.token, ALPHA.secret),
        ("cibx_is_the_start_of_this_one", "cibx_is_the_start_of_this_one"),
    ],
)
def test_a_chosen_secret_or_an_issued_token_can_come_from_outside(secret: str, digested: str) -> None:
    assert digest_of_chosen(ALPHA.id, secret) == digest(digested)


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("fifteen letters", "15 characters"),
        ("x" * 1025, "1025 characters"),
        (issue("other", bytes(32)).token, "token of 'other'"),
    ],
)
def test_unfit_chosen_secrets_are_refused(secret: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        digest_of_chosen(ALPHA.id, secret)


def test_an_issued_secret_gives_only_its_digest_to_the_store() -> None:
    assert Issued("a", "s", "t").digest == digest("s")
    assert ALPHA.secret not in ALPHA.digest


@pytest.mark.parametrize(("user", "secret", "changes", "reason"), [
    ("nobody", ALPHA.secret, {}, "key id unknown"), (ALPHA.id, "wrong", {}, "secret wrong"), ("container", ALPHA.token, {}, "secret wrong"),
    (ALPHA.id, ALPHA.secret, {"revoked": True}, "revoked"), (ALPHA.id, ALPHA.secret, {"org": "org-asleep"}, "suspended"),
])
def test_the_log_is_told_what_was_wrong_and_the_caller_isnt(user: str, secret: str, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        verify(directory(**changes), user, secret, NOW)
    assert reason in refused.value.reason
    assert str(refused.value) == REFUSAL
