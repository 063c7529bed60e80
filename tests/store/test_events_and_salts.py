"""Events of an older schema become leaves to be; salts of commitments are kept until their subject is erased."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from exchange.audit.commitment import commit
from exchange.audit.leaf import read_leaf
from exchange.notary.sequencer import leaf_of
from exchange.store import log, migrations
from exchange.store.engine import open_engine, read, write
from exchange.store.salts import commit_value, destroy_salts, find_salt


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_events_of_before_the_log_become_leaves(database_url: str) -> None:
    engine = open_engine(database_url)
    with write(engine) as connection:
        _upgrade(connection, "0005")
        for n in range(1_500):
            connection.execute(
                text("INSERT INTO event (at, kind, org, detail) VALUES (:at, 'push', 'org-alpha', :detail)"),
                {"at": n, "detail": f'{{"b": 1, "a": "é{n}"}}'},
            )
    with write(engine) as connection:
        _upgrade(connection, "0006")
    with read(engine) as connection:
        events = log.pending_events(connection, 2_000)
    assert [event.at for event in events] == list(range(1_500))
    assert len({event.id for event in events} | {event.nonce for event in events}) == 3_000
    assert read_leaf(leaf_of(events[7]))["detail"] == {"a": "é7", "b": 1}
    engine.dispose()


def test_a_commitment_is_opened_by_its_salt_until_that_is_destroyed(engine: Engine) -> None:
    with write(engine) as connection:
        made = commit_value(connection, "jane@example.com", subject="indicator--1")
        other = commit_value(connection, "jane@example.com", subject="indicator--2")
    assert made != other != sha256(b"jane@example.com").hexdigest()
    with read(engine) as connection:
        salt = find_salt(connection, made)
    assert salt is not None
    assert commit(salt, b"jane@example.com") == made
    with write(engine) as connection:
        assert destroy_salts(connection, "indicator--1") == 1
        assert destroy_salts(connection, "indicator--1") == 0
    with read(engine) as connection:
        assert find_salt(connection, made) is None
        assert find_salt(connection, other) is not None
