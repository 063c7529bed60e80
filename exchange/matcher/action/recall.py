"""What was recommended for one account, read back from a run, with the row that decided and what would change it."""

from __future__ import annotations

from pathlib import Path

from exchange.matcher.action.decide import decide
from exchange.matcher.action.facts import NAMES, Facts
from exchange.matcher.action.pack import ActionPack

ACTIONS = "actions.parquet"


def recall(out: Path, account_id: str, pack: ActionPack) -> str:
    """Some lines for people; empty where nothing was recommended. The sentences of change are left out where the run
    was under another pack than this one."""
    if not (out / ACTIONS).is_file():
        return ""
    import duckdb  # noqa: PLC0415 - slow to load

    with duckdb.connect(":memory:") as connection:
        done = connection.execute("SELECT * FROM read_parquet(?) WHERE CAST(account_id AS VARCHAR) = ?",
                                  [str(out / ACTIONS), account_id])
        names = [column[0] for column in done.description]
        rows = [dict(zip(names, row, strict=True)) for row in done.fetchall()]
    if not rows or rows[0]["action"] == "none":
        return ""
    [row] = rows
    if row["pack"] != pack.digest:
        return (f"Recommended: {row['action']} (row {row['decided_by']} of the policy {row['pack'][:12]}, which is"
                " another one than now).")
    found = decide(Facts(**{name: row[name] for name in NAMES if name in row}), pack)
    lines = [f"{found.sentence} Row {found.row} of the policy {pack.digest[:12]}: {found.why} ({found.citation})",
             f"Undo: {found.undo}", *(f"  {words}" for words in found.changes)]
    return "\n".join(lines)
