"""Lays copies of a made-up world side by side: ``python tests/bench/side_by_side.py WORLD OUT --copies 10``.

For benches only, where making a world of that size would take longer than matching it. Accounts, identifiers, posts and
words of each copy are its own; mail providers, pages and tags are common to all, as on a real platform. The feed stays
that of the first copy.
"""

from __future__ import annotations

import argparse
import shutil
import string
from pathlib import Path

import duckdb

from exchange.matcher.world import FEED

_LETTERS = string.ascii_lowercase
_COMMON = ("email_domain", "domain")


def copy_sql(folder: Path, table: str, number: int) -> str:
    """The rows of one copy of a table."""
    account, mixed = f"account_id + {number} * 2147483648::BIGINT", f"xor({{0}}, {number} * 72057594037927936::BIGINT)"
    turned = _LETTERS[number:] + _LETTERS[:number]
    common = ", ".join(f"'{kind}'" for kind in _COMMON)
    changes = {
        "accounts": "",
        "links": f""", CASE WHEN itype IN ({common}) THEN value WHEN itype = 'ip4' THEN xor(value, {number} * 268435456::BIGINT)
            ELSE {mixed.format('value')} END AS value""",
        "posts": f""", {mixed.format('post_id')} AS post_id, translate(text, '{_LETTERS}', '{turned}') AS text,
            CASE WHEN kind IN ('link', 'tag') THEN object ELSE {mixed.format('object')} END AS object""",
        "avatars": f", md5(pdq || '{number}') || md5('{number}' || pdq) AS pdq" if number else "",
    }
    return f"SELECT * REPLACE ({account} AS account_id{changes[table]}) FROM '{folder}/{table}.parquet'"


def lay_copies(world: Path, out: Path, copies: int) -> None:
    """Write all copies, one file per table, in at most 3 GB."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(world / FEED, out)
    with duckdb.connect(config={"memory_limit": "3GB", "threads": 2, "preserve_insertion_order": False}) as connection:
        for table in ("accounts", "links", "posts", "avatars"):
            rows = " UNION ALL ".join(copy_sql(world, table, number) for number in range(copies))
            connection.execute(f"COPY ({rows}) TO '{out}/{table}.parquet' (FORMAT parquet, COMPRESSION snappy)")


def main() -> None:
    """Lay copies of a world that is there."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("world", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--copies", type=int, default=10)
    given = arguments.parse_args()
    lay_copies(given.world, given.out, given.copies)


if __name__ == "__main__":
    main()
