"""A job from a person's words to the journal: what is checked, noted, put aside, let go again."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.freshness import health, prometheus
from exchange.connect.job import Job, perform, source_of, stale_after
from exchange.connect.journal import KEPT_DAYS, Journal, whoses
from exchange.connect.quarantine import WITHOUT_ROW, Kept, Quarantine
from exchange.connect.report import Report
from exchange.connect.runner import Pace
from exchange.connect.source import Option, Source
from exchange.errors import InputError, UnavailableError
from exchange.outbound.patience import Patience
from tests.fakes.memory_sink import MemorySink

TERMS = {"tlp": "TLP:AMBER"}
NOW = 1_800_000_000.0
DAY = 86_400


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "domain-name", "id": f"domain-name--{number}", "value": f"d{number}.example", **more}


class Lines(Connector):
    """Rows of objects as given: a number, ``!`` for a row that can't be read, ``?`` for one where it breaks off."""

    name = "lines"
    title = "Lines"
    options = {"colour": Option("which colour", "red"), "size": Option("how large", needed=True)}  # noqa: RUF012
    secrets = {"token": "the token"}  # noqa: RUF012
    stale_after = timedelta(hours=6)

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        for at, word in enumerate(source.option("size").split(), 1):
            if word == "?":
                raise UnavailableError("It broke off.")
            row = (Row("f", at, "quarantined", (), "It can't be read.", raw="lorem") if word == "!"
                   else Row("f", at, "note", (f"domain-name--{word}",)))
            yield Batch(() if word == "!" else (item(int(word)),), (row,), {"at": at})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "kept", "org-alpha") as made:
        yield made


def job(words: str, **more: Any) -> Job:
    return Job("made up", "lines", "place", {"size": words}, policy="demo", **more)


def bring(words: str, journal: Journal, sink: MemorySink, now: float = NOW) -> Report:
    return perform(job(words), Lines(), sink, TERMS, journal=journal, pace=Pace(Patience(tries=1)), now=lambda: now)


def kept(journal: Journal) -> list[Kept]:
    return list(Quarantine(journal).rows())


# -- what a person gives


@pytest.mark.parametrize(("given", "words"), [
    (Job("n", "lines", "p", {"sise": "1"}), "no option 'sise'. Did you mean 'size'? It takes: colour, size."),
    (Job("n", "lines", "p", {}), "needs the option 'size': how large. Give it with --option size=VALUE."),
    (Job("n", "lines", "p", {"size": "1"}, {"key": "x"}), "no secret 'key'. It takes: token."),
    (Job("n", "lines", "p", {"size": "1"}, allow=["x"]), "'x' is no network"),
])
def test_what_a_connector_does_not_take_is_told_with_what_it_takes(given: Job, words: str) -> None:
    with pytest.raises(InputError) as told:
        source_of(given, Lines())
    assert words in str(told.value)


def test_defaults_are_filled_in_and_no_secret_shows() -> None:
    given = Job("n", "lines", "p", {"size": "1"}, {"token": "lorem-ipsum"})
    source = source_of(given, Lines())
    assert (dict(source.options), source.secret("token")) == ({"colour": "red", "size": "1"}, "lorem-ipsum")
    assert "lorem-ipsum" not in repr(given) + repr(source)


@pytest.mark.parametrize("place", ["https://ana:lorem@a.example/x", "https://lorem@a.example", "http:\\\\x://lorem@a"])
def test_an_address_with_a_password_is_refused_before_it_is_kept_anywhere(place: str) -> None:
    with pytest.raises(InputError, match="user or password") as told:
        Job("n", "lines", place)
    assert "lorem" not in str(told.value)


def test_a_path_with_an_at_sign_is_a_path() -> None:
    assert Job("n", "lines", "folder/a@b.example.json").place


def test_other_options_or_another_policy_begin_anew() -> None:
    keys = {Job("n", "lines", place, options, policy=policy).key
            for place, options, policy in (("p", {}, "a"), ("p", {}, "b"), ("p", {"x": "1"}, "a"), ("q", {}, "a"))}
    assert len(keys) == 4


@pytest.mark.parametrize(("every", "stale", "expected"), [
    (None, None, None), (None, 60.0, 60.0), (600.0, None, 6 * 3_600), (600.0, 60.0, 60.0), (DAY, None, DAY),
])
def test_when_a_source_counts_as_stale(every: float | None, stale: float | None, expected: float | None) -> None:
    assert stale_after(job("1", every=every, stale=stale), Lines()) == expected


def test_a_connector_without_a_limit_is_stale_after_three_missed_runs() -> None:
    class Plain(Lines):
        stale_after = None

    assert stale_after(job("1", every=600.0), Plain()) == 1_800


# -- the journal


def test_a_run_is_noted_with_its_tallies(journal: Journal) -> None:
    sink = MemorySink(refuse=["domain-name--2"])
    bring("1 2 !", journal, sink)
    run = journal.runs("made up")[0]
    assert (run.outcome, run.counts, run.error) == (
        "partly", {"rows.note": 1, "rows.quarantined": 2, "objects.added": 1, "objects.refused": 1, "withdrawn": 0}, "")
    bring("1", journal, sink)
    source = journal.source("made up")
    assert source.totals == {"rows.note": 2, "rows.quarantined": 2, "objects.added": 1, "objects.refused": 1,
                             "objects.unchanged": 1, "withdrawn": 0, "runs": 2, "failures": 0}
    assert source.succeeded == NOW


def test_a_run_that_failed_is_noted_and_going_on_counts_nothing_twice(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, words = MemorySink(), ["1 2 ? 3"]
    monkeypatch.setattr(Lines, "fetch", _with_words(words))
    with pytest.raises(UnavailableError):
        bring("same options", journal, sink)
    assert (journal.runs("made up")[0].outcome, journal.runs("made up")[0].error) == ("failed", "It broke off.")
    assert journal.source("made up").succeeded is None
    words[0] = "1 2 3 4"
    bring("same options", journal, sink)
    totals = journal.source("made up").totals
    assert (totals["rows.note"], totals["runs"], totals["failures"]) == (4, 2, 1)


def _with_words(words: list[str]) -> Any:
    def fetch(self: Lines, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        at = int((checkpoint or {}).get("at", 0))
        for place, word in enumerate(words[0].split()[at:], at + 1):
            if word == "?":
                raise UnavailableError("It broke off.")
            yield Batch((item(int(word)),), (Row("f", place, "note", (f"domain-name--{word}",)),), {"at": place})

    return fetch


def test_only_one_process_brings_a_source_in_at_a_time(journal: Journal) -> None:
    with journal.alone("made up"), pytest.raises(InputError, match="by another process"):
        bring("1", journal, MemorySink())
    assert bring("1", journal, MemorySink()).rows == 1


def test_the_folder_is_for_its_owner_alone_and_keeps_members_apart(tmp_path: Path, journal: Journal) -> None:
    bring("!", journal, MemorySink())
    with Journal(tmp_path / "kept", "org-beta") as other:
        assert (other.sources(), kept(other)) == ([], [])
        bring("1", other, MemorySink())
        with pytest.raises(InputError, match="no row 1"):
            Quarantine(other).get(1)
    assert whoses(tmp_path / "kept") == ["org-alpha", "org-beta"]
    for path in [tmp_path / "kept", *(tmp_path / "kept").iterdir()]:
        assert not stat.S_IMODE(os.stat(path).st_mode) & 0o077, path


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--state"):
        Journal(tmp_path / "file", "x")


def test_checkpoints_of_a_journal_are_durable(tmp_path: Path) -> None:
    for value in ({"n": [1, None, "é"]}, {"n": 2}):
        with Journal(tmp_path / "kept", "a") as one:
            one.save_checkpoint("c", "s", value)
        with Journal(tmp_path / "kept", "a") as one, Journal(tmp_path / "kept", "b") as other:
            assert (one.load_checkpoint("c", "s"), other.load_checkpoint("c", "s")) == (value, None)


def test_a_forgotten_source_is_silent(journal: Journal) -> None:
    bring("1 !", journal, MemorySink())
    journal.forget("made up")
    assert (journal.sources(), len(kept(journal))) == ([], 1)
    with pytest.raises(InputError, match="no source 'made up'"):
        journal.forget("made up")


# -- quarantine


def test_rows_are_kept_with_place_reason_record_and_refused_objects(journal: Journal) -> None:
    bring("1 2 !", journal, MemorySink(refuse=["domain-name--2"]))
    refused, unread = kept(journal)
    assert (refused.file, refused.row, refused.objects, refused.by_exchange) == ("f", 2, {"domain-name--2": item(2)}, True)
    assert refused.reason == "basis-missing: No lawful basis is stated."
    assert (unread.row, unread.reason, unread.raw, unread.objects, unread.by_exchange) == (
        3, "It can't be read.", "lorem", {}, False)


def test_a_row_that_is_well_in_a_later_run_leaves(journal: Journal) -> None:
    sink = MemorySink(refuse=["domain-name--2"])
    bring("1 2 !", journal, sink)
    bring("1 2 3", journal, sink)
    assert [row.row for row in kept(journal)] == [2]
    sink.refuse.clear()
    bring("1 2 3", journal, sink)
    assert kept(journal) == []


def test_a_replay_sends_the_objects_again_and_the_row_leaves_when_they_are_in(journal: Journal) -> None:
    sink = MemorySink(refuse=["domain-name--2"])
    bring("1 2", journal, sink)
    row, quarantine = kept(journal)[0], Quarantine(journal)
    assert "basis-missing" in quarantine.replay(row, list(row.objects.values()), sink, TERMS)
    assert len(kept(journal)) == 1
    assert quarantine.replay(row, [item(22)], sink, TERMS) == ""
    assert kept(journal) == []
    assert ("domain-name--22", "") in sink.stored


def test_a_row_without_objects_cannot_be_replayed_but_mended(journal: Journal) -> None:
    sink = MemorySink()
    bring("!", journal, sink)
    row, quarantine = kept(journal)[0], Quarantine(journal)
    with pytest.raises(InputError, match=r"It can't be read\. Mend its source"):
        quarantine.replay(row, [], sink, TERMS)
    assert quarantine.replay(row, [item(9)], sink, TERMS) == ""
    assert kept(journal) == []


def test_a_refused_object_of_no_row_is_kept_too(journal: Journal) -> None:
    class Rowless(Lines):
        def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
            yield Batch((item(7),), (), {"at": 1})

    perform(job("1"), Rowless(), MemorySink(refuse=["domain-name--7"]), TERMS, journal=journal, now=lambda: NOW)
    assert [(row.file, row.objects) for row in kept(journal)] == [(WITHOUT_ROW, {"domain-name--7": item(7)})]


def test_kept_rows_go_after_their_time(journal: Journal) -> None:
    bring("!", journal, MemorySink())
    bring("1", journal, MemorySink(), NOW + (KEPT_DAYS - 1) * DAY)
    assert kept(journal) == []  # well again
    bring("1 !", journal, MemorySink())
    bring("1", journal, MemorySink(), NOW + (KEPT_DAYS - 1) * DAY)
    assert len(kept(journal)) == 1
    bring("1", journal, MemorySink(), NOW + (KEPT_DAYS + 1) * DAY)
    assert kept(journal) == []


def test_a_dropped_row_is_gone(journal: Journal) -> None:
    bring("! !", journal, MemorySink())
    Quarantine(journal).drop(kept(journal)[0].number)
    assert [row.row for row in kept(journal)] == [2]


# -- freshness


@pytest.mark.parametrize(("succeeds", "fails", "now", "state"), [
    (None, None, NOW + 10, "new"), (None, None, NOW + 7 * 3_600, "stale"), (NOW, None, NOW + 5 * 3_600, "fresh"),
    (NOW, None, NOW + 7 * 3_600, "stale"), (NOW, NOW + 100, NOW + 200, "failing"),
    (NOW, NOW + 100, NOW + 7 * 3_600, "stale"), (None, NOW, NOW + 60, "failing"),
])
def test_silence_beyond_the_limit_is_stale(
    journal: Journal, succeeds: float | None, fails: float | None, now: float, state: str
) -> None:
    journal.expect("made up", "lines", "place", now=NOW, every=600, stale=6 * 3_600)
    for words, when in (("1", succeeds), ("?", fails)):
        if when is not None:
            try:
                perform(job(words, every=600), Lines(), MemorySink(), TERMS, journal=journal,
                        pace=Pace(Patience(tries=1)), now=lambda when=when: when)  # type: ignore[misc]
            except UnavailableError:
                assert words == "?"
    runs: Sequence[Any] = journal.runs("made up")
    found = health(journal.source("made up"), next(iter(runs), None), 0, now)
    assert found.state == state
    assert json.dumps(found.as_record())


def test_metrics_are_prometheus_text(journal: Journal) -> None:
    bring("1 2 !", journal, MemorySink(refuse=["domain-name--2"]))
    found = health(journal.source("made up"), journal.runs("made up")[0], 2, NOW)
    lines = prometheus({'org "a"\\\n': [found]}).splitlines()
    said = 'whose="org \\"a\\"\\\\\\n",source="made up",connector="lines"'
    assert f'cibx_connector_rows_total{{{said},outcome="quarantined"}} 2' in lines
    assert f'cibx_connector_objects_total{{{said},fate="added"}} 1' in lines
    assert f"cibx_connector_last_success_timestamp_seconds{{{said}}} 1800000000" in lines
    assert f"cibx_connector_quarantined_rows{{{said}}} 2" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
