"""One push, object by object: read, validate, find its terms, ask the policy, fold them to a label.

Everything costly happens before the write transaction, and objects of one envelope that carry the same markings
and hold the same kinds of personal data share one decision.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from exchange.intake.published import PUBLISHER
from exchange.model.party import Organisation
from exchange.model.pushed import PushOutcome
from exchange.model.terms import Audience, Basis, Life, PersonalData, Terms
from exchange.policy.admit import admit, push_facts
from exchange.policy.label import label_facts, object_facts, window
from exchange.policy.merge import merge_terms
from exchange.policy.packs import Packs
from exchange.spans import span
from exchange.stix import personal
from exchange.stix.behaviour import behaviours_in, fault_of_missing_behaviour, labels_cib
from exchange.stix.extensions import NOTICE, RECORD
from exchange.stix.fault import StixFault
from exchange.stix.ids import claims_other_content
from exchange.stix.markings import StatedTerms, read_terms, states_handling
from exchange.stix.parse import parse_strict
from exchange.stix.references import references
from exchange.stix.timestamp import from_microseconds, version_key
from exchange.stix.tlp import well_known
from exchange.stix.validate import check
from exchange.store.pushes import NewObject

Resolve = Callable[[Collection[str]], Mapping[str, Mapping[str, Any]]]
"""Ids of marking-definitions -> those that are stored and that the contributor may use."""
_Item = TypeVar("_Item")
_DAY = 86_400_000_000
_FOR_GOOD = 36_500
"""Days."""
_MOST_KNOWN = 4_096
_AT_A_TIME = 20
"""Objects between two pauses, of the usual size: some millisecond."""
_USUAL = 2_048
"""Bytes; a larger object counts for several."""
_MEANING = ("definition_type", "definition", "extensions", "object_marking_refs", "granular_markings")
"""What of a marking definition makes the terms of the objects that refer to it."""


@dataclass(frozen=True)
class Pusher:
    """Who pushes where, and what fills in where an object says nothing."""

    organisation: Organisation
    community: str
    """The sharing group that TLP:GREEN means in this collection."""
    defaults: Mapping[str, Any]
    """Default terms of the collection and of the contributor's agreement."""
    strict: bool
    now: int
    """Microseconds since the epoch."""
    scope: object
    """Equal scopes give equal decisions on equal statements (member, its agreements now, collection, policy);
    None: decide anew each time."""
    identities: Mapping[str, str]
    """STIX identity ids of other members -> their organisation id: nobody creates in their name."""
    resolve: Resolve
    packs: Packs
    """The policy version that decides for this organisation."""

    @property
    def publishes(self) -> bool:
        """Whether the exchange itself puts in its definitions: documents that are kept for good."""
        return self.organisation is PUBLISHER

    @property
    def programme(self) -> Mapping[str, Any]:
        """The programme's parameters and switches now."""
        known = self.packs.at(self.now).programme
        return {**known, "max_retention_days": _FOR_GOOD} if self.publishes else known


class Checked(NamedTuple):
    """One object of an envelope after every check: ready to be stored, or refused."""

    id: str
    version: str
    """As written; empty for objects without one."""
    new: NewObject | None
    refusal: PushOutcome | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the policy says of terms that several objects share."""

    label: int
    window: tuple[int | None, int | None]
    """When it may be read: [from, until) in microseconds."""
    refusal: tuple[str, str] | None
    stays: int | None = None
    """Microseconds from its arrival until it is over, where that alone bounds ``window``."""

    def at(self, now: int) -> _Verdict:
        """The same for what arrives now."""
        return self if self.stays is None else replace(self, window=(None, now + self.stays))


class LabelNumbers(Protocol):
    """Where labels get their numbers: the store's, or for a preview a list that nobody keeps."""

    def label(self, digest: str, facts: str) -> int:
        """The number of the label with this digest and these facts."""


class Intake:
    """The checks of a push, with the labels that are known."""

    def __init__(self, labels: LabelNumbers, pause: Callable[[], None]) -> None:
        """``pause`` is called every few objects, so that a long envelope doesn't keep others waiting."""
        self._labels = labels
        self._pause = pause
        self._known: OrderedDict[object, _Verdict] = OrderedDict()

    def check(self, pusher: Pusher, raws: Sequence[bytes]) -> list[Checked]:
        """Check every object of one envelope; what is wrong with one doesn't touch the others."""
        read = [_read(raw, pusher.strict) for raw in self._paced(raws, raws)]
        envelope = _Envelope(self, pusher, [item.obj for item in read if isinstance(item, _Valid)])
        return [
            envelope.check(item) if isinstance(item, _Valid) else _refused(item.id, item.fault, item.version)
            for item in self._paced(read, raws)
        ]

    def _paced(self, items: Sequence[_Item], raws: Sequence[bytes]) -> Iterator[_Item]:
        """The items, with a pause after so many of them; each stands for an object of so many bytes."""
        load = 0
        for item, raw in zip(items, raws, strict=True):
            yield item
            load += 1 + len(raw) // _USUAL
            if load >= _AT_A_TIME:
                self._pause()
                load = 0

    def verdict(self, pusher: Pusher, stated: StatedTerms, obj: Mapping[str, Any], held: frozenset[str],
                key: object) -> _Verdict:
        """Decide on terms: their label, or why such an object isn't taken.

        ``key`` stands for the statements where they are the same whenever it is; None where they may differ.
        """
        at = from_microseconds(pusher.now)
        terms = merge_terms(_terms(stated, obj, pusher.now), pusher.defaults, at,
                            None if pusher.publishes else pusher.packs, held)
        if key is None or pusher.scope is None:
            return self._decide(pusher, terms, obj, held)
        known = self._known.get((pusher.scope, key))
        if known is None:
            known = replace(self._decide(pusher, terms, obj, held), stays=_stays(stated, terms, pusher.now))
            self._known[pusher.scope, key] = known
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return replace(known, window=window(terms))

    def remembered(self, pusher: Pusher, key: object) -> _Verdict | None:
        """What was decided on the same statements, where nothing but the arrival bounds when such an object is read."""
        known = None if key is None or pusher.scope is None else self._known.get((pusher.scope, key))
        return None if known is None or known.stays is None else known.at(pusher.now)

    def _decide(self, pusher: Pusher, terms: Terms, obj: Mapping[str, Any], held: frozenset[str]) -> _Verdict:
        at = from_microseconds(pusher.now)
        owner, community = pusher.organisation.id, pusher.community
        facts = object_facts(terms, owner=owner, community=community, object_type=obj["type"], categories=held)
        facts["fields"] = list(obj)
        with span("policy of a push"):
            refusals = admit(push_facts(facts, pusher.organisation, at, programme=pusher.programme), pusher.packs)
        if refusals:
            return _Verdict(0, (None, None), (refusals[0].code, " ".join(
                f"[{r.code}] {r.property}: {r.sentence}" for r in refusals
            )))
        label = label_facts(terms, owner=owner, community=community, object_type=obj["type"], categories=held)
        return _Verdict(self._labels.label(label.digest, label.text), window(terms), None)


@dataclass(frozen=True, slots=True)
class _Refused:
    id: str
    fault: StixFault
    version: str = ""


@dataclass(slots=True)
class _Valid:
    """A valid object and what it holds about people."""

    obj: dict[str, Any]
    raw: bytes
    held: frozenset[str]
    personal: str


def _read(raw: bytes, strict: bool) -> _Valid | _Refused:
    try:
        obj = parse_strict(raw)
    except StixFault as unreadable:
        return _Refused("", unreadable)
    fault = check(obj, strict)
    if fault is None:
        return _Valid(obj, raw, *personal.held_and_status(obj))
    stix_id = obj.get("id")
    return _Refused(stix_id[:200] if isinstance(stix_id, str) else "", fault, _stated_version(obj))


def _stated_version(obj: Mapping[str, Any]) -> str:
    """The version of an object that isn't valid, for the status resource; empty where it states none."""
    text = obj.get("modified") or obj.get("created")
    try:
        version_key(text if isinstance(text, str) else "")
    except ValueError:
        return ""
    return str(text)


def _refused(stix_id: str, fault: StixFault, version: str) -> Checked:
    place = f"{fault.property}: " if fault.property else ""
    outcome = PushOutcome(stix_id, "refused", fault.code, place + fault.sentence)
    return Checked(stix_id, version, None, outcome)


class _Envelope:
    """The objects of one envelope: what they know of each other, and verdicts that they share."""

    def __init__(self, intake: Intake, pusher: Pusher, objects: list[dict[str, Any]]) -> None:
        self._intake = intake
        self._pusher = pusher
        sent = {o["id"]: o for o in reversed(objects) if o["type"] == "marking-definition"}
        asked = {ref for ref in _marking_refs(objects) | sent.keys() if not well_known(ref)}
        self._markings = {**sent, **(pusher.resolve(asked) if asked else {})}
        self._behaviours = behaviours_in(objects) if any(map(labels_cib, objects)) else frozenset[str]()
        self._verdicts: dict[object, _Verdict] = {}
        self._asked = 0

    def check(self, item: _Valid) -> Checked:
        """Terms, policy and label of one valid object."""
        obj = item.obj
        stix_id: str = obj["id"]
        text = obj.get("modified") or obj.get("created") or ""
        fault = fault_of_missing_behaviour(obj, self._behaviours) or self._foreign(obj) or self._redefined(obj)
        if fault is not None:
            return _refused(stix_id, fault, text)
        verdict = self._verdict(item)
        if isinstance(verdict, StixFault):
            return _refused(stix_id, verdict, text)
        if verdict.refusal is not None:
            return Checked(stix_id, text, None, PushOutcome(stix_id, "refused", *verdict.refusal))
        version = version_key(text) if text else ""
        new = NewObject(
            stix_id=stix_id, type=obj["type"], version=version,
            version_text=None if text == version + "Z" or not text else text,
            spec_version=obj.get("spec_version", "2.1"), label=verdict.label,
            visible_from=verdict.window[0], visible_until=verdict.window[1], body=item.raw,
            late_claim=claims_other_content(obj), refs=references(obj),
        )
        return Checked(stix_id, text, new, None)

    def _foreign(self, obj: Mapping[str, Any]) -> StixFault | None:
        if NOTICE in (obj.get("extensions") or ()):
            return StixFault("not-object-creator", f"extensions.{NOTICE}",
                             "A notice to recipients is written by the exchange alone. Change the object's state, or"
                             " contest it.")
        if RECORD in (obj.get("extensions") or ()) and not self._pusher.publishes:
            return StixFault("not-object-creator", f"extensions.{RECORD}",
                             "A contributor's record is written by the exchange alone. Send an opinion or a sighting,"
                             " or contest the object.")
        for name in ("id", "created_by_ref"):
            if obj.get(name) in self._pusher.identities and not self._pusher.publishes:
                return StixFault("not-object-creator", name,
                                 "It is the identity of another member or of the exchange. Push only what you created "
                                 "or may pass on under your own identity.")
        return None

    def _redefined(self, obj: Mapping[str, Any]) -> StixFault | None:
        """A marking can't be versioned (STIX 2.1, 7.2): objects were shared under what its id says already."""
        if obj["type"] != "marking-definition" or well_known(obj["id"]):
            return None
        known = self._markings[obj["id"]]
        if all(known.get(name) == obj.get(name) for name in _MEANING):
            return None
        return StixFault("marking-invalid", "id", "A marking with this id says something else already, and a marking "
                         "can't be versioned. Send other terms as a marking with an id of its own.")

    def _verdict(self, item: _Valid) -> _Verdict | StixFault:
        obj, held = item.obj, item.held
        key = _key(obj, held, item.personal)
        known = self._verdicts.get(key) or self._intake.remembered(self._pusher, key)
        if known is None:
            asked = self._asked
            stated = read_terms(_marked(obj), self._resolve)
            if stated.faults:
                return stated.faults[0]
            lasting = key if self._asked == asked else None  # a marking of somebody's may mean other terms tomorrow
            known = self._intake.verdict(self._pusher, stated, obj, held, lasting)
        if key is not None:
            self._verdicts[key] = known
        return known

    def _resolve(self, ref: str) -> Mapping[str, Any] | None:
        self._asked += 1
        return self._markings.get(ref)


def _marking_refs(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    """Ids of every marking that the objects refer to."""
    refs: set[str] = set()
    for obj in objects:
        refs.update(obj.get("object_marking_refs", ()))
        if "granular_markings" in obj:
            refs.update(marking["marking_ref"] for marking in obj["granular_markings"] if "marking_ref" in marking)
    return refs


def _key(obj: Mapping[str, Any], held: frozenset[str], status: str) -> object:
    """What a verdict depends on; None where it depends on the object itself (marked parts, a marking)."""
    if "granular_markings" in obj or obj["type"] == "marking-definition":
        return None
    labels = obj.get("labels")
    said = tuple(word for word in labels if states_handling(word)) if labels else ()
    return (tuple(obj.get("object_marking_refs", ())), said, held, status, obj["type"])


def _marked(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """A marking is under the terms that it states, besides those it refers to: who sees what bears it sees it."""
    if obj["type"] == "marking-definition":
        return {**obj, "object_marking_refs": [*obj.get("object_marking_refs", ()), obj["id"]]}
    return obj


def _terms(stated: StatedTerms, obj: Mapping[str, Any], now: int) -> Terms:
    """Stated parts as terms; whether it holds personal data is told by its structure where nobody said."""
    data = stated.data or PersonalData()
    if data.personal == "unknown":
        data = replace(data, personal=personal.status(obj, data.personal if stated.data else None))
    life = stated.life or Life()
    if life.retention_until is None and stated.retention_days is not None:
        life = replace(life, retention_until=from_microseconds(now + stated.retention_days * _DAY))
    return Terms(
        markings=stated.markings, audience=stated.audience or Audience(), basis=stated.basis or Basis(),
        data=data, life=life, regime=stated.regime, requires_agreements=stated.requires_agreements or (),
    )


def _stays(stated: StatedTerms, terms: Terms, now: int) -> int | None:
    """How many microseconds after its arrival an object under these terms may be read, where no date bounds that."""
    dated = stated.life is not None and (stated.life.not_before or stated.life.retention_until)
    first, last = window(terms)
    return None if dated or terms.markings.iep or first is not None or last is None else last - now


def identities_of_others(organisations: Iterable[Organisation], org: str) -> dict[str, str]:
    """STIX identity ids that stand for members other than ``org``."""
    return {o.identity: o.id for o in organisations if o.identity and o.id != org}
