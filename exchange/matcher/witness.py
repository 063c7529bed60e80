"""Witnesses: what stands beside a source, so that one alone condemns nobody (R29).

A second source is a witness of an account when it names infrastructure of it, or of somebody with whom it shares
infrastructure, itself: what a source is known for is handed on once, never what its holder only heard. Addresses, mail
domains and the hour of a sign-up are shared by strangers, and whole crowds act and write alike, so neither hands
anything on. The platform's own observation is a witness beside a single source where a circle larger than a household,
and not run in the open, holds things together.

Who wants to harm people names all that is theirs, and then they and theirs seem suspects to each other. So one source
alone can say only so much of an account, and who says more is borne out by no echo of its own word: only by other
sources, or by identifiers that bind more accounts than homes do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.direct import STRANGERS
from exchange.matcher.engine import Engine
from exchange.matcher.scorecard import Floats
from exchange.matcher.weighing import Weights

_HOMES = 3
"""Circles larger than a household that together are more than a few homes."""
WITNESSING = f"family = 'infrastructure' AND signal NOT IN ({', '.join(repr(name) for name in STRANGERS)})"
"""Condition on rows of ``direct`` and ``company``: what is held is no stranger's too."""


def hear_sources(engine: Engine, weights: Weights) -> None:
    """Make table ``said`` from ``direct``: account_id and the bits of the sources that name its infrastructure."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE said AS SELECT account_id, bit_or(b.bits) AS bits FROM (
            SELECT account_id, source FROM direct WHERE witness AND {WITNESSING}
            GROUP BY ALL HAVING sum(nats) >= {weights.provisional.counts_from}) d
        JOIN source_bits b USING (source) GROUP BY account_id""")


def observe(columns: dict[str, Floats], weights: Weights) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whose circle, larger than any household, is a witness: beside a single source (``own``), and beside a single kind
    (two sources name others of that circle).

    The platform itself saw the account hold infrastructure together with suspects; or act like them, while something
    ties it to them, other sources bear out what is said of it, or (where the table has ``alike``) its picture is a
    suspect's too, two sources speak of that circle and nobody names the account. What is run in the open acts together
    by trade.
    """
    rules, families = weights.provisional, {kind.signal: kind.family for kind in weights.kinds.values()}
    nothing = np.zeros_like(columns["circle_mass"])
    held, acting, named = nothing, nothing, nothing
    for name, x in columns.items():
        part, _, signal = name.partition(".")
        there = families.get(signal) == "infrastructure"
        if part == "direct" and there and signal != "network":
            named = named + x
        elif part == "company" and there and signal not in ("network", "signup"):
            held = held + x
        elif part == "company" and not there:
            acting = acting + x
    batch, least = columns["company.signup"], np.log1p(rules.companions)
    tied = held + batch >= rules.counts_from
    borne_out = (named >= rules.counts_from / 2) & (columns["vouched"] >= rules.vouched)
    many = columns["circle_mass"] >= least
    openly = np.nan_to_num(columns["disclosed"]) > 0
    spoken_of = columns["circle_sources"] >= 2
    face = columns.get("company.likeness", nothing)
    unnamed = named < rules.counts_from / 2  # a framed fan wears the star's picture too, and so may an operation
    alike = unnamed & spoken_of & (face >= rules.alike) & (acting - face >= rules.counts_from / 2) & (rules.alike > 0)
    own = (held >= rules.counts_from) | (acting >= rules.counts_from / 2) & (tied | borne_out) | alike
    return many & ~openly & own, many & spoken_of


def limit_word(columns: dict[str, Floats], nats: dict[str, Floats], firm: Floats,
               weights: Weights) -> tuple[Floats, NDArray[np.bool_]]:
    """What is taken from the nats of the card where one source alone says more than it can (0 or less), and where no
    more than its own echo bears that out.

    ``columns`` are features and ``nats`` what the card makes of them; ``firm`` counts independent sources.
    """
    rules, families = weights.provisional, {kind.signal: kind.family for kind in weights.kinds.values()}
    named, counted = np.zeros_like(firm), np.zeros_like(firm)
    for name, x in nats.items():
        part, _, signal = name.partition(".")
        if part == "direct" and families[signal] == "infrastructure":
            named, counted = named + columns[name], counted + x
    loud = (firm < 2) & (columns["vouched"] < rules.vouched) & (named > rules.alone)
    bound = columns["circle_bound"]
    seen = (bound >= np.log1p(rules.companions)) & (columns["unsaid"] >= rules.counts_from)
    echo = loud & ~seen & (bound < np.log1p(_HOMES * rules.companions))
    return np.where(loud, counted * (rules.alone / np.maximum(named, rules.alone) - 1), 0.0), echo
