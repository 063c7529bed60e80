"""Guessing: limits by name and address, and the same work for names that are known and those that aren't."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from exchange.errors import TooManyRequestsError, UnauthorizedError, UnavailableError
from exchange.model.credential import digest, issue, verify
from exchange.model.party import Credential, Directory, Organisation
from exchange.store.allowances import Allowances
from exchange.store.engine import read
from exchange.web.auth.limit import GuessLimit, Keyed
from tests.e2e.http_caller import basic
from tests.fakes.identity_provider import jws, private_key, public_jwk
from tests.web.auth.entrance import Entrance, entrance

ALPHA = issue("alpha-feed", bytes(range(32)))
NOW = datetime(2026, 6, 15, tzinfo=UTC)


def guess(limit: GuessLimit, account: str, address: str, now: float = 0.0) -> int | None:
    """A wrong guess; the seconds to wait where it isn't even looked at."""
    try:
        limit.check(account, address, "wrong", now)
    except TooManyRequestsError as refused:
        return refused.retry_after
    limit.wrong(account, address, now)
    return None


@pytest.mark.parametrize(("name_of", "address_of", "let_in"), [
    pytest.param(lambda _: "alpha", lambda _: "192.0.2.1", 8, id="one name from one address"),
    pytest.param(lambda n: ("alpha", "ALPHA", "Alpha")[n % 3], lambda _: "192.0.2.1", 8, id="however it is written"),
    pytest.param(lambda n: f"name-{n}", lambda _: "192.0.2.1", 100, id="many names from one address"),
    pytest.param(lambda _: "alpha", lambda n: f"192.0.{n // 200}.{n % 200}", 200, id="one name from many addresses"),
    pytest.param(lambda n: f"name-{n}", lambda n: f"192.0.{n // 200}.{n % 200}", 300, id="many names from many addresses"),
])
def test_how_many_guesses_are_looked_at_in_a_minute(name_of: Callable[[int], str], address_of: Callable[[int], str], let_in: int) -> None:
    limit = GuessLimit()
    waits = [guess(limit, name_of(n), address_of(n)) for n in range(300)]
    assert waits.count(None) == let_in
    assert set(waits[let_in:]) <= {61}
    assert guess(limit, name_of(0), address_of(0), now=60.0) is None


def test_who_proved_itself_isnt_shut_out_by_others() -> None:
    limit = GuessLimit()
    limit.right("alpha", "192.0.2.1", "its proof", 0.0)
    for n in range(300):
        guess(limit, "alpha", f"192.0.{n // 200}.{n % 200}")
    limit.check("alpha", "192.0.2.1", "its proof", 1.0)
    limit.check("alpha", "192.0.2.1", "its provider's next token", 1.0)
    with pytest.raises(TooManyRequestsError):
        limit.check("alpha", "198.51.100.1", "its proof", 1.0)


def test_where_a_member_is_known_its_name_is_guessed_as_seldom_as_elsewhere() -> None:
    limit = GuessLimit()
    limit.right("alpha", "192.0.2.1", "its proof", 0.0)
    assert [guess(limit, "alpha", "192.0.2.1") for _ in range(10)] == [None] * 8 + [61] * 2
    limit.check("alpha", "192.0.2.1", "its proof", 1.0)


def test_a_name_and_an_address_dont_share_a_count() -> None:
    limit = GuessLimit()
    for _ in range(8):
        guess(limit, "192.0.2.1", "198.51.100.1")
    assert guess(limit, "somebody", "192.0.2.1") is None


@dataclass
class Meeting:
    """What the workers of a test share, in a database."""

    engine: Engine
    away: bool = False
    bookings: int = 0

    def book_all(self, taken: Sequence[tuple[str, str, float]]) -> Sequence[float]:
        if self.away:
            raise UnavailableError("The store is away.")
        self.bookings += 1
        return Allowances(self.engine, lambda: 10 ** 15).book_all(taken)


def test_workers_together_look_at_a_limits_worth_of_guesses_and_one_more_for_each_further_worker(engine: Engine) -> None:
    meeting = Meeting(engine)
    workers = [GuessLimit(Keyed(meeting, lambda: b"key")) for _ in range(4)]
    looked_at = [guess(workers[n % 4], "alpha", "192.0.2.1") for n in range(40)].count(None)
    assert 8 <= looked_at <= 8 + 3
    assert guess(workers[0], "beta", "192.0.2.1") is None
    with read(engine) as connection:
        rows = connection.execute(text("SELECT kind, who FROM allowance")).all()
    assert {kind for kind, _ in rows} == {"guess-both", "guess-address", "guess-name"}
    assert len({who for _, who in rows}) == len(rows) == 5  # two names, and their address


def test_a_right_key_asks_nobody_and_a_known_name_books_as_an_unknown_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = entrance(tmp_path, "", requests_per_minute=0)
    booked: list[Any] = []
    event.listen(opened.exchange.engine, "before_cursor_execute",
                 lambda _c, _cursor, statement, given, *_: "allowance" in statement and booked.append(given))
    issued = issue("alpha-key", bytes(range(32)))
    monkeypatch.setenv("ALPHA_SECRET", issued.secret)
    opened.describe('[[credential]]\nid = "alpha-key"\norg = "org-alpha"\nscopes = ["write"]\nsecret_env = "ALPHA_SECRET"')
    for _ in range(3):
        assert opened.ask({"Authorization": basic("alpha-key", issued.secret)}, address="192.0.2.1").status_code == 200
    assert booked == []
    told = []
    for name in ("alpha-key", "nobody-key"):
        assert opened.ask({"Authorization": basic(name, "wrong")}, address=f"198.51.100.{len(name)}").status_code == 401
        told.append([(given[0], given[2]) for given in booked])
        booked.clear()
    assert told[0] == told[1]
    assert len(told[0]) == 3


def test_where_the_store_is_away_each_worker_counts_alone_and_meets_the_others_later(engine: Engine) -> None:
    meeting = Meeting(engine, away=True)
    here, there = GuessLimit(meeting), GuessLimit(meeting)
    assert [guess(here, "alpha", "192.0.2.1") for _ in range(10)].count(None) == 8
    meeting.away = False
    waits = [guess(there, "alpha", "192.0.2.1", now=2.0) for _ in range(10)]
    assert waits.count(None) == 8
    assert guess(here, "alpha", "192.0.2.1", now=61.0) is None  # its own eight are over, and it hears of the others'
    assert guess(here, "alpha", "192.0.2.1", now=61.0) == 61


def test_strangers_cause_a_bounded_number_of_writes(engine: Engine) -> None:
    meeting = Meeting(engine)
    limit = GuessLimit(meeting)
    for n in range(150):
        guess(limit, f"name-{n}", f"192.0.{n // 50}.{n % 50}")
    assert meeting.bookings == 100
    for n in range(30):
        guess(limit, f"name-{n}", f"192.0.7.{n}", now=2.0)
    assert meeting.bookings == 110


def directory(credential: Credential) -> Directory:
    member = Organisation(id="org-alpha", name="Alpha", kind="platform", jurisdiction="IE")
    return Directory(1, {"org-alpha": member}, {}, {}, {}, {credential.id: credential})


def work(called: Callable[[], object]) -> Counter[str]:
    """What C functions a refusal calls: hashes, comparisons, signature checks."""
    seen: Counter[str] = Counter()

    def watch(_frame: object, event: str, argument: Any) -> None:
        if event == "c_call" and argument.__name__ in {"openssl_sha256", "hexdigest", "compare_digest", "verify", "crc32"}:
            seen[argument.__name__] += 1

    sys.setprofile(watch)
    try:
        with pytest.raises(UnauthorizedError):
            called()
    finally:
        sys.setprofile(None)
    return seen


KNOWN = Credential(id="alpha-feed", org="org-alpha", digest=ALPHA.digest)


@pytest.mark.parametrize(("user", "secret", "credential"), [
    pytest.param("nobody", "wrong", KNOWN, id="unknown name"),
    pytest.param("alpha-feed", "wrong", Credential(id="alpha-feed", org="org-alpha", digest=ALPHA.digest, revoked=True), id="revoked"),
    pytest.param("alpha-feed", "wrong", Credential(id="alpha-feed", org="org-alpha", digest=ALPHA.digest, until="2026-01-01T00:00:00Z"), id="ended"),
    pytest.param("alpha-feed", "wrong", Credential(id="alpha-feed", org="org-gone", digest=ALPHA.digest), id="its member is gone"),
    pytest.param("alpha-feed", "wrong", Credential(id="alpha-feed", org="org-alpha", digest="", certificates=("dns:a",)), id="has no secret"),
    pytest.param("alpha-feed", "", Credential(id="alpha-feed", org="org-alpha", digest=""), id="has no proof at all"),
])
def test_a_refusal_takes_the_work_that_a_wrong_secret_of_a_known_name_takes(user: str, secret: str, credential: Credential) -> None:
    known = work(lambda: verify(directory(KNOWN), "alpha-feed", "wrong", NOW))
    assert known["openssl_sha256"] >= 1
    assert known["compare_digest"] == 1
    assert work(lambda: verify(directory(credential), user, secret, NOW)) == known


def test_nothing_opens_a_credential_without_a_secret() -> None:
    credential = Credential(id="alpha-feed", org="org-alpha", digest="", certificates=("dns:a",))
    for secret in ("", "0" * 64, digest("")):
        with pytest.raises(UnauthorizedError):
            verify(directory(credential), "alpha-feed", secret, NOW)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    folder = tmp_path_factory.mktemp("exchange")
    (folder / "keys").write_text(json.dumps({"keys": [public_jwk(private_key("OKP"), kid="one")]}))
    return entrance(folder, f"""
[[credential]]
id = "jobs"
org = "org-alpha"
scopes = ["write"]
oidc = {{ issuer = "https://login.alpha.example", audience = "cib", subject = "pipeline", keys_file = "{folder}/keys" }}
""")


def test_a_key_whose_id_has_dots_is_opened_by_its_token(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dots in it made it look like a token of an identity provider."""
    named = issue("collector.alpha.example", bytes(range(32)))
    apart = entrance(tmp_path, "")
    monkeypatch.setenv("SECRET", named.secret)
    apart.describe('[[credential]]\nid = "collector.alpha.example"\norg = "org-alpha"\nscopes = ["write"]\nsecret_env = "SECRET"')
    assert apart.bearer(named.token).status_code == 200


def test_a_token_of_nobodys_issuer_has_a_signature_checked_too(opened: Entrance) -> None:
    def refused(**claims: object) -> Counter[str]:
        said = {"iss": "https://login.alpha.example", "aud": "cib", "sub": "pipeline", "exp": opened.seconds + 60, **claims}
        token = jws({"alg": "EdDSA", "kid": "one", "typ": "at+jwt"}, said, lambda _: bytes(64))
        seen: Counter[str] = Counter()

        def watch(_frame: object, event: str, argument: Any) -> None:
            if event == "c_call" and argument.__name__ == "verify":
                seen["verify"] += 1

        sys.setprofile(watch)
        try:
            assert opened.bearer(token).status_code == 401
        finally:
            sys.setprofile(None)
        return seen

    assert refused() == refused(iss="https://login.beta.example") == refused(sub="somebody") == refused(exp=1) == {"verify": 1}


def test_answers_to_guesses_are_the_same_bytes_for_every_name(opened: Entrance) -> None:
    given = []
    for name in ("jobs", "nobody"):
        headers = {"Authorization": basic(name, "wrong secret of sorts")}
        answers = [opened.ask(headers, address=f"198.51.100.{len(name)}") for _ in range(9)]
        given.append([(one.status_code, one.data, list(one.headers)) for one in answers])
    assert given[0] == given[1]
    assert [one[0] for one in given[0]] == [401] * 8 + [429]
