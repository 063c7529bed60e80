"""A checked form in STIX 2.1: campaign, report, behaviours, accounts, assets, claims, evidence (the STIX profile).

A form that is withdrawn becomes the revocation of what it said; the exchange takes back what only earlier versions
said (``exchange.obligations.told_by_reports``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exchange.ailab.assets import OPERATED, Named, read_assets
from exchange.ailab.check import CLASSES, metric_word
from exchange.ailab.claims import audiences, claims
from exchange.ailab.heads import ORGANISATION, PERSONA, VICTIM, Heads, heads_of, identity
from exchange.ailab.terms import named
from exchange.model.identifiers.keyed import Token, user_id
from exchange.stix import extensions
from exchange.stix.asset import Object, indicator, relationship
from exchange.stix.ids import sco_id

SERVICE = "ai-service"
"""``account_type`` of accounts on the provider's own service: the provider's name mustn't stand there."""
SOURCE_TYPE = "ai-lab-report"
_PROPERTY = {"extension_type": "property-extension"}
_REVOCABLE = frozenset({"report", "indicator", "relationship", "infrastructure"})
_INFRASTRUCTURE = {"amplifier": "amplifying accounts", "relay": "relays", "origin": "origin"}
_FRAMEWORKS = {"DISARM": "DISARM", "META-OOKC": "meta-ookc", "OTHER": "other"}
_DISARM_URL = "https://www.disarm.foundation/framework"
_IN_FILES = {"sha256": "SHA-256", "tlsh": "TLSH"}


def to_stix(document: Mapping[str, Any]) -> tuple[Object, ...]:
    """The objects of a form that has no faults, what they refer to first, the report last; ids and bytes follow from
    the form alone.
    """
    heads = heads_of(document)
    objects = {one["id"]: one for one in _objects(document, heads)}
    used = {ref for one in objects.values() for ref in one.get("object_marking_refs", ())}
    markings = [one for one in heads.markings.values() if one["id"] in used]
    made = [*markings, *objects.values()]
    made.append(_report(document, heads, objects.values()))
    if document.get("status") != "withdrawn":
        return tuple(made)
    return tuple([*markings, *({**one, "revoked": True} for one in made if one["type"] in _REVOCABLE)])


def _objects(document: Mapping[str, Any], heads: Heads) -> Iterator[Object]:
    provider = identity(document, heads)
    if provider:
        yield provider
    campaign = _campaign(document, heads)
    yield campaign
    yield from _behaviours(document, heads, campaign["id"])
    yield from _earlier(document, heads, campaign["id"])
    yield from claims(document, heads, campaign["id"], told=_full(document))
    yield from audiences(document, heads, campaign["id"])
    roles: dict[str, Object] = {}
    yield from _accounts(document, heads, roles)
    for one in read_assets(document)[0]:
        if one.stands_in_stix:
            yield from _asset(one, document, heads, campaign["id"], roles)
    yield from _files(document, heads, campaign["id"])
    for infrastructure in roles.values():
        yield infrastructure
        heading = heads.of_report("relationship", "uses", infrastructure["id"])
        yield relationship(heading, "uses", campaign["id"], infrastructure["id"], says={"relation": OPERATED})


# -- the cluster


def _campaign(document: Mapping[str, Any], heads: Heads) -> Object:
    cluster = document["cluster"]
    names = [name.strip() for name in cluster.get("names", ())]
    found = heads.of_cluster("campaign", cluster["cluster_id"]) | {
        "name": names[0] if names else f"AI-lab cluster {cluster['cluster_id']}",
        "description": _description(document),
        "first_seen": f"{cluster['first_activity']}T00:00:00.000Z",
        "last_seen": f"{cluster['last_activity']}T23:59:59.000Z",
        "extensions": {extensions.CAMPAIGN: _PROPERTY | _figures(document, heads)},
    }
    return found | ({"aliases": names[1:]} if names[1:] else {})


def _description(document: Mapping[str, Any]) -> str:
    cluster = document["cluster"]
    parts = ["A cluster of accounts that abused an AI service, as its provider reports it."]
    parts += [f"{word.capitalize()} on {cluster[word]}." for word in ("detected", "disrupted") if word in cluster]
    if cluster.get("models") and named(document):
        parts.append(f"Models: {', '.join(cluster['models'])}.")
    return " ".join(parts)


def _figures(document: Mapping[str, Any], heads: Heads) -> Object:
    """What the campaign extension says."""
    cluster = document["cluster"]
    full = _full(document)
    boundary = {"statement": cluster.get("boundary"), "start": cluster["first_activity"],
                "end": cluster["last_activity"], "surfaces": cluster["surfaces"]}  # fmt: skip
    actioned = {"asset_type": "account", **cluster["accounts_actioned"], "date": cluster.get("disrupted")}
    use = [
        {"modality": one["modality"], "status": one["status"], "basis": one.get("basis") if full else None,
         "provider_ref": heads.by} for one in cluster["ai_use"]
    ]  # fmt: skip
    behaviours = [{**one, "note": one.get("note") if full else None} for one in cluster["behaviours"]]
    return _filled({
        "source_type": SOURCE_TYPE,
        "campaign_class": CLASSES.get(cluster.get("class", ""), cluster.get("class")),
        "behaviours": [_filled(one) for one in behaviours],
        "dataset_boundary": _filled(boundary),
        "assets_actioned": [_filled({**actioned, "count": int(actioned["count"])})],
        "ai_use": [_filled(one) for one in use],
        "languages": cluster.get("languages"), "themes": cluster.get("themes"),
        **_impact(document.get("impact", {})),
    })  # fmt: skip


def _impact(impact: Mapping[str, Any]) -> Object:
    """Breakout and measured reach; a share or rate is told in its text."""
    audience = [_measure(one) | _filled({"as_of": impact.get("assessed")}) for one in impact.get("measures", ())]
    if not impact.get("breakout"):
        return {"audience": audience}
    told = {"category": int(impact["breakout"]), "basis": impact.get("basis"), "date": impact.get("assessed")}
    return {"breakout": _filled(told), "audience": audience}


def _measure(one: Mapping[str, Any]) -> Object:
    value = round(one["value"])
    exact = value == one["value"]
    told = {"metric": metric_word(one["metric"]), "platform": one.get("platform"),
            "approximate": one.get("approximate") or not exact, "text": "" if exact else str(one["value"])}  # fmt: skip
    return _filled(told) | {"value": value}


def _behaviours(document: Mapping[str, Any], heads: Heads, campaign: str) -> Iterator[Object]:
    for one in document["cluster"]["behaviours"]:
        source = _FRAMEWORKS[one["framework"]]
        reference = {"source_name": source, "external_id": one["id"]}
        if source == "DISARM":
            reference["url"] = _DISARM_URL
        pattern = heads.of_provider("attack-pattern", source, one["id"]) | {
            "name": f"{one['framework']} {one['id']}", "external_references": [reference]}
        yield pattern
        says = {"observation": one["observation"]} if "observation" in one else None
        yield relationship(heads.of_report("relationship", "uses", pattern["id"]), "uses", campaign, pattern["id"],
                           description=one.get("note", "") if _full(document) else "", says=says)


def _earlier(document: Mapping[str, Any], heads: Heads, campaign: str) -> Iterator[Object]:
    """Recidivism (R12): this campaign and those of earlier clusters of the provider."""
    for cluster in document["cluster"].get("continues_cluster", ()):
        earlier = heads.of_cluster("campaign", cluster)["id"]
        heading = heads.of_report("relationship", "continues", earlier)
        yield relationship(heading, "related-to", campaign, earlier, says={"kind": "recidivist-of"})


# -- accounts and assets


def _accounts(document: Mapping[str, Any], heads: Heads, roles: dict[str, Object]) -> Iterator[Object]:
    """One account for each subject; identifiers without a subject are each one of their own."""
    subjects: dict[str, list[Mapping[str, Any]]] = {}
    for entry in document.get("account_identifiers", ()):
        subjects.setdefault(entry.get("subject") or f"of {entry['of']} {entry['value']}", []).append(entry)
    for subject, entries in subjects.items():
        tokens = [Token(one["of"], one["key_id"], one["norm"], one["value"]) for one in entries]
        pairs = zip(tokens, entries, strict=True)
        stated = [_filled({**token.stated(), "strength": one.get("strength")}) for token, one in pairs]
        properties = {"account_type": SERVICE, "user_id": user_id(tokens, heads.provider, heads.report_id, subject)}
        says = {"account_kind": "profile", "platform": SERVICE, "hashed_identifiers": stated}
        account = _observable("user-account", properties, heads.marked(PERSONA)) | {
            "extensions": {extensions.ACCOUNT: _PROPERTY | says}}
        yield account
        yield _part(roles, heads, "", account["id"], {"relation": OPERATED})


def _asset(
    one: Named, document: Mapping[str, Any], heads: Heads, campaign: str, roles: dict[str, Object]
) -> Iterator[Object]:
    subject = _subject(one)
    observed = {**one.asset.observable, "object_marking_refs": heads.marked(subject)}
    yield observed
    says = _filled({"relation": one.relation, "role": one.entry.get("role"), "seen_as": one.entry["seen_as"]})
    confidence: Object = {"confidence": int(one.entry["confidence"])} if "confidence" in one.entry else {}
    if one.relation != OPERATED:
        heading = heads.of_report("relationship", "related", observed["id"], subject=subject)
        yield relationship(heading, "related-to", campaign, observed["id"], says=says, description=_beside(one),
                           **confidence)
        if one.relation == "legitimate-mention" and not one.asset.nobody:
            yield _indicator(one, document, heads, ("benign",), subject)
        return
    yield _part(roles, heads, one.entry.get("role", ""), observed["id"], says, one.asset.nobody, **confidence)
    if not one.asset.nobody:
        found = _indicator(one, document, heads, ("attribution",), subject)
        yield found | confidence
        heading = heads.of_report("relationship", "indicates", found["id"])
        yield relationship(heading, "indicates", found["id"], campaign, says=says, **confidence)


def _subject(one: Named) -> str:
    """Whose data it is: of those whom the network targets or copies it is protected (R10)."""
    if one.relation == OPERATED:
        return PERSONA
    return VICTIM if one.asset.account is not None and one.relation in ("targeted", "impersonated") else ORGANISATION


def _beside(one: Named) -> str:
    return f"Named beside the cluster, {'its relation unknown' if one.relation == 'unknown' else 'as ' + one.relation}."


def _indicator(one: Named, document: Mapping[str, Any], heads: Heads, types: Iterable[str], subject: str) -> Object:
    begin = one.entry.get("first_seen") or document["cluster"]["first_activity"]
    heading = heads.of_report("indicator", *types, *one.key, subject=subject)
    text = "Reported by an AI lab as run by a cluster that abused its service."
    if "benign" in types:
        text = "Reported by an AI lab as legitimate: named by a cluster, and nothing of its own."
    return indicator(one.asset, heading, valid_from=f"{begin}T00:00:00.000Z", types=types, description=text)


def _part(roles: dict[str, Object], heads: Heads, role: str, observed: str, says: Mapping[str, Any], note: str = "",
          **more: Any) -> Object:
    """That an observable is part of the network's infrastructure of that role, which is noted in ``roles``."""
    role = role if role in _INFRASTRUCTURE else ""
    if role not in roles:
        roles[role] = heads.of_report("infrastructure", role) | {
            "name": f"AI-lab cluster: {_INFRASTRUCTURE.get(role, 'accounts and sites')}",
            "infrastructure_types": ["amplification" if role == "amplifier" else "unknown"],
        }
    text = f"No indicator by itself: {note}." if note else ""
    heading = heads.of_report("relationship", "consists", role, observed)
    return relationship(heading, "consists-of", roles[role]["id"], observed, says=says, description=text, **more)


def _files(document: Mapping[str, Any], heads: Heads, campaign: str) -> Iterator[Object]:
    for one in document.get("content_fingerprints", ()):
        name = _IN_FILES.get(one["alg"])
        if name is None:
            continue
        value = one["value"].lower() if name == "SHA-256" else "T1" + one["value"].upper().removeprefix("T1")
        file = _observable("file", {"hashes": {name: value}}, heads.marked(ORGANISATION))
        yield file
        heading = heads.of_report("relationship", "generated", file["id"])
        yield relationship(heading, "related-to", campaign, file["id"], description="Generated by the cluster.",
                           says={"relation": OPERATED})


def _observable(type_name: str, properties: Mapping[str, Any], markings: list[str]) -> Object:
    return {"type": type_name, "spec_version": "2.1", "id": sco_id(type_name, properties), **properties,
            "object_marking_refs": markings}  # fmt: skip


# -- the report


def _report(document: Mapping[str, Any], heads: Heads, objects: Iterable[Object]) -> Object:
    campaign = heads.of_cluster("campaign", document["cluster"]["cluster_id"])["id"]
    refs = [one["id"] for one in objects]
    found = heads.of_report("report") | {
        "name": f"AI-lab report on cluster {document['cluster']['cluster_id']}",
        "description": _scope(document),
        "report_types": ["threat-report", "campaign"],
        "published": heads.modified,
        "object_refs": [campaign, *(ref for ref in refs if ref != campaign)],
    }
    references = [{"source_name": "reference", "url": url} for url in document.get("references", ())]
    if named(document):
        references.append({"source_name": "ai-cluster-report", "external_id": document["report_id"],
                           "description": f"version {document['version']}"})
    if references:
        found["external_references"] = references
    evidence = _evidence(document)
    found["extensions"] = {extensions.CAMPAIGN: _PROPERTY | {"source_type": SOURCE_TYPE}}
    if evidence:
        found["extensions"][extensions.EVIDENCE] = _PROPERTY | evidence
    return found


def _scope(document: Mapping[str, Any]) -> str:
    """What the report tells, and what it doesn't (R6)."""
    wanted = {"attribution": "attribution", "measured reach": "impact", "assets elsewhere": "external_assets",
              "preserved records": "preserved_records"}  # fmt: skip
    missing = [words for words, name in wanted.items() if not document.get(name)]
    text = f"Version {document['version']} of an AI lab's report on a cluster of abusive accounts."
    return text + (f" Not stated: {', '.join(missing)}." if missing else "")


def _evidence(document: Mapping[str, Any]) -> Object:
    custodian = document["provider"]["name"] if named(document) else None
    kept = document.get("preserved_records", ())
    records = [_filled({**one, "custodian": custodian}) | {"held": one["held"]} for one in kept]
    notes = [f"Detection is disclosed: {document.get('detection_disclosure', 'category-only')}."]
    notes += [
        f"{one.entry['type']} {one.asset.value}: {one.relation}, {one.entry['seen_as']}."
        for one in read_assets(document)[0] if not one.stands_in_stix
    ]  # fmt: skip
    return _filled({"records": records, "fingerprints": list(document.get("content_fingerprints", ())), "notes": notes})


def _full(document: Mapping[str, Any]) -> bool:
    """Whether recipients learn how the provider found it."""
    return bool(document.get("detection_disclosure") == "full-to-recipients")


def _filled(entries: Mapping[str, Any]) -> Object:
    """Without what says nothing; false and 0 say something only where they are counts or findings."""
    return {name: value for name, value in entries.items() if value not in (None, "", [], {}) and value is not False}
