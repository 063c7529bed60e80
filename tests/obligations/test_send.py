"""Notices reach the mailbox of their recipient, as notes that stock libraries parse, once."""

from __future__ import annotations

import json

import pytest
import stix2
from sqlalchemy import Engine

from exchange.model.mailbox import mailbox_id
from exchange.model.party import Agreement, Credential, Organisation
from exchange.obligations.mailboxes import key_to_mailbox
from exchange.obligations.notice import ASKS, KINDS, Affected, Notice, as_note
from exchange.obligations.send import send
from exchange.policy.label import granted, profile_facts
from exchange.policy.packs import load
from exchange.stix.extensions import NOTICE
from exchange.stix.validate import check
from exchange.store.engine import raw, read, write
from exchange.store.labels import Labels, Numbers
from exchange.store.notices import find_notice, list_notices
from exchange.store.objects import Filter, ObjectQueries, Reader

NOW = 1_770_000_000_000_000
INDICATOR = "indicator--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e5f"
IDENTITY = "identity--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e5f"


def notice(org: str = "org-beta", **changed: object) -> Notice:
    values: dict[str, object] = {
        "kind": "erasure", "org": org, "objects": (Affected(INDICATOR, ("2026-01-01T00:00:00.000Z",)),),
        "reason": "A demand of the person.", "obligation": "delete", "deadline": NOW + 86_400_000_000,
        "citation": "GDPR Art. 17", "reference": "state-change:1", **changed,
    }
    return Notice(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("obligation", sorted(ASKS))
def test_every_notice_is_a_valid_note_that_stix2_parses(kind: str, obligation: str) -> None:
    note = as_note(notice(kind=kind, obligation=obligation), IDENTITY, NOW)
    assert (check(note), check(note, strict=True)) == (None, None)
    parsed = stix2.parse(note, allow_custom=False)
    assert parsed.object_refs == [INDICATOR]
    assert INDICATOR in parsed.content
    assert ASKS[obligation] in parsed.content
    assert note["extensions"][NOTICE]["deadline"] == "2026-02-03T02:40:00.000000Z"


def test_who_is_to_answer_a_case_reads_its_address_and_nobody_is_said_to_have_revoked() -> None:
    asked = as_note(notice(kind="dispute", obligation="answer", reference="case--1"), IDENTITY, NOW)
    assert "POST /api/v1/cases/case--1/answer" in asked["content"]
    assert "producer" not in as_note(notice(kind="revocation"), IDENTITY, NOW)["content"]


def test_a_notice_of_very_many_objects_is_a_valid_note_and_names_some() -> None:
    many = tuple(Affected(f"indicator--{n:08x}-8a2b-4c5d-9e6f-0a1b2c3d4e5f") for n in range(2_000))
    note = as_note(notice(objects=many), IDENTITY, NOW)
    assert check(note) is None
    assert "and 1980 more" in note["content"]
    assert len(note["extensions"][NOTICE]["objects"]) == 2_000


def test_one_cause_makes_one_notice_for_a_recipient() -> None:
    assert notice().id == notice(reason="said otherwise").id
    assert len({notice().id, notice("org-gamma").id, notice(kind="recall").id, notice(reference="x").id}) == 4


PEOPLE = {
    "org-beta": Organisation(id="org-beta", name="B", kind="government", jurisdiction="US", clearance="TLP:CLEAR",
                             facts={"government": True, "public_authority": True}),
    "org-former": Organisation(id="org-former", name="F", kind="platform", jurisdiction="IE", active=False),
    "org-gamma": Organisation(id="org-gamma", name="G", kind="platform", jurisdiction="IE", clearance="TLP:RED",
                              agreements=(Agreement(id="base", purposes=("cib-detection",)),)),
}


def _seen(engine: Engine, org: str, box: str, purpose: str | None) -> list[str]:
    """What an organisation would read of a mailbox if it were let in to it."""
    packs = load()
    labels = Labels(engine, lambda profile, label: () if granted(profile, label, packs) else None)
    key = key_to_mailbox(Credential(id=org, org=org, digest="", purpose=purpose), packs)
    facts = profile_facts(PEOPLE[org], key, purpose=key.purpose,
                          at="2026-06-01T00:00:00Z", packs=packs, encrypted=False)
    reader = Reader(profile=labels.profile(facts.digest, facts.text), now=NOW + 10**15)
    feed = Numbers(engine).feed_if_any(mailbox_id(box))
    with raw(engine) as connection:
        rows = ObjectQueries(engine.dialect).page(connection, feed, reader, Filter(), ("stix_id",))
    return [row[0] for row in rows]


@pytest.mark.parametrize("known_before", [True, False])
@pytest.mark.parametrize("purpose", [None, "cib-detection", "research"])
def test_the_recipient_alone_reads_it_whatever_its_agreements_clearance_and_purpose(
    engine: Engine, known_before: bool, purpose: str | None
) -> None:
    if known_before:  # a profile that is older than the mailbox
        for org in PEOPLE:
            _seen(engine, org, org, purpose)
    for org in ("org-beta", "org-former"):
        with write(engine) as connection:
            assert send(connection, [notice(org)], NOW) == [notice(org)]
        assert _seen(engine, org, org, purpose)[1:] == [notice(org).id]
        assert _seen(engine, "org-gamma", org, purpose) == []


def test_a_notice_is_sent_once(engine: Engine) -> None:
    for _ in range(2):
        with write(engine) as connection:
            send(connection, [notice(), notice()], NOW)
    with read(engine) as connection:
        assert [row["id"] for row in list_notices(connection)] == [notice().id]
        row = find_notice(connection, notice().id, org="org-beta")
        assert row is not None
        assert (row["state"], json.loads(row["objects"])[0]["id"]) == ("open", INDICATOR)
        assert find_notice(connection, notice().id, org="org-gamma") is None
    assert len(_seen(engine, "org-beta", "org-beta", None)) == 2


def test_what_is_not_committed_was_not_sent(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), write(engine) as connection:
        assert 1 / (len(send(connection, [notice()], NOW)) - 1)
    with read(engine) as connection:
        assert list_notices(connection) == []
    assert _seen(engine, "org-beta", "org-beta", None) == []
