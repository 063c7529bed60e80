"""The sequencer on both engines: every committed event gets one place, whoever asks and whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from exchange.audit.checkpoint import open_checkpoint
from exchange.audit.fault import LogAlteredError
from exchange.audit.merkle import leaf_hash, tree_root
from exchange.audit.note import COSIGNATURE, new_signer_key, read_note
from exchange.audit.receipt import read_receipt
from exchange.audit.tiles import Tile, read_bundle
from exchange.client.log_view import LogView, Offered
from exchange.errors import InputError, NotFoundError, UnprocessableError
from exchange.notary.check import verify_store
from exchange.notary.notary import Notary
from exchange.notary.sequencer import leaf_of
from exchange.settings import Settings
from exchange.store import log
from exchange.store.engine import open_engine, read, write
from exchange.store.events import record
from tests.fakes.apart import apart

NOW = 1_800_000_000_000_000


@dataclass
class Clock:
    """Microseconds that a test moves on."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notary(engine: Engine, tmp_path: Path, clock: Clock) -> Notary:
    made = notary_of(engine, tmp_path, clock)
    made.make_key("log.example/one")
    return made


def notary_of(engine: Engine, folder: Path, clock: Clock, **more: Any) -> Notary:
    return Notary(engine, Settings(log_key=str(folder / "log.key")), clock, **more)


def note_events(engine: Engine, count: int, org: str = "org-alpha", kind: str = "push") -> list[str]:
    with write(engine) as connection:
        return [record(connection, at=NOW + n, kind=kind, org=org, detail={"n": n}) for n in range(count)]


def leaves(engine: Engine) -> list[bytes]:
    with read(engine) as connection:
        return [leaf_of(e) for e in log.placed_events(connection, 0)]


def assert_whole(engine: Engine, notary: Notary, events: int) -> None:
    """Every event has one place, without gaps, and the newest checkpoint is over exactly these leaves."""
    with read(engine) as connection:
        placed = log.placed_events(connection, 0)
        assert [event.place for event in placed] == list(range(events))
        numbers = connection.execute(text("SELECT number FROM event ORDER BY number")).scalars()
        assert sorted(event.number for event in placed) == list(numbers)
        assert log.unplaced(connection, events) is None
    checkpoint = open_checkpoint(notary.checkpoint(), notary.keys().own)
    assert (checkpoint.size, checkpoint.root) == (events, tree_root([leaf_hash(e) for e in leaves(engine)]))


@pytest.mark.parametrize("counts", [(1,), (255, 1, 1), (300, 0, 700)])
def test_events_get_places_and_a_checkpoint_over_them(engine: Engine, notary: Notary, counts: tuple[int, ...]) -> None:
    for count in counts:
        note_events(engine, count)
        notary.run()
    assert_whole(engine, notary, sum(counts) + 1)
    assert notary.run().placed == 0


def test_an_event_of_a_transaction_that_was_taken_back_is_none(engine: Engine, notary: Notary) -> None:
    with suppress(RuntimeError), write(engine) as connection:
        record(connection, at=NOW, kind="push", org="org-alpha", detail={})
        raise RuntimeError
    notary.run()
    assert_whole(engine, notary, 1)


def test_a_receipt_is_its_owners_alone_and_shows_the_event(engine: Engine, notary: Notary) -> None:
    ids = note_events(engine, 300)
    pending = notary.receipt(ids[7], "org-alpha")
    assert (pending["index"], pending["checkpoint"]) == (None, None)
    notary.run()
    for event_id in (ids[0], ids[255], ids[299]):
        value = notary.receipt(event_id, "org-alpha")
        assert notary.receipt(event_id, None) == value
        shown, _ = read_receipt(json.dumps(value).encode()).verify(notary.keys().own)
        assert shown["id"] == event_id
        with pytest.raises(NotFoundError) as other:
            notary.receipt(event_id, "org-beta")
        with pytest.raises(NotFoundError) as unknown:
            notary.receipt("0" * 32, "org-beta")
        assert str(other.value) == str(unknown.value)


def test_tiles_are_served_as_far_as_a_checkpoint_goes(engine: Engine, notary: Notary) -> None:
    note_events(engine, 299)
    notary.run()
    note_events(engine, 5)
    assert read_bundle(notary.tile(Tile(-1, 0))) == leaves(engine)[:256]
    assert read_bundle(notary.tile(Tile(-1, 1, 44))) == leaves(engine)[256:300]
    assert notary.tile(Tile(0, 1, 10)) == notary.tile(Tile(0, 1, 44))[:320]
    assert len(notary.tile(Tile(1, 0, 1))) == 32
    for missing in (Tile(0, 1), Tile(0, 1, 45), Tile(0, 2, 1), Tile(1, 0, 2), Tile(3, 0, 1)):
        with pytest.raises(NotFoundError):
            notary.tile(missing)


def test_a_tick_runs_once_in_a_period_whoever_asks(engine: Engine, notary: Notary, tmp_path: Path, clock: Clock) -> None:
    other = notary_of(engine, tmp_path, clock)
    note_events(engine, 2)
    assert notary.tick() is not None
    note_events(engine, 2)
    assert (notary.tick(), other.tick()) == (None, None)
    clock.now += 60_000_000
    outcome = other.tick()
    assert outcome is not None
    assert (outcome.placed, outcome.signed) == (0, 5)  # placed at the tick before, shown only now
    assert notary.tick() is None


@pytest.mark.parametrize("hours", [1, 24 * 365])
def test_a_clock_set_back_keeps_neither_checkpoints_nor_pulls_waiting_for_it(
    engine: Engine, tmp_path: Path, clock: Clock, hours: int
) -> None:
    pages = Pages([Page(number, f"{number:032x}") for number in range(1, 4)])
    notary = notary_of(engine, tmp_path, clock, deliveries=pages)
    notary.make_key("log.example/one")
    note_events(engine, 2)
    assert notary.tick() is not None
    before = len(leaves(engine))
    clock.now -= hours * 3_600_000_000
    note_events(engine, 1)
    outcome = notary.tick()
    assert outcome is not None
    assert outcome.signed == before + 1
    assert notary.tick() is None  # once in a period, as ever
    clock.now += 121_000_000
    assert notary.tick() is not None
    assert len(leaves(engine)) == before + 1 + len(pages.rows)
    verify_store(engine, notary.key_file)


def test_a_full_disk_beside_the_key_is_told_and_leaves_nothing_there(tmp_path: Path) -> None:
    script = ("import resource, sys; from pathlib import Path; from exchange.notary.keys import remember_head\n"
              "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
              "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
              "remember_head(Path(sys.argv[1]), 'x' * 100)")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "log.key")], capture_output=True, text=True,
                          check=False)
    assert "StorageFullError" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_between_checkpoints_an_event_has_its_place_and_nobody_is_shown_it(engine: Engine, notary: Notary) -> None:
    note_events(engine, 2)
    assert notary.tick() is not None
    shown = notary.checkpoint()
    event_id = note_events(engine, 1)[0]
    assert notary.tick() is None
    with read(engine) as connection:
        assert log.cursor(connection, "size") == 4
    assert notary.checkpoint() == shown
    assert notary.receipt(event_id, "org-alpha")["index"] is None
    assert notary.own_entries("org-alpha", 2) == []
    with pytest.raises(NotFoundError):
        notary.tile(Tile(0, 0, 4))


def test_an_event_removed_between_checkpoints_is_missed(engine: Engine, notary: Notary, clock: Clock) -> None:
    note_events(engine, 2)
    notary.tick()
    note_events(engine, 1)
    notary.tick()
    with write(engine) as connection:  # with every trace of it in the database
        connection.execute(text("DELETE FROM event WHERE number = (SELECT max(number) FROM event)"))
        connection.execute(text("UPDATE log_span SET count = 3"))
        connection.execute(text("UPDATE log_cursor SET value = 3 WHERE name = 'size'"))
        log.save_tiles(connection, {(0, 0): b"".join(map(leaf_hash, leaves(engine)[:3]))})
    with pytest.raises(LogAlteredError, match="rolled back: it has 3 leaves, but one of 4"):
        verify_store(engine, notary.key_file)
    note_events(engine, 1)
    clock.now += 60_000_000
    with pytest.raises(LogAlteredError, match="forked"):
        notary.tick()


def test_reads_of_a_second_become_one_event(engine: Engine, notary: Notary) -> None:
    notary.note_read("auditor", "entries", "at once")
    pauses = iter((True, False))

    def sleep(_: float) -> None:
        for n in range(5):
            notary.note_read("auditor", "entries", f"{n % 2}")

    notary.follow(sleep, lambda: next(pauses))
    with read(engine) as connection:
        noted = [json.loads(e.detail) for e in log.placed_events(connection, 0) if e.kind == "audit-read"]
    assert [(one["times"], one["of"]) for one in noted] == [(1, ["at once"]), (5, ["0", "1"])]


@dataclass
class Pages:
    """A ledger of deliveries."""

    rows: list[Any] = field(default_factory=list)

    def after(self, number: int, limit: int) -> Sequence[Any]:
        return [row for row in self.rows if row.number > number][:limit]


@dataclass(frozen=True)
class Page:
    number: int
    receipt: str
    at: int = NOW
    org: str = "org-beta"

    @property
    def detail(self) -> dict[str, Any]:
        return {"count": self.number, "purpose": "cib-detection"}


def test_each_delivery_becomes_one_leaf(engine: Engine, notary: Notary, tmp_path: Path, clock: Clock) -> None:
    pages = Pages([Page(n, f"{n:032x}") for n in range(1, 8)])
    follower = notary_of(engine, tmp_path, clock, deliveries=pages)
    note_events(engine, 3)
    clock.now += 300_000_000
    assert follower.run().placed == 3 + 7 + 1
    pages.rows += [Page(8, f"{7:032x}"), Page(9, f"{9:032x}")]  # a receipt is one leaf, however often it is told
    assert follower.run().placed == 1
    assert follower.run().placed == 0
    assert_whole(engine, notary, 12)
    assert follower.receipt(f"{9:032x}", "org-beta")["index"] == 11


def test_several_sequencers_at_once_place_each_event_once(engine: Engine, notary: Notary, tmp_path: Path, clock: Clock) -> None:
    others = [notary_of(engine, tmp_path, clock) for _ in range(4)]
    faults: list[BaseException] = []

    def work(one: Notary) -> None:
        try:
            for _ in range(6):
                note_events(engine, 9)
                one.run()
        except BaseException as fault:  # noqa: BLE001 - told by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    notary.run()
    assert_whole(engine, notary, 4 * 6 * 9 + 1)


def _sequence_for_ever(url: str, folder: Path) -> None:
    engine = open_engine(url)
    one = notary_of(engine, folder, Clock())
    while True:
        note_events(engine, 20)
        one.run()


def test_killed_at_any_moment_it_goes_on(migrated_url: str, engine: Engine, notary: Notary, tmp_path: Path) -> None:
    size = 1
    for _ in range(2):
        worker = apart().Process(target=_sequence_for_ever, args=(migrated_url, tmp_path))
        worker.start()
        goal = size + 100
        while worker.is_alive() and size < goal:
            with read(engine) as connection:
                size = log.cursor(connection, "size")
        os.kill(worker.pid or 0, signal.SIGKILL)
        worker.join()
        assert size >= goal
    notary.run()
    with read(engine) as connection:
        events = int(connection.execute(text("SELECT count(*) FROM event")).scalar_one())
    assert_whole(engine, notary, events)


def test_a_database_set_back_gets_no_second_history_signed(engine: Engine, notary: Notary) -> None:
    note_events(engine, 5)
    notary.run()
    with write(engine) as connection:  # as restoring a backup of before would
        connection.execute(text("DELETE FROM event WHERE number > (SELECT number + 2 FROM log_span WHERE place = 0)"))
        connection.execute(text("DELETE FROM log_span WHERE place > 0"))
        connection.execute(text("UPDATE log_span SET count = 3"))
        connection.execute(text("DELETE FROM log_checkpoint"))
        connection.execute(text("UPDATE log_cursor SET value = 3 WHERE name = 'size'"))
        hashes = [leaf_hash(leaf_of(e)) for e in log.placed_events(connection, 0, 3)]
        log.save_tiles(connection, {(0, 0): b"".join(hashes)})
    with pytest.raises(LogAlteredError, match=r"rolled back: it has 3 leaves, but a checkpoint of 6"):
        notary.run()
    note_events(engine, 9)
    with pytest.raises(LogAlteredError, match="forked: its 12 leaves don't begin with the 6"):
        notary.run()
    with pytest.raises(NotFoundError):
        notary.checkpoint()


def test_a_restored_backup_begins_a_log_that_names_the_former_ones_last_checkpoint(
    engine: Engine, notary: Notary, tmp_path: Path
) -> None:
    note_events(engine, 5)
    notary.run()
    former, old = notary.checkpoint(), notary.keys().own
    with write(engine) as connection:  # set back
        connection.execute(text("DELETE FROM event WHERE number > 3"))
        connection.execute(text("DELETE FROM log_checkpoint"))
    with pytest.raises(InputError, match=r"another name|former log"):
        notary.restart("Jo", "disk lost", old[0].name)
    view = LogView(tmp_path / "view", old, former)
    new = notary.restart("Jo", "disk lost", "log.example/two")
    assert (notary.keys().own, new.name) == ((new,), "log.example/two")
    assert_whole(engine, notary, 4)
    verify_store(engine, notary.key_file)
    with read(engine) as connection:
        told = log.last_event(connection, "restart")
    assert told is not None
    assert json.loads(told.detail)["former"] == former.decode()
    assert '"Jo"' not in told.detail
    assert len(list(tmp_path.glob("log.key*.former-*"))) == 2
    with pytest.raises(LogAlteredError, match=r"shows another log, 'log\.example/two'"):
        view.follow(lambda _: notary.checkpoint(), Offered((new,)))


def test_a_rotated_key_is_vouched_for_and_the_old_one_still_verifies(engine: Engine, notary: Notary) -> None:
    note_events(engine, 3)
    notary.run()
    old = notary.keys().own[0]
    new = notary.rotate_key()
    assert notary.keys().own == (old, new)
    handover = read_note(notary.checkpoint())
    assert handover.signed_by([old]) == [old]
    assert handover.signed_by([new]) == [new]
    note_events(engine, 3)
    notary.run()
    assert read_note(notary.checkpoint()).signed_by([old, new]) == [new]
    assert_whole(engine, notary, 8)
    with read(engine) as connection:
        rotated = log.last_event(connection, "key")
    assert rotated is not None
    assert str(old) in rotated.detail
    assert str(new) in rotated.detail
    with pytest.raises(InputError, match="has a key already"):
        notary.make_key()


def test_without_the_key_events_are_placed_but_not_signed(engine: Engine, notary: Notary, tmp_path: Path, clock: Clock) -> None:
    note_events(engine, 2)
    other = Notary(engine, Settings(log_key=str(tmp_path / "elsewhere.key")), clock)
    other.establish()
    outcome = other.run()
    assert (outcome.placed, outcome.signed) == (3, None)
    assert not (tmp_path / "elsewhere.key").exists()
    assert notary.run().signed == 3


def test_a_members_cosignature_is_kept_under_the_checkpoint(engine: Engine, notary: Notary) -> None:
    note_events(engine, 1)
    notary.run()
    witness = new_signer_key("beta.example/witness", b"\x03" * 32, COSIGNATURE)
    text_ = read_note(notary.checkpoint()).text
    signed = text_ + "\n" + witness.cosign(text_, 1_800_000_000).line + "\n"
    with pytest.raises(UnprocessableError, match="known key"):
        notary.cosign("org-beta", signed)
    notary.register_member_key("org-beta", str(witness.verifier))
    with pytest.raises(UnprocessableError, match="known key"):
        notary.cosign("org-alpha", signed)
    assert notary.cosign("org-beta", signed) == 2
    assert notary.cosign("org-beta", signed) == 2
    both = read_note(notary.checkpoint())
    assert both.signed_by([witness.verifier, *notary.keys().own]) == [*notary.keys().own, witness.verifier]
    with pytest.raises(UnprocessableError, match="no such checkpoint"):
        notary.cosign("org-beta", signed.replace("\n2\n", "\n3\n"))
    for broken in ("", "x", "\ud800", "a\n\n— b AAAAAAAAAAAA\n"):
        with pytest.raises(UnprocessableError):
            notary.cosign("org-beta", broken)


def test_a_member_lists_its_own_leaves_and_no_other(engine: Engine, notary: Notary) -> None:
    note_events(engine, 2)
    note_events(engine, 3, org="org-beta")
    notary.run()
    note_events(engine, 1)
    own = notary.own_entries("org-alpha", -1)
    assert [entry["index"] for entry in own] == [1, 2]
    assert [entry["index"] for entry in notary.own_entries("org-beta", 3)] == [4, 5]
    assert all("org-alpha" in entry["leaf"] for entry in own)
