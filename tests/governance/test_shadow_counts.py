"""What a version in shadow would change is counted daily, by itself, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.cli import main as cibx
from exchange.model.policy_version import Stage
from exchange.store.engine import read, write
from exchange.store.versions import load_counts, take_count_turn
from exchange.web.shadow import look
from tests.governance.governed import DAY, NOW, Governed, governed, narrow


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Governed]:
    made = governed(tmp_path)
    yield made
    made.exchange.engine.dispose()


def test_a_version_is_due_a_day_after_it_was_counted_while_it_is_on_its_way(here: Governed) -> None:
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    assert here.changes().due() == []
    here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    assert here.changes(0.9).due() == []  # the step itself counted
    assert here.changes(0.1).due() == [digest]
    here.changes().count(digest[:8])
    assert here.changes(0.5).due() == []
    here.changes().advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta",))
    assert here.changes(1).due() == [digest]
    here.changes().advance(digest, Stage.ACTIVE, "Ben", "lorem")
    assert here.changes(2).due() == []


def test_of_many_workers_one_has_it_counted(here: Governed) -> None:
    def turn(at: int) -> bool:
        with write(here.exchange.engine) as connection:
            return take_count_turn(connection, at)

    minute = 60_000_000
    assert [turn(NOW + after * minute) for after in (0, 0, 9, 10, 11, -5)] == [True, False, False, True, False, True]


def test_a_server_has_it_counted_and_a_person_sees_what_was_counted(
    here: Governed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = here.exchange.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("CIBX_DATABASE_URL", url)
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    here.exchange.clock = lambda: here.now
    here.now -= 400 * DAY  # by the real clock, which the counting process goes by, the count is more than a day old
    with write(here.exchange.engine) as connection:
        connection.exec_driver_sql(f"UPDATE policy_count SET at = {here.now - 2 * DAY}")
    assert look(here.exchange, here.exchange.settings) is True
    with read(here.exchange.engine) as connection:
        times = {at for at, _ in load_counts(connection, digest)}
    assert len(times) == 2
    assert look(here.exchange, here.exchange.settings) is False
    assert cibx.run(["policy", "show", digest]) == 0
    assert capsys.readouterr().out.count("all together: 0 gained") == 2
    assert cibx.run(["policy", "count"]) == 0
    assert "No version is in shadow that wasn't counted for a day." in capsys.readouterr().out
