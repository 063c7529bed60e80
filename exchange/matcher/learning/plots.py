"""Plots: made-up platforms on which contributors name all that belongs to people, to harm them (R29), to fit on.

Each plot is one source's that says nothing else. Half of them leave out what the people share at home, so that their
flatmates are left for the platform to find.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exchange.matcher.bundle import read_objects
from exchange.matcher.engine import open_engine
from exchange.matcher.values import quoted
from exchange.matcher.world import FEED, make_world
from exchange.matcher.world.ground import DAY
from exchange.matcher.world.make import AT
from exchange.matcher.world.sharing import as_bundle, pattern, token_text

_PEOPLE = 40
_PLOTS = (("", True), ("protest", True), ("fan", False), ("", False))
"""Whom a plot is against (the kind of people), and whether what they share at home is left out."""
_HOME = "b.itype IN ('device', 'payment')"


def make_plots(folder: Path, *, accounts: int, seed: int, difficulty: float) -> None:
    """Write a made-up platform whose feed holds four plots beside what is true."""
    world = make_world(folder, accounts=accounts, seed=seed, difficulty=difficulty)
    objects = list(read_objects(world.feed))
    with open_engine(folder) as engine:
        truth, links = (f"read_parquet({quoted(str(folder / name))})" for name in
                        ("truth/accounts.parquet", "links.parquet"))
        engine.run("CREATE TEMP TABLE victims (account_id BIGINT, plot INTEGER)")
        for number, (kind, sly) in enumerate(_PLOTS):
            engine.run(f"""INSERT INTO victims SELECT account_id, {number} FROM {truth} ANTI JOIN victims
                USING (account_id) WHERE op < 0 AND kind = {quoted(kind)} ORDER BY hash(account_id) LIMIT {_PEOPLE}""")
            if sly:
                engine.run(f"""INSERT INTO victims SELECT DISTINCT b.account_id, {number} FROM victims v
                    JOIN {links} a USING (account_id) JOIN {links} b ON a.itype = b.itype AND a.value = b.value
                    JOIN {truth} t ON t.account_id = b.account_id ANTI JOIN victims w ON w.account_id = b.account_id
                    WHERE v.plot = {number} AND {_HOME} AND t.op < 0""")
            objects += [_said(kind, value, number) for kind, value in engine.rows(f"""SELECT itype, value FROM {links}
                LEFT JOIN (FROM victims WHERE plot = {number}) v USING (account_id) WHERE itype <> 'email_domain'
                GROUP BY ALL HAVING count(v.account_id) > 0 {'AND count(*) = 1' if sly else ''} ORDER BY ALL""")]
    (folder / FEED).write_bytes(b"".join(as_bundle(objects, seed)))


def _said(kind: str, value: int, number: int) -> dict[str, Any]:
    when = datetime.fromtimestamp(AT - 5 * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"plot {number} {kind} {value}")
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{name}", "created": when, "modified": when,
            "pattern": pattern(kind, token_text(kind, value)), "pattern_type": "stix", "valid_from": when,
            "confidence": 100, "created_by_ref": f"identity--plot-{number}"}
