"""Sending notices: each becomes a note in its recipient's mailbox, in the transaction of what caused it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import orjson

from exchange.model.mailbox import EXCHANGE, mailbox_id
from exchange.model.terms import Audience, Life, Markings, PersonalData, Terms
from exchange.obligations.notice import Notice, as_note
from exchange.policy.label import object_facts
from exchange.stix.timestamp import from_microseconds, version_key
from exchange.store.directory import meta_value
from exchange.store.events import record
from exchange.store.labels import Grants
from exchange.store.mailboxes import MailboxKey, put
from exchange.store.notices import add_notice, known_notices
from exchange.store.pushes import NewObject
from exchange.store.salts import commit_value, content_of

_FOREVER = "9999-12-31T23:59:59Z"
_SINCE = "2026-06-01T00:00:00.000Z"


def send(connection: Any, notices: Sequence[Notice], now: int) -> list[Notice]:
    """Write notices at ``now`` (microseconds) in the caller's write transaction; gives those that are new.

    A notice that was sent before is left as it was. Recipients are taken in the order of their ids, so that two
    who send to the same ones wait for each other.
    """
    known = known_notices(connection, [notice.id for notice in notices])
    fresh = {notice.id: notice for notice in notices if notice.id not in known}
    identity = meta_value(connection, "exchange.identity")
    for org, group in groupby(sorted(fresh.values(), key=lambda n: n.org), key=lambda n: n.org):
        mine = list(group)
        bodies = [_body(as_note(notice, identity, now)) for notice in mine]
        objects = [_stored(_exchange_identity(identity)), *map(_stored, bodies)]
        put(connection, _box(org), _own_alone(org), objects, now)
        for notice, body in zip(mine, bodies, strict=True):
            _note_down(connection, notice, body, now)
    return list(fresh.values())


def _note_down(connection: Any, notice: Notice, body: bytes, now: int) -> None:
    affected = [{"id": one.id, "versions": list(one.versions)} for one in notice.objects]
    add_notice(connection, {
        "id": notice.id, "org": notice.org, "kind": notice.kind, "obligation": notice.obligation, "at": now,
        "deadline": notice.deadline, "citation": notice.citation, "reason": notice.reason,
        "reference": notice.reference, "objects": json.dumps(affected),
        "state": "told" if notice.deadline is None else "open", "escalated": None,
    })
    record(connection, at=now, kind="notice", org=notice.org, detail={
        "notice": notice.id, "kind": notice.kind, "obligation": notice.obligation, "objects": affected,
        "deadline": None if notice.deadline is None else from_microseconds(notice.deadline),
        "reference": notice.reference,
        "commitment": commit_value(connection, body.decode(), subject=content_of(notice.id)),
    })


def _box(org: str) -> MailboxKey:
    """A mailbox and its label: what is in it counts as the recipient's own, whatever it agreed to."""
    terms = Terms(
        markings=Markings(tlp=("TLP:AMBER+STRICT",)), audience=Audience(named_orgs=(org,)),
        data=PersonalData(personal="no", subject_kind="no-natural-person"), life=Life(retention_until=_FOREVER),
    )
    facts = object_facts(terms, owner=org, community="")
    text = json.dumps({"object": facts, "policy": "notices"}, sort_keys=True, separators=(",", ":"))
    return MailboxKey(mailbox_id(org), EXCHANGE, hashlib.sha256(text.encode()).hexdigest(), text)


def _own_alone(org: str) -> Grants:
    """Who sees a label that ``org`` owns: its profiles, in full, whatever they ask for."""

    def grants(profile: str, label: str) -> Sequence[str] | None:
        """Nothing withheld from the owner's profiles, nothing released to others'."""
        return () if json.loads(profile)["actor"]["org"] == org else None

    return grants


def _exchange_identity(identity: str) -> bytes:
    return _body({
        "type": "identity", "spec_version": "2.1", "id": identity, "created": _SINCE, "modified": _SINCE,
        "name": "CIB exchange", "description": "The exchange that sends these notices.",
        "identity_class": "organization",
    })


def _body(obj: dict[str, Any]) -> bytes:
    return orjson.dumps(obj)


def _stored(body: bytes) -> NewObject:
    obj = orjson.loads(body)
    version = version_key(obj["modified"])
    return NewObject(
        stix_id=obj["id"], type=obj["type"], version=version,
        version_text=None if obj["modified"] == version + "Z" else obj["modified"], spec_version="2.1",
        label=0, visible_from=None, visible_until=None, body=body,
    )
