"""A contest over HTTP, from the push to what recipients undid, on both engines; emergencies and records beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.stix.timestamp import from_microseconds
from exchange.wiring import system_clock
from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import collection_id, description
from tests.e2e.stix_objects import TLP, indicator

API = "/api/v1/"
COURT = """
[[organisation]]
id = "org-court"
name = "Court"
kind = "civil-society"
jurisdiction = "NL"
groups = ["circle"]
[[organisation]]
id = "org-runner"
name = "Runner"
kind = "operator"
jurisdiction = "NL"
"""
ISSUED = (("org-court", "rita", "review"), ("org-court", "ada", "audit"), ("org-runner", "eva", "operate"),
          ("org-runner", "eva2", "emergency"), ("org-court", "zoe", "emergency"))


class Court:
    """A serving exchange with people who judge and run it."""

    def __init__(self, exchange: ExchangeProcess) -> None:
        self.exchange = exchange
        self.people: dict[str, HttpCaller] = {}
        exchange.apply(description() + COURT)
        for org, person, scope in ISSUED:
            printed = exchange.cibx("credential", "issue", org, "--person", person.rstrip("2"), "--scope", scope)
            token = next(word for word in printed.split() if word.startswith("cibx_"))
            caller = exchange.caller()
            caller.authorization = f"Bearer {token}"
            self.people[person] = caller

    def __getitem__(self, who: str) -> HttpCaller:
        if who not in self.people:
            self.people[who] = self.exchange.caller(who)
        return self.people[who]

    def post(self, who: str, path: str, status: int, **body: Any) -> Any:
        answer = self[who].ask("POST", API + path, body=json.dumps(body).encode(), accept="application/json",
                               headers={"Content-Type": "application/json"})
        assert answer.status == status, (answer.status, answer.body)
        return answer.json

    def get(self, who: str, path: str, status: int = 200) -> Any:
        answer = self[who].ask("GET", API + path, accept="application/json")
        assert answer.status == status, (answer.status, answer.body)
        return answer.json

    def notices(self, who: str) -> list[dict[str, Any]]:
        """The notices in a member's mailbox, as any TAXII client reads them."""
        answer = self[who].get("/taxii2/notices/collections/notices/objects/")
        return [o for o in answer.objects if o["type"] == "note"]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def court(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    url = ""
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("postgres_server"), "contest")
    workers = 2 if url else 1
    with serving(tmp_path_factory.mktemp("exchange"), database_url=url, workers=workers) as running:
        yield Court(running)


def shared(court: Court) -> tuple[str, dict[str, Any]]:
    """A lane and an object of alpha in it that beta and gamma have pulled."""
    lane = court.exchange.next_lane()
    obj = indicator()
    assert court["alpha"].push(lane + "objects/", [obj]).status == 202
    for who in ("beta", "gamma"):
        assert court[who].get(lane + "objects/").ids == [obj["id"]]
    return lane, obj


def open_case(court: Court, lane: str, stix_id: str) -> str:
    made = court.post("gamma", "cases", 201, collection=collection_id(lane.split("/")[4]), objects=[stix_id],
                      grounds="It is a fan club.", evidence=["ab" * 32])
    return str(made["id"])


def test_a_contest_from_the_push_to_what_recipients_undid(court: Court) -> None:
    before = court.get("alpha", "records")["own"]["overturned"]
    lane, obj = shared(court)
    case = open_case(court, lane, obj["id"])
    assert any(case in note["content"] for note in court.notices("alpha"))
    assert court.post("alpha", f"cases/{case}/answer", 200, statement="We stand by it.")["stage"] == "answered"
    ended = court.post("rita", f"cases/{case}/review", 200, outcome="reversed", statement="It is a fan club.")
    assert ended["stage"] == "reversed"
    assert court["delta"].get(lane + "objects/").json == {"more": False}
    recall = next(note for note in court.notices("beta") if case in note["content"])
    assert recall["object_refs"] == [obj["id"]]
    court.post("beta", f"notices/{recall['id']}/acknowledgement", 200, done=True, statement="Two labels taken off.")
    undone = court.get("ada", f"cases/{case}")["undone"]
    assert [(one["state"], [a["statement"] for a in one["answers"]]) for one in undone if one["org"] == "org-beta"] == [
        ("done", ["Two labels taken off."])]
    assert court.get("alpha", "records")["own"]["overturned"] == before + 1
    listed = court["delta"].get("/taxii2/records/collections/records/objects/").objects
    assert f"{before + 1} overturned." in next(o for o in listed if o.get("abstract") == "Record of org-alpha")["content"]


def test_a_redacted_form_is_contested_by_the_id_that_its_reader_knows(court: Court) -> None:
    lane = court.exchange.next_lane()
    obj = indicator("partly", description="the secret part", granular_markings=[
        {"marking_ref": TLP["AMBER"], "selectors": ["description"]}])
    assert court["alpha"].push(lane + "objects/", [obj]).json["failure_count"] == 0
    (form,) = court["gamma"].get(lane + "objects/").ids
    assert form != obj["id"]
    asked = {"collection": collection_id(lane.split("/")[4]), "grounds": "It is a fan club."}
    standing = court.get("gamma", f"objects/{form}/standing")
    assert (standing["id"], standing["single_source"]) == (form, True)
    assert obj["id"] not in str(standing)
    for who, unknown in (("gamma", obj["id"]), ("alpha", form)):
        court.get(who, f"objects/{unknown}/standing", 404)
        court.post(who, "cases", 404, objects=[unknown], **asked)
    case = str(court.post("gamma", "cases", 201, objects=[form], **asked)["id"])
    shown = {who: court.get(who, f"cases/{case}") for who in ("gamma", "alpha", "ada")}
    assert {who: one["objects"] for who, one in shown.items()} == {
        "gamma": [form], "alpha": [obj["id"]], "ada": [obj["id"]]}
    assert next(n for n in court.notices("alpha") if case in n["content"])["object_refs"] == [obj["id"]]
    court.post("alpha", f"cases/{case}/answer", 200, statement="We stand by it.")
    court.post("rita", f"cases/{case}/review", 200, outcome="reversed", statement="It is a fan club.")
    told = [n for n in court.notices("gamma") if case in n["content"]]
    assert told
    assert all(n["object_refs"] == [form] for n in told)
    assert obj["id"] not in str([court.get("gamma", f"cases/{case}"), told])
    assert court["gamma"].get(lane + "objects/").json == {"more": False}


def test_who_is_no_party_gets_the_answer_of_an_unknown_case(court: Court) -> None:
    lane, obj = shared(court)
    case = open_case(court, lane, obj["id"])
    hidden, unknown = (court.get("delta", path, 404) for path in (f"cases/{case}", "cases/case--unknown"))
    assert hidden == unknown
    court.post("delta", f"cases/{case}/answer", 404, statement="x")
    court.post("gamma", f"cases/{case}/answer", 403, statement="x")
    court.post("rita", f"cases/{case}/review", 422, outcome="upheld", statement="too early")
    assert [one["id"] for one in court.get("delta", "cases")["cases"]] == []


@pytest.mark.parametrize("body", [
    {}, {"objects": "x"}, {"collection": 1}, {"unknown": "key"},
    {"collection": collection_id("indicators"), "objects": ["indicator--none"], "grounds": ""},
    {"collection": collection_id("indicators"), "objects": ["indicator--none"], "grounds": "x", "evidence": ["clear"]},
])
def test_what_is_no_contest_is_refused_in_a_sentence(court: Court, body: dict[str, Any]) -> None:
    answer = court["gamma"].ask("POST", API + "cases", body=json.dumps(body).encode(), accept="application/json",
                                headers={"Content-Type": "application/json"})
    assert answer.status in {404, 422}
    assert answer.json["title"]


def test_an_emergency_is_reviewed_by_somebody_else_before_the_next(court: Court) -> None:
    now = "2099-01-01T00:00:00Z"
    court.post("eva", "emergencies", 403, until=now, reason="x", collections=["*"])
    court.post("eva2", "emergencies", 422, until=now, reason="x", collections=["*"])
    until = from_microseconds(system_clock() + 3_600_000_000)
    made = court.post("eva2", "emergencies", 201, until=until, reason="election", collections=["*"], people=["max"])
    assert made["status"] == "in-force"
    lane, obj = shared(court)
    opened = court.post("gamma", "cases", 201, collection=collection_id(lane.split("/")[4]), objects=[obj["id"]],
                        grounds="x")
    assert opened["answer_due"] < from_microseconds(system_clock() + 25 * 3_600_000_000)
    court.post("eva2", f"emergencies/{made['id']}/end", 200)
    court.post("eva2", "emergencies", 403, until=until, reason="again", collections=["*"])
    court.post("eva2", f"emergencies/{made['id']}/review", 403, findings="all was well")
    assert court.post("zoe", f"emergencies/{made['id']}/review", 200, findings="well")["status"] == "reviewed"
    again = court.post("eva2", "emergencies", 201, until=until, reason="again", collections=["*"])
    court.post("eva2", f"emergencies/{again['id']}/end", 200)
    assert [one["id"] for one in court.get("ada", "emergencies")["emergencies"]][:2] == [again["id"], made["id"]]
    court.get("delta", "emergencies", 403)


def test_standing_says_that_one_source_is_one_source(court: Court) -> None:
    _, obj = shared(court)
    found = court.get("delta", f"objects/{obj['id']}/standing")
    assert (found["stage"], found["single_source"], found["independent_reports"]) == ("observe", True, 1)
    court.get("outside", f"objects/{obj['id']}/standing", 404)
    court.get("delta", "objects/indicator--none/standing", 404)


def test_the_command_line_lists_and_rolls_back(court: Court) -> None:
    lane, obj = shared(court)
    open_case(court, lane, obj["id"])
    auditor = next(row["id"] for row in json.loads(court.exchange.cibx("credential", "list", "--json"))
                   if row["person"] == "ada")
    assert obj["id"] in court.exchange.cibx("case", "list", "--unfinished", "--as", auditor)
    assert court.exchange.cibx("case", "held").splitlines()[0].split() == [
        "number", "org", "since", "outcome", "reason"]
    printed = court.exchange.cibx("case", "rollback", "org-alpha", "--since", "2026-01-01T00:00:00Z", "--by", "eva")
    assert "recipients told" in printed
    assert court["delta"].get(lane + "objects/").json == {"more": False}
    assert any(obj["id"] in note["object_refs"] for note in court.notices("beta") if "Recalled" in note["abstract"])
