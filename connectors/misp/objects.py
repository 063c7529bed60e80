"""One MISP object: a grouping of what its attributes became, and the accounts that they name together.

Whoever an object's attributes name (a handle, an id, an address) is one account: its indicator, when one of these
attributes is flagged ``to_ids`` or the option ``accounts`` says so, belongs to the object. The attributes that name it
become notes on it, so that each comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.misp import attributes, claims, record, tags, values
from connectors.misp.attribute import Attribute, Place
from connectors.misp.carriers import indicates, indicator_of, note, observed
from connectors.misp.context import Context, Made, carrier_id, ids_of, link_id, other_ids, prose
from connectors.misp.record import Record
from connectors.misp.terms import Terms, UnsayableError, stated
from exchange.connect.asset import Asset, Object, read_asset, relationship
from exchange.connect.contract import Outcome, Row
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.misp import words
from exchange.model.misp.templates import Named, Template, template
from exchange.model.misp.types import AttributeType

_SLUG = re.compile(r"[^a-z0-9]+")
_STATED = ("name", "meta-category", "template_uuid", "template_version", "distribution", "description")
_IDENTITY = AttributeType("account", "identifier", ("account",))


class _Account:
    """An account that an object names: its assets, and what was made of it."""

    def __init__(self, named: Named, assets: list[Asset], told_by: list[Record], key: str) -> None:
        self.named, self.assets, self.told_by, self.key = named, assets, told_by, key
        self.ids: list[str] = []
        self.reason = ""

    @property
    def flagged(self) -> bool:
        """Whether an attribute that names it is flagged."""
        return any(record.flag(item, "to_ids") for item in self.told_by)


def convert(context: Context, item: Record, above: Terms) -> Made:
    """What becomes of an object and its attributes; its references come later, when all their ends are known."""
    number, key = context.next_row(), record.key(item, context.key)
    found = record.children(item, "Attribute")
    if record.flag(item, "deleted"):
        return _gone(context, number, key, item)
    context.keys[key] = None
    try:
        terms = stated(item, (), above, context.settings.audiences)
    except UnsayableError as error:
        made = Made([], [context.told(number, "quarantined", (), str(error))])
        made.rows += [context.told(context.next_row(), "quarantined", (), str(error)) for _one in _inside(item)]
        return made
    place = Place(terms, template(record.text(item, "name")), item, key)
    made = Made(context.markings(terms))
    accounts = [_make(context, account, place, made) for account in _accounts(context, found, place)]
    head_row = len(made.rows)
    naming = {id(told): account for account in accounts for told in account.told_by}
    members = [identifier for account in accounts for identifier in account.ids]
    for attribute in found:
        account = naming.get(id(attribute))
        part = _naming(context, attribute, place, account) if account else attributes.convert(context, attribute, place)
        made.add(part)
        members += part.rows[0].ids
    made.objects.append(_grouping(context, item, key, terms, members))
    context.ends.setdefault(key, carrier_id("grouping", key))
    made.rows.insert(head_row, _row(context, number, key, accounts, prose(item, "comment")[1]))
    if context.known:
        now = {one["id"] for one in made.objects}
        for own in (key, *(one.key for one in accounts)):
            made.withdrawn += other_ids(own, now)
    return made


def references(context: Context, item: Record, above: Terms) -> Made:
    """The relationships that an object's references say; both ends must be in the event."""
    made, key = Made(), record.key(item, context.key)
    for one in record.children(item, "ObjectReference"):
        number = context.next_row()
        own = record.key(one, key, record.text(one, "referenced_uuid"), record.text(one, "relationship_type"))
        source = context.ends.get(key, "")
        target = context.ends.get(_end(context, one), "")
        if record.flag(one, "deleted") or record.flag(item, "deleted"):
            made.withdrawn += ids_of(own)
            made.rows.append(context.told(number, "note", (), "Deleted by the source."))
        elif not source or not target or source == target:
            made.rows.append(context.told(number, "note", (), "It refers to what isn't in the event."))
        else:
            context.keys[own] = None
            link = _reference(context, one, own, source, target, key, above)
            made.objects.append(link)
            made.rows.append(context.told(number, "note", [link["id"]], "A reference."))
    return made


def _end(context: Context, reference: Record) -> str:
    """The key of what a reference refers to."""
    stated_end = {"uuid": record.text(reference, "referenced_uuid")}
    return record.key(stated_end, context.key)


def _reference(context: Context, one: Record, own: str, source: str, target: str, key: str, terms: Terms) -> Object:
    said = record.text(one, "relationship_type") or "related-to"
    kind = _SLUG.sub("-", said.lower()).strip("-")[:200] or "related-to"
    heading = context.head("relationship", link_id("reference", own), context.changed(one), terms)
    return relationship(
        heading, kind, source, target, description=prose(one, "comment")[0],
        labels=words.labels({"relationship_type": said}),
        external_references=[words.reference(words.REFERENCE, own), words.reference(words.SOURCE_END, key),
                             words.reference(words.TARGET_END, _end(context, one))],
    )  # fmt: skip


def _inside(item: Record) -> list[Record]:
    """What stands in an object and has a row; its references are told at the end of the event."""
    return record.every(item, ("ObjectReference",))[1:]


def _gone(context: Context, number: int, key: str, item: Record) -> Made:
    made = Made([], [context.told(number, "note", (), "Deleted by the source.")], ids_of(key))
    for one in _inside(item):
        made.rows.append(context.told(context.next_row(), "note", (), "Its object was deleted by the source."))
        made.withdrawn += ids_of(record.key(one, context.key, key))
    return made


def _accounts(context: Context, found: Iterable[Record], place: Place) -> list[_Account]:
    """The accounts that the object names, each with the attributes that name it."""
    live: dict[str, list[Record]] = {}
    for one in found:
        if not record.flag(one, "deleted") and record.text(one, "value"):
            live.setdefault(record.text(one, "object_relation"), []).append(one)
    scheme = place.template
    said = next((record.text(one, "value") for one in live.get(scheme.platform_from, ())), "")
    platform = scheme.platform or said
    made = []
    for number, named in enumerate(scheme.accounts):
        assets, told_by = _identified(live, scheme, named, platform)
        if assets:
            key = place.key if not number else claims.claim_key(context, place.key, str(number))
            made.append(_Account(named, assets, told_by, key))
    return made


def _identified(
    live: Mapping[str, list[Record]], scheme: Template, named: Named, platform: str
) -> tuple[list[Asset], list[Record]]:
    assets: dict[str, Asset] = {}
    told_by = []
    for relation in named.relations:
        for one in live.get(relation, ()):
            asset = _asset(record.text(one, "value"), relation, scheme, named, platform)
            if asset is not None and not tags_restrict(one):
                assets.setdefault(asset.value, asset)
                told_by.append(one)
    return list(assets.values()), told_by


def tags_restrict(item: Record) -> bool:
    """Whether an attribute is shared less widely than its object: then it names nobody in the object's name."""
    every = [record.text(tag, "name") for tag in record.children(item, "Tag")]
    return record.text(item, "distribution") not in ("", "5", "3") or any(tags.restricts(name) for name in every)


def _asset(value: str, relation: str, scheme: Template, named: Named, platform: str) -> Asset | None:
    """The account that one attribute names; None where it names none, such as a displayed name."""
    kind = named.kind if scheme.platform or named.kind != "profile" else ""
    try:
        if relation in named.urls:
            found = values.read_address(value)
            if found.account is None:
                return None
            return values.sayable(replace(found, account_kind=kind))
        if relation in named.handles and platform:
            handle = value if value.startswith(scheme.prefix) else scheme.prefix + value
            return values.sayable(read_asset(handle, "account", platform=platform, account_kind=kind))
        if platform:
            found = read_asset(scheme.id_prefix + value, "account", platform=platform, account_kind=kind)
            given = found.account is not None and found.account.stix_property == "user_id"
            return found if given or scheme.id_prefix else None  # else a number would be taken for a name
    except IdentifierError:
        return None
    return None


def _lead(context: Context, account: _Account, place: Place) -> Attribute:
    """The attribute that speaks for an account: the first flagged one, else the first."""
    item = next((one for one in account.told_by if record.flag(one, "to_ids")), account.told_by[0])
    said = tags.read(item, context.settings.catalogue)
    relation = account.named.relation
    if relation == "operated" and not account.flagged and not context.settings.accounts:
        relation = "unknown"
    elif relation == "unknown" and account.flagged:
        relation = "operated"
    kind = replace(_IDENTITY, name=record.text(item, "type"))
    relation = place.template.everybody or relation
    key, terms = record.key(item, context.key, place.key), attributes.of_subject(place.terms, relation)
    return Attribute(context, item, place, kind, key, terms, said, [], relation)


def _make(context: Context, account: _Account, place: Place, made: Made) -> _Account:
    """Make an account's indicator, observable and relationships."""
    lead = _lead(context, account, place)
    tag = attributes.benign(lead)
    flagged = account.flagged or (context.settings.accounts and account.named.relation == "operated")
    why_not = f"A false positive, by the tag {tag}." if tag else attributes.why_not(lead, account.assets, flagged)
    account.reason = why_not
    thing = account.assets[0].observable
    made.objects += [*context.markings(lead.terms), context.observed(thing, lead.terms)]
    if tag or not account.reason:
        found = indicator_of(lead, carrier_id("indicator", account.key), account.assets, "", bool(tag))
        relation = "legitimate-mention" if tag else "operated"
        made.objects += [found, indicates(lead, found["id"], relation, account.key)]
        account.ids.append(found["id"])
        made.add(claims.exhibited(context, lead.said, found["id"], lead.terms, lead.modified))
    says = "legitimate-mention" if tag else lead.relation
    link, fresh = observed(lead, thing["id"], says, False, "", key=account.key)
    made.objects += [*fresh, link]
    account.ids.append(thing["id"])
    if account.key == place.key:
        context.ends[place.key] = thing["id"]
    return account


def _naming(context: Context, item: Record, place: Place, account: _Account) -> Made:
    """An attribute that names an account: a note on it."""
    number, key = context.next_row(), record.key(item, context.key, place.key)
    context.keys[key] = None
    every = tags.tag_names(item)
    one = Attribute(context, item, place, _IDENTITY, key, place.terms, tags.Said(), every, account.named.relation)
    thing = next(identifier for identifier in account.ids if not identifier.startswith("indicator--"))
    made = note(one, record.text(item, "value"), number, "It says which account the object is about.", [thing])
    outcome: Outcome = "indicator" if record.flag(item, "to_ids") and not account.reason else "note"
    first = made.rows[0]
    made.rows[0] = Row(first.file, first.row, outcome, (*first.ids, *account.ids), account.reason or first.reason)
    context.ends[key] = thing
    for tag in record.children(item, "Tag"):
        made.rows.append(attributes.tag_row(context, tag, first.ids, "note"))
    for _cluster in tags.clusters(item):
        made.rows.append(context.told(context.next_row(), "note", first.ids, "Carried as its tag."))
    for name, why in (("Sighting", "A sighting of a part of an account: left out."),
                      ("ShadowAttribute", attributes.PROPOSAL)):
        for _one in record.children(item, name):
            made.rows.append(context.told(context.next_row(), "note", (), why))
    return made


def _grouping(context: Context, item: Record, key: str, terms: Terms, members: Iterable[str]) -> Object:
    """The object itself, with everything that its attributes became."""
    live = [one for one in record.children(item, "Attribute") if not record.flag(one, "deleted")]
    found = context.head("grouping", carrier_id("grouping", key), context.changed(item, *live), terms)
    said = {name: record.text(item, name)[:1_000] for name in _STATED}
    said["name"] = said["name"] or "object"
    comment = prose(item, "comment")[0]
    return found | {
        "name": said["name"], "context": "misp-object",
        "object_refs": list(dict.fromkeys(members)) or [context.campaign],
        "labels": words.labels(said), "external_references": [words.reference(words.OBJECT, key)],
    } | ({"description": comment} if comment else {})  # fmt: skip


def _row(context: Context, number: int, key: str, accounts: list[_Account], mended: str) -> Row:
    ids = [*(one for account in accounts for one in account.ids), carrier_id("grouping", key)]
    if mended:
        return context.told(number, "repaired", ids, mended)
    if any(not account.reason for account in accounts):
        return context.told(number, "indicator", ids)
    reason = next((account.reason for account in accounts), "An object: its attributes have rows of their own.")
    return context.told(number, "note", ids, reason)
