"""Over HTTP: erase what A shared and B received; B is told in plain STIX, D who never pulled isn't; answers come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from taxii2client.v21 import Collection as StockCollection

from exchange.client.notices import Notices
from exchange.client.taxii import Client
from exchange.model.mailbox import mailbox_id
from exchange.obligations.duties import DAY
from exchange.settings import Settings
from exchange.stix.extensions import NOTICE, RECORD
from exchange.wiring import Exchange
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import Answer, HttpCaller, assert_taxii_error, basic
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import indicator

BOX = "/taxii2/notices/collections/notices/"
OPERATOR = """
[[organisation]]
id = "org-office"
name = "Office of the exchange"
kind = "operator"
jurisdiction = "IE"
clearance = "TLP:RED"
[[organisation.credential]]
id = "dpo"
person = "dana@office.example"
scopes = ["protect"]
secret_env = "CIBX_SECRET_OF_ALPHA"
"""


@pytest.fixture(scope="module")
def officer(exchange: ExchangeProcess) -> Iterator[HttpCaller]:
    """The data-protection officer."""
    (exchange.folder / "office.toml").write_text(OPERATOR, encoding="utf-8")
    exchange.cibx("apply", str(exchange.folder / "office.toml"))
    caller = HttpCaller(exchange.port, basic("dpo", SECRETS["alpha"]))
    yield caller
    caller.close()


def change(caller: HttpCaller, stix_id: str, **body: Any) -> Answer:
    return post(caller, f"/api/v1/objects/{stix_id}/state", {"reason": "A demand under Art. 17.", **body})


def post(caller: HttpCaller, path: str, body: Any) -> Answer:
    return caller.post(path, json.dumps(body).encode(), content_type="application/json", accept=None)


def notes(caller: HttpCaller, about: str) -> list[dict[str, Any]]:
    """What the caller's mailbox says of an object."""
    found = [o for o in caller.get(BOX + "objects/").objects if o["type"] == "note" and about in o["object_refs"]]
    return [note["extensions"][NOTICE] | {"note": note["id"]} for note in found]


@pytest.fixture
def shared(alpha: HttpCaller, beta: HttpCaller, gamma: HttpCaller, lane: str) -> dict[str, Any]:
    """An indicator of alpha's that beta and gamma pulled, and delta didn't."""
    one = indicator()
    assert alpha.push(lane + "objects/", [one]).json["success_count"] == 1
    assert one["id"] in beta.get(lane + "objects/").ids
    assert one["id"] in gamma.get(f"{lane}objects/{one['id']}/").ids
    return one


def test_an_erasure_reaches_who_received_it_and_nobody_else(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, gamma: HttpCaller, lane: str, shared: dict[str, Any]
) -> None:
    stix_id = shared["id"]
    answer = change(alpha, stix_id, state="erased")
    assert answer.status == 200, answer
    assert (answer.json["from"], answer.json["to"]) == ("active", "erased")
    assert "notices" not in answer.json  # who else received it isn't the producer's to know
    for caller in (beta, gamma):
        (told,) = notes(caller, stix_id)
        assert (told["kind"], told["obligation"]) == ("erasure", "delete")
        assert told["objects"][0]["versions"] == [shared["modified"]]
    delta = exchange.caller("delta")
    for caller in (alpha, delta):
        assert notes(caller, stix_id) == []
    for caller in (alpha, beta, gamma, delta):
        gone, never = caller.get(f"{lane}objects/{stix_id}/"), caller.get(f"{lane}objects/{indicator()['id']}/")
        assert_taxii_error(gone, 404)
        assert gone.body == never.body
        assert caller.get(lane + "objects/").ids == []


def test_a_stock_client_reads_its_notices(
    exchange: ExchangeProcess, alpha: HttpCaller, shared: dict[str, Any]
) -> None:
    change(alpha, shared["id"], state="revoked")
    path = f"{exchange.url}/taxii2/notices/collections/{mailbox_id('org-beta')}/"
    box = StockCollection(path, user="beta", password=SECRETS["beta"])
    assert (box.can_read, box.can_write) == (True, False)
    assert any(shared["id"] in o.get("object_refs", ()) for o in box.get_objects()["objects"])


def test_mailboxes_of_others_do_not_exist(alpha: HttpCaller, beta: HttpCaller, shared: dict[str, Any]) -> None:
    change(alpha, shared["id"], state="restricted")
    own, other = (f"/taxii2/notices/collections/{mailbox_id(org)}/" for org in ("org-beta", "org-gamma"))
    assert beta.get(own).json["id"] == mailbox_id("org-beta")
    absent = beta.get("/taxii2/notices/collections/00000000-0000-4000-8000-000000000000/")
    for rest in ("", "objects/", "manifest/"):
        answer = beta.get(other + rest)
        assert_taxii_error(answer, 404)
        assert answer.body == absent.body
    assert [c["id"] for c in beta.get("/taxii2/notices/collections/").json["collections"]] == [mailbox_id("org-beta")]
    (told,) = notes(beta, shared["id"])
    assert_taxii_error(alpha.get(f"/api/v1/notices/{told['note']}", accept=None), 404)
    assert_taxii_error(post(alpha, f"/api/v1/notices/{told['note']}/acknowledgement", {"done": True}), 404)


@pytest.mark.parametrize("box", [BOX, f"/taxii2/notices/collections/{mailbox_id('org-beta')}/"])
def test_nobody_writes_into_a_mailbox(beta: HttpCaller, shared: dict[str, Any], box: str) -> None:
    assert_taxii_error(beta.push(box + "objects/", [shared]), 403)


@pytest.mark.parametrize("missing", [(), ("created_by_ref",), ("extensions",)])
def test_a_member_does_not_speak_as_the_exchange(
    alpha: HttpCaller, beta: HttpCaller, lane: str, shared: dict[str, Any], missing: tuple[str, ...]
) -> None:
    change(alpha, shared["id"], state="restricted")
    note = next(o for o in beta.get(BOX + "objects/").objects if shared["id"] in o.get("object_refs", ()))
    forged = {name: value for name, value in note.items() if name not in missing}
    status = beta.push(lane + "objects/", [forged | {"id": "note--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e5f"}]).json
    assert status["failures"][0]["message"].startswith("not-object-creator")


def test_a_member_writes_no_record_and_no_identity_of_the_exchange(
    alpha: HttpCaller, beta: HttpCaller, lane: str, shared: dict[str, Any]
) -> None:
    change(alpha, shared["id"], state="restricted")
    note = next(o for o in beta.get(BOX + "objects/").objects if shared["id"] in o.get("object_refs", ()))
    times = {"spec_version": "2.1", "created": note["created"], "modified": note["modified"]}
    record = {"type": "note", **times, "id": "note--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e60", "content": "A record.",
              "object_refs": [shared["id"]], "extensions": {RECORD: {
                  "extension_type": "property-extension", "contributor": "org-alpha", "confirmed": 0,
                  "overturned": 9}}}
    identity = {"type": "identity", **times, "id": note["created_by_ref"], "name": "The exchange"}
    failures = beta.push(lane + "objects/", [record, identity]).json["failures"]
    assert [f["message"].partition(":")[0] for f in failures] == ["not-object-creator"] * 2, failures


@pytest.mark.parametrize("key", ["gamma", "gamma-ana", "writer", "reader"])
def test_every_credential_of_the_organisation_opens_its_mailbox(
    exchange: ExchangeProcess, alpha: HttpCaller, shared: dict[str, Any], key: str
) -> None:
    change(alpha, shared["id"], state="restricted")
    caller = exchange.caller(key)
    assert len(notes(caller, shared["id"])) == 1
    caller.close()


def test_a_former_member_keeps_its_notices_and_nothing_else(
    exchange: ExchangeProcess, alpha: HttpCaller, gamma: HttpCaller, lane: str, shared: dict[str, Any]
) -> None:
    exchange.cibx("org", "suspend", "org-gamma")
    try:
        change(alpha, shared["id"], state="erased")
        (told,) = notes(gamma, shared["id"])
        assert gamma.get("/taxii2/").json["api_roots"] == [f"{exchange.url}/taxii2/notices/"]
        answer = post(gamma, f"/api/v1/notices/{told['note']}/acknowledgement", {"done": True})
        assert answer.json["state"] == "done"
        for path in (lane, lane + "objects/", "/taxii2/main/", "/api/v1/objects/x/state", "/taxii2/extensions/"):
            assert_taxii_error(gamma.get(path), 401)
        assert_taxii_error(gamma.get("/api/v1/notices?of=everyone", accept=None), 403)
    finally:
        exchange.cibx("org", "reinstate", "org-gamma")
    assert gamma.get(lane).status == 200


def test_a_recipient_answers_and_the_answer_is_kept(
    exchange: ExchangeProcess, alpha: HttpCaller, shared: dict[str, Any]
) -> None:
    change(alpha, shared["id"], state="erased")
    client = Client(f"{exchange.url}/taxii2/", "beta", SECRETS["beta"])
    own = Notices(exchange.url, client._session)
    (notice,) = [n for n in own.awaited() if n["objects"][0]["id"] == shared["id"]]
    assert own.acknowledge(notice["id"], done=False, statement="The backup is overwritten on Friday.")["state"] == "not-done"
    assert notice["id"] in [n["id"] for n in own.awaited()]
    assert own.acknowledge(notice["id"], done=True)["state"] == "done"
    assert notice["id"] not in [n["id"] for n in own.awaited()]
    kept = json.loads(exchange.cibx("notice", "show", notice["id"]))
    assert [(a["done"], a["by"]) for a in kept["answers"]] == [(False, "beta"), (True, "beta")]


# -- who may, and what is refused


def test_only_its_producer_and_the_officer_change_an_object(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, officer: HttpCaller, lane: str, shared: dict[str, Any]
) -> None:
    stix_id = shared["id"]
    absent = change(beta, indicator()["id"], state="erased")
    for caller in (beta, exchange.caller("outside"), exchange.caller("writer")):
        refused = change(caller, stix_id, state="erased")
        assert_taxii_error(refused, 404)
        assert refused.body == absent.body
        assert_taxii_error(caller.get(f"/api/v1/objects/{stix_id}/state", accept=None), 404)
    assert_taxii_error(change(exchange.caller("reader"), stix_id, state="erased"), 403)
    assert_taxii_error(change(alpha, stix_id, state="hold"), 403)
    assert shared in beta.get(lane + "objects/").objects
    held = change(officer, stix_id, state="hold")
    assert held.status == 200, held
    deleted = alpha.delete(f"{lane}objects/{stix_id}/")
    assert_taxii_error(deleted, 403)
    assert deleted.json["error_code"] == "legal-hold"
    erased = change(alpha, stix_id, state="erased")
    assert (erased.status, erased.json["code"]) == (200, "legal-hold")
    assert officer.get(f"/api/v1/objects/{stix_id}/state", accept=None).json["objects"][0]["legal_hold"] is True


@pytest.mark.parametrize("body", [
    {}, {"state": "gone"}, {"state": "erased", "reason": ""}, {"state": "erased", "reason": 5}, {"state": 4},
    {"state": "erased", "reason": "r", "who": "me"}, {"state": "erased", "reason": "r" * 3_000},
])  # fmt: skip
def test_a_malformed_change_changes_nothing(
    alpha: HttpCaller, beta: HttpCaller, lane: str, shared: dict[str, Any], body: dict[str, Any]
) -> None:
    assert_taxii_error(post(alpha, f"/api/v1/objects/{shared['id']}/state", body), 400, 422)
    assert shared in beta.get(lane + "objects/").objects


@pytest.mark.parametrize("body", [{}, {"done": "yes"}, {"done": False}, {"done": True, "statement": 1}, {"done": 1}])
def test_a_malformed_answer_is_refused(
    alpha: HttpCaller, beta: HttpCaller, shared: dict[str, Any], body: dict[str, Any]
) -> None:
    change(alpha, shared["id"], state="restricted")
    (told,) = notes(beta, shared["id"])
    assert_taxii_error(post(beta, f"/api/v1/notices/{told['note']}/acknowledgement", body), 400, 422)


# -- what a push owes


def test_a_pushed_revocation_is_a_stub_for_recipients_and_nothing_for_others(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, lane: str, shared: dict[str, Any]
) -> None:
    revoked = shared | {"revoked": True, "modified": "2026-02-01T00:00:00.000Z"}
    alpha.push(lane + "objects/", [revoked])
    assert [o["modified"] for o in beta.get(lane + "objects/").objects] == [revoked["modified"]]
    assert [(t["kind"], t["obligation"]) for t in notes(beta, shared["id"])] == [("revocation", "stop-using")]
    delta = exchange.caller("delta")
    assert delta.get(lane + "objects/").ids == []
    later = alpha.push(lane + "objects/", [shared | {"modified": "2026-03-01T00:00:00.000Z"}]).json
    assert later["failures"][0]["message"].startswith("revoked-permanently")


GREEN, AMBER = (f"marking-definition--{tail}" for tail in (
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "55d920b0-5e8b-4f79-9ee9-91f868d9b421"))  # fmt: skip


@pytest.mark.parametrize(("change_of", "kinds"), [
    ({}, []),
    ({"labels": ["rectified"]}, ["rectification"]),
    ({"object_marking_refs": [GREEN]}, []),
    ({"object_marking_refs": [AMBER]}, ["relabel"]),
    ({"object_marking_refs": [AMBER], "labels": ["rectified"]}, ["rectification", "relabel"]),
], ids=str)  # fmt: skip
def test_a_new_version_tells_who_received_the_former(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, lane: str, shared: dict[str, Any],
    change_of: dict[str, Any], kinds: list[str],
) -> None:  # fmt: skip
    alpha.push(lane + "objects/", [shared | {"modified": "2026-02-01T00:00:00.000Z", **change_of}])
    assert sorted(t["kind"] for t in notes(beta, shared["id"])) == kinds
    delta = exchange.caller("delta")
    assert notes(delta, shared["id"]) == []
    delta.close()


def test_the_command_line_does_the_same_by_a_named_person(
    exchange: ExchangeProcess, beta: HttpCaller, shared: dict[str, Any]
) -> None:
    told = exchange.cibx("state", "erase", shared["id"], "--by", "Dana", "--reason", "Art. 17.")
    assert "active -> erased" in told
    assert "2 recipients told" in told
    assert [t["kind"] for t in notes(beta, shared["id"])] == ["erasure"]
    shown = json.loads(exchange.cibx("state", "show", shared["id"]))
    assert shown[0]["changes"][0]["key"] == "person:Dana"
    assert notes(beta, shared["id"])[0]["note"] in exchange.cibx("notice", "list", "--org", "org-beta")


# -- the last one: everybody who was silent until now is suspended too


def test_silence_escalates_and_then_suspends_the_agreement(
    exchange: ExchangeProcess, alpha: HttpCaller, officer: HttpCaller, lane: str
) -> None:
    delta, one = exchange.caller("delta"), indicator()
    alpha.push(lane + "objects/", [one])
    assert delta.get(lane + "objects/").ids == [one["id"]]
    change(alpha, one["id"], state="erased")
    (told,) = notes(delta, one["id"])
    later = Exchange(Settings(database_url=exchange.environment["CIBX_DATABASE_URL"]))
    now = later.clock()
    assert not any(told["note"] in line for line in later.obligations.sweep(now + 6 * DAY))
    assert any(told["note"] in line for line in later.obligations.sweep(now + 8 * DAY))
    assert later.obligations.sweep(now + 8 * DAY) == []
    (asked,) = notes(officer, one["id"])
    assert (asked["obligation"], told["note"] in asked["reason"]) == ("follow-up", True)
    listed = officer.get("/api/v1/notices?of=everyone&show=overdue", accept=None)
    assert listed.status == 200
    again = indicator()
    alpha.push(lane + "objects/", [again])
    assert delta.get(lane + "objects/").ids == [again["id"]]
    assert any("suspended: org-delta" in line for line in later.obligations.sweep(now + 15 * DAY))
    later.engine.dispose()
    assert delta.get(lane + "objects/").ids == []
    assert len(notes(delta, one["id"])) == 1
    assert post(delta, f"/api/v1/notices/{told['note']}/acknowledgement", {"done": True}).json["state"] == "done"
