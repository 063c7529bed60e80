"""Attributes and objects of a MISP event, from what stands for them in STIX.

What came from MISP comes back as it was: labels and references tell type, category, UUID and object
(``exchange.model.misp.words``). ``to_ids`` is true for indicators, and where the source itself flagged a type that is
no identifier here; a benign indicator is a value with ``to_ids`` false and a tag that says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.out.misp.sharing import INHERITED, Reach, Sharing, narrower, tags
from connectors.out.misp.values import Account, Value, account_of, addresses, of_observable, of_pattern
from exchange.model.misp import words
from exchange.model.misp.templates import Template, out_templates
from exchange.model.misp.types import attribute_type, out_types
from exchange.stix import extensions
from exchange.stix.canonical import canonical
from exchange.stix.ids import OUR_NAMESPACE, derived_id
from exchange.stix.timestamp import microseconds

Obj = Mapping[str, Any]
Json = dict[str, Any]
_LINKS = frozenset({"url", "uri", "link"})


def own_uuid(*keys: object) -> str:
    """A UUID that follows from STIX ids, the same in every run."""
    return str(uuid.uuid5(OUR_NAMESPACE, canonical(["misp-out", *map(str, keys)])))


def seconds(obj: Obj) -> str:
    """The version of an object in seconds since 1970, as MISP writes it."""
    stamp = str(obj.get("modified") or obj.get("created") or "1970-01-01T00:00:00Z")
    return str(microseconds(stamp) // 1_000_000)


@dataclass
class Parts:
    """The attributes and objects of one event under way."""

    objects: Mapping[str, Obj]
    """Everything that belongs to the event, by id."""
    sharing: Sharing
    above: Reach
    """How far the event may go: what inherits isn't wider."""
    attributes: list[Json] = field(default_factory=list)
    things: dict[str, Json] = field(default_factory=dict)
    """MISP objects by UUID."""
    times: dict[str, Obj] = field(default_factory=dict)
    """Relationships from an indicator to its campaign, which say when it was seen."""
    used: dict[str, str] = field(default_factory=dict)
    """Id to why it was left out; empty text for what is in the event."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """Types and values that are in the event, so that an observable isn't told beside its indicator."""
    _kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    """Kinds of the accounts that are observables."""
    _spoken_of: set[str] = field(default_factory=set)
    """What relationships, reports and their like refer to."""
    _behind: set[str] = field(default_factory=set)
    """Observables that attributes and objects of MISP tell."""

    def take_all(self) -> None:
        """Everything that becomes an attribute or object."""
        every = list(self.objects.values())
        for obj in every:
            self._look_at(obj)
            if obj.get("type") == "grouping" and words.referred(obj, words.OBJECT):
                self._open(obj)
        for kind in ("indicator", "note", "relationship"):
            for obj in every:
                if obj.get("type") == kind:
                    self._carrier(obj)
        for obj in every:
            if account_of(obj) is not None or of_observable(obj):
                self._observable(obj)
        for obj in every:
            if words.referred(obj, words.REFERENCE):
                self._reference(obj)

    def _look_at(self, obj: Obj) -> None:
        """Note what others need to know of an object."""
        if not obj.get("revoked"):
            self._spoken_of.update(str(obj[end]) for end in ("source_ref", "target_ref") if end in obj)
            self._spoken_of.update(map(str, obj.get("object_refs") or ()))
        account = account_of(obj)
        if account is not None:
            self._kinds[account.platform, account.key] = account.kind
        if obj.get("type") == "relationship" and obj.get("relationship_type") == "indicates":
            self.times.setdefault(str(obj.get("source_ref")), obj)
        elif obj.get("type") == "relationship" and (self._is_of_misp(obj) or words.referred(obj, words.ATTRIBUTE)):
            self._behind.add(str(obj.get("target_ref")))

    def _open(self, grouping: Obj) -> None:
        said = words.said(grouping)
        key, reach = words.referred(grouping, words.OBJECT), self.sharing.reach(grouping, self.above)
        found: Json = {"uuid": key, "timestamp": seconds(grouping), "comment": str(grouping.get("description", "")),
                       "deleted": bool(grouping.get("revoked")), "Attribute": [], "ObjectReference": []}  # fmt: skip
        found |= {name: said[name] for name in ("name", "meta-category", "description", "template_uuid",
                                                "template_version") if name in said}  # fmt: skip
        found.setdefault("name", str(grouping.get("name", "object")))
        found |= self._distribution(said, reach)
        self.things[key] = found
        self.used[str(grouping["id"])] = ""

    def _distribution(self, said: Mapping[str, str], reach: Reach) -> Json:
        """Its own level where it is narrower than the event's; else as it was, or inherited."""
        if narrower(reach, self.above):
            found: Json = {"distribution": reach.level, "sharing_group_id": "0"}
            return found | ({"SharingGroup": {"uuid": reach.group}} if reach.group else {})
        stated = said.get("distribution", "")
        return {"distribution": stated if stated == INHERITED or (self.sharing.home and stated) else INHERITED}

    def _carrier(self, obj: Obj) -> None:
        """An object that stands for one attribute of MISP, or an indicator or note of somebody else."""
        said = words.said(obj)
        identifier = str(obj["id"])
        if "type" in said and words.referred(obj, words.ATTRIBUTE):
            value = self._value_again(obj, said)
            if not value:
                self.used[identifier] = "Its value isn't in the clear."
                return
            self._add(obj, words.referred(obj, words.ATTRIBUTE), Value(said["type"], said.get("category", ""), value),
                      flagged=self._flagged(obj, said), relation=said.get("relation", ""))
        elif obj.get("type") == "indicator":
            if not self._names_account_of_object(identifier):
                self._foreign_indicator(obj)
        elif obj.get("type") == "note" and not words.referred(obj, words.ATTRIBUTE):
            text = "\n".join(filter(None, (str(obj.get("abstract", "")), str(obj.get("content", "")))))
            self._add(obj, own_uuid(identifier), Value(*out_types()["text"], text), flagged=False)

    def _names_account_of_object(self, identifier: str) -> bool:
        """Whether an indicator is that of an account which an object of MISP names by its attributes."""
        found = any(derived_id("indicator", words.NAME, key) == identifier for key in self.things)
        if found:
            self.used[identifier] = ""
        return found

    def _value_again(self, obj: Obj, said: Mapping[str, str]) -> str:
        source = extensions.of(obj, extensions.EVIDENCE).get("source")
        if isinstance(source, Mapping) and source.get("original"):
            return str(source["original"])
        if obj.get("type") == "note":
            return str(obj.get("content", ""))
        if obj.get("type") == "indicator":
            if obj.get("pattern_type") != "stix" or said["type"] == "stix2-pattern":
                return str(obj.get("pattern", ""))
            if said["type"] in _LINKS and (links := addresses(str(obj.get("pattern", "")))):
                return links[-1]
            values, accounts = of_pattern(str(obj.get("pattern", ""))) or ([], [])
        else:
            thing = self.objects.get(str(obj.get("target_ref")), {})
            account = account_of(thing)
            values, accounts = of_observable(thing), [account] if account else []
        if accounts:
            return accounts[0].url if said["type"] in _LINKS and accounts[0].url else accounts[0].key
        return values[0].value if values else ""

    def _flagged(self, obj: Obj, said: Mapping[str, str]) -> bool:
        if obj.get("type") == "indicator":
            return "benign" not in (obj.get("indicator_types") or ())
        if said.get("to_ids") != "1":
            return False
        if attribute_type(said["type"]).treatment in ("text", "unknown") and not self._names(obj):
            return True
        found = self.objects.get(derived_id("indicator", words.NAME, words.referred(obj, words.OBJECT)), {})
        return bool(found) and not found.get("revoked") and "benign" not in (found.get("indicator_types") or ())

    def _names(self, obj: Obj) -> bool:
        """Whether a note is one on an account: its flag is that of the account's indicator."""
        return any(str(ref).startswith("user-account--") for ref in obj.get("object_refs") or ())

    def _add(
        self, obj: Obj, key: str, value: Value, *, flagged: bool, relation: str = "", into: Json | None = None,
    ) -> Json:
        """Add an attribute to its object, or to the event."""
        said, reach = words.said(obj), self.sharing.reach(obj, self.above)
        found: Json = {
            "uuid": key, "type": value.type, "category": value.category, "value": value.value,
            "to_ids": flagged and not obj.get("revoked"), "timestamp": seconds(obj),
            "comment": str(obj.get("abstract" if obj.get("type") == "note" and said else "description", "")),
            "deleted": bool(obj.get("revoked")), "disable_correlation": said.get("disable_correlation") == "1",
        }  # fmt: skip
        found |= self._distribution(said, reach) | self._seen(obj)
        found |= {"object_relation": relation} if relation else {}
        names = tags(obj, reach, self.above)
        if "benign" in (obj.get("indicator_types") or ()) and words.BENIGN_TAG not in names:
            names.append(words.BENIGN_TAG)
        found |= {"Tag": [{"name": name} for name in names]} if names else {}
        holder = into or self.things.get(words.referred(obj, words.OBJECT))
        (holder["Attribute"] if holder is not None else self.attributes).append(found)
        self.told.add((value.type, value.value))
        self.used[str(obj["id"])] = ""
        return found

    def _seen(self, obj: Obj) -> Json:
        link = self.times.get(str(obj["id"]), obj)
        found = {"first_seen": link.get("start_time"), "last_seen": link.get("stop_time")}
        return {name: str(value).replace("Z", "+00:00") for name, value in found.items() if value}

    def _foreign_indicator(self, obj: Obj) -> None:
        identifier, pattern = str(obj["id"]), str(obj.get("pattern", ""))
        flagged = "benign" not in (obj.get("indicator_types") or ())
        if obj.get("pattern_type") != "stix":
            name = str(obj.get("pattern_type"))
            known = attribute_type(name).treatment == "pattern"
            value = Value(name, "Payload installation", pattern) if known else Value(*out_types()["text"], pattern)
            self._add(obj, own_uuid(identifier), value, flagged=flagged and known)
            return
        values, accounts = of_pattern(pattern) or ([Value("stix2-pattern", "Payload installation", pattern)], [])
        for number, value in enumerate(values):
            self._add(obj, own_uuid(identifier, number), value, flagged=flagged)
        for number, account in enumerate(accounts):
            kind = self._kinds.get((account.platform, account.key), account.kind)
            self._account(obj, replace(account, kind=kind), flagged, number)

    def _account(self, obj: Obj, account: Account, flagged: bool, number: int = 0) -> None:
        """A social object of an account, by the template of its platform."""
        mark = (account.platform, account.key)
        if mark in self.told:
            self.used.setdefault(str(obj["id"]), "")
            return
        self.told.add(mark)
        scheme = _template(account)
        key = own_uuid(obj["id"], number, "object")
        holder: Json = {"uuid": key, "name": scheme.name, "meta-category": "misc", "timestamp": seconds(obj),
                        "distribution": INHERITED, "comment": "", "deleted": bool(obj.get("revoked")),
                        "template_uuid": scheme.uuid, "template_version": scheme.version,
                        "Attribute": [], "ObjectReference": []}  # fmt: skip
        self.things[key] = holder
        out = scheme.out
        named = out.get("id", "") if account.is_id else out.get("key", "")
        name = account.key.removeprefix(scheme.id_prefix).removeprefix(scheme.prefix)
        parts = [(named, "text", name, True), (out.get("url", ""), "link", account.url, not named),
                 (out.get("platform", ""), "text", account.platform, False)]  # fmt: skip
        for relation, kind, text, names in parts:
            if relation and text:
                value = Value(*out_types()[kind], text)
                self._add(obj, own_uuid(key, relation), value, flagged=flagged and names, relation=relation,
                          into=holder)

    def _observable(self, obj: Obj) -> None:
        """An observable that no indicator tells: an attribute without ``to_ids``."""
        identifier = str(obj["id"])
        if identifier in self._behind:
            self.used.setdefault(identifier, "")
            return
        if identifier not in self._spoken_of:  # what is left when a claim was taken back
            self.used.setdefault(identifier, "Nothing is said of it.")
            return
        account = account_of(obj)
        if account is not None:
            self._account(obj, account, False)
        for number, value in enumerate(of_observable(obj)):
            if (value.type, value.value) not in self.told:
                self._add(obj, own_uuid(identifier, number), value, flagged=False)
        self.used.setdefault(identifier, "")

    def _is_of_misp(self, link: Obj) -> bool:
        """Whether a relationship is that of a MISP event to an observable: an attribute or object tells it."""
        return words.EVENT in {str(one.get("source_name")) for one in
                               self.objects.get(str(link.get("source_ref")), {}).get("external_references") or ()}

    def _reference(self, obj: Obj) -> None:
        holder = self.things.get(words.referred(obj, words.SOURCE_END))
        self.used[str(obj["id"])] = "" if holder is not None else "Its object isn't in the event."
        if holder is not None:
            holder["ObjectReference"].append({
                "uuid": words.referred(obj, words.REFERENCE), "object_uuid": holder["uuid"],
                "referenced_uuid": words.referred(obj, words.TARGET_END), "timestamp": seconds(obj),
                "relationship_type": words.said(obj).get("relationship_type", str(obj.get("relationship_type"))),
                "comment": str(obj.get("description", "")), "deleted": bool(obj.get("revoked")),
            })  # fmt: skip


def _template(account: Account) -> Template:
    known = out_templates()
    for mark in ((account.platform, account.kind), (account.platform, "profile")):
        if mark in known:
            return known[mark]
    return known["", "group"] if account.kind == "group" else known["", "profile"]

