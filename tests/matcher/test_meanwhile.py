"""Tables are read while the feed is: with the same outcome as one after the other, and no waiting for what nobody wants."""

import duckdb
import pytest

from exchange.errors import InputError
from exchange.matcher import run
from exchange.matcher.engine import open_engine
from exchange.matcher.meanwhile import meanwhile

ENDLESS = "SELECT count(*) FROM range(1000000000000) a"


@pytest.fixture
def engine(tmp_path):
    with open_engine(tmp_path, threads=1) as opened:
        yield opened


@pytest.mark.parametrize("apart", [True, False])
def test_what_is_done_meanwhile_is_given_or_raised_where_it_is_called_for(engine, apart):
    with meanwhile(engine, lambda: engine.one("SELECT 42")[0], apart=apart) as answer:
        assert answer() == 42
    with meanwhile(engine, lambda: engine.one("SELECT * FROM nowhere"), apart=apart) as answer, \
            pytest.raises(duckdb.CatalogException):
        answer()


def test_whoever_leaves_without_the_answer_does_not_wait_for_it(engine):
    with pytest.raises(InputError, match="the feed"), meanwhile(engine, lambda: engine.run(ENDLESS), apart=True):
        raise InputError("the feed can't be read")
    assert engine.one("SELECT 1") == (1,)


def outcome(platform, objects):
    """All results of a run and its report, but for times and threads."""
    done = platform.run(objects)
    told = done.report.as_json()
    del told["seconds"]
    return told, done.rows("SELECT * FROM accounts ORDER BY ALL"), done.rows("SELECT * FROM evidence ORDER BY ALL")


def test_large_tables_are_read_apart_and_say_the_same(platform, monkeypatch):
    platform.accounts("a", "b", "a")
    for account in ("a", "b"):
        platform.link(account, "device", "dv_01")
    platform.link("b", "pigeon", 7)
    objects = [platform.indicator("[x-cib-device:token = 'dv_01']"), {"type": "indicator"}]
    one_after_the_other = outcome(platform, objects)
    assert one_after_the_other[0]["problems"]
    monkeypatch.setattr(run, "_SMALL", -1)
    assert outcome(platform, objects) == one_after_the_other


def test_a_feed_that_breaks_off_while_tables_are_read_is_what_is_told(platform, tmp_path, monkeypatch):
    def broken():
        yield platform.indicator("[x-cib-device:token = 'dv_01']")
        raise InputError("The feed broke off.")

    platform.accounts("a")
    monkeypatch.setattr(run, "_SMALL", -1)
    with pytest.raises(InputError, match="broke off"):
        platform.run(broken())
    assert [path.name for path in (tmp_path / "out1").iterdir()] == []
