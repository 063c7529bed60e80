"""Contested objects, disputes, contributors' records, emergencies.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From 0003 (exchange/store/case_tables.py)."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _contests(number)
    _disputes(number)
    _contributors(number)


def _contests(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "contest",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), nullable=False),
        sa.Column("producer", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        sa.Column("contester", sa.Text, nullable=False),
        sa.Column("contester_person", sa.Text),
        sa.Column("for_person", sa.Boolean, nullable=False),
        sa.Column("grounds", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("restricted", sa.Boolean, nullable=False),
        sa.Column("answer_due", sa.BigInteger, nullable=False),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answerer", sa.Text),
        sa.Column("review_due", sa.BigInteger),
        sa.Column("reviewer", sa.Text),
        sa.Column("reviewer_person", sa.Text),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("contest_stage", "contest", ["stage", "opened_at"])
    op.create_table(
        "contest_object",
        sa.Column("contest", sa.Text, sa.ForeignKey("contest.id"), primary_key=True),
        sa.Column("stix_id", sa.Text, primary_key=True),
        sa.Column("campaign_class", sa.Text, nullable=False),
    )
    op.create_index("contest_object_id", "contest_object", ["stix_id"])
    op.create_table(
        "contest_step",
        sa.Column("number", number, primary_key=True),
        sa.Column("contest", sa.Text, sa.ForeignKey("contest.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("statement", sa.Text, nullable=False),
    )
    op.create_index("contest_step_contest", "contest_step", ["contest"])


def _disputes(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "voice",
        sa.Column("number", number, primary_key=True),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), nullable=False),
        sa.Column("producer", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        sa.Column("stix_id", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("affected", sa.Boolean, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("voice_about", "voice", ["feed", "stix_id", "producer"])
    op.create_index("voice_statement", "voice", ["statement", "org"])
    op.create_table(
        "flag",
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), primary_key=True),
        sa.Column("producer", sa.Integer, sa.ForeignKey("contributor.number"), primary_key=True),
        sa.Column("stix_id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_table(
        "verdict",
        sa.Column("number", number, primary_key=True),
        sa.Column("producer", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        sa.Column("feed", sa.Integer, nullable=False),
        sa.Column("stix_id", sa.Text, nullable=False),
        sa.Column("campaign_class", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("verdict_once", "verdict", ["producer", "feed", "stix_id", "word"], unique=True)


def _contributors(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "contributor_day",
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("given", sa.BigInteger, nullable=False),
        sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contributor_hold",
        sa.Column("number", number, primary_key=True),
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("by_person", sa.Text),
    )
    op.create_index("contributor_hold_open", "contributor_hold", ["contributor", "ended_at"])
    op.create_table(
        "value_report",
        sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("value_report_object", "value_report", ["feed", "seq"])
    op.create_table(
        "value_mark",
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "emergency",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("declared_at", sa.BigInteger, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("declared_by", sa.Text, nullable=False),
        sa.Column("people", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("collections", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("reviewed_at", sa.BigInteger),
        sa.Column("reviewer", sa.Text),
        sa.Column("findings", sa.Text, nullable=False),
    )
