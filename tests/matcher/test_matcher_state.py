"""A kept state: a run over what changed says what a run over everything says; a killed run goes on and says the same."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from exchange.errors import InputError
from exchange.matcher.bundle import read_objects
from exchange.matcher.run import Options, match
from exchange.matcher.weighing import load_weights
from exchange.matcher.world import FEED, make_world
from exchange.matcher.world.make import AT

KILLED = f"""
import sys
from pathlib import Path
from exchange.matcher.bundle import read_objects
from dataclasses import replace
from exchange.matcher.run import Options, match
from exchange.matcher.weighing import load_weights
whole = load_weights()
feed, entities, out, state = map(Path, sys.argv[1:])
match(read_objects(feed), entities, out, Options(at={AT}, threads=1, keep_after=0.0, state=state,
      weights=replace(whole, cards=(whole.cards[0], whole.cards[-1]))),
      lambda step: print(step, flush=True))
"""
RESULTS = ("accounts", "evidence", "clusters", "memberships", "actions", "timeline")
WHOLE = load_weights()
WEIGHTS = replace(WHOLE, cards=(WHOLE.cards[0], WHOLE.cards[-1]))  # one round of company says as much here as three
OPTIONS = Options(at=AT, threads=1, keep_after=0.0, weights=WEIGHTS)
DAY = 86_400
ORDER = {"links": "account_id, itype, value", "posts": "ts, post_id"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A made-up platform whose links and posts lie in parts by day."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder / "whole", accounts=500, seed=3)
    parts = folder / "parts"
    with duckdb.connect() as connection:
        for table, column in (("links", "last_seen"), ("posts", "ts")):
            (parts / table).mkdir(parents=True)
            for name, test in (("old", f"<= {AT - DAY}"), ("new", f"> {AT - DAY}")):
                connection.execute(f"""COPY (FROM '{folder}/whole/{table}.parquet' WHERE {column} {test})
                    TO '{parts}/{table}/{name}.parquet'""")
    for name in ("accounts.parquet", "avatars.parquet"):
        shutil.copy(folder / "whole" / name, parts)
    return parts, list(read_objects(folder / "whole" / FEED))


def results(out):
    with duckdb.connect() as connection:
        return {name: connection.execute(f"FROM '{out}/{name}.parquet'").fetchall() for name in RESULTS}


def run(objects, folder, out, **options):
    return match(objects, folder, out, replace(OPTIONS, **options))


def without_some(objects):
    return [obj for n, obj in enumerate(objects) if obj["type"] != "indicator" or n % 5]


def revoked(objects):
    return [{**obj, "revoked": True, "modified": "2026-06-01T00:00:00Z"} if obj["type"] == "indicator" and not n % 7 else
            obj for n, obj in enumerate(objects)]


@pytest.fixture(scope="module")
def state(world, tmp_path_factory):
    """What a run over the whole platform, with all indicators, keeps."""
    parts, objects = world
    folder = tmp_path_factory.mktemp("state")
    return folder, run(objects, parts, tmp_path_factory.mktemp("out"), state=folder)


@pytest.fixture(scope="module")
def everything(world, tmp_path_factory):
    """What a run over the whole platform, with all indicators, says that keeps nothing."""
    parts, objects = world
    out = tmp_path_factory.mktemp("everything")
    run(objects, parts, out)
    return results(out)


def a_day_goes(folder):
    for table in ("links", "posts"):
        (folder / table / "new.parquet").unlink()


def a_day_changes(folder):
    """The last day's links and posts come again without some rows, under another account for others."""
    with duckdb.connect() as connection:
        for table in ("links", "posts"):
            path = folder / table / "new.parquet"
            order = ORDER[table]
            connection.execute(f"""COPY (SELECT * EXCLUDE (n, other) REPLACE (CASE WHEN n % 5 = 1 THEN other
                ELSE account_id END AS account_id) FROM (SELECT *, row_number() OVER (ORDER BY {order}) AS n,
                lag(account_id, 7, account_id) OVER (ORDER BY {order}) AS other FROM '{path}') WHERE n % 3 <> 0)
                TO '{path}.new' (FORMAT parquet)""")
            Path(f"{path}.new").replace(path)


def a_day_comes(folder):
    with duckdb.connect() as connection:
        for table, columns in (("links", "first_seen, last_seen"), ("posts", "ts")):
            moved = ", ".join(f"{name} - {DAY} AS {name}" for name in columns.split(", "))
            connection.execute(f"""COPY (SELECT * REPLACE ({moved}, lag(account_id, 3, account_id)
                OVER (ORDER BY {ORDER[table]}) AS account_id) FROM '{folder}/{table}/new.parquet') TO '{folder}/{table}/newer.parquet'""")


def accounts_change(folder):
    with duckdb.connect() as connection:
        connection.execute(f"""COPY (SELECT * REPLACE (CASE WHEN account_id % 9 = 0 THEN created - {400 * DAY}
            ELSE created END AS created) FROM '{folder}/accounts.parquet' WHERE account_id % 11 <> 0)
            TO '{folder}/changed.part' (FORMAT parquet)""")
    (folder / "changed.part").replace(folder / "accounts.parquet")


@pytest.mark.parametrize("change", [a_day_comes, a_day_goes, a_day_changes, accounts_change])
def test_a_run_after_a_change_of_rows_says_what_a_run_over_everything_says(world, state, tmp_path, change):
    parts, objects = world
    folder, kept = tmp_path / "in", tmp_path / "state"
    shutil.copytree(parts, folder)
    shutil.copytree(state[0], kept)
    change(folder)
    report = run(objects, folder, tmp_path / "after", state=kept)
    run(objects, folder, tmp_path / "whole")
    assert results(tmp_path / "after") == results(tmp_path / "whole")
    assert report.state["used_again"] >= 4


@pytest.mark.parametrize("feed", [without_some, revoked])
def test_a_run_after_a_change_of_indicators_says_what_a_run_over_everything_says(world, state, tmp_path, feed):
    """Where indicators come, the state is one of a run with fewer."""
    parts, objects = world
    kept, changed = tmp_path / "state", list(feed(objects))
    shutil.copytree(state[0], kept)
    report = run(changed, parts, tmp_path / "after", state=kept)
    run(changed, parts, tmp_path / "whole")
    assert results(tmp_path / "after") == results(tmp_path / "whole")
    assert (report.state["used_again"], report.state.get("went_on_after_step")) == (6, None)


def test_indicators_that_come_are_asked_about_beside_the_answers_that_are_there(world, everything, tmp_path):
    parts, objects = world
    run(without_some(objects), parts, tmp_path / "before", state=tmp_path / "state")
    run(objects, parts, tmp_path / "after", state=tmp_path / "state")
    assert results(tmp_path / "after") == everything


def test_the_report_says_what_was_used_again_and_counts_its_rows_all_the_same(world, state, tmp_path):
    parts, objects = world
    shutil.copytree(state[0], tmp_path / "state")
    second = run(objects, parts, tmp_path / "second", state=tmp_path / "state")
    assert (state[1].state["loaded"], second.state["used_again"]) == (6, 6)
    assert state[1].as_json()["tables"] == second.as_json()["tables"]


def test_a_run_that_is_killed_goes_on_and_says_the_same(world, everything, tmp_path):
    parts, objects = world
    command = [sys.executable, "-c", KILLED, str(parts.parent / "whole" / FEED), str(parts), str(tmp_path / "out"),
               str(tmp_path / "state")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    for line in child.stdout:
        if line.startswith("weighing, round 2"):
            os.kill(child.pid, signal.SIGKILL)
            break
    assert child.wait() == -signal.SIGKILL
    assert not (tmp_path / "out" / "accounts.parquet").exists()
    report = run(objects, parts, tmp_path / "out", state=tmp_path / "state")
    assert report.state["went_on_after_step"] >= 2
    assert results(tmp_path / "out") == everything
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".match-")]


def test_a_state_in_use_is_a_sentence(world, tmp_path):
    parts, objects = world
    (tmp_path / "state").mkdir()
    hold = f"import duckdb; held = duckdb.connect('{tmp_path}/state/ground.duckdb'); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        with pytest.raises(InputError, match="in use by another run"):
            run(objects, parts, tmp_path / "out", state=tmp_path / "state")
        child.kill()


def test_a_run_after_a_change_that_keeps_its_last_step_only_says_what_a_run_over_everything_says(world, tmp_path):
    """What is kept by default: a short run's tables of the end must not be taken for those of the next one."""
    parts, objects = world
    folder, kept = tmp_path / "in", tmp_path / "state"
    shutil.copytree(parts, folder)
    run(objects, folder, tmp_path / "before", state=kept, keep_after=3_600.0)
    a_day_goes(folder)
    run(objects, folder, tmp_path / "after", state=kept, keep_after=3_600.0)
    run(objects, folder, tmp_path / "whole")
    assert results(tmp_path / "after") == results(tmp_path / "whole")
