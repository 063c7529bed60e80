"""A canary: of two runs on the same inputs the candidate's decides for a share of the accounts, the other for the rest.

Which accounts these are follows from a secret key and the account's id alone, so the same ones take part every day, and
nobody who doesn't hold the key can tell which.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.change.kept import Kept
from exchange.matcher.run import ACCOUNTS, ACTIONS, EVIDENCE
from exchange.matcher.values import quoted

NOTE = "canary.json"
_BY_ACCOUNT = (ACCOUNTS, EVIDENCE, ACTIONS, "memberships.parquet")
_BY_CLUSTER = ("clusters.parquet", "timeline.parquet")
_RANGE = 2**32


def read_key(path: Path) -> str:
    """The key of a canary; a file that isn't there is made, for its owner's eyes alone. Raises InputError."""
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16) + "\n", encoding="ascii")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The key of the canary {path} can't be read.", why=f"{error}.",
                         fix="Name a file with a line of letters and digits, or one that isn't there yet.") from error
    if len(key) < 16 or not key.isalnum():
        raise InputError(f"{path} holds no key of a canary.",
                         fix="Write 16 letters and digits or more into it, or name a file that isn't there yet.")
    return key


def chosen_sql(key: str, account: str, share: float) -> str:
    """Whether an account takes part: 32 bits of its keyed hash lie below the share."""
    return (f"(('0x' || left(md5({quoted(key)} || '|' || CAST({account} AS VARCHAR)), 8))::BIGINT"
            f" < {int(share * _RANGE)})")


def mix(old: Kept, new: Kept, share: float, key: str, out: Path) -> dict[str, Any]:
    """Write the results of both into ``out``, each account's by the version that decides for it; returns the note.

    accounts.parquet gets the columns ``weights`` and ``canary``. Raises InputError when the runs' inputs differ.
    """
    import duckdb  # noqa: PLC0415 - slow to load

    for part in ("at", "feed", "tables", "purpose"):
        if old.run[part] != new.run[part]:
            raise InputError(f"The runs in {old.out} and {new.out} differ in their {part}, so a canary would compare"
                             " more than weights.", fix="Run both versions on the same feed, tables and --at.")
    out.mkdir(parents=True, exist_ok=True)
    if any((out / name).exists() for name in _BY_ACCOUNT):
        raise InputError(f"{out} holds results already.", fix="Name a folder of its own for the canary.")
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"""CREATE TABLE sides AS SELECT account_id, {chosen_sql(key, 'account_id', share)} AS canary
            FROM {_table(old.out / ACCOUNTS)}""")
        for name in _BY_ACCOUNT:
            _write(connection, old, new, name, out)
        for name in _BY_CLUSTER:
            _write_clusters(connection, old, new, name, out)
        counts = connection.execute("SELECT count(*), count(*) FILTER (canary) FROM sides").fetchall()[0]
    note = {"share": share, "accounts": counts[0], "canary_accounts": counts[1],
            "old": {"weights": old.weights.version, "digest": old.digest, "results": str(old.out)},
            "canary": {"weights": new.weights.version, "digest": new.digest, "results": str(new.out)}}
    (out / NOTE).write_bytes(orjson.dumps(note, option=orjson.OPT_INDENT_2))
    return note


def _write(connection: Any, old: Kept, new: Kept, name: str, out: Path) -> None:
    marked = [f", {quoted(kept.weights.version)} AS weights, s.canary" if name == ACCOUNTS else ""
              for kept in (old, new)]
    connection.execute(f"""COPY (SELECT t.*{marked[0]} FROM {_table(old.out / name)} t JOIN sides s USING (account_id)
            WHERE NOT s.canary
        UNION ALL BY NAME SELECT t.*{marked[1]} FROM {_table(new.out / name)} t JOIN sides s USING (account_id)
            WHERE s.canary ORDER BY account_id) TO {quoted(str(out / name))} (FORMAT parquet)""")


def _write_clusters(connection: Any, old: Kept, new: Kept, name: str, out: Path) -> None:
    """Clusters as the old version tells them, and of the candidate's those that accounts of the canary are in and that
    the old one doesn't know."""
    connection.execute(f"""COPY (SELECT * FROM {_table(old.out / name)}
        UNION ALL BY NAME SELECT * FROM {_table(new.out / name)} WHERE cluster IN (
            SELECT cluster FROM {_table(out / ACCOUNTS)} WHERE canary)
            AND cluster NOT IN (SELECT cluster FROM {_table(old.out / 'clusters.parquet')})
        ORDER BY cluster) TO {quoted(str(out / name))} (FORMAT parquet)""")


def _table(path: Path) -> str:
    return f"read_parquet({quoted(str(path))})"
