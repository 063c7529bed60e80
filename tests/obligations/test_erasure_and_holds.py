"""Erasure leaves nothing of the content anywhere; a hold keeps a sealed copy and releases nothing."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text

from exchange.errors import ForbiddenError, InputError, NotFoundError, SettingError
from exchange.model.state import State
from exchange.obligations.duties import DAY
from exchange.obligations.seal import read_seal, seal_path
from exchange.obligations.sweep import take_turn
from exchange.obligations.transitions import By, StateError
from exchange.settings import Settings
from exchange.store.clock import STEADY, confirm
from exchange.store.engine import is_sqlite, read, write
from exchange.store.holds import holds_on, sealed_copies
from exchange.store.objects import Filter, Versions
from exchange.store.obligation_tables import ERASURE
from exchange.store.salts import find_salt
from tests.obligations.five_members import PLAIN, Members, indicator

MARKER = "b7Xq-very-private-marker-9Zt"
OFFICER = By("org-office", "officer", "person:Dana")


def _everything(members: Members) -> bytes:
    """All that the database holds: of SQLite its files byte by byte, of PostgreSQL every table's rows."""
    engine = members.exchange.engine
    if is_sqlite(engine):
        database = Path(str(engine.url.database))
        return b"".join(p.read_bytes() for p in sorted(database.parent.glob(f"{database.name}*")) if p.is_file())
    with read(engine) as connection:
        return b"".join(
            b"".join(bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in row)
            for table in inspect(connection).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )


def _sensitive(**change: Any) -> dict[str, Any]:
    return indicator(**{"name": f"Account of {MARKER}", "description": MARKER * 40, **change})


def test_nothing_of_an_erased_object_is_left_in_the_database(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", indicator(), one, indicator())
    members.push("alpha", one | {"modified": "2026-11-02T00:00:00.000Z"})
    members.receive("beta", one["id"])
    assert MARKER.encode() in _everything(members)
    members.change(one["id"], State.ERASED)
    left = _everything(members)
    assert MARKER.encode() not in left
    assert one["id"].encode() in left  # the id stays, and what recipients were told
    assert len(members.sees("delta")) == 2
    assert len(members.mailbox("beta")) == 1


def test_an_erased_object_can_not_be_deleted_restored_or_erased_again(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one)
    members.change(one["id"], State.ERASED)
    assert members.push("alpha", one) == [("refused", "revoked-permanently")]
    with pytest.raises(StateError, match="erased already"):
        members.change(one["id"], State.ERASED)
    with pytest.raises(NotFoundError):
        _delete(members, one["id"])
    assert MARKER.encode() not in _everything(members)


def test_a_commitment_to_each_version_stays_and_its_salt_goes_in_time(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one, one | {"modified": "2026-11-02T00:00:00.000Z"})
    members.change(one["id"], State.ERASED)
    with read(members.exchange.engine) as connection:
        commitments = connection.execute(select(ERASURE.c.commitment)).scalars().all()
        assert len(set(commitments)) == 2
        assert all(find_salt(connection, c) for c in commitments)
    members.now += 31 * DAY
    members.desk.sweep(members.now)
    with read(members.exchange.engine) as connection:
        assert [find_salt(connection, c) for c in commitments] == [None, None]
        assert connection.execute(select(ERASURE.c.commitment)).scalars().all() == commitments


def test_what_was_deleted_before_can_still_be_erased_at_its_recipients(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one)
    members.receive("gamma", one["id"])
    _delete(members, one["id"])
    assert members.mailbox("gamma") == []
    assert members.desk.contributor(one["id"], "org-alpha") == "org-alpha"
    members.change(one["id"], State.ERASED)
    assert len(members.mailbox("gamma")) == 1


def test_a_delivery_that_was_under_way_is_found_afterwards(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one)
    members.receive("beta", one["id"])
    members.change(one["id"], State.ERASED)
    members.receive("gamma", one["id"])  # noted just after the commit
    for _ in range(2):
        members.now += 60_000_000
        members.desk.sweep(members.now)
    assert len(members.mailbox("gamma")) == len(members.mailbox("beta")) == 1
    assert members.mailbox("delta") == []


def test_statuses_that_speak_of_an_erased_object_are_gone(members: Members) -> None:
    exchange, one = members.exchange, _sensitive()
    directory = exchange.directory()
    who, key = directory.organisations["org-alpha"], directory.credentials["alpha"]
    body = json.dumps({"objects": [one]}).encode()
    status = json.loads(exchange.push(who, key, directory.collections[PLAIN], body, members.now)[1])
    root = directory.communities["c"]
    assert exchange.status(status["id"], root, who, members.now) is not None
    members.change(one["id"], State.ERASED)
    assert exchange.status(status["id"], root, who, members.now) is None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_was_done_before_an_erasure_leaves_no_content(members: Members, data: st.DataObject) -> None:
    one = _sensitive()
    members.push("alpha", one)
    for step in range(data.draw(st.integers(0, 3))):
        match data.draw(st.sampled_from(["version", "restrict", "receive", "delete", "dispute"])):
            case "version":
                members.push("alpha", one | {"modified": f"2026-11-1{step}T00:00:00.000Z"})
            case "restrict" | "dispute" as word:
                to = State.RESTRICTED if word == "restrict" else State.DISPUTED
                shown = members.desk.show(one["id"], None, members.now)
                if shown and shown[0]["state"] != ("restricted" if word == "restrict" else "disputed"):
                    members.change(one["id"], to, role="officer")
            case "receive":
                if members.desk.show(one["id"], None, members.now):
                    members.receive("beta", one["id"])
            case "delete":
                if members.desk.show(one["id"], None, members.now):
                    _delete(members, one["id"])
                    members.push("alpha", one)
        members.now += 1
    members.change(one["id"], State.ERASED, role="officer")
    assert MARKER.encode() not in _everything(members)


# -- legal holds


def _hold(members: Members, stix_id: str, until: int | None = None) -> int:
    return members.desk.hold(stix_id, "org-alpha", reason="Order 12/26.", by=OFFICER, now=members.now, until=until)


def _delete(members: Members, stix_id: str) -> None:
    directory = members.exchange.directory()
    members.exchange.withdraw(
        directory.organisations["org-alpha"], directory.credentials["alpha"], directory.collections[PLAIN], stix_id,
        Filter(versions=Versions(frozenset({"all"}))), members.now,
    )  # fmt: skip


def test_a_held_object_is_shared_as_before_and_not_deleted(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one)
    _hold(members, one["id"])
    with pytest.raises(ForbiddenError) as refused:
        _delete(members, one["id"])
    assert refused.value.code == "legal-hold"
    assert members.sees("beta") == [one]
    members.desk.release(one["id"], "org-alpha", by=OFFICER, now=members.now)
    _delete(members, one["id"])
    assert members.sees("beta") == []


def test_an_erasure_under_a_hold_keeps_only_a_sealed_copy(members: Members, tmp_path: Path) -> None:
    one = _sensitive()
    members.push("alpha", one)
    number = _hold(members, one["id"])
    members.push("alpha", one | {"modified": "2026-11-02T00:00:00.000Z"})  # sealed when it is erased
    changed = members.change(one["id"], State.ERASED)
    assert changed.sealed
    assert members.sees("alpha") == members.sees("beta") == []
    assert MARKER.encode() not in _everything(members)
    seal = read_seal(seal_path(members.exchange.settings))
    with read(members.exchange.engine) as connection:
        copies = sealed_copies(connection, number)
    opened = [seal.open(bytes(row["body"]), f"{one['id']} {row['version']}") for row in copies]
    assert len(opened) == 2
    assert all(MARKER.encode() in body for body in opened)
    with pytest.raises(SettingError, match="can't be opened"):
        read_seal(tmp_path / "other").open(bytes(copies[0]["body"]), f"{one['id']} {copies[0]['version']}")
    members.desk.release(one["id"], "org-alpha", by=OFFICER, now=members.now)
    with read(members.exchange.engine) as connection:
        assert sealed_copies(connection, number) == []


def test_a_hold_ends_by_itself(members: Members) -> None:
    one = _sensitive()
    members.push("alpha", one)
    _hold(members, one["id"], until=members.now + DAY)
    members.now += DAY
    members.desk.sweep(members.now)
    with read(members.exchange.engine) as connection:
        assert holds_on(connection, stix_id=one["id"], now=members.now) == []
    _delete(members, one["id"])


@pytest.mark.parametrize(("what", "match"), [("id", "has shared no object"), ("until", "before it begins")])
def test_a_hold_that_makes_no_sense_is_refused(members: Members, what: str, match: str) -> None:
    one = indicator()
    members.push("alpha", one)
    with pytest.raises(StateError, match=match):
        _hold(members, "indicator--none" if what == "id" else one["id"], members.now if what == "until" else None)


# -- retention


def test_content_past_its_retention_is_wiped_after_the_grace_period_unless_held(members: Members) -> None:
    kept, gone, held = (_sensitive(name=f"{MARKER} {n}") for n in range(3))
    members.push("alpha", gone, held)
    _hold(members, held["id"])
    members.now += 100 * DAY
    members.push("alpha", kept)
    members.desk.sweep(members.now)
    assert f"{MARKER} 1".encode() in _everything(members)  # ended after 90 days; the grace is 30
    members.now += 21 * DAY
    assert any("1 object past retention" in line for line in members.desk.sweep(members.now))
    left = _everything(members)
    assert [f"{MARKER} {n}".encode() in left for n in range(3)] == [True, False, True]
    assert members.sees("beta") == [kept]
    assert members.desk.sweep(members.now) == []


@pytest.mark.parametrize("word", ["a person's", "a day of running"])
def test_by_a_clock_far_ahead_content_is_kept_with_a_line_and_wiped_after_a_word(members: Members, word: str) -> None:
    engine = members.exchange.engine
    members.push("alpha", _sensitive())
    assert take_turn(engine, members.now)
    members.now += 400 * DAY
    assert take_turn(engine, members.now)
    told = members.desk.sweep(members.now)
    assert [line for line in told if "kept what is past its retention" in line and "cibx clock confirm" in line]
    assert MARKER.encode() in _everything(members)
    assert members.sees("beta") == []  # what is shown goes by the clock at once
    if word == "a person's":
        with write(engine) as connection:
            confirm(connection, members.now)
    else:
        for _ in range(2):
            members.now += STEADY // 2
            assert take_turn(engine, members.now)
    assert "wiped the content of 1 object past retention" in members.desk.sweep(members.now)
    assert MARKER.encode() not in _everything(members)


# -- bad input


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2_001])
def test_a_change_needs_a_reason_of_bearable_length(members: Members, reason: str) -> None:
    one = indicator()
    members.push("alpha", one)
    with pytest.raises(InputError, match="reason"):
        members.desk.change(one["id"], "org-alpha", State.ERASED, reason=reason, by=OFFICER, now=members.now)
    assert members.sees("beta") == [one]


def test_the_key_of_the_seal_is_its_owners_alone(tmp_path: Path) -> None:
    path = seal_path(Settings(database_url=f"sqlite:///{tmp_path}/x.db"))
    first = read_seal(path)
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("x.db.seal-key", 0o600)
    assert read_seal(path) == first
    assert first.key.hex() not in repr(first)
    path.chmod(0o644)
    with pytest.raises(SettingError, match="may be read by others"):
        read_seal(path)
    path.chmod(0o600)
    path.write_text("not a key")
    with pytest.raises(SettingError, match="is no key"):
        read_seal(path)
    with pytest.raises(SettingError, match="can't be made"):
        read_seal(tmp_path / "no folder" / "key")
