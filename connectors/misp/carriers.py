"""The STIX objects that stand for attributes: indicators, relationships to observables, notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.misp import record, sightings, values
from connectors.misp.attribute import Attribute
from connectors.misp.context import Made, carrier_id, link_id, original, prose
from exchange.connect.asset import Asset, Object, indicator, relationship
from exchange.connect.prose import LEFT_OUT, without_payment_numbers
from exchange.model.identifiers.kinds import KINDS
from exchange.model.misp.types import AttributeType

DIRECT = frozenset({"Username", "PlatformAccountId", "EmailAddress", "TelephoneNumber"})
"""Identifiers that research doesn't get (P13): no copy of them stands where it can't be taken out."""
_WRITTEN = frozenset({"text", "comment", "other", "email-subject", "campaign-name", "campaign-id"})
"""Types of texts that people write; the others are numbers, hashes and names of machines."""


def indicator_of(
    one: Attribute, identifier: str, assets: Iterable[Asset], comment: str, legitimate: bool,
) -> Object:
    """The indicator of an attribute's or object's assets: those that are somebody's, joined by OR."""
    every = list(assets)
    told = [asset for asset in every if legitimate or not asset.nobody]
    heading = one.context.head("indicator", identifier, one.modified, one.terms)
    first = one.times.get("start_time", "")
    alone = identifier == carrier_id("indicator", one.key)
    more: dict[str, Any] = {"labels": one.labels, "external_references": one.references} if alone else {}
    end = sightings.expiry(one.item)
    found = indicator(
        told[0], heading, valid_from=first or one.context.created, description=comment, confidence=one.confidence,
        types=("benign",) if legitimate else ("attribution",), **more,
    )
    found["pattern"] = " OR ".join(asset.pattern(_spellings(asset)) for asset in told)
    if len(told) > 1:
        found["name"] = ", ".join(asset.title for asset in told)
    if end > found["valid_from"]:
        found["valid_until"] = end
    seen = record.text(one.item, "value")
    if alone and seen not in {asset.value for asset in every} and not _direct(every):
        found["extensions"] = original(seen)
    return found


def indicates(one: Attribute, identifier: str, relation: str, key: str = "") -> Object:
    """The relationship from an indicator to the event's campaign."""
    heading = one.context.head("relationship", link_id("indicates", key or one.key), one.modified, one.terms)
    says = {"relation": relation, **_scale(one)}
    return relationship(heading, "indicates", identifier, one.context.campaign, says=says, confidence=one.confidence,
                        **one.times)


def observed(
    one: Attribute, thing: str, relation: str, carrier: bool, comment: str, kept: str = "", key: str = "",
) -> tuple[Object, list[Object]]:
    """The relationship from the campaign to an observable, and markings that it needs besides.

    ``carrier``: no indicator stands for the attribute, so that this does, with its labels; ``kept`` is the value as
    written.
    """
    terms = one.terms
    if kept and direct_terms(one.kind):
        terms = terms.about({"personal": "yes", "categories": direct_terms(one.kind)})
    fresh = one.context.markings(terms)
    heading = one.context.head("relationship", link_id("observed", key or one.key), one.modified, terms)
    more = {"labels": one.labels, "external_references": one.references} if carrier else {}
    found = relationship(heading, "related-to", one.context.campaign, thing, description=comment,
                         says={"relation": relation, **_scale(one)}, confidence=one.confidence, **one.times, **more)
    if kept:
        found["extensions"] |= original(kept)
    return found, fresh


def note(one: Attribute, value: str, number: int, reason: str, about: Iterable[str] = ()) -> Made:
    """The attribute as a note on the campaign, or on ``about`` (accounts that it names: their ids are no cards).

    What it holds of payment numbers is left out; raises RefusedError where nothing else is in it.
    """
    context, content, refs = one.context, value, list(about)
    if not refs:
        written = one.kind.name in _WRITTEN or one.kind.treatment == "unknown"
        content = without_payment_numbers(value, words=written)
    if content == LEFT_OUT:
        raise values.RefusedError("A payment number isn't taken in the clear.")
    comment, mended = prose(one.item, "comment")
    terms = one.terms
    if one.place.template.accounts or direct_terms(one.kind):
        terms = terms.about({"personal": "yes", "categories": ["PlatformAccountId", "Username"]})
    heading = context.head("note", carrier_id("note", one.key), one.modified, terms)
    found = {**heading, "content": content, "object_refs": refs or [context.campaign], "labels": one.labels,
             "external_references": one.references}  # fmt: skip
    found |= {"abstract": comment} if comment else {}
    context.ends[one.key] = found["id"]
    if content != value or mended:
        return Made([*context.markings(terms), found], [
            context.told(number, "repaired", [found["id"]], f"A payment number was left out. {reason}")])
    return Made([*context.markings(terms), found], [context.told(number, "note", [found["id"]], reason)])


def direct_terms(kind: AttributeType) -> list[str]:
    """Direct identifiers (W3C DPV terms) that values of a type may be."""
    kinds = ["account"] if set(kind.kinds) & {"any", "account"} else kind.kinds
    found = {term for name in kinds if name in KINDS for term in KINDS[name].personal}
    return sorted(found & DIRECT)


def _direct(assets: Iterable[Asset]) -> bool:
    return any(DIRECT.intersection(asset.kind.personal) for asset in assets)


def _spellings(asset: Asset) -> list[str]:
    """The address by which an account was told, where it isn't the canonical one."""
    if asset.account is None or "/" not in asset.seen or not KINDS["url"].valid(asset.seen):
        return []
    return [KINDS["url"].normalise(asset.seen)]


def _scale(one: Attribute) -> dict[str, str]:
    return {"confidence_scale": one.said.scale} if one.said.scale else {}
