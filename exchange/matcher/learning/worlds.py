"""Fits all stages' scorecards on made-up worlds and writes the table of weights that ships.

    python -m exchange.matcher.learning.worlds --version made-7 --after made-5 --first-seed 7000 7100 --careful 12 \
        --work DIR --out FILE.toml

Nothing but seeds, sizes and difficulties goes in; each stage is fitted on what the stage before makes of every world.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.features import Features, Floats, families
from exchange.matcher.learning.cases import CASES, hold_plainest, plain_cases
from exchange.matcher.learning.examples import Study, open_study, read_truth
from exchange.matcher.learning.fit import fit_card
from exchange.matcher.learning.plots import make_plots
from exchange.matcher.learning.roles import fit_roles, role_examples, roles_toml
from exchange.matcher.role_table import RoleTable
from exchange.matcher.scorecard import Card
from exchange.matcher.weighing import Weights, load_weights
from exchange.matcher.world import FEED, make_world
from exchange.matcher.world.make import AT

STAGES = 4
SIZES = (15_000, 20_000, 30_000, 45_000, 60_000)
ALL, CAREFUL, CAREFUL_SEED = (0.3, 0.95), (0.7, 0.95), 7200
"""Difficulties lie evenly between these, in turn with the sizes."""
_STRIDE = 7
_HARD, _HARDER = 0.6, 3.0
"""Above this difficulty, where evidence is thin, each example counts so many times in the last card."""
PLOTTED, PLOTS_SEED = 8, 7300
THINNING, NEAR, ROUNDS = 8, 2.0, 300
"""Of innocents one in so many is an example, and counts for all of them; but all are of whom several kinds of evidence
speak, or so many nats of infrastructure. Rounds of the solver."""
Examples = tuple[dict[str, Floats], NDArray[np.int8], Floats]
"""Features, truth (1 or 0), and how often each counts."""


def make_plotted(work: Path) -> dict[Path, float]:
    """Small worlds in which contributors plot against people, each with how often its examples count."""
    folders: dict[Path, float] = {}
    for number in range(PLOTTED):
        folder = work / f"plots-{PLOTS_SEED + number}"
        if not (folder / FEED).exists():
            make_plots(folder, accounts=3_000 + 500 * number, seed=PLOTS_SEED + number,
                       difficulty=(0.5, 0.8)[number % 2])
        folders[folder] = _HARDER
    return folders


def make_worlds(work: Path, count: int, first_seed: int, between: tuple[float, float] = ALL) -> dict[Path, float]:
    """Worlds of all sizes and difficulties, each with how often its examples count; those that are there are used
    again."""
    folders: dict[Path, float] = {}
    for number in range(count):
        seed = first_seed + number
        folder, difficulty = work / f"world-{seed}", float(np.linspace(*between, count)[number * _STRIDE % count])
        if not (folder / FEED).exists():
            make_world(folder, accounts=SIZES[number % len(SIZES)], seed=seed, difficulty=difficulty)
        folders[folder] = _HARDER if difficulty > _HARD else 1.0
    return folders


def fit_stages(worlds: Mapping[Path, float], work: Path, weights: Weights, *,
               stages: int = STAGES) -> tuple[list[Card], RoleTable]:
    """The card of each stage and the table of roles, fitted on all worlds together."""
    cards: list[Card] = []
    with ExitStack() as stack:
        studies = {world: stack.enter_context(open_study(world, work, weights, AT)) for world in worlds}
        for stage in range(stages):
            found = {world: study.features() for world, study in studies.items()}
            cards.append(_fit([_examples(studies[world], world, found[world], often if stage == stages - 1 else 1.0)
                               for world, often in worlds.items()], weights))
            for world, study in studies.items():
                study.go_on(found[world], cards[-1])
        roles = [role_examples(study, world) for world, study in studies.items()]
    return cards, fit_roles(np.concatenate([x for x, _ in roles]), np.concatenate([y for _, y in roles]))


def fit_last(worlds: Mapping[Path, float], weights: Weights, before: Sequence[Card], *, processes: int = 2) -> Card:
    """The last card alone, after cards that stay as they are; so many worlds are open at a time."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        return _fit([*pool.map(partial(_play, weights, before), worlds, worlds.values())], weights)


def _play(weights: Weights, before: Sequence[Card], world: Path, often: float) -> Examples:
    with TemporaryDirectory(dir=world.parent) as work, open_study(world, Path(work), weights, AT) as study:
        for card in before:
            study.go_on(study.features(), card)
        return _examples(study, world, study.features(), often)


def _examples(study: Study, world: Path, features: Features, often: float) -> Examples:
    """A world's members, and others thinned out; each counts ``often``."""
    truth = read_truth(study.engine, world, features.accounts)
    near = (features.columns["infrastructure"] >= NEAR) | (features.columns["kinds"] >= NEAR)
    chosen = (truth == 1) | ((truth == 0) & (near | (features.accounts % THINNING == 0)))
    return ({name: column[chosen] for name, column in features.columns.items()}, truth[chosen],
            np.where((truth == 1) | near, 1.0, THINNING)[chosen] * often)


def _fit(found: Sequence[Examples], weights: Weights) -> Card:
    """The card for what all worlds show, and for plain cases."""
    columns: dict[str, Floats] = {name: np.concatenate([part[name] for part, _, _ in found]) for name in found[0][0]}
    cases = plain_cases(columns, weights)
    columns = {name: np.concatenate([column, cases[name]]) for name, column in columns.items()}
    sure = len(cases["kinds"])
    card = fit_card(columns, np.concatenate([*(truth for _, truth, _ in found), np.ones(sure, dtype=np.int8)]),
                    families(weights), counts=np.concatenate([*(often for _, _, often in found), np.full(sure, CASES)]),
                    rounds=ROUNDS)
    return hold_plainest(card, weights)


def card_toml(card: Card) -> str:
    """One card as TOML."""
    lines = ["", "[[card]]", f"intercept = {card.intercept}", f"levels = {list(card.levels)}"]
    for line in card.lines:
        lines += ["", f'[card.line."{line.feature}"]', f"nodes = {list(line.nodes)}",
                  f"nats = [{', '.join(str(list(row)) for row in line.nats)}]"]
        lines += [f"unknown = {line.unknown}"] if line.unknown else []
    return "\n".join(lines) + "\n"


def table_toml(table: str, version: str, about: str, cards: list[Card], roles: RoleTable) -> str:
    """The hand-made table of kinds with fitted cards below it, under a version of its own."""
    text = resources.files("exchange.matcher").joinpath("weights", f"{table}.toml").read_text("utf-8")
    kept = [f'version = "{version}"' if line.startswith("version =") else
            f'about = "{about}"' if line.startswith("about =") else line for line in text.splitlines()]
    return "\n".join(kept) + "\n" + roles_toml(roles) + "".join(card_toml(card) for card in cards)


def main() -> None:
    """Make worlds, fit, write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--table", default="start-7")
    arguments.add_argument("--version", required=True)
    arguments.add_argument("--work", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--worlds", type=int, default=18, help="worlds of all difficulties from each first seed")
    arguments.add_argument("--first-seed", type=int, nargs="+", default=[7000])
    arguments.add_argument("--careful", type=int, default=0, help="further worlds, of careful operators")
    arguments.add_argument("--after", help="a table of which only the last card is fitted anew")
    arguments.add_argument("--processes", type=int, default=2, help="worlds that are open at a time (with --after)")
    given = arguments.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    worlds = make_plotted(given.work) | make_worlds(given.work, given.careful, CAREFUL_SEED, CAREFUL)
    for seed in given.first_seed:
        worlds |= make_worlds(given.work, given.worlds, seed)
    weights = load_weights(given.table)
    if given.after and (after := load_weights(given.after)).roles:
        before, roles = after.cards[:-1], after.roles
        cards = [*before, fit_last(worlds, weights, before, processes=given.processes)]
    else:
        cards, roles = fit_stages(worlds, given.work, weights)
    kept = f"Cards but the last, and roles, are {given.after}'s. " if given.after else ""
    seeds = ", ".join(map(str, [*given.first_seed, *([CAREFUL_SEED] if given.careful else []), PLOTS_SEED]))
    about = f"{kept}Fitted on {len(worlds)} made-up worlds, seeds from {seeds}; no real person's data is in it."
    given.out.write_text(table_toml(given.table, given.version, about, cards, roles), encoding="utf-8")


if __name__ == "__main__":
    main()
