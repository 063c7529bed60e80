"""What a run keeps of itself beside its results, so that each decision can be computed again and learned from.

The folder ``kept`` in the results: ``weights.toml`` (the table in force), ``features.parquet`` (what the last card read
of each account with evidence), ``run.json`` (moment, purpose, fingerprints of feed, tables and results).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from exchange.errors import InputError
from exchange.matcher.change import fingerprint
from exchange.matcher.engine import Engine
from exchange.matcher.features import Features, Floats
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights, load_weights
from exchange.matcher.weights_file import digest

FOLDER, WEIGHTS, FEATURES, RUN = "kept", "weights.toml", "features.parquet", "run.json"
_NOT_COLUMNS = ("account_id", "firm")


@dataclass(frozen=True)
class Kept:
    """A past run."""

    out: Path
    run: dict[str, Any]
    weights: Weights

    @property
    def digest(self) -> str:
        """Of the weights: half of what tells a decision apart."""
        return str(self.run["weights_digest"])

    @property
    def name(self) -> str:
        """Short name of the run, from what went into it."""
        return str(self.run["id"])


def keep_features(engine: Engine, features: Features) -> None:
    """Write the features that the last card read into the work folder."""
    columns = {"account_id": features.accounts, "firm": features.firm, **features.columns}
    engine.connection.register("kept_features", columns)
    engine.run(f"COPY (SELECT * FROM kept_features ORDER BY account_id)"
               f" TO {quoted(str(engine.work / FEATURES))} (FORMAT parquet)")
    engine.connection.unregister("kept_features")


def keep_run(engine: Engine, weights: Weights, out: Path, run: dict[str, Any], entities: Path,
             named: Iterable[str]) -> None:
    """Write the folder ``kept`` into the results; ``run`` says what the caller knows, ``named`` files of a mapping."""
    file, told = weights.as_file
    run |= {"weights": weights.version, "weights_digest": told,
            "entities": str(entities.resolve()), "tables": fingerprint.of_tables(entities, named),
            "program": fingerprint.of_program()}
    run["id"] = digest({name: run.get(name) for name in ("at", "purpose", "feed", "tables", "options", "program",
                                                         "weights_digest")})[:16]
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    run["weights_kept"] = bool(file.strip())  # not so where a caller changed them in memory
    (engine.work / WEIGHTS).write_text(file, encoding="utf-8")
    (engine.work / RUN).write_bytes(orjson.dumps(run, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    for name in (FEATURES, WEIGHTS, RUN):
        (engine.work / name).replace(folder / name)


def read_kept(out: Path) -> Kept:
    """What the run in ``out`` kept. Raises InputError when there is none, or it isn't whole."""
    folder = out / FOLDER
    if not (folder / RUN).is_file():
        raise InputError(f"{out} keeps no run of the matcher.", fix="Run cibx match --out there first.")
    try:
        run = orjson.loads((folder / RUN).read_bytes())
        if not run["weights_kept"]:
            raise ValueError("its weights were no version from a file")
        weights = load_weights(folder / WEIGHTS)
        whole = digest(weights.table) == run["weights_digest"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"What {out} keeps of its run can't be read.", why=f"{error}.",
                         fix="Run cibx match --out there again.") from error
    if not whole:
        raise InputError(f"{folder / WEIGHTS} is not the table that the run used.",
                         fix="Run cibx match --out there again.")
    return Kept(out, run, weights)


def read_kept_features(out: Path) -> Features:
    """The features that the last card of the run in ``out`` read."""
    import duckdb  # noqa: PLC0415 - slow to load

    path = out / FOLDER / FEATURES
    if not path.is_file():
        raise InputError(f"{path} is not there.", fix="Run cibx match --out there again.")
    with duckdb.connect(":memory:") as connection:
        table = connection.execute(f"SELECT * FROM read_parquet({quoted(str(path))}) ORDER BY account_id").fetchnumpy()
    columns: dict[str, Floats] = {
        name: _reals(column) for name, column in table.items() if name not in _NOT_COLUMNS}
    return Features(np.ma.getdata(table["account_id"]), columns, _reals(table["firm"]))


def _reals(column: Any) -> Floats:
    plain = np.ma.filled(column.astype(np.float64), np.nan) if np.ma.isMaskedArray(column) else column
    return np.asarray(plain, dtype=np.float64)
