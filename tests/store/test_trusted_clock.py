"""A clock that moves: by one far ahead nothing is wiped, until a person or a day of running says that it is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from exchange.cli.main import run
from exchange.obligations.sweep import take_turn
from exchange.store.clock import FAR, confirm, is_believed, note_running, seen
from exchange.store.engine import open_engine, read, write
from tests.fakes import one_member
from tests.web.auth.entrance import START, Entrance, entrance

DAY = 86_400_000_000
HOUR = DAY // 24
NOW = START * 1_000_000


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    return entrance(tmp_path_factory.mktemp("clock"), "")


def hours(first: int, count: int) -> tuple[int, ...]:
    """Steps of an hour each."""
    return tuple(first + number * HOUR for number in range(count))


@pytest.mark.parametrize(("steps", "believed"), [
    pytest.param((0, DAY, 6 * DAY, 12 * DAY), True, id="as a running server's"),
    pytest.param((FAR,), True, id="a week"),
    pytest.param((FAR + 1,), False, id="more than a week"),
    pytest.param((0, -DAY, 0), True, id="back and forth"),
    pytest.param((0, -20_000 * DAY, 0), True, id="back to the seventies and forth"),
    pytest.param((0, -20_000 * DAY, 400 * DAY), False, id="back, and forth too far"),
    pytest.param((400 * DAY, 0), True, id="forth too far, and right again"),
    pytest.param(hours(400 * DAY, 24), False, id="far ahead for 23 hours"),
    pytest.param(hours(400 * DAY, 25), True, id="far ahead for a day: the exchange had stood still"),
    pytest.param((*hours(400 * DAY, 12), *hours(800 * DAY, 13)), False, id="another jump within the day"),
    pytest.param((*hours(400 * DAY, 12), *hours(399 * DAY, 13)), False, id="a step back within the day"),
    pytest.param((400 * DAY, 401 * DAY + 1), False, id="far ahead, and off for a day"),
])
def test_a_clock_is_believed_unless_it_is_far_ahead_of_when_the_exchange_ran(
    opened: Entrance, steps: tuple[int, ...], believed: bool
) -> None:
    engine = opened.exchange.engine
    with write(engine) as connection:
        connection.execute(text("DELETE FROM meta WHERE key LIKE 'clock.%'"))
        note_running(connection, NOW)
        for step in steps:
            note_running(connection, NOW + step)
    with read(engine) as connection:
        assert is_believed(connection, NOW + steps[-1]) is believed


def test_a_database_on_which_nothing_ran_yet_believes_any_clock(opened: Entrance) -> None:
    with write(opened.exchange.engine) as connection:
        connection.execute(text("DELETE FROM meta WHERE key LIKE 'clock.%'"))
        assert is_believed(connection, NOW + 20_000 * DAY)


def test_who_sweeps_notes_that_the_exchange_runs_and_no_step_back_undoes_it(opened: Entrance) -> None:
    engine = opened.exchange.engine
    with write(engine) as connection:
        confirm(connection, NOW)
    assert take_turn(engine, NOW + DAY)
    with write(engine) as connection:
        note_running(connection, NOW)
        assert seen(connection) == NOW + DAY


def test_the_command_tells_that_nothing_is_wiped_and_confirms_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one_member.make(tmp_path, monkeypatch)
    engine = open_engine(f"sqlite:///{tmp_path / 'cibx.db'}")
    with write(engine) as connection:
        confirm(connection, NOW - 1_000 * DAY)
    assert run(["clock", "show"]) == 0
    assert "nothing is wiped by it for a day" in capsys.readouterr().err
    assert run(["clock", "confirm"]) == 0
    assert run(["clock", "show"]) == 0
    assert capsys.readouterr().err == ""
    engine.dispose()
