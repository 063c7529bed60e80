"""The entity tables that the matcher reads: their columns, what each is for, and which are needed.

``removed`` is the member's own record of networks that it took down, for recidivism. A row names a network, when it was
removed, and either an account of it (account_id: all its values in links and avatars count) or one value (itype as in
links, or picture, text, url, account, ip_range). A removal that was taken back is taken out of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST = 1e300
Role = Literal["account", "time", "number", "text", "value"]


@dataclass(frozen=True)
class Column:
    """One column of an entity table."""

    name: str
    role: Role
    needed: bool = False
    missing: str = ""
    """What isn't done without it; completes the sentence 'without it ...'."""
    most: float = MOST
    """Of a number, which is never below 0 either; what lies beyond counts as unknown."""


@dataclass(frozen=True)
class Shape:
    """One entity table."""

    name: str
    columns: tuple[Column, ...]
    needed: bool = False
    kinds: str = ""
    """The column whose words are kinds, when there is one."""


def _numbers(**most: float) -> tuple[Column, ...]:
    return tuple(Column(name, "number", missing="evidence from it is left out", most=value)
                 for name, value in most.items())


ACCOUNT = Column("account_id", "account", needed=True)

SHAPES: dict[str, Shape] = {shape.name: shape for shape in (
    Shape("accounts", (
        ACCOUNT, Column("created", "time", missing="the age of accounts is unknown"),
        *_numbers(verified=1, assurance=2, strikes=MOST, followers=MOST, audience_quality=1, payment_months=MOST,
                  geo_spread=1, reach_90d=MOST, disclosed=1),
    ), needed=True),
    Shape("links", (
        ACCOUNT, Column("itype", "text", needed=True), Column("value", "value", needed=True),
        Column("first_seen", "time", missing="evidence from links counts half"),
        Column("last_seen", "time", missing="evidence from links counts half"),
    ), kinds="itype"),
    Shape("avatars", (ACCOUNT, Column("pdq", "text", needed=True))),
    Shape("posts", (
        ACCOUNT, Column("ts", "time", missing="evidence from posts counts half"),
        Column("kind", "text", missing="every object counts as a link"),
        Column("object", "value", missing="links in posts are not matched"),
        Column("text", "text", missing="texts are not matched"),
    )),
    Shape("handles", (
        ACCOUNT, Column("platform", "text"), Column("handle", "text"), Column("profile_url", "text"),
    )),
    Shape("removed", (
        Column("network", "text", needed=True),
        Column("removed_at", "time", missing="values of removed networks are taken to be of the last day"),
        Column("account_id", "account"), Column("itype", "text"), Column("value", "value"),
        Column("confidence", "number", most=1),
    ), kinds="itype"),
)}
REMOVED_KINDS = ("picture", "text", "url", "account", "ip_range")
"""What ``removed`` may hold beside the kinds of links; the value is written as an indicator would have it."""
POST_KINDS = ("original", "share", "link", "tag")
