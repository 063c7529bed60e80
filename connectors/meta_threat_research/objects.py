"""What the findings of one period become in STIX: networks as campaigns with their claims, behaviours and
assets.

Ids follow from content, so that the same network told in CSV, TSV, JSON and Markdown gives the same
objects: an observable's by STIX 2.1 2.9, an indicator's from period and value, a campaign's and report's
from period and name, a relationship's from its two ends. ``created`` is the last day the report covers,
never the day of the run.

An account is written as ``[user-account:account_type = PLATFORM AND user-account:account_login = KEY]``
(``user_id`` where the key is an id that the platform gave), joined by OR with its public address, so that
consumers who match URLs find it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from connectors.meta_threat_research.judge import Finding
from connectors.meta_threat_research.network import Network, Place
from connectors.meta_threat_research.patterns import observable, pattern, title
from exchange.connect import procedures
from exchange.connect.procedures import FIXED, META, attack_pattern, pattern_id, phases
from exchange.connect.value import Value
from exchange.model.killchain import FRAMEWORK, Procedure, acquiring
from exchange.stix import extensions
from exchange.stix.ids import derived_id

NAME = "meta-threat-research"
_MAX_TEXT = 100_000
_MAX_REFS = 20_000
_ROLES = {"6.2": "amplifier", "9.5.3": "relay"}
_INFRASTRUCTURE = {"": "accounts and sites", "amplifier": "amplifying accounts", "relay": "redirecting sites"}
_BOUNDARY = (
    "What Meta chose to publish about the network: not everything it ran, and not its whole history on the Internet. "
    "Sharing a link or meeting an account of it makes nobody part of it."
)

Object = dict[str, Any]


@dataclass
class Asset:
    """One value of the period, as all rows together tell it."""

    value: Value
    indicator: str
    """Id of its indicator."""
    observed: Object
    """Its observable."""
    seen: dict[str, None] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    networks: dict[str, dict[str, None]] = field(default_factory=dict)
    """Comments by the key of the network."""
    roles: dict[str, str] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    """Networks (by key) that it is related to otherwise than operated by."""


@dataclass
class Story:
    """One network, as all its files together tell it."""

    network: Network
    behaviours: dict[str, tuple[Procedure, bool]] = field(default_factory=dict)
    details: dict[str, dict[str, None]] = field(default_factory=dict)
    counts: dict[tuple[str, str, int], Object] = field(default_factory=dict)
    audiences: dict[tuple[str, str, str, int], Object] = field(default_factory=dict)
    spends: dict[tuple[float, str], Object] = field(default_factory=dict)
    platforms: set[str] = field(default_factory=set)
    texts: dict[str, None] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    targets: dict[str, Place] = field(default_factory=dict)
    references: dict[str, None] = field(default_factory=dict)
    indicators: dict[str, None] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)

    @cached_property
    def id(self) -> str:
        """The campaign's id."""
        return derived_id("campaign", NAME, self.network.key)

    @cached_property
    def report(self) -> str:
        """The report's id."""
        return derived_id("report", NAME, self.network.key)

    @property
    def stamp(self) -> str:
        """``created`` of everything the report tells."""
        return f"{self.network.date}T00:00:00.000Z"


class Period:
    """Gathers the findings of one period and writes them as STIX."""

    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.assets: dict[tuple[str, str], Asset] = {}
        self._period = ""

    def story(self, network: Network) -> Story:
        """The story of a network; what another file adds to its claims is taken in."""
        self._period = network.period
        story = self.stories.setdefault(network.key, Story(network))
        if story.network != network:
            merged = {place.code: place for place in (*story.network.origins, *network.origins)}
            targets = {place.code: place for place in (*story.network.targets, *network.targets)}
            date = max(story.network.date, network.date) if not network.period else story.network.date
            story.network = Network(network.period, network.slug, date, tuple(merged.values()), tuple(targets.values()))
        return story

    def take(self, story: Story, finding: Finding) -> tuple[str, ...]:
        """Add a finding to its network's story; the ids of what it becomes."""
        story.files[finding.file] = None
        figures = self._figures(story, finding)
        made = tuple(identifier for value in finding.values for identifier in self._asset(story, finding, value))
        behaviour = self._behaviour(story, finding)
        if finding.outcome in ("indicator", "repaired") or finding.relation != "operated":
            return made
        if figures:
            return figures
        if finding.outcome == "note" and finding.reason.startswith("Text"):
            story.texts[finding.text] = None
            return (story.report,)
        return behaviour if finding.outcome == "behaviour" else ()

    def _figures(self, story: Story, finding: Finding) -> tuple[str, ...]:
        for count in finding.counts:
            entry = _filled(
                platform=count.platform,
                asset_type=count.asset_type,
                count=count.count,
                approximate=count.approximate,
                at_most=count.at_most,
                action="removed",
                text=count.text,
            )
            story.counts.setdefault((count.platform, count.asset_type, count.count), entry)
        for one in finding.audiences:
            entry = _filled(
                metric=one.metric,
                platform=one.platform,
                asset_type=one.asset_type,
                value=one.value,
                approximate=one.approximate,
                at_most=one.at_most,
                text=one.text,
            )
            story.audiences.setdefault((one.metric, one.platform, one.asset_type, one.value), entry)
        for spend in finding.spends:
            entry = _filled(
                amount=spend.amount, currency=spend.currency, approximate=spend.approximate, text=spend.text
            )
            story.spends.setdefault((spend.amount, spend.currency), entry)
        if finding.procedure is None:  # prose names no procedure: that there were accounts says which
            for count in finding.counts:
                for platform in count.platform.split(" and "):
                    procedure = acquiring(platform)
                    if procedure is not None:
                        story.behaviours.setdefault(procedure.id, (procedure, True))
        for platform in (one.platform for group in (finding.counts, finding.audiences) for one in group):
            story.platforms.update(filter(None, platform.split(" and ")))
        return (story.id,) if finding.counts or finding.audiences or finding.spends else ()

    def _behaviour(self, story: Story, finding: Finding) -> tuple[str, ...]:
        procedure = finding.procedure
        if procedure is None or procedure.role == "audience" or finding.outcome in ("quarantined", "note"):
            return ()
        before = story.behaviours.get(procedure.id)
        story.behaviours[procedure.id] = (procedure, finding.inferred and (before is None or before[1]))
        if finding.outcome == "behaviour" and finding.text:
            detail = " ".join(finding.text.split()) + (f" ({finding.comment})" if finding.comment else "")
            story.details.setdefault(procedure.id, {})[detail] = None
        return uses_id(story.id, procedure), pattern_id(procedure)

    def _asset(self, story: Story, finding: Finding, value: Value) -> Iterator[str]:
        asset = self.assets.get(value.key)
        if asset is None:
            indicator = derived_id("indicator", NAME, self._period, *value.key)
            asset = self.assets[value.key] = Asset(value, indicator, observable(value))
        asset.seen[value.seen] = None
        asset.others.update(value.others)
        observed = asset.observed["id"]
        if finding.relation != "operated":
            asset.relations[story.network.key] = finding.relation
            yield from (observed, _between("related-to", story.id, observed))
            return
        comments = asset.networks.setdefault(story.network.key, {})
        if finding.comment:
            comments[finding.comment] = None
        number = finding.procedure.id if finding.procedure else ""
        role = next((role for prefix, role in _ROLES.items() if number.startswith(prefix)), "")
        asset.roles[story.network.key] = asset.roles.get(story.network.key) or role
        if finding.procedure:
            asset.procedures[number] = finding.procedure
        if value.account is not None:
            story.platforms.add(value.account.platform)
        yield from (asset.indicator, observed)

    def objects(self) -> Iterator[Object]:
        """Everything in STIX, reports last; the same findings give the same objects in the same order."""
        if not self.stories:
            return
        yield procedures.meta()
        behaviours = {number: one[0] for story in self.stories.values() for number, one in story.behaviours.items()}
        yield from (attack_pattern(procedure) for _, procedure in sorted(behaviours.items()))
        places = {place.code: place for story in self.stories.values() for place in _places(story)}
        yield from (_location(place) for _, place in sorted(places.items()))
        for asset in self.assets.values():
            for key in asset.networks:
                self.stories[key].roles.add(asset.roles[key])
                self.stories[key].indicators[asset.indicator] = None
        for story in self.stories.values():
            yield from _campaign_objects(story)
        for asset in self.assets.values():
            yield from self._asset_objects(asset)
        yield from (_report(story) for story in self.stories.values())

    def _asset_objects(self, asset: Asset) -> Iterator[Object]:
        observed = asset.observed
        yield observed
        for key, relation in asset.relations.items():
            story = self.stories[key]
            yield _relation(story, "related-to", story.id, observed["id"], {"relation": relation},
                            f"Named beside the network, as {relation}.")  # fmt: skip
        if not asset.networks:
            return
        stories = [self.stories[key] for key in asset.networks]
        yield _indicator(asset, min(story.stamp for story in stories))
        for story in stories:
            key = story.network.key
            comments = _joined(asset.networks[key])
            yield _relation(story, "indicates", asset.indicator, story.id, {"relation": "operated"}, comments)
            role = asset.roles[key]
            says = {"relation": "operated"} | ({"role": role} if role else {})
            yield _relation(story, "consists-of", _infrastructure_id(story, role), observed["id"], says)


def _indicator(asset: Asset, stamp: str) -> Object:
    seen = ", ".join(sorted(asset.seen))
    proxy = "0.1.1" in asset.procedures
    return {
        **_head("indicator", asset.indicator, stamp),
        "name": title(asset.value),
        "description": f"Published by Meta as part of a network of coordinated inauthentic behaviour, as: {seen}",
        "indicator_types": ["anonymization" if proxy else "attribution"],
        "pattern": pattern(asset.value, sorted(asset.others)),
        "pattern_type": "stix",
        "valid_from": stamp,
        **phases(asset.procedures.values()),
    }


def uses_id(campaign: str, procedure: Procedure) -> str:
    """The id of the relationship by which a campaign uses a procedure."""
    return _between("uses", campaign, pattern_id(procedure))


def _between(kind: str, source: str, target: str) -> str:
    if kind == "uses":  # asked for with every row
        return _derived("relationship", kind, source, target)
    return derived_id("relationship", NAME, kind, source, target)


@lru_cache(maxsize=8192)
def _derived(kind: str, *keys: str) -> str:
    return derived_id(kind, NAME, *keys)


def _head(kind: str, identifier: str, stamp: str) -> Object:
    return {"type": kind, "spec_version": "2.1", "id": identifier, "created_by_ref": META, "created": stamp,
            "modified": stamp}  # fmt: skip


def _location(place: Place) -> Object:
    where = {"country": place.code} if place.is_country else {"region": place.code}
    return _head("location", _location_id(place), FIXED) | {"name": place.name} | where


def _location_id(place: Place) -> str:
    return derived_id("location", NAME, place.code)


def _places(story: Story) -> list[Place]:
    return [*story.network.origins, *story.network.targets, *story.targets.values()]


def _infrastructure_id(story: Story, role: str) -> str:
    return _derived("infrastructure", story.network.key, role)


def _relation(story: Story, kind: str, source: str, target: str, says: Mapping[str, Any], text: str = "") -> Object:
    found = _head("relationship", _between(kind, source, target), story.stamp)
    found |= {"relationship_type": kind, "source_ref": source, "target_ref": target}
    if text:
        found["description"] = text
    found["extensions"] = {extensions.RELATIONSHIP: {"extension_type": "property-extension", **says}}
    return found


def _campaign_objects(story: Story) -> Iterator[Object]:
    yield _campaign(story)
    for number, (procedure, inferred) in sorted(story.behaviours.items()):
        observation = {"observation": "inferred" if inferred else "observed"}
        yield _relation(story, "uses", story.id, pattern_id(procedure), observation,
                        _joined(story.details.get(number, {})))  # fmt: skip
    yield from _claims(story)
    for role in sorted(story.roles):
        identifier = _infrastructure_id(story, role)
        yield _head("infrastructure", identifier, story.stamp) | {
            "name": f"{story.network.name}: {_INFRASTRUCTURE[role]}",
            "infrastructure_types": ["amplification" if role == "amplifier" else "unknown"],
        }
        yield _relation(story, "uses", story.id, identifier, {"relation": "operated"})


def _claims(story: Story) -> Iterator[Object]:
    """Origin and targets, each a claim of its own: the source says neither how sure it is nor what it
    rests on.
    """
    stated = "Stated in the title of the publisher's file or report."
    for place in story.network.origins:
        yield _claim(story, "originates-from", "originated-in", place, stated)
    titled = {place.code for place in story.network.targets}
    for place in story.network.targets:
        yield _claim(story, "targets", "targeted", place, stated)
    for place in story.targets.values():
        if place.code not in titled:
            yield _claim(story, "targets", "targeted", place, "Stated in the publisher's comments on single domains.")


def _claim(story: Story, kind: str, claim: str, place: Place, text: str) -> Object:
    says = {"claim_type": claim, "basis": ["not-disclosed"]}
    return _relation(story, kind, story.id, _location_id(place), says, text)


def _campaign(story: Story) -> Object:
    says: Object = {
        "extension_type": "property-extension",
        "source_type": "platform-takedown",
        "dataset_boundary": {"statement": _BOUNDARY, "end": story.network.date},
    }
    if story.behaviours:
        says["campaign_class"] = "coordinated-inauthentic-behaviour"
        says["behaviours"] = [
            {"framework": FRAMEWORK, "id": number, "observation": "inferred" if inferred else "observed"}
            for number, (_, inferred) in sorted(story.behaviours.items())
        ]
    lists = {"platforms": sorted(story.platforms), "assets_actioned": list(story.counts.values()),
             "audience": list(story.audiences.values()), "ad_spend": list(story.spends.values())}  # fmt: skip
    says |= {name: entries for name, entries in lists.items() if entries}
    return _head("campaign", story.id, story.stamp) | {
        "name": story.network.name,
        "description": "A network of coordinated inauthentic behaviour that Meta reported.",
        "extensions": {extensions.CAMPAIGN: says},
    }


def _report(story: Story) -> Object:
    claims = [claim["id"] for claim in _claims(story)]
    behaviours = [pattern_id(procedure) for procedure, _ in story.behaviours.values()]
    uses = [uses_id(story.id, procedure) for procedure, _ in story.behaviours.values()]
    infrastructure = [_infrastructure_id(story, role) for role in sorted(story.roles)]
    places = [_location_id(place) for place in _places(story)]
    every = dict.fromkeys((META, story.id, *behaviours, *uses, *places, *claims, *infrastructure, *story.indicators))
    references = [
        {"source_name": "Meta threat research", "description": f"File {name}"} for name in sorted(story.files)
    ]
    references += [{"source_name": "Meta threat report", "url": link} for link in story.references]
    return _head("report", story.report, story.stamp) | {
        "name": f"Meta on {story.network.name}",
        "description": _joined(story.texts) or _missing(story),
        "report_types": ["threat-report", "campaign"],
        "published": story.stamp,
        "object_refs": list(every)[:_MAX_REFS],
        "external_references": references,
    }


def _missing(story: Story) -> str:
    """What a report of this kind should state and this source doesn't (R6)."""
    wanted = {"assets removed": story.counts, "measured reach": story.audiences, "advertising": story.spends,
              "behaviours": story.behaviours, "origin": story.network.origins,
              "target audience": story.network.targets or story.targets}  # fmt: skip
    missing = [name for name, given in wanted.items() if not given]
    missing += ["confidence", "basis of attribution", "day of publication (the last day covered stands for it)"]
    return "Indicators that Meta published about the network. Not stated by the source: " + ", ".join(missing) + "."


def _filled(**entries: Any) -> Object:
    return {name: value for name, value in entries.items() if value != "" and value is not False}


def _joined(texts: Iterable[str]) -> str:
    joined, total = [], 0
    for text in texts:
        total += len(text) + 1
        if total > _MAX_TEXT:
            joined.append("(more in the source)")
            break
        joined.append(text)
    return "\n".join(joined)
