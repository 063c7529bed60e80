"""What tags and galaxy clusters say: behaviours, claims, confidence, AI use, and what is a false positive.

A tag that isn't known says nothing and travels as a label. Confidence is on STIX's scale of 0 to 100 (STIX 2.1,
appendix A); MISP's own numbers for the Admiralty scale and estimative language are other ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.misp import record
from connectors.misp.record import Record
from exchange.errors import InputError
from exchange.stix.tlp import is_meant

_TRIPLE = re.compile(r'([^:="]+):([^="]+?)(?:="?(.*?)"?)?\Z', re.DOTALL)
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_PHASE = re.compile(r"[^a-z0-9]+")
_FIX = "Name a cluster file of misp-galaxy, or a folder of them."
MAX_TAG = 500
"""Characters; a longer tag is no tag."""

BEHAVIOURS = {"disarm-techniques": "DISARM", "misinformation-pattern": "AMITT", "amitt-misinformation-pattern": "AMITT",
              "mitre-attack-pattern": "mitre-attack"}  # fmt: skip
"""Galaxies of behaviours, and the framework that their ids are from."""
ACTORS = frozenset({"threat-actor", "mitre-intrusion-set", "microsoft-activity-group"})
TARGETS = frozenset({"target-information"})
PLACES = frozenset({"country", "region"})

_CREDIBILITY = {"1": 90, "2": 70, "3": 50, "4": 30, "5": 10}
_LIKELIHOOD = {"almost-no-chance": 5, "very-unlikely": 15, "unlikely": 30, "roughly-even-chance": 50, "likely": 70,
               "very-likely": 85, "almost-certain": 95}  # fmt: skip
_ANALYTIC = {"low": 15, "moderate": 50, "high": 85}
_LEVELS = {"completely-confident": 95, "usually-confident": 75, "fairly-confident": 50, "rarely-confident": 25,
           "unconfident": 5}  # fmt: skip
_AI = {"ai-generated": "confirmed", "uncertain-origin": "suspected", "human-generated": "none-found"}


@dataclass(frozen=True)
class Cluster:
    """A galaxy cluster: what a tag ``misp-galaxy:TYPE="VALUE"`` stands for."""

    galaxy: str
    value: str
    tag: str
    uuid: str = ""
    description: str = ""
    external_id: str = ""
    url: str = ""
    phases: tuple[str, ...] = ()
    """Names of kill-chain phases."""
    country: str = ""
    """ISO 3166 code in capitals."""


@dataclass
class Said:
    """What the tags of one record say together."""

    confidence: int | None = None
    scale: str = ""
    """Whose scale the confidence was on."""
    benign: str = ""
    """The tag by which the source calls it a false positive."""
    doubtful: str = ""
    """The tag by which the source calls a false positive likely."""
    clusters: dict[str, Cluster] = field(default_factory=dict)
    ai: dict[str, str] = field(default_factory=dict)
    """Status of AI use to the tag that says it."""
    origins: dict[str, None] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)
    languages: dict[str, None] = field(default_factory=dict)
    platforms: dict[str, None] = field(default_factory=dict)
    themes: dict[str, None] = field(default_factory=dict)


def tag_names(item: Record) -> list[str]:
    """The tags of a record that may leave its instance: those marked local stay there."""
    return [name for tag in record.children(item, "Tag") if (name := shareable(tag))]


def shareable(tag: Record) -> str:
    """The name of a tag; empty for one that its instance keeps to itself."""
    name = record.text(tag, "name")
    kept = record.flag(tag, "local") or not record.flag(tag, "exportable", True) or len(name) > MAX_TAG
    return "" if kept else name


def read(item: Record, catalogue: Mapping[str, Cluster]) -> Said:
    """What the tags and galaxy clusters of an event or attribute say."""
    said = Said()
    for cluster in clusters(item):
        said.clusters[cluster.tag] = catalogue.get(cluster.tag, cluster) if not cluster.external_id else cluster
    for name in tag_names(item):
        found = _TRIPLE.match(name)
        if found is not None:
            namespace, predicate, value = found[1].strip().lower(), found[2].strip(), (found[3] or "").strip()
            if namespace == "misp-galaxy" and value:
                said.clusters.setdefault(name, catalogue.get(name) or Cluster(predicate.lower(), value, name))
            elif (reader := _READERS.get(namespace)) is not None:
                reader(said, predicate.lower(), value, name)
    return said


def restricts(name: str) -> bool:
    """Whether a tag says how far its record may go."""
    return is_meant(name) or name.strip().lower().startswith("pap:")


def clusters(item: Record) -> list[Cluster]:
    """The galaxy clusters that a record carries in full."""
    return [read_cluster(one, record.text(galaxy, "type"))
            for galaxy in record.children(item, "Galaxy") for one in record.children(galaxy, "GalaxyCluster")
            if not record.flag(one, "deleted")]


def read_cluster(item: Record, galaxy: str) -> Cluster:
    """A cluster of an event, or of a galaxy file of misp-galaxy."""
    kind, value = record.text(item, "type") or galaxy, record.text(item, "value")
    meta = record.child(item, "meta")
    tag = record.text(item, "tag_name") or f'misp-galaxy:{kind}="{value}"'
    codes = [code.upper() for name in ("ISO", "iso-code", "country") for code in record.names(meta, name)]
    phases = [one.rpartition(":")[2] for one in record.names(meta, "kill_chain")]
    links = [one for one in record.names(meta, "refs") if one.startswith("https://")]
    return Cluster(
        kind.lower(), value, tag, record.text(item, "uuid"), record.text(item, "description")[:10_000],
        next(iter(record.names(meta, "external_id")), ""), next(iter(links), ""),
        tuple(filter(None, (_PHASE.sub("-", one.lower()).strip("-") for one in phases))),
        next((code for code in codes if _COUNTRY.match(code)), ""),
    )  # fmt: skip


def read_catalogue(option: str) -> dict[str, Cluster]:
    """Clusters by tag, of galaxy files in the form of misp-galaxy (a file or a folder); raises InputError."""
    if not option:
        return {}
    place = Path(option)
    found: dict[str, Cluster] = {}
    for path in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
        try:
            raw = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            raise InputError(f"{path} can't be read as a MISP galaxy.", fix=_FIX) from None
        if isinstance(raw, dict):
            read_all = (read_cluster(one, record.text(raw, "type")) for one in record.children(raw, "values"))
            found |= {cluster.tag: cluster for cluster in read_all}
    if not found:
        raise InputError(f"{place} holds no galaxy cluster.", fix=_FIX)
    return found


def behaviours(said: Iterable[Said]) -> dict[str, Cluster]:
    """The behaviours among the clusters, by tag."""
    return {tag: one for each in said for tag, one in each.clusters.items() if one.galaxy in BEHAVIOURS}


def _confident(said: Said, value: int | None, scale: str) -> None:
    """Several statements: the lowest holds."""
    if value is not None and (said.confidence is None or value < said.confidence):
        said.confidence, said.scale = value, scale


def _admiralty(said: Said, predicate: str, value: str, _tag: str) -> None:
    if predicate == "information-credibility":  # the source's reliability is no confidence in what it says here
        _confident(said, _CREDIBILITY.get(value), "admiralty")


def _estimative(said: Said, predicate: str, value: str, _tag: str) -> None:
    table = _LIKELIHOOD if predicate == "likelihood-probability" else _ANALYTIC
    _confident(said, table.get(value.lower()), "estimative-language")


def _misp(said: Said, predicate: str, value: str, _tag: str) -> None:
    if predicate == "confidence-level":
        _confident(said, _LEVELS.get(value.lower()), "misp-confidence-level")


def _osint(said: Said, predicate: str, value: str, _tag: str) -> None:
    if predicate == "certainty" and re.fullmatch("0*(?:[0-9]{1,2}|100)", value[:100]):
        _confident(said, int(value), "osint-certainty")


def _false_positive(said: Said, predicate: str, value: str, tag: str) -> None:
    if predicate == "confirmed" and value.lower() == "true":
        said.benign = tag
    elif predicate == "risk" and value.lower() == "high":
        said.doubtful = tag


def _origin(said: Said, predicate: str, _value: str, tag: str) -> None:
    if predicate in _AI:
        said.ai.setdefault(_AI[predicate], tag)


def _dichotomies(said: Said, predicate: str, value: str, _tag: str) -> None:
    if _COUNTRY.match(value.upper()) and predicate in ("primary-target", "primary-disinformant"):
        (said.targets if predicate == "primary-target" else said.origins)[value.upper()] = None
    elif predicate == "content-language" and value:
        said.languages[value] = None
    elif predicate == "content-topic" and value:
        said.themes[value.replace("-", " ")] = None
    elif predicate in ("platforms-social-media", "platforms-messaging") and value not in ("", "other"):
        said.platforms["x" if value == "twitter" else value] = None


_READERS: Mapping[str, Any] = {
    "admiralty-scale": _admiralty, "estimative-language": _estimative, "misp": _misp, "osint": _osint,
    "false-positive": _false_positive, "information-origin": _origin,
    "dfrlab-dichotomies-of-disinformation": _dichotomies,
}  # fmt: skip
