"""Which shared objects met local rows or speak for them, as a run keeps them: id, producer, campaign, TLP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted
from exchange.stix.tlp import from_definition, from_word, well_known

SEEDS = "seeds.parquet"
LEVELS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
"""Widest first."""


def strictest(levels: Iterable[str]) -> str:
    """The strictest of some levels, an unknown one counting as RED; empty where there is none."""
    found = ["TLP:CLEAR" if level == "TLP:WHITE" else level for level in levels]
    return max(found, key=lambda level: LEVELS.index(level) if level in LEVELS else len(LEVELS), default="")


def level_of(obj: Mapping[str, Any], markings: Mapping[str, Mapping[str, Any]]) -> str:
    """The strictest TLP that an object states by markings, granular ones too, or labels (P1); empty: none."""
    refs = [ref for ref in _list(obj.get("object_marking_refs")) if isinstance(ref, str)]
    refs += [str(one.get("marking_ref")) for one in _list(obj.get("granular_markings")) if isinstance(one, Mapping)]
    said = [well_known(ref) or from_definition(markings.get(ref, {})) for ref in refs]
    said += [from_word(label) for label in _list(obj.get("labels")) if isinstance(label, str)]
    return strictest(one[1] if isinstance(one, tuple) else "TLP:RED" for one in said if one is not None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def write_seeds(engine: Engine) -> str:
    """Write the rows of ``indicators`` that met somebody, and the statements that call what met benign, into the
    engine's work folder; returns the file's name. A row of evidence names one statement for all that say the same, so
    it stands there under the strictest TLP of them."""
    engine.run(f"""COPY (SELECT DISTINCT indicator_id, source, source_name, campaign, campaign_ref, tlp
        FROM indicators SEMI JOIN direct USING (indicator_id)
        UNION ALL SELECT statement, min(source), min(names), '', '', CASE WHEN bool_or(red) THEN 'TLP:RED' ELSE '' END
        FROM objections JOIN (SELECT shared AS shared_value, bool_or(tlp = 'TLP:RED') AS red FROM objecting GROUP BY 1)
        USING (shared_value) GROUP BY statement ORDER BY indicator_id)
        TO {quoted(str(engine.work / SEEDS))} (FORMAT parquet)""")
    return SEEDS
