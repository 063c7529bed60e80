"""What an event says as a whole: its campaign, behaviours, claims about origin, targets and actors, its report.

Each claim is a relationship of its own with the event's confidence (R4); what a galaxy knows of an actor beside is
not what the event says, and stays out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.misp import record, tags
from connectors.misp.context import Context, Made, ids_of, link_id, prose
from connectors.misp.record import EPOCH, Record
from connectors.misp.tags import ACTORS, BEHAVIOURS, PLACES, TARGETS, Cluster, Said
from connectors.misp.terms import Terms
from exchange.connect.asset import Object, head, relationship
from exchange.model.misp import words
from exchange.model.misp.words import NAME
from exchange.stix import extensions
from exchange.stix.canonical import canonical
from exchange.stix.ids import OUR_NAMESPACE, derived_id

MAX_REFS = 20_000
"""Objects that a report names, the first ones."""
_MAX_NAME = 1_000
_STATED = ("date", "analysis", "threat_level_id", "distribution", "extends_uuid")
"""Fields of an event that come back from labels."""


def campaign(context: Context, event: Record, said: Said, themes: Iterable[str]) -> Object:
    """The campaign that an event is about."""
    found = context.head("campaign", context.campaign, context.modified, context.terms)
    organisation = record.text(record.child(event, "Orgc"), "name") or "An organisation"
    says: dict[str, Any] = {
        "extension_type": "property-extension",
        "platforms": list(said.platforms), "languages": list(said.languages),
        "themes": list(dict.fromkeys((*said.themes, *themes))),
        "ai_use": [{"status": status, "basis": f"MISP tag {tag}"} for status, tag in said.ai.items()],
        "behaviours": [{"framework": BEHAVIOURS[one.galaxy], "id": one.external_id, "observation": "observed"}
                       for one in tags.behaviours([said]).values() if one.external_id],
        "dataset_boundary": {"statement": f"What {organisation[:200]} put into the MISP event {context.key}: not all"
                                          " that was done, and not all that is known."},
    }  # fmt: skip
    return found | {
        "name": title(event), "labels": tags.tag_names(event),
        "external_references": [words.reference(words.EVENT, context.key)],
        "extensions": {extensions.CAMPAIGN: {name: value for name, value in says.items() if value}},
    } | ({} if tags.tag_names(event) else {"labels": [words.label("event", context.key)]})


def title(event: Record) -> str:
    """What the event calls itself, without payment numbers."""
    return prose(event, "info")[0][:_MAX_NAME] or "A MISP event without a title"


def report(context: Context, event: Record) -> Object:
    """The event's report, which names all that was made of it; to be made last."""
    refs = list(context.refs)[:MAX_REFS]
    found = context.head("report", context.report, context.modified, context.terms)
    published = record.moment(record.text(event, "publish_timestamp"))
    said = {name: record.text(event, name) for name in _STATED} | {"published": record.flag(event, "published", True)}
    return found | {
        "name": title(event), "report_types": ["threat-report"], "published": published or context.modified,
        "object_refs": refs, "labels": [*tags.tag_names(event), *words.labels(said)],
        "external_references": [words.reference(words.EVENT, context.key)],
    } | ({"confidence": context.confidence} if context.confidence is not None else {})


def of_event(context: Context, said: Said) -> tuple[Made, dict[str, list[str]]]:
    """Objects of all clusters and claims of the event's tags, and the ids that each tag became."""
    made, ids = Made(), {}
    for tag, cluster in said.clusters.items():
        about = _cluster(context, cluster)
        made.objects += about
        ids[tag] = [one["id"] for one in about]
    for code in said.origins:
        made.objects += _located(context, code, "originates-from", "originated-in")
    for code in said.targets:
        made.objects += _located(context, code, "targets", "targeted")
    return made, ids


def exhibited(context: Context, said: Said, indicator: str, terms: Terms, modified: str) -> Made:
    """The behaviours that an attribute's own tags name, as what its indicator indicates."""
    made = Made()
    for tag, cluster in tags.behaviours([said]).items():
        found = attack_pattern(cluster)
        context.refs[found["id"]] = None
        key = claim_key(context, indicator, tag)
        heading = context.head("relationship", link_id("claim", key), modified, terms)
        made.objects += [found, relationship(heading, "indicates", indicator, found["id"])]
    return made


def claim_key(context: Context, *what: str) -> str:
    """The key of a claim, remembered with the event: one that isn't made any more is withdrawn."""
    key = str(uuid.uuid5(OUR_NAMESPACE, canonical([NAME, context.key, *what])))
    context.keys[key] = None
    return key


def attack_pattern(cluster: Cluster) -> Object:
    """The behaviour of a cluster: the same object in every event."""
    source = BEHAVIOURS[cluster.galaxy]
    identifier = derived_id("attack-pattern", NAME, cluster.galaxy, cluster.external_id or cluster.value)
    references = [{"source_name": source, "external_id": cluster.external_id}] if cluster.external_id else []
    if references and cluster.url:
        references[0]["url"] = cluster.url
    references.append({"source_name": "misp-galaxy", "external_id": cluster.uuid or cluster.tag})
    chain = "mitre-attack" if source == "mitre-attack" else source.lower()
    found = {**head("attack-pattern", identifier, EPOCH), "name": cluster.value, "external_references": references,
             "labels": [cluster.tag]}  # fmt: skip
    phases = [{"kill_chain_name": chain, "phase_name": phase} for phase in cluster.phases]
    found |= {"kill_chain_phases": phases} if phases else {}
    return found | ({"description": cluster.description} if cluster.description else {})


def actor(context: Context, name: str, tag: str) -> list[Object]:
    """The intrusion set of a name, and the claim that the campaign is linked to it."""
    found = head("intrusion-set", derived_id("intrusion-set", NAME, name.casefold()), EPOCH) | {"name": name}
    if tag:
        found["labels"] = [tag]
    return [found, _claim(context, "attributed-to", found["id"], "linked-to")]


def _cluster(context: Context, cluster: Cluster) -> list[Object]:
    if cluster.galaxy in BEHAVIOURS:
        found = attack_pattern(cluster)
        return [found, _claim(context, "uses", found["id"], "", observation="observed")]
    if cluster.galaxy in ACTORS:
        return actor(context, cluster.value, cluster.tag)
    if cluster.galaxy in TARGETS and cluster.country:
        return _located(context, cluster.country, "targets", "targeted")
    if cluster.galaxy in PLACES and cluster.country:
        return _located(context, cluster.country, "related-to", "")
    return []


def _located(context: Context, code: str, kind: str, claim: str) -> list[Object]:
    found = head("location", derived_id("location", NAME, code), EPOCH) | {"name": code, "country": code}
    return [found, _claim(context, kind, found["id"], claim)]


def _claim(context: Context, kind: str, target: str, claim: str, **says: str) -> Object:
    context.refs[target] = None
    key = claim_key(context, kind, target)
    heading = context.head("relationship", link_id("claim", key), context.modified, context.terms)
    said = {**({"claim_type": claim} if claim else {}), **says}
    return relationship(heading, kind, context.campaign, target, says=said, confidence=context.confidence)


def withdrawn(before: Iterable[str], now: Mapping[str, None]) -> list[str]:
    """Ids of what an event doesn't tell any more, by the keys of what it told before."""
    return [identifier for key in before if key not in now for identifier in ids_of(key)]

