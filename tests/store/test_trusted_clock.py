"""A clock that moves: small steps and steps back are taken, one far ahead isn't believed until a person says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from exchange.cli.main import run
from exchange.errors import UnavailableError
from exchange.obligations.sweep import take_turn
from exchange.settings import read_settings
from exchange.store.clock import FAR, TrustedClock, confirm, note_running, seen
from exchange.store.engine import open_engine, read, write
from exchange.wiring import prepare
from tests.fakes import one_member
from tests.web.auth.entrance import START, Entrance, entrance

DAY = 86_400_000_000
NOW = START * 1_000_000


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    return entrance(tmp_path_factory.mktemp("clock"), "")


@pytest.mark.parametrize(("steps", "believed"), [
    pytest.param((0, 1, 6 * DAY, 12 * DAY), True, id="as a running server's"),
    pytest.param((0, FAR), True, id="a week"),
    pytest.param((0, FAR + 1), False, id="more than a week"),
    pytest.param((FAR + 1,), False, id="a server that is started"),
    pytest.param((0, -DAY, 0), True, id="back and forth"),
    pytest.param((0, -20_000 * DAY, 0), True, id="back to the seventies and forth"),
    pytest.param((0, -20_000 * DAY, 400 * DAY), False, id="back, and forth too far"),
])
def test_a_clock_is_believed_unless_it_is_far_ahead_of_when_the_exchange_ran(
    opened: Entrance, steps: tuple[int, ...], believed: bool
) -> None:
    with write(opened.exchange.engine) as connection:
        confirm(connection, NOW)
    times = iter(steps)
    clock = TrustedClock(opened.exchange.settings.database_url, lambda: NOW + next(times))
    for step in steps[:-1]:
        assert clock() == NOW + step
    if believed:
        assert clock() == NOW + steps[-1]
    else:
        with pytest.raises(UnavailableError, match="cibx clock confirm"):
            clock()


def test_who_sweeps_notes_that_the_exchange_runs_and_no_step_back_undoes_it(opened: Entrance) -> None:
    engine = opened.exchange.engine
    with write(engine) as connection:
        confirm(connection, NOW)
    assert take_turn(engine, NOW + DAY)
    with write(engine) as connection:
        note_running(connection, NOW)
        assert seen(connection) == NOW + DAY


def test_far_ahead_nothing_is_given_out_shown_or_wiped_until_a_person_says_that_it_is_right(tmp_path: Path) -> None:
    server = entrance(tmp_path, "")
    exchange, engine = server.exchange, server.exchange.engine
    exchange.clock = TrustedClock(exchange.settings.database_url, exchange.clock)
    ask = lambda path: server.ask({}, path=path).status_code  # noqa: E731
    assert [ask("/readyz"), ask("/taxii2/")] == [200, 401]
    assert take_turn(engine, exchange.clock())
    server.seconds += 41 * 86_400
    assert [ask("/readyz"), ask("/healthz"), ask("/taxii2/")] == [503, 200, 503]
    pauses = 0

    def stop_later(_seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exchange.obligations.follow(stop_later, exchange.clock)
    with read(engine) as connection:
        swept = int(connection.execute(text("SELECT value FROM meta WHERE key = 'obligations.swept'")).scalar_one())
    assert swept == NOW
    with write(engine) as connection:
        confirm(connection, server.seconds * 1_000_000)
    assert [ask("/readyz"), ask("/taxii2/")] == [200, 401]


def test_the_command_tells_that_the_clock_is_not_believed_and_confirms_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one_member.make(tmp_path, monkeypatch)
    engine = open_engine(f"sqlite:///{tmp_path / 'cibx.db'}")
    with write(engine) as connection:
        confirm(connection, NOW - 1_000 * DAY)
    assert run(["clock", "show"]) == 0
    assert "isn't believed" in capsys.readouterr().err
    with pytest.raises(UnavailableError, match="doesn't believe its clock"):
        prepare(read_settings())
    assert run(["clock", "confirm"]) == 0
    assert run(["clock", "show"]) == 0
    assert capsys.readouterr().err == ""
    engine.dispose()
