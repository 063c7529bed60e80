"""Makes a whole made-up platform and writes it: entity tables, the feed, and the truth for measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.values import quoted
from exchange.matcher.world import bystanders, crowds, operations, people, publishing, sharing
from exchange.matcher.world.ground import Array, Ground, Ints
from exchange.matcher.world.habits import draw_habits
from exchange.matcher.world.operation import Operation

AT = 1_780_272_000
"""2026-06-01T00:00:00Z: the moment at which worlds stand still unless told otherwise."""
FEED = "indicators_stix.json"
_TRUTH = ("op", "role", "cls", "kind", "compromised")
_LARGEST_PRIME = 2_147_483_647


@dataclass(frozen=True)
class World:
    """Where a made-up platform lies and what is in it."""

    folder: Path
    """The entity tables; ``truth/`` below it is for measuring, never for matching."""
    feed: Path
    at: int
    accounts: int
    operations: int
    members: int
    """Accounts of operations."""
    indicators: int


def make_world(folder: Path, *, accounts: int = 2_000, seed: int = 7, difficulty: float = 0.5, at: int = AT,
               ending: Literal["parquet", "csv"] = "parquet", planted: Sequence[str] = ()) -> World:
    """Write a made-up platform of about ``accounts`` accounts into ``folder`` (at least 500).

    ``planted`` are domains or URLs in the clear that the first operation's members link to, so that a feed from
    elsewhere meets something here. The same arguments give the same world. Needs numpy; a million accounts take
    about 30 s and 3 GB.
    """
    rng = np.random.default_rng(seed)
    count = max(accounts, 500)
    ground = Ground(rng, at, difficulty, draw_habits(rng))
    people.settle(ground, count)
    free = rng.permutation(count).astype(np.int64)
    number = 3 + min(40, count // 12_000)
    running, free = operations.run_operations(ground, free, number)
    free = crowds.gather(ground, free)
    crowds.pose(ground, running)
    free = bystanders.entangle(ground, running, free)
    if planted:
        publishing.plant(ground, running[0], planted)
    objects = sharing.share(ground, running, free, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FEED).open("wb") as file:
        file.writelines(sharing.as_bundle(objects, seed))
    _write(ground, running, folder, ending, seed)
    return World(folder, folder / FEED, at, count, number, sum(len(o.members) for o in running),
                 sum(obj["type"] == "indicator" for obj in objects))


def _write(ground: Ground, running: list[Operation], folder: Path, ending: str, seed: int) -> None:
    ids = _account_ids(ground.size, seed)
    seeded = np.isin(ground.columns["op"], [o.number for o in running if o.seeded]).astype(np.int64)
    (folder / "truth").mkdir(exist_ok=True)
    with open_engine(folder) as engine:
        facts = {name: column for name, column in ground.columns.items() if name not in _TRUTH}
        _table(engine, {"account_id": ids, **facts}, folder / f"accounts.{ending}")
        truth = {name: ground.columns[name] for name in _TRUTH}
        _table(engine, {"account_id": ids, **truth, "seeded": seeded}, folder / "truth" / f"accounts.{ending}")
        _table(engine, {
            "op": np.array([o.number for o in running]), "cls": np.array([o.cls for o in running], dtype=object),
            "size": np.array([len(o.members) for o in running]),
            "sophistication": np.array([o.care for o in running]),
            "seeded": np.array([int(o.seeded) for o in running]),
        }, folder / "truth" / f"ops.{ending}")
        links = _joined(ground.links, ids)
        _table(engine, links, folder / f"links.{ending}",
               "account_id, itype, value, min(first_seen) AS first_seen, max(last_seen) AS last_seen,"
               " sum(n)::INTEGER AS n", "GROUP BY account_id, itype, value ORDER BY account_id, itype, value")
        del links
        _table(engine, _joined(ground.posts, ids), folder / f"posts.{ending}",
               "post_id, account_id, ts, kind, object, text", "ORDER BY ts, post_id")
        pictures = _joined(ground.avatars, ids)
        bits = np.ascontiguousarray(pictures.pop("bits")).view(">u8").astype(np.uint64)
        words = {f"w{n}": bits[:, n] for n in range(4)}
        pdq = " || ".join(f"lpad(lower(to_hex(w{n})), 16, '0')" for n in range(4))
        _table(engine, {**pictures, **words}, folder / f"avatars.{ending}", f"account_id, min({pdq}) AS pdq",
               "GROUP BY account_id ORDER BY account_id")


def _account_ids(count: int, seed: int) -> Ints:
    """Ids without order or gaps of meaning: a walk round a prime."""
    step = 48_271 + 2 * seed
    return (np.arange(1, count + 1, dtype=np.int64) * step) % _LARGEST_PRIME


def _joined(chunks: list[dict[str, Array]], ids: Ints) -> dict[str, Array]:
    """All chunks as one table with account_id in place of the row number; the chunks are used up."""
    names = list(chunks[0])
    table = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}
    chunks.clear()
    table["account_id"] = ids[table.pop("account")]
    return table


def _table(engine: Engine, columns: dict[str, Any], path: Path, select: str = "*", end: str = "") -> None:
    form = "FORMAT parquet, COMPRESSION zstd" if path.suffix == ".parquet" else "FORMAT csv, HEADER true"
    engine.connection.register("made", columns)
    engine.run(f"COPY (SELECT {select} FROM made {end}) TO {quoted(str(path))} ({form})")
    engine.connection.unregister("made")
