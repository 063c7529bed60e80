"""Notices, acknowledgements, holds and state changes.

Revision ID: 0003
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From 0002."""
    meta = sa.table("meta", sa.column("key", sa.Text), sa.column("value", sa.Text))
    op.bulk_insert(meta, [
        {"key": "exchange.identity", "value": f"identity--{uuid.uuid4()}"},
        {"key": "obligations.swept", "value": "0"},
    ])
    _states()
    _endings()
    _holds()
    _erasures()
    _notices()


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _big(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _states() -> None:
    op.create_table(
        "state_change",
        _number(),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), nullable=False),
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        *_big("id_key"),
        *_text("stix_id"),
        *_big("at"),
        sa.Column("before", sa.Integer, nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
        *_text("by_org", "by_role", "by_key", "reason", "citation"),
    )
    op.create_index("state_change_object", "state_change", ["feed", "id_key", "contributor", "at"])


def _endings() -> None:
    op.create_table(
        "withdrawn",
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        *_big("id_key"),
        *_text("stix_id", "version"),
    )
    op.create_index("withdrawn_object", "withdrawn", ["id_key", "contributor"])
    op.create_index("object_end", "object", ["visible_until"], sqlite_where=sa.text("body <> x''"),
                    postgresql_where=sa.text("body <> ''::bytea"))


def _holds() -> None:
    op.create_table(
        "hold",
        _number(),
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        *_big("id_key"),
        *_text("stix_id"),
        *_big("since"),
        sa.Column("until", sa.BigInteger),
        sa.Column("released", sa.BigInteger),
        *_text("by_org", "by_key", "reason"),
    )
    op.create_index("hold_object", "hold", ["id_key", "contributor"])
    op.create_table(
        "sealed",
        _number(),
        sa.Column("hold", sa.BigInteger, sa.ForeignKey("hold.number"), nullable=False),
        sa.Column("feed", sa.Integer, nullable=False),
        *_big("seq"),
        *_text("version", "key"),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("sealed_once", "sealed", ["hold", "feed", "seq"], unique=True)


def _erasures() -> None:
    op.create_table(
        "erasure",
        _number(),
        sa.Column("change", sa.BigInteger, sa.ForeignKey("state_change.number"), nullable=False),
        sa.Column("feed", sa.Integer, nullable=False),
        *_big("seq"),
        *_text("version"),
        *_big("at"),
        *_text("commitment"),
    )
    op.create_index("erasure_version", "erasure", ["feed", "seq"], unique=True)


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Text, primary_key=True),
        *_text("org", "kind", "obligation"),
        *_big("at"),
        sa.Column("deadline", sa.BigInteger),
        *_text("citation", "reason", "reference", "objects", "state"),
        sa.Column("escalated", sa.BigInteger),
    )
    op.create_index("notice_org", "notice", ["org", "at"])
    op.create_index("notice_due", "notice", ["state", "deadline"])
    op.create_index("notice_reference", "notice", ["reference"])
    op.create_table(
        "acknowledgement",
        _number(),
        sa.Column("notice", sa.Text, sa.ForeignKey("notice.id"), nullable=False),
        *_big("at"),
        sa.Column("done", sa.Boolean, nullable=False),
        *_text("statement", "by_key"),
    )
    op.create_index("acknowledgement_notice", "acknowledgement", ["notice"])
