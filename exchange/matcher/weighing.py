"""The table of weights: how strong each kind of evidence is, how it fades, and the limits that fusion keeps.

A table is data (``weights/*.toml``) with a version; ``load_weights`` refuses one with an unknown word in it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from exchange.errors import SettingError
from exchange.matcher.classes.table import ClassTable, read_classes
from exchange.matcher.learned import Learned, read_learned
from exchange.matcher.role_table import RoleTable, read_roles
from exchange.matcher.scorecard import Card, read_card
from exchange.matcher.weights_file import as_toml, digest
from exchange.toml_text import TomlError, read_toml

DEFAULT_WEIGHTS = "made-7"
FAMILIES = ("infrastructure", "content", "behaviour")
ACCOUNT_COLUMNS = (
    "age_days", "verified", "assurance", "strikes", "followers", "audience_quality", "payment_months",
    "geo_spread", "reach_90d", "disclosed",
)
_FEW, _USUAL = 60, 20_000
"""Holders that an operation alone can bring together; accounts from which on caps are as they stand in the table."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Kind:
    """One row of the feature table: a kind of value that an indicator can share with an account."""

    name: str
    base: float
    """Nats of a fresh, rare hit of full confidence."""
    half_life: float
    """Days."""
    cap: int
    """Holders; rarity is 1 for one holder and 0 from three caps on. See ``cap_among``."""
    family: str
    signal: str
    """Kinds of one signal count as one kind."""
    direct: bool
    """Whether indicators can name it."""
    company: bool
    """Whether sharing it with suspects on the platform is evidence."""
    together: float
    """Days between two accounts' use of it that halve what company says."""
    handover: float
    """Days between an observation elsewhere and the first use here that halve what a hit says: numbers and mailboxes
    are given to somebody else after a while. 0: it stays in one hand."""
    title: str

    def cap_among(self, accounts: int | None) -> int:
        """The cap on a platform of so many accounts (None: a large one).

        What many can hold (a mail provider, the hour of a sign-up, a tag) is as common as the share of accounts that
        hold it, so on a small platform fewer holders make it common.
        """
        if accounts is None:
            return self.cap
        return min(self.cap, max(_FEW, round(self.cap * accounts / _USUAL)))


@dataclass(frozen=True)
class Direct:
    """Factors of hits on shared indicators."""

    default_confidence: float
    second_source: float
    second_value: float
    unknown_time: float
    picture_at_radius: float
    subdomain: float
    sibling: float


@dataclass(frozen=True)
class Gate:
    """Content counts fully only beside infrastructure."""

    content_limit: float
    infrastructure_floor: float


@dataclass(frozen=True)
class Provisional:
    """What one source or one signal alone can reach, as log-odds."""

    counts_from: float
    companions: float
    """Likely accounts in an account's circle, besides itself, from which the circle is a witness."""
    from_log_odds: float
    to_log_odds: float
    vouched: float
    """Share of what a campaign names besides an account that others bear out, from which it is believed of it."""
    alone: float
    """Nats of infrastructure, as evidence and before the card, that one source can say of an account: what is more
    counts no further, and wants more than its own echo to be borne out."""
    alike: float
    """Nats of pictures shared with suspects from which acting as they do, in a circle of which two sources speak, is
    the platform's own sight too; 0: never."""


@dataclass(frozen=True)
class Against:
    """Negative evidence that isn't of the account's own record, and limits of all of it, in nats (negative numbers)."""

    said_benign: float
    """Another source's word that a value is benign, once per value."""
    said_benign_share: float
    """Largest share (0-1) of a value's own evidence that such words take away."""
    limit: float
    limit_two_strong: float
    strong: float


@dataclass(frozen=True)
class Sources:
    """How contributors' records and disputes within the feed change what a source's word weighs."""

    prior_confirmed: float = 4.5
    prior_overturned: float = 0.5
    """Objects that a source of which nothing is known counts as having given: nine of ten stand."""
    witness_from: float = 0.85
    """Share (0-1) of its weight that a word must keep to be an independent witness beside another."""
    disputes: int = 2
    """Independent sources whose disputes together count as the exchange's mark."""
    disputed: float = 0.25
    """What a disputed indicator keeps of its weight."""
    proven_from: float = 0.0
    """Share (0-1) of a source's findings that something else must bear out, from which it is a voice of its own
    (``voices``); 0: all are."""


@dataclass(frozen=True)
class Company:
    """Propagation over values that accounts share on the platform."""

    suspect_from: float
    """Probability from which an account's values are looked at."""
    heard_from: float
    """Nats from which company alone makes an account worth a look."""
    quiet: float
    """Suspicion of an account without evidence, as a share of the prior."""
    smoothing: float
    same_holders: float
    """Factor for each further value that the very same accounts hold: a home's phone, card and machine tell of one
    home, not of three."""


@dataclass(frozen=True)
class Cluster:
    """How candidates become clusters."""

    candidate_from: float
    """Probability from which an account takes part."""
    cut: float
    """Nats below which a value ties nobody."""
    campaign: float
    """Nats of being named by the same campaign of the same source."""
    merge_from: float
    """Share of the smaller group's ties that two groups must have in common to be one."""
    largest_share: float
    """Largest share of the platform's accounts in one cluster."""


@dataclass(frozen=True)
class Weights:
    """A whole version of the table."""

    version: str
    prior: float
    """Log-odds before any evidence."""
    direct: Direct
    gate: Gate
    provisional: Provisional
    against: Against
    company: Company
    cluster: Cluster
    kinds: dict[str, Kind]
    sources: Sources = Sources()
    cards: tuple[Card, ...] = ()
    """The scorecard of direct evidence alone, then one for each round of company."""
    roles: RoleTable | None = None
    classes: ClassTable = field(default_factory=ClassTable)
    """What differs by campaign class."""
    learned: Learned = field(default_factory=Learned)
    """What reviews taught this version."""
    table: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The parsed TOML that it was read from."""

    silent: float = -5.0
    """Log-odds of an account of which nothing speaks at all: far fewer of these are members than of all accounts."""

    @property
    def silent_probability(self) -> float:
        """``silent`` as a probability."""
        return 1.0 / (1.0 + math.exp(-self.silent))

    @property
    def prior_probability(self) -> float:
        """The prior as a probability."""
        return 1.0 / (1.0 + math.exp(-self.prior))

    @cached_property
    def as_file(self) -> tuple[str, str]:
        """The file that reads back as these weights, and the digest of its table; an empty one where they aren't what
        ``table`` says (somebody changed them in memory)."""
        table = self.table if self.table and read_weights(self.table, "kept") == self else {}
        return as_toml(table), digest(table)


def load_weights(source: str | Path = DEFAULT_WEIGHTS) -> Weights:
    """Read a shipped table by its name (once), or a file. Raises SettingError naming the row that is wrong."""
    return _shipped(source) if isinstance(source, str) else _read(source, str(source))


@cache
def _shipped(name: str) -> Weights:
    return _read(resources.files("exchange.matcher").joinpath("weights", f"{name}.toml"), name)


def _read(file: Traversable, place: str) -> Weights:
    try:
        return read_weights(read_toml(file.read_text("utf-8")), place)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The weights {place} can't be read.", why=str(error),
                           fix="Name a shipped table or a TOML file.") from error
    except TomlError as error:
        raise SettingError(f"The weights {place} are not TOML.", why=f"{error}.") from error


def read_weights(table: dict[str, Any], place: str) -> Weights:
    """Build the table from parsed TOML. Raises SettingError."""
    kinds = {name: _row(Kind, {"name": name, "handover": 0.0, **row}, f"{place}: kind.{name}")
             for name, row in table.get("kind", {}).items()}
    _check(kinds, place)
    against = _row(Against, table.get("against", {}), f"{place}: against")
    if against.said_benign > 0 or not 0 <= against.said_benign_share <= 1:
        raise SettingError(f"{place}: against needs said_benign of 0 or less and said_benign_share from 0 to 1.")
    prior = table.get("prior", {}).get("log_odds")
    silent = table.get("prior", {}).get("silent", prior)
    if not isinstance(table.get("version"), str) or not all(isinstance(x, int | float) for x in (prior, silent)):
        raise SettingError(f"{place} needs a version and prior.log_odds.")
    return Weights(
        version=table["version"], prior=float(prior), silent=float(silent), kinds=kinds,
        direct=_row(Direct, table.get("direct", {}), f"{place}: direct"),
        gate=_row(Gate, table.get("gate", {}), f"{place}: gate"),
        provisional=_row(Provisional, {"alike": 0.0, **table.get("provisional", {})}, f"{place}: provisional"),
        against=against,
        company=_row(Company, {"same_holders": 1.0, **table.get("company", {})}, f"{place}: company"),
        cluster=_row(Cluster, table.get("cluster", {}), f"{place}: cluster"),
        sources=_sources(table.get("sources", {}), f"{place}: sources"),
        cards=tuple(read_card(card, f"{place}: card {n}") for n, card in enumerate(table.get("card", []), 1)),
        roles=read_roles(table["role"], f"{place}: role") if "role" in table else None,
        learned=read_learned(table.get("learned", {}), f"{place}: learned"), table=table,
        classes=read_classes(table.get("class", {}), kinds, f"{place}: class"),
    )


def _sources(given: dict[str, Any], place: str) -> Sources:
    found = _row(Sources, {**asdict(Sources()), **given}, place)
    if min(found.prior_confirmed, found.prior_overturned) <= 0 or found.disputes < 1 or not (
            0 <= found.disputed <= found.witness_from <= 1 and 0 <= found.proven_from < 1):
        raise SettingError(f"{place} needs priors above 0, disputes of 1 or more, and disputed <= witness_from and"
                           " proven_from between 0 and 1.")
    return found


def _row(shape: type[_T], given: dict[str, Any], place: str) -> _T:
    known = {one.name: str(one.type) for one in fields(shape)}  # type: ignore[arg-type]
    if unknown := sorted(set(given) - set(known)):
        raise SettingError(f"{place} has an unknown word {unknown[0]!r}.", fix=f"Known: {', '.join(known)}.")
    if missing := sorted(set(known) - set(given)):
        raise SettingError(f"{place} lacks {missing[0]!r}.")
    wanted: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,), "bool": (bool,)}
    for name, value in given.items():
        if not isinstance(value, wanted[known[name]]) or (isinstance(value, bool) and known[name] != "bool"):
            raise SettingError(f"{place}: {name} is {value!r}; it must be of type {known[name]}.")
    return shape(**{name: float(v) if known[name] == "float" else v for name, v in given.items()})


def _check(kinds: dict[str, Kind], place: str) -> None:
    for kind in kinds.values():
        if kind.family not in FAMILIES:
            raise SettingError(f"{place}: kind.{kind.name} has family {kind.family!r}.",
                               fix=f"Families: {', '.join(FAMILIES)}.")
        if min(kind.half_life, kind.together) <= 0 or kind.cap < 1:
            raise SettingError(f"{place}: kind.{kind.name} needs half_life above 0, together above 0 and a cap of 1 or"
                               " more.")
