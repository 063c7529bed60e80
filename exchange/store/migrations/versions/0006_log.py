"""The tamper-evident log: events get an id, a nonce and places in it; its tiles, checkpoints, keys and salts.

Revision ID: 0006
"""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from alembic import op

from exchange.stix.canonical import canonical

revision = "0006"
down_revision = "0005"

_AT_A_TIME = 1_000


def upgrade() -> None:
    """From 0005."""
    _events()
    _log()


def _events() -> None:
    """The table is made anew: columns without a default can't be added to one that has rows."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.execute("CREATE TABLE event_before AS SELECT number, at, kind, org, detail FROM event")
    op.drop_table("event")
    event = op.create_table(
        "event",
        sa.Column("number", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("nonce", sa.Text, nullable=False),
    )
    op.create_index("event_org", "event", ["org", "number"])
    op.create_table("event_pending", sa.Column("number", number, primary_key=True, autoincrement=False))
    op.create_table(
        "log_span",
        sa.Column("place", number, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    connection, last = op.get_bind(), 0
    before = sa.text("SELECT number, at, kind, org, detail FROM event_before WHERE number > :last"
                     " ORDER BY number LIMIT :most")
    while rows := connection.execute(before, {"last": last, "most": _AT_A_TIME}).mappings().all():
        last = rows[-1]["number"]
        connection.execute(event.insert(), [
            {"at": row["at"], "kind": row["kind"], "org": row["org"], "detail": canonical(json.loads(row["detail"])),
             "id": secrets.token_hex(16), "nonce": secrets.token_hex(16)}
            for row in rows
        ])
    op.drop_table("event_before")
    op.execute("INSERT INTO event_pending (number) SELECT number FROM event")


def _log() -> None:
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "log_cosignature",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("verifier", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_table(
        "log_key",
        sa.Column("verifier", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
    )
    cursor = op.create_table(
        "log_cursor",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(cursor, [{"name": name, "value": 0} for name in ("size", "ledger", "tick")])
    op.create_table(
        "log_salt",
        sa.Column("commitment", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
    op.create_index("log_salt_subject", "log_salt", ["subject"])
