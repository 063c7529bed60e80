"""What a feed says: which of its indicators can be looked for now, in which values, and why the others can't.

An object may arrive in several versions; the latest counts. A statement that a value is benign (indicator_types or
labels) takes out of the search what the same source named, and what others named where the member trusts its source
for this. For all others it stays an objection to their value, which is looked for and weighed against (``objections``).
Disputes of indicators or campaigns (``disputes``) and contributors' records (``contributors``) change what a word
weighs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from exchange.errors import ExchangeError
from exchange.matcher import hashed
from exchange.matcher.classes.names import stated_class
from exchange.matcher.compound import Compound, compile_compound
from exchange.matcher.contributors import FULL_TRUST, Contributors, Trust
from exchange.matcher.disputes import Disputes, read_disputes
from exchange.matcher.patterns import Unusable, alternatives
from exchange.matcher.probes import Found, Probe, probes
from exchange.matcher.report import Report
from exchange.matcher.results.seeds import level_of
from exchange.matcher.weighing import Sources
from exchange.model.identifiers.keyed import Token
from exchange.stix.pattern import parse
from exchange.stix.statement import TYPES
from exchange.stix.timestamp import microseconds, version_key

_BENIGN = frozenset({"benign", "legitimate", "legitimate-mention", "non-malicious", "false-positive", "impersonated"})
_KEPT = ("indicator", "identity", "campaign", "relationship", "marking-definition", *sorted(TYPES))
UNKNOWN_SOURCE = "unknown"
SUPPRESSED = "the value is said to be benign by its own source, or by one that is trusted for this"
BENIGN = "it says that its value is benign"
RETRACTED = "its own source, or one that is trusted for this, disputes it"


@dataclass(frozen=True)
class Objection:
    """Another source's word that a value of an indicator is benign, or its dispute of the indicator."""

    shared: str
    """The value, as the indicator has it."""
    statement: str
    """Id of the object that says so."""
    source: str
    source_name: str
    tlp: str = ""
    """The strictest TLP that this object states; empty: none."""


@dataclass(frozen=True)
class Indicator:
    """One indicator that is looked for."""

    id: str
    source: str
    """Id of the producer (created_by_ref), or ``unknown``; one id for all identities of one contributor."""
    source_name: str
    campaign: str
    observed: int
    """Unix seconds of valid_from."""
    confidence: float
    """0-1."""
    probes: tuple[Probe, ...]
    objections: tuple[Objection, ...] = ()
    campaign_class: str = ""
    """The class (R11) that it states itself, else that of the campaign it indicates."""
    trust: Trust = FULL_TRUST
    """How its source's word counts, and the indicator itself where it is disputed."""
    campaign_ref: str = ""
    """Id of the campaign that it indicates."""
    tlp: str = ""
    """The strictest TLP that it states; empty: none."""
    valid_until: int | None = None
    """Unix seconds from which it must not be used any more; None: it doesn't end."""
    compound: Compound | None = None
    """Its pattern, where a value alone doesn't decide it: those of ``probes`` that have a part stand for its parts."""

    @property
    def scans(self) -> bool:
        """Whether something of it can be found without any value to look for."""
        return self.compound is not None and bool(self.compound.scans)


@dataclass
class Feed:
    """The objects of a feed that matter here, latest versions only."""

    objects: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    hashed: dict[str, frozenset[Token]] = field(default_factory=dict)
    """Id of an account to the keyed hashes that it is known by."""
    _ordered: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    """Objects by type, in order; empty until somebody asks."""

    def add(self, obj: Mapping[str, Any], report: Report) -> None:
        """Take one object in; other types are only counted."""
        kind, name = obj.get("type"), obj.get("id")
        if not isinstance(kind, str) or not isinstance(name, str):
            report.leave_out("no STIX object: type or id is missing", str(name)[:100])
            return
        report.objects[kind] += 1
        if kind == "user-account" and (found := hashed.tokens(obj, report)):
            earlier = self.hashed.get(name)
            self.hashed[name] = found if earlier is None else hashed.together(earlier, found, name, report)
            self.objects.setdefault(name, obj)
        if kind not in _KEPT:
            return
        known = self.objects.get(name)
        if known is None or _version(obj) > _version(known):
            self.objects[name] = obj
            self._ordered.clear()

    def of_type(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """All objects of a type, by id, so that the order of arrival is forgotten."""
        if not self._ordered:
            for name in sorted(self.objects):
                self._ordered.setdefault(self.objects[name]["type"], []).append(self.objects[name])
        return iter(self._ordered.get(kind, ()))

    def name(self, ref: str) -> str:
        """The name of an identity or campaign, or its id."""
        return str(self.objects.get(ref, {}).get("name", ref))

    def written_by(self) -> dict[str, str]:
        """Identity id to that of the identity that wrote it down, where the feed states it."""
        return {str(one["id"]): author for one in self.of_type("identity")
                if isinstance(author := one.get("created_by_ref"), str)}

    def campaigns(self) -> dict[str, str]:
        """Indicator id to the id of the campaign that it indicates."""
        return {
            str(link.get("source_ref")): str(link.get("target_ref"))
            for link in self.of_type("relationship")
            if link.get("relationship_type") == "indicates" and not link.get("revoked")
        }


@dataclass(frozen=True)
class Terms:
    """Under which circumstances indicators are read."""

    at: int
    """Unix seconds."""
    default_confidence: float
    sibling: float
    purpose: str | None = None
    allow_from: frozenset[str] = frozenset()
    """Ids of producers whose word that a value is benign takes it out of the search, whoever named it."""
    known: Contributors = field(default_factory=Contributors)
    """What is known of the producers."""
    sources: Sources = field(default_factory=Sources)
    """How that counts."""


_Value = tuple[str, int, str, int]
_Said = dict[_Value, dict[str, str]]
"""Value to those who say that it is benign: id of the source to the least id of its statements."""


def collect(objects: Iterable[Mapping[str, Any]], report: Report) -> Feed:
    """Read a feed to its end."""
    feed = Feed()
    for obj in objects:
        feed.add(obj, report)
    return feed


def read_indicators(feed: Feed, terms: Terms, report: Report) -> list[Indicator]:
    """The indicators that are looked for, by id; the report gets everything that is left out, with reasons."""
    terms = replace(terms, known=replace(terms.known, written_by=feed.written_by()))
    campaigns = feed.campaigns()
    disputes = read_disputes((obj for kind in sorted(TYPES) for obj in feed.of_type(kind)), terms.known, UNKNOWN_SOURCE)
    found: list[Indicator] = []
    benign: _Said = {}
    for obj in feed.of_type("indicator"):
        reason = _not_now(obj, feed, terms)
        if reason:
            report.leave_out(reason, obj["id"])
            continue
        values, compound = _values(obj, terms.sibling, report)
        if _is_benign(obj):
            source = terms.known.one_source(str(obj.get("created_by_ref") or UNKNOWN_SOURCE))
            for probe in values:
                if probe.similarity == 1.0 and probe.part is None:
                    benign.setdefault(probe.value, {}).setdefault(source, obj["id"])
            report.leave_out(BENIGN, obj["id"])
        elif values or compound is not None:
            found.append(_indicator(obj, values, compound, campaigns.get(obj["id"], ""), feed, terms))
    for one in hashed.name_accounts(feed, report):
        if reason := _over(one.stated, feed, terms):
            report.leave_out(reason, one.stated["id"])
        else:
            found.append(_indicator(one.stated, list(one.probes), None, one.campaign, feed, terms))
    heard = {source for said in [*benign.values(), *disputes.voices.values()] for source in said}
    report.problems += [f"--allow-from {source}: nothing in the feed is said to be benign by this source, nor disputed;"
                        " name the id of an identity as in created_by_ref."
                        for source in sorted(terms.allow_from) if terms.known.one_source(source) not in heard]
    return _without(found, benign, disputes, feed, terms, report)


def _indicator(obj: Mapping[str, Any], values: list[Probe], compound: Compound | None, campaign: str, feed: Feed,
               terms: Terms) -> Indicator:
    stated = str(obj.get("created_by_ref") or UNKNOWN_SOURCE)
    name = feed.name(stated)
    return Indicator(
        obj["id"], terms.known.one_source(stated), name, feed.name(campaign) if campaign else "",
        _seconds(obj["valid_from"]), _confidence(obj, terms.default_confidence), tuple(values),
        campaign_class=stated_class(obj) or stated_class(feed.objects.get(campaign, {})),
        trust=terms.known.trust(stated, feed.name(terms.known.speaker(stated)), terms.sources), campaign_ref=campaign,
        tlp=level_of(obj, feed.objects),
        valid_until=_seconds(obj["valid_until"]) if obj.get("valid_until") is not None else None, compound=compound)


def _suppressed(indicator: Indicator, said: Mapping[str, str], trusted: frozenset[str]) -> bool:
    """Whether a word of those who said it takes the indicator or its value out; objects that name no producer have
    none in common."""
    own = indicator.source != UNKNOWN_SOURCE and indicator.source in said
    return own or not trusted.isdisjoint(said)


def _without(
    found: list[Indicator], benign: _Said, disputes: Disputes, feed: Feed, terms: Terms, report: Report
) -> list[Indicator]:
    """The indicators less what is suppressed or retracted, with who objects to them and how disputes leave them."""
    trusted = frozenset(map(terms.known.one_source, terms.allow_from))
    kept = []
    for indicator in found:
        against = disputes.about(indicator.id, indicator.campaign_ref)
        if _suppressed(indicator, against, trusted):
            report.leave_out(RETRACTED, indicator.id)
            continue
        values = tuple(probe for probe in indicator.probes
                       if not _suppressed(indicator, benign.get(probe.value, {}), trusted))
        if len(values) < len(indicator.probes):
            report.leave_out(SUPPRESSED, indicator.id, len(indicator.probes) - len(values))
        if values or indicator.scans:
            trust, single = _disputed(indicator, against, disputes, feed, terms)
            report.disputed += trust is not indicator.trust
            objections = {
                (probe.shared, source): Objection(probe.shared, statement, source, feed.name(source),
                                                  level_of(feed.objects.get(statement, {}), feed.objects))
                for probe in values for source, statement in {**single, **benign.get(probe.value, {})}.items()
            }
            report.values_objected += len({shared for shared, _ in objections})
            as_it_is = values == indicator.probes and not objections and trust is indicator.trust
            kept.append(indicator if as_it_is else
                        replace(indicator, probes=values, objections=tuple(objections.values()), trust=trust))
            report.values_used.update(probe.kind for probe in values)
    report.indicators_used = len(kept)
    return kept


def _disputed(indicator: Indicator, against: Mapping[str, str], disputes: Disputes, feed: Feed, terms: Terms
              ) -> tuple[Trust, Mapping[str, str]]:
    """How an indicator's word counts after what is disputed, and the voices that are objections only."""
    counted = {source: said for source, said in against.items()
               if not terms.known.is_authority(source, feed.name(source))}
    marked = not disputes.marked.isdisjoint((indicator.id, indicator.campaign_ref))
    if not marked and len(counted) < terms.sources.disputes:
        return indicator.trust, counted
    why = "the exchange marks it as disputed" if marked else f"{len(counted)} independent sources dispute it"
    trust = indicator.trust
    return Trust(trust.factor * terms.sources.disputed, False, "; ".join(filter(None, [why, trust.why]))), {}


def _not_now(obj: Mapping[str, Any], feed: Feed, terms: Terms) -> str:
    """Why an indicator as a whole isn't used; empty when it is."""
    if obj.get("revoked"):
        return "revoked"
    if obj.get("pattern_type") != "stix":
        return "the pattern is not in the STIX language"
    return _over(obj, feed, terms)


def _over(obj: Mapping[str, Any], feed: Feed, terms: Terms) -> str:
    """Why its time or its purpose leave an object out; empty when they don't."""
    try:
        start = _seconds(obj["valid_from"])
        stop = _seconds(obj["valid_until"]) if obj.get("valid_until") is not None else None
    except (KeyError, ValueError, TypeError):
        return "valid_from or valid_until is missing or no timestamp"
    if start > terms.at:
        return "not valid yet"
    if stop is not None and stop <= terms.at:
        return "expired"
    return _not_allowed(obj, feed, terms)


def _not_allowed(obj: Mapping[str, Any], feed: Feed, terms: Terms) -> str:
    """Whether the purposes stated in the object's handling markings leave out the purpose of this run."""
    if terms.purpose is None:
        return ""
    for ref in _words(obj, "object_marking_refs"):
        extensions = feed.objects.get(ref, {}).get("extensions")
        for extension in extensions.values() if isinstance(extensions, Mapping) else ():
            stated = extension.get("purposes") if isinstance(extension, Mapping) else None
            if isinstance(stated, list) and stated and terms.purpose not in stated:
                return f"not shared for the purpose {terms.purpose}"
    return ""


def _values(obj: Mapping[str, Any], sibling: float, report: Report) -> tuple[list[Probe], Compound | None]:
    """What to look for; with the pattern in parts, where single values don't decide all of it."""
    text = str(obj.get("pattern", ""))
    try:
        pattern = parse(text)
        units = [one if isinstance(one, Unusable) else probes(one, sibling) for one in alternatives(pattern)]
        whole = compile_compound(pattern, text, sibling) if any(isinstance(one, Unusable) for one in units) else None
    except ExchangeError as error:
        report.leave_out("the pattern is invalid", f"{obj['id']}: {error.what}")
        return [], None
    if isinstance(whole, tuple):
        compound, parts = whole
        return [*_single(obj, [one for one in units if isinstance(one, list)], report), *parts], compound
    if whole is not None:
        units = [whole if isinstance(one, Unusable) else one for one in units]
    return _single(obj, units, report), None


def _single(obj: Mapping[str, Any], units: Iterable[Found], report: Report) -> list[Probe]:
    """The values each of which is enough."""
    found: dict[tuple[str, int, str, int], Probe] = {}
    for made in units:
        if isinstance(made, Unusable):
            report.leave_out(made.reason, obj["id"])
            continue
        for probe in made:
            known = found.get(probe.value)
            if known is None or probe.similarity > known.similarity:
                found[probe.value] = probe
    return list(found.values())


def _is_benign(obj: Mapping[str, Any]) -> bool:
    return any(word.lower() in _BENIGN for word in [*_words(obj, "indicator_types"), *_words(obj, "labels")])


def _words(obj: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a list; a feed isn't always valid STIX."""
    value = obj.get(name)
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _confidence(obj: Mapping[str, Any], default: float) -> float:
    stated = obj.get("confidence")
    if isinstance(stated, int) and not isinstance(stated, bool) and 0 <= stated <= 100:
        return stated / 100
    return default


@lru_cache(maxsize=100_000)  # an indicator's are asked for twice, and many have the same
def _seconds(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError("a timestamp is a text")
    return microseconds(text) // 1_000_000


def _version(obj: Mapping[str, Any]) -> str:
    try:
        return version_key(str(obj.get("modified") or obj.get("created") or ""))
    except ValueError:
        return ""
