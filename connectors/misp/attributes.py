"""One attribute: an indicator, an observable that is no indicator, or a note; and why.

What decides, in this order: deleted; its type is never taken; its tags say false positive; it names a target or
somebody else than the network; a warning list knows it; ``to_ids`` isn't set; it is nobody's (a shared host, a
private address). Its proposals never become anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.misp import claims, record, sightings, tags, values, warninglists
from connectors.misp.attribute import Attribute, Place
from connectors.misp.carriers import direct_terms, indicates, indicator_of, note, observed
from connectors.misp.context import Context, Made, carrier_id, ids_of, link_id, other_ids, prose
from connectors.misp.record import Record
from connectors.misp.terms import Terms, UnsayableError, stated
from exchange.connect.asset import Asset, Object, relationship
from exchange.connect.contract import Outcome, Row
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyed import Token, user_id
from exchange.model.misp import words
from exchange.model.misp.types import attribute_type
from exchange.stix import extensions
from exchange.stix.fault import StixFault
from exchange.stix.ids import sco_id
from exchange.stix.pattern import parse

_VICTIM, _HARMED = "impersonated-victim", frozenset({"targeted", "impersonated"})
_OTHERS = frozenset({"targeted", "impersonated", "legitimate-mention"})
NOT_FLAGGED = "Not flagged to_ids: observed, no indicator."
PROPOSAL = "A proposal that the event's organisation hasn't accepted: left out."


def convert(context: Context, item: Record, place: Place) -> Made:
    """What becomes of an attribute, its tags, clusters, sightings and proposals: a row each."""
    number = context.next_row()
    made = _attribute(context, item, place, number)
    ids = made.rows[0].ids
    outcome: Outcome = "quarantined" if made.rows[0].outcome == "quarantined" else "note"
    for tag in record.children(item, "Tag"):
        made.rows.append(tag_row(context, tag, ids, outcome))
    for _cluster in tags.clusters(item):
        made.rows.append(context.told(context.next_row(), outcome, ids, "Carried as its tag."))
    target = next((one for one in ids if one.startswith("indicator--")), "")
    for sighting in record.children(item, "Sighting"):
        made.add(sightings.convert(context, sighting, target, place.terms))
    for _proposal in record.children(item, "ShadowAttribute"):
        made.rows.append(context.told(context.next_row(), "note", (), PROPOSAL))
    return made


def tag_row(context: Context, tag: Record, ids: Iterable[str], outcome: Outcome) -> Row:
    """The row of a tag that says something about its record."""
    number = context.next_row()
    if not tags.shareable(tag):
        return context.told(number, "note", (), "A tag that its instance keeps to itself, or too long for one.")
    return context.told(number, outcome, ids, "A tag.")


def _attribute(context: Context, item: Record, place: Place, number: int) -> Made:
    key = record.key(item, context.key, place.key)
    if record.flag(item, "deleted"):
        return Made([], [context.told(number, "note", (), "Deleted by the source.")], ids_of(key))
    context.keys[key] = None
    try:
        made = _carried(_read(context, item, place, key), number)
    except (UnsayableError, values.RefusedError) as error:
        made = Made([], [context.told(number, "quarantined", (), str(error))])
    if context.known:
        made.withdrawn += other_ids(key, {one["id"] for one in made.objects})
    return made


def _read(context: Context, item: Record, place: Place, key: str) -> Attribute:
    """The attribute with what its tags, type and place say; raises UnsayableError and RefusedError."""
    kind, relation = attribute_type(record.text(item, "type")), record.text(item, "object_relation")
    if relation in place.template.phones:
        kind = attribute_type("phone-number")
    if relation in place.template.refused:
        raise values.RefusedError(f"{relation} isn't taken: it says who a person is, or what opens an account.")
    if kind.treatment == "refused":
        raise values.RefusedError(kind.why)
    if place.template.guarded and kind.treatment != "identifier":
        raise values.RefusedError(f"Of a {place.template.name} only identifiers are taken, no particulars.")
    every = [record.text(tag, "name") for tag in record.children(item, "Tag")]
    terms = stated(item, every, place.terms, context.settings.audiences)
    said, whose = tags.read(item, context.settings.catalogue), place.relation(item, kind)
    if direct_terms(kind):
        terms = of_subject(terms, whose)
    return Attribute(context, item, place, kind, key, terms, said, tags.tag_names(item), whose)


def of_subject(terms: Terms, relation: str) -> Terms:
    """The terms of an identifier of whom an operation harmed: a protected subject (R10)."""
    return terms.about({"personal": "yes", "subject_kind": _VICTIM}) if relation in _HARMED else terms


def _carried(one: Attribute, number: int) -> Made:
    value = record.text(one.item, "value")
    if not value:
        return Made([], [one.context.told(number, "blank", (), "It has no value.")])
    if one.kind.treatment == "pattern":
        return _pattern(one, value, number)
    if one.kind.treatment != "identifier":
        unknown = f"The attribute type {one.kind.name[:60]!r} isn't known: kept as a text."
        return note(one, value, number, unknown if one.kind.treatment == "unknown" else "A text.")
    try:
        reading = values.read(one.kind, value, one.context.settings.key)
    except IdentifierError as error:
        personal = bool(direct_terms(one.kind))
        return note(one, value, number, f"Kept as a text: it is no {one.kind.name}." if personal else f"{error}.")
    if reading.tokens:
        return _hashed(one, reading.tokens, number)
    if not reading.assets:
        return note(one, value, number, f"A {one.kind.name} alone says nothing of who uses it.")
    return _assets(one, reading.assets, number)


def why_not(one: Attribute, assets: Iterable[Asset], flagged: bool) -> str:
    """Why an operated-looking value is no indicator; empty where it is one."""
    listed = warninglists.hit(one.item, one.kind.name, one.context.settings.warnings)
    nobody = [asset.nobody for asset in assets]
    reasons = (
        f"It names somebody else than the network: {one.relation}." if one.relation in _OTHERS else "",
        f"On the warning list {listed[:200]!r}." if listed else "",
        "" if flagged else NOT_FLAGGED,
        f"A false positive is likely, by the tag {one.said.doubtful}." if one.said.doubtful else "",
        f"{nobody[0]}." if nobody and all(nobody) else "",
    )
    return next(filter(None, reasons), "")


def benign(one: Attribute) -> str:
    """The tag by which the source calls it a false positive, of the attribute or the event; empty for none."""
    return "" if one.relation in _OTHERS else one.said.benign or one.context.benign


def _assets(one: Attribute, assets: tuple[Asset, ...], number: int) -> Made:
    """Indicator where it is one, observables and their relationships in any case."""
    context = one.context
    tag = benign(one)
    reason = f"A false positive, by the tag {tag}: partners' matches are suppressed." if tag else why_not(
        one, assets, record.flag(one.item, "to_ids"))
    comment, mended = prose(one.item, "comment")
    made = Made(context.markings(one.terms))
    found = [asset.observable for asset in assets]
    ids: list[str] = []
    if tag or not reason:
        flagged = indicator_of(one, carrier_id("indicator", one.key), assets, comment, bool(tag))
        made.objects += [flagged, indicates(one, flagged["id"], "legitimate-mention" if tag else "operated")]
        ids.append(flagged["id"])
    made.objects += [context.observed(thing, one.terms) for thing in found]
    says = "legitimate-mention" if tag else one.relation
    carrier = not ids
    link, more = observed(one, found[0]["id"], says, carrier, comment if carrier else "", _kept(one, assets, carrier))
    made.objects += [*more, link]
    if len(found) > 1 and found[0]["type"] == "domain-name" and "/" not in found[1]["value"]:
        heading = context.head("relationship", link_id("resolves-to", one.key), one.modified, one.terms)
        made.objects.append(relationship(heading, "resolves-to", found[0]["id"], found[1]["id"], **one.times,
                                         external_references=one.references[:1]))
    context.ends[one.key] = ids[0] if ids else found[0]["id"]
    if ids:
        made.add(claims.exhibited(context, one.said, ids[0], one.terms, one.modified))
    ids += [thing["id"] for thing in found]
    outcome: Outcome = "indicator" if not reason else "note"
    if mended:
        outcome, reason = "repaired", f"{mended} {reason}".strip()
    made.rows.append(context.told(number, outcome, ids, reason))
    return made


def _pattern(one: Attribute, value: str, number: int) -> Made:
    """An indicator of a pattern in a language of its own; a note where it isn't one, or isn't flagged."""
    if one.kind.language == "stix":
        try:
            parse(value)
        except StixFault as fault:
            return note(one, value, number, f"Kept as a text: {fault.sentence}")
    reason = benign(one) or why_not(one, (), record.flag(one.item, "to_ids"))
    if reason:
        return note(one, value, number, reason)
    context, (comment, _) = one.context, prose(one.item, "comment")
    heading = context.head("indicator", carrier_id("indicator", one.key), one.modified, one.terms)
    found = {**heading, "name": f"{one.kind.name} pattern", "indicator_types": ["attribution"], "pattern": value,
             "pattern_type": one.kind.language, "valid_from": one.times.get("start_time", context.created),
             "labels": one.labels, "external_references": one.references}  # fmt: skip
    found |= {"description": comment} if comment else {}
    context.ends[one.key] = found["id"]
    return Made([*context.markings(one.terms), found, indicates(one, found["id"], "operated")],
                [context.told(number, "indicator", [found["id"]])])


def _hashed(one: Attribute, tokens: tuple[Token, ...], number: int) -> Made:
    """An account that is known by a keyed hash alone, and its relationship to the campaign."""
    context = one.context
    content = {"account_type": "unknown", "user_id": user_id(tokens, words.NAME, context.key, one.key)}
    says = {"extension_type": "property-extension", "hashed_identifiers": [each.stated() for each in tokens]}
    thing: Object = {"type": "user-account", "spec_version": "2.1", "id": sco_id("user-account", content), **content,
             "extensions": {extensions.ACCOUNT: says}}  # fmt: skip
    comment, mended = prose(one.item, "comment")
    link, fresh = observed(one, thing["id"], one.relation, True, comment)
    made = Made([*context.markings(one.terms), context.observed(thing, one.terms), *fresh, link])
    context.ends[one.key] = thing["id"]
    reason = f"{mended} Travels as a keyed hash.".strip()
    made.rows.append(context.told(number, "repaired" if mended else "note", [thing["id"], link["id"]], reason))
    return made


def _kept(one: Attribute, assets: Iterable[Asset], carrier: bool) -> str:
    """The value as written, where it has to be kept beside its canonical form."""
    value = record.text(one.item, "value")
    return value if carrier and value not in {asset.value for asset in assets} else ""
