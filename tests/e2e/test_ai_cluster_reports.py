"""An AI lab's report from POST to another member's pull, a new version, and its withdrawal, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.ailab.convert import to_stix
from exchange.stix.extensions import ACCOUNT, NOTICE, RELATIONSHIP
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import Answer, HttpCaller
from tests.fakes.lab_reports import FULL, Form, form

BOX = "/taxii2/notices/collections/notices/"
FACTS = {"impersonated": "real-paper.example", "targeted": "a_real_voter"}


def fresh(name: str, base: Form = FULL, **changes: Any) -> Form:
    """A report of its own cluster, to be kept for some months from today."""
    until = (datetime.now(UTC) + timedelta(days=100)).date().isoformat()
    made = form(base, report_id=f"rpt-{name}", handling__retain_until=until, cluster__cluster_id=f"CL-{name}", **changes)
    made["published"] = changes.get("published", "2026-06-10T09:00:00Z")
    return made


def post(caller: HttpCaller, lane: str, body: Any) -> Answer:
    return caller.post(f"/api/v1/ai-cluster-reports?collection={lane.split('/')[-2]}", json.dumps(body).encode(),
                       content_type="application/json", accept=None)


def pull(caller: HttpCaller, lane: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in caller.get(lane + "objects/").objects}


def of(objects: dict[str, dict[str, Any]], type_name: str) -> list[dict[str, Any]]:
    return [one for one in objects.values() if one["type"] == type_name]


def notes(caller: HttpCaller) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in caller.get(BOX + "objects/?limit=1000").objects if one["type"] == "note"}


def told(caller: HttpCaller, before: dict[str, Any] | None = None) -> dict[str, str]:
    """Id of each object that the caller's mailbox speaks of, to the kind of notice; of new notes where old ones are given."""
    fresh = [note for stix_id, note in notes(caller).items() if stix_id not in (before or {})]
    return {ref: note["extensions"][NOTICE]["kind"] for note in fresh for ref in note["object_refs"]}


def test_a_report_comes_in_and_another_member_gets_what_it_may(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    answer = post(beta, lane, fresh("first"))
    assert answer.status == 200, answer.body
    assert answer.json["refused"] == 0
    assert answer.json["added"] == answer.json["total_count"] == len(to_stix(fresh("first")))
    assert answer.headers["cibx-receipt"] == answer.json["receipt"]
    got = pull(gamma, lane)
    patterns = " ".join(one["pattern"] for one in of(got, "indicator") if one["indicator_types"] != ["benign"])
    assert "lorem_ipsum9" in patterns
    assert "dolor-news.example" in patterns
    assert not any(value in one["pattern"] for value in FACTS.values() for one in of(got, "indicator"))
    relations = {one["extensions"][RELATIONSHIP].get("relation") for one in of(got, "relationship")
                 if RELATIONSHIP in one.get("extensions", {})}
    assert {"operated", "impersonated", "legitimate-mention", "unknown"} <= relations
    assert [one["pattern"] for one in of(got, "indicator") if one["indicator_types"] == ["benign"]] == [
        "[url:value = 'https://fact-check.example/lorem']"]
    accounts = [one["extensions"].get(ACCOUNT, {}) for one in of(got, "user-account")]
    hashed = [len(one["hashed_identifiers"]) for one in accounts if "hashed_identifiers" in one]
    assert sorted(hashed) == [1, 2]
    assert "a_real_voter" not in json.dumps(list(got.values()))  # whom it targeted isn't named to all (R10)


def test_the_same_report_twice_adds_nothing(beta: HttpCaller, lane: str) -> None:
    first, again = post(beta, lane, fresh("twice")), post(beta, lane, fresh("twice"))
    assert again.status == 200
    assert (again.json["added"], again.json["unchanged"]) == (0, first.json["added"])


def test_every_fault_is_told_and_nothing_is_stored(beta: HttpCaller, lane: str) -> None:
    bad = fresh("faulty", prompts=["x"], cluster__boundary="mail jane.doe@lorem.example")
    del bad["published"]
    bad["version"] = "2"
    answer = post(beta, lane, bad)
    assert answer.status == 422
    assert {(fault["path"], fault["code"]) for fault in answer.json["faults"]} == {
        ("prompts", "field-unknown"), ("cluster.boundary", "personal-data"), ("published", "field-missing"),
        ("version", "field-invalid"),
    }  # fmt: skip
    assert b"jane.doe" not in answer.body
    assert beta.get(lane + "objects/").objects == []


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"{", 422), (b"[]", 422), (b'{"a": 1, "a": 2}', 422)])
def test_what_is_no_form_is_refused_with_a_sentence(beta: HttpCaller, lane: str, body: bytes, status: int) -> None:
    path = f"/api/v1/ai-cluster-reports?collection={lane.split('/')[-2]}"
    answer = beta.post(path, body, content_type="application/json", accept=None)
    assert answer.status == status
    assert answer.json["description"] or answer.json["title"]


def test_a_version_that_is_ahead_is_refused_with_a_sentence(beta: HttpCaller, lane: str) -> None:
    answer = post(beta, lane, fresh("ahead", schema_version="2"))
    assert answer.status == 422
    assert answer.json["faults"][0]["code"] == "version-unsupported"
    assert "0.1 and 1" in answer.json["faults"][0]["sentence"]


def test_nothing_enters_without_a_basis_that_the_policy_takes(beta: HttpCaller, lane: str) -> None:
    without = fresh("no-basis")
    del without["handling"]["legal_basis"]["assessment_ref"]
    answer = post(beta, lane, without)
    assert answer.status == 422
    assert {row["code"] for row in answer.json["objects"]} == {"lia-missing"}
    assert beta.get(lane + "objects/").objects == []


def test_who_may_not_write_may_not_report(exchange: ExchangeProcess, nobody: HttpCaller, lane: str) -> None:
    assert post(nobody, lane, fresh("nobody")).status == 401
    assert post(exchange.caller("reader"), lane, fresh("reader")).status == 403
    assert post(exchange.caller("outside"), lane, fresh("outside")).status == 404


def test_a_withdrawn_report_is_revoked_and_who_has_it_is_told(
    exchange: ExchangeProcess, beta: HttpCaller, gamma: HttpCaller, lane: str
) -> None:
    one = fresh("gone")
    post(beta, lane, one)
    had = pull(gamma, lane)
    answer = post(beta, lane, {**one, "version": 2, "status": "withdrawn", "published": "2026-07-01T09:00:00Z"})
    assert answer.status == 200, answer.body
    left, notices = pull(gamma, lane), told(gamma)
    mine = {stix_id: obj for stix_id, obj in had.items() if obj["type"] not in ("marking-definition", "identity")}
    assert all(notices.get(stix_id) == "revocation" for stix_id in mine), set(mine) - set(notices)
    assert all(left[stix_id].get("revoked") is True for stix_id in set(mine) & set(left))
    assert not {obj["type"] for obj in left.values()} & {"user-account", "domain-name", "campaign", "attack-pattern"}
    seen_late = pull(exchange.caller("delta"), lane)
    assert {obj["type"] for obj in seen_late.values()} <= {"marking-definition", "identity"}
    assert post(beta, lane, one).status == 409
    assert post(beta, lane, {**one, "version": 2, "status": "withdrawn", "published": "2026-07-01T09:00:00Z"}).status == 200


def test_what_another_report_of_the_lab_still_names_stays(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    one, other = fresh("stays-1"), fresh("stays-2", external_assets=FULL["external_assets"][:2])
    post(beta, lane, one)
    post(beta, lane, other)
    pull(gamma, lane)
    before = notes(gamma)
    post(beta, lane, {**one, "version": 2, "status": "withdrawn", "published": "2026-07-01T09:00:00Z"})
    left, notices = pull(gamma, lane), told(gamma, before)
    assert notices
    kept = {obj["id"] for obj in to_stix(other)}
    assert kept <= set(left)
    assert not kept & set(notices)
    assert not any(left[stix_id].get("revoked") for stix_id in kept)
    assert "real-paper.example" not in {obj.get("value") for obj in left.values()}


def test_after_a_withdrawal_the_same_accounts_may_be_reported_again(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    one = fresh("again")
    post(beta, lane, one)
    post(beta, lane, {**one, "version": 2, "status": "withdrawn", "published": "2026-07-01T09:00:00Z"})
    answer = post(beta, lane, {**one, "report_id": "rpt-again-2", "published": "2026-07-02T09:00:00Z"})
    assert answer.json["refused"] == 0
    assert "lorem_ipsum9" in " ".join(one["pattern"] for one in of(pull(gamma, lane), "indicator") if not one.get("revoked"))


def test_a_new_version_changes_and_takes_back_what_it_leaves_out(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    one = fresh("grows")
    post(beta, lane, one)
    pull(gamma, lane)
    later = {**one, "version": 2, "status": "updated", "published": "2026-07-01T09:00:00Z",
             "external_assets": one["external_assets"][1:]}  # fmt: skip
    later["cluster"] = {**one["cluster"], "accounts_actioned": {"count": 31}}
    answer = post(beta, lane, later)
    assert answer.json["refused"] == 0
    got = pull(gamma, lane)
    (campaign,) = of(got, "campaign")
    assert campaign["modified"] == "2026-07-01T09:00:00.001Z"
    assert '"count": 31' in json.dumps(campaign)
    gone = [obj["id"] for obj in to_stix(one) if "lorem_ipsum9" in json.dumps(obj)]
    assert gone
    assert all(told(gamma)[stix_id] == "revocation" and stix_id not in got for stix_id in gone)
    assert post(beta, lane, one).status == 409
    assert post(beta, lane, {**later, "cluster": one["cluster"]}).status == 409


def test_the_same_report_over_taxii_means_the_same(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    one = fresh("taxii")
    status = beta.push(lane + "objects/", to_stix(one)).json
    assert (status["failure_count"], status["success_count"]) == (0, len(to_stix(one)))
    pull(gamma, lane)
    assert post(beta, lane, one).json["added"] == 0
    gone = {**one, "version": 2, "status": "withdrawn", "published": "2026-07-01T09:00:00Z"}
    assert beta.push(lane + "objects/", to_stix(gone)).json["failure_count"] == 0
    campaign = next(obj["id"] for obj in to_stix(one) if obj["type"] == "campaign")
    assert told(gamma)[campaign] == "revocation"
    assert campaign not in pull(gamma, lane)


def test_a_provider_who_must_not_be_named_is_not(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    secret = fresh("secret", handling__name_provider="must-not")
    assert post(beta, lane, secret).status == 200
    got = json.dumps(list(pull(gamma, lane).values())).casefold()
    assert "operation dolor" in got
    for word in ("lorem ai", "lorem-4", "lorem.example", "rpt-secret", "created_by_ref"):
        assert word not in got, word


def test_the_schema_is_there_for_anybody(nobody: HttpCaller) -> None:
    (listed,) = nobody.get("/api/v1/schemas", accept=None).json["schemas"]
    answer = nobody.get(listed["url"], accept=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.json["title"] == listed["title"]
    assert nobody.get("/api/v1/schemas/ai-cluster-report/9", accept=None).status == 404


def test_a_provider_who_must_be_named_is(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    assert post(beta, lane, fresh("proud", handling__name_provider="must")).status == 200
    got = pull(gamma, lane)
    (lab,) = [one for one in of(got, "identity") if one["name"] == "Lorem AI"]
    assert {one["created_by_ref"] for one in of(got, "indicator")} == {lab["id"]}


def test_amber_without_an_audience_reaches_nobody_else(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    assert post(beta, lane, fresh("amber", handling__tlp="amber")).status == 200
    assert gamma.get(lane + "objects/").objects == []
    assert beta.get(lane + "objects/").objects != []


def test_a_new_version_may_tell_more_identifiers_of_an_account(beta: HttpCaller, gamma: HttpCaller, lane: str) -> None:
    one = fresh("accounts")
    post(beta, lane, {**one, "account_identifiers": one["account_identifiers"][:1]})
    pull(gamma, lane)
    assert post(beta, lane, {**one, "version": 2, "published": "2026-07-01T09:00:00Z"}).json["refused"] == 0
    accounts = [one["extensions"].get(ACCOUNT, {}) for one in of(pull(gamma, lane), "user-account")]
    hashed = {one["value"] for account in accounts for one in account.get("hashed_identifiers", ())}
    assert hashed == {one["value"] for one in one["account_identifiers"]}
