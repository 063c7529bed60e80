"""The list of erasures: on the disk before an erasure is there, nothing on it that was rolled back, torn lines told."""

from __future__ import annotations

import hashlib
import json
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import InputError, StorageFullError, UnavailableError
from exchange.model.state import State
from exchange.obligations.erasure_list import Erased, ErasureList, erasures_path, read_erasures
from exchange.obligations.states import change_state
from exchange.obligations.transitions import By
from exchange.settings import Settings
from exchange.store.engine import read, write
from exchange.store.erasures import bodies_of
from exchange.store.states import find_owned
from tests.obligations.five_members import PLAIN, SECOND, Members, indicator

BY = By("org-office", "officer", "person:Dana")


@pytest.fixture
def kept(members: Members, tmp_path: Path) -> Path:
    """The list of ``members``, on both engines in a file of this test."""
    path = tmp_path / "erasures"
    members.exchange.erasures.path = path
    return path


def test_an_erasure_is_on_the_list_with_its_versions_and_no_content(members: Members, kept: Path) -> None:
    one = indicator(name="Lorem ipsum of a person")
    later = one | {"modified": "2026-11-02T00:00:00.000Z"}
    members.push("alpha", one, later, indicator())
    members.push("alpha", one, collection=SECOND)
    members.change(one["id"], State.ERASED)
    digests = tuple(hashlib.sha256(json.dumps(o).encode()).hexdigest() for o in (one, later))
    assert read_erasures(kept).erased == (
        Erased("org-alpha", PLAIN, one["id"], digests, members.now),
        Erased("org-alpha", SECOND, one["id"], digests[:1], members.now),
    )
    assert "Lorem" not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("state", [State.REVOKED, State.RESTRICTED, State.DISPUTED])
def test_other_changes_are_on_the_list_and_are_no_erasures(members: Members, kept: Path, state: State) -> None:
    one = indicator()
    members.push("alpha", one)
    members.change(one["id"], state, role="officer")
    listed = read_erasures(kept)
    assert listed.erased == ()
    assert [(t.kind, t.said["id"], t.said["to"]) for t in listed.taken] == [("state", one["id"], state.name.lower())]


def test_what_is_rolled_back_is_not_on_the_list(members: Members, kept: Path) -> None:
    one = indicator()
    members.push("alpha", one)
    with suppress(ZeroDivisionError), write(members.exchange.engine) as connection:
        change_state(connection, members.desk.means, one["id"], "org-alpha", State.ERASED, reason="x", by=BY, now=members.now)
        raise ZeroDivisionError
    assert not kept.exists()
    assert len(members.sees("beta")) == 1


def test_where_the_list_can_not_be_written_nothing_is_erased(members: Members, kept: Path) -> None:
    one = indicator()
    members.push("alpha", one)
    members.exchange.erasures.path = kept / "no-such-folder" / "list"
    with pytest.raises(UnavailableError, match="nothing is changed"):
        members.change(one["id"], State.ERASED)
    assert len(members.sees("beta")) == 1
    with read(members.exchange.engine) as connection:
        assert bodies_of(connection, find_owned(connection, one["id"])[0].versions)
    members.exchange.erasures.path = kept
    members.change(one["id"], State.ERASED)
    assert members.sees("beta") == []


def test_a_full_disk_is_told_and_leaves_no_half_line(members: Members) -> None:
    one = indicator()
    members.push("alpha", one)
    members.exchange.erasures.path = Path("/dev/full")
    with pytest.raises(StorageFullError):
        members.change(one["id"], State.ERASED)
    assert len(members.sees("beta")) == 1


def test_a_list_that_is_begun_late_has_the_erasures_of_before(members: Members, kept: Path) -> None:
    one, two = indicator(), indicator()
    members.push("alpha", one, two)
    members.exchange.erasures.path = None
    members.change(one["id"], State.ERASED)
    members.exchange.erasures.path = kept
    assert members.exchange.erasures.begin(members.exchange.engine)
    assert not members.exchange.erasures.begin(members.exchange.engine)
    members.change(two["id"], State.ERASED)
    found = read_erasures(kept)
    assert found.exchange == members.exchange.identity
    assert [e.stix_id for e in found.erased] == [one["id"], two["id"]]


def test_a_line_that_a_crash_cut_short_is_told_and_spoils_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b'{"cibx-erasures": 1, "exchange": "identity--1"}\n{"at": "2026-11-01T00:00:00Z", "or')
    ErasureList(path)._append(['{"at": "2026-11-02T00:00:00Z", "org": "o", "collection": "c", "id": "i", "versions": []}'])
    found = read_erasures(path)
    assert found.cut == 1
    assert [e.stix_id for e in found.erased] == ["i"]


@pytest.mark.parametrize("line", ["{}", '{"at": "x", "org": "o", "collection": "c", "id": "i", "versions": []}', "{a}",
                                  '{"at": "2026-11-02T00:00:00Z", "org": "o", "id": "i", "versions": []}',
                                  '{"at": "2026-11-02T00:00:00Z", "org": "o", "collection": "c", "id": "i", "versions": 1}'])
def test_a_line_of_something_else_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list"
    path.write_text(f'{{"cibx-erasures": 1, "exchange": ""}}\n{line}\n')
    with pytest.raises(InputError, match="Line 2"):
        read_erasures(path)


@pytest.mark.parametrize(("settings", "path"), [
    (Settings(database_url="sqlite:///a/b.db"), Path("a/b.db-erasures")),
    (Settings(database_url="postgresql://h/d"), None),
    (Settings(database_url="postgresql://h/d", erasures="/x"), Path("/x")),
    (replace(Settings(), erasures="/x"), Path("/x")),
])
def test_where_the_list_lies(settings: Settings, path: Path | None) -> None:
    assert erasures_path(settings) == path
