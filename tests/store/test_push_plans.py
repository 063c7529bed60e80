"""What a push asks of SQLite is found by ids and dates: nothing goes through a collection, however large it is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects import sqlite

from exchange.store import pushes, references, stirs
from exchange.store.engine import open_engine, raw
from exchange.store.migrations import migrate
from exchange.store.statement import Prepared

DIALECT = sqlite.dialect()
STATEMENTS = {
    "known rows": pushes._select_known(DIALECT), "targets": references._select_targets(DIALECT),
    "anything stirred": stirs._any_referred(DIALECT), "stirred by what is pushed": stirs._select_pushed(DIALECT, 1),
    "stirred by what is pushed, further on": stirs._select_pushed(DIALECT, 2),
    "stirred by what is shown": stirs._select_referred(DIALECT, 1),
    "stirred by what is shown, further on": stirs._select_referred(DIALECT, 2),
}


class Whatever(dict[str, str]):
    """A value for whatever a statement asks for."""

    def __missing__(self, name: str) -> str:
        return "[]"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'cibx.db'}")
    migrate(engine)
    return engine


def test_a_new_rows_values_stand_in_the_order_of_its_columns() -> None:
    sql, by_name = pushes._prepared_insert(DIALECT)
    assert not by_name
    assert sql.startswith(f"INSERT INTO object ({', '.join(pushes._COLUMNS)}) VALUES ")


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_push_goes_through_no_collection(migrated: Engine, name: str) -> None:
    statement: Any = STATEMENTS[name]
    asked = statement if isinstance(statement, Prepared) else Prepared(statement, DIALECT)
    with raw(migrated) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {asked.sql}", Whatever()).fetchall()
    steps = [step for *_, step in plan if any(name in step for name in ("object", "other", "reference"))]
    assert steps
    wide = [step for step in steps if step.startswith(("SCAN object", "SCAN reference")) or "seq<?" in step or "seq>?" in step]
    assert wide == []
