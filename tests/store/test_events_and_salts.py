"""Events of an older schema become leaves to be; salts of commitments are kept until their subject is erased."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from exchange.audit.commitment import commit
from exchange.audit.leaf import read_leaf
from exchange.audit.questions import about_object, names_of
from exchange.notary.sequencer import leaf_of
from exchange.store import log, migrations
from exchange.store.engine import open_engine, read, write
from exchange.store.events import record
from exchange.store.salts import commit_value, content_of, destroy_names, find_salt, salts_of_name


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
        made = commit_value(connection, "jane@example.com", subject=content_of(OTHER))
        other = commit_value(connection, "jane@example.com", subject=content_of(NOTICE))
    assert made != other != sha256(b"jane@example.com").hexdigest()
    with read(engine) as connection:
        salt = find_salt(connection, made)
    assert salt is not None
    assert commit(salt, b"jane@example.com") == made
    with write(engine) as connection:
        assert destroy_names(connection, [OTHER]) == 1
        assert destroy_names(connection, [OTHER]) == 0
    with read(engine) as connection:
        assert find_salt(connection, made) is None
        assert find_salt(connection, other) is not None


ADDRESS = "email-addr--2d77a846-6264-5d51-b586-e43822ea1ea3"
OTHER = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
NOTICE = "note--0f6c54d5-bd7a-5c0b-a3a2-a41c4a6a4f0b"


def test_the_log_names_objects_by_commitments_that_nobody_opens_once_the_salt_is_gone(engine: Engine) -> None:
    told = [("state", {"id": ADDRESS, "to": "erased", "notices": [NOTICE]}),
            ("notice", {"notice": NOTICE, "objects": [{"id": ADDRESS, "versions": []}]}),
            ("state", {"id": OTHER}), ("acknowledgement", {"notice": NOTICE})]
    with write(engine) as connection:
        for at, (kind, detail) in enumerate(told):
            record(connection, at=at, kind=kind, org="org-beta", detail=detail)
    with read(engine) as connection:
        leaves = [(n, read_leaf(leaf_of(event))) for n, event in enumerate(log.pending_events(connection, 9))]
        salts = salts_of_name(connection, ADDRESS)
        stored = [str(row) for row in connection.execute(text("SELECT detail FROM event"))]
    assert not any(name in row for row in stored for name in (ADDRESS, OTHER, NOTICE))
    assert [leaf[1]["kind"] for leaf in about_object(leaves, names_of(ADDRESS, salts))] == [
        "state", "notice", "acknowledgement"]
    with write(engine) as connection:
        assert destroy_names(connection, [ADDRESS, NOTICE]) == 2
    with read(engine) as connection:
        assert about_object(leaves, names_of(ADDRESS, salts_of_name(connection, ADDRESS))) == []
        assert len(about_object(leaves, names_of(OTHER, salts_of_name(connection, OTHER)))) == 1
