"""Who would get it, and why: the preview says what the push then does, and stores nothing; cibx push over TAXII."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller, envelope
from tests.e2e.members import SECRETS, collection_id
from tests.e2e.stix_objects import TLP, handling, indicator
from tests.e2e.test_explain import SHARED
from tests.fakes.apart import run_cibx

SETTINGS = {"CIBX_MAX_CONTENT_LENGTH": "20000"}
PATH = "/api/v1/previews"


def preview(caller: HttpCaller, lane: str, objects: Any, status: int = 200) -> Any:
    collection = collection_id(lane.split("/")[4])
    answer = caller.post(f"{PATH}?collection={collection}", envelope(objects))
    assert answer.status == status, answer.body
    return answer.json


@pytest.mark.parametrize("name", SHARED)
def test_the_preview_says_who_then_sees_it(exchange: ExchangeProcess, alpha: HttpCaller, lane: str, name: str) -> None:
    said = preview(alpha, lane, SHARED[name])
    (row,) = [row for row in said["objects"] if row["id"] == SHARED[name][-1]["id"]]
    assert row["outcome"] == "added"
    audience = {one["org"]: one for one in said["audiences"][row["audience"]]["recipients"]}
    assert set(audience) == {"org-beta", "org-gamma", "org-delta"}
    assert alpha.get(lane + "objects/").objects == [], "a preview stores nothing"
    alpha.push(lane + "objects/", SHARED[name])
    for reader in ("beta", "gamma", "delta"):
        seen = exchange.caller(reader).get(lane + "objects/").objects
        told = audience[f"org-{reader}"]
        gets = told["outcome"] != "denied" and f"org-{reader}" not in row.get("denied_whole", ())
        assert gets == any(one["type"] == "indicator" for one in seen), told
        assert (told["outcome"] == "granted") == (row["id"] in {one["id"] for one in seen})
        assert bool(told.get("reasons")) == (told["outcome"] != "granted")
    (again,) = [one for one in preview(alpha, lane, SHARED[name])["objects"] if one["id"] == row["id"]]
    assert again["outcome"] == "unchanged"


def test_refusals_are_those_of_the_push(alpha: HttpCaller, beta: HttpCaller, lane: str) -> None:
    mine = indicator("mine", object_marking_refs=[TLP["GREEN"]])
    beta.push(lane + "objects/", [mine])
    objects = [
        indicator("unmarked", object_marking_refs=["marking-definition--11111111-1111-4111-8111-111111111111"]),
        {"type": "indicator"},
        {**mine, "modified": "2026-02-01T00:00:00.000Z"},
        indicator("good"),
    ]
    foreseen = [(row["outcome"] == "refused", row.get("code", "")) for row in preview(alpha, lane, objects)["objects"]]
    status = alpha.push(lane + "objects/", objects).json
    codes = sorted(failure["message"].partition(":")[0] for failure in status["failures"])
    assert sorted(code for refused, code in foreseen if refused) == codes
    assert [refused for refused, _ in foreseen] == [True, True, True, False]


def test_one_outside_of_the_community_is_told_kinds_and_counts_only(exchange: ExchangeProcess) -> None:
    exchange.apply(
        '[[collection]]\ncommunity = "main"\nalias = "open"\nid = "99999999-0000-4000-8000-000000000001"\n'
        'title = "Open"\nreaders = ["*"]\nwriters = ["*"]\n[collection.default_terms]\ntlp = "TLP:CLEAR"\n'
        'purposes = ["cib-detection"]\nretention_days = 30\npersonal = "no"\nsubject_kind = "no-natural-person"\n'
    )
    outside = exchange.caller("outside")
    said = outside.post(f"{PATH}?collection=open", envelope([indicator("by an outsider")])).json
    (audience,) = said["audiences"]
    assert audience["recipients"] == []
    assert sum(row["organisations"] for row in audience["others"]) == 4
    assert b"org-" not in json.dumps(audience).encode()
    inside = exchange.caller("alpha").post(f"{PATH}?collection=open", envelope([indicator("by a member")])).json
    named = {row["org"] for row in inside["audiences"][0]["recipients"]}
    assert named == {"org-beta", "org-gamma", "org-delta"}
    assert inside["audiences"][0]["others"] == [{"kind": "platform", "outcome": "granted", "organisations": 1}]


def test_who_may_not_write_hears_of_no_such_collection(exchange: ExchangeProcess, gamma: HttpCaller) -> None:
    known = gamma.post(f"{PATH}?collection=alpha-only", envelope([indicator("x")]))
    unknown = gamma.post(f"{PATH}?collection=nowhere", envelope([indicator("x")]))
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert known.status == 404
    assert exchange.caller("reader").post(f"{PATH}?collection=indicators", envelope([indicator("x")])).status == 404
    assert gamma.post(PATH, envelope([indicator("x")])).status == 400
    assert gamma.post(f"{PATH}?collection=indicators", b"{", content_type="application/json").status == 400
    assert gamma.post(f"{PATH}?collection=indicators", b"{}", content_type="text/plain").status == 415


def cibx_push(exchange: ExchangeProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**exchange.environment, "SECRET": SECRETS["alpha"]}
    server = f"{exchange.url}/taxii2/lanes/"
    return run_cibx(["push", *arguments, "--server", server, "--user", "alpha", "--token-env", "SECRET"], environment,
                    exchange.folder, 90)


def test_a_file_is_pushed_in_parts_with_its_markings_first(
    exchange: ExchangeProcess, gamma: HttpCaller, lane: str, tmp_path: Path
) -> None:
    marking = handling("at the end", audience={"named_orgs": ["org-gamma"]})
    bound = [indicator(f"bound {n}", object_marking_refs=[TLP["AMBER"], marking["id"]]) for n in range(150)]
    bad = indicator("bad", object_marking_refs=["marking-definition--11111111-1111-4111-8111-111111111111"])
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps({"type": "bundle", "id": "bundle--x", "objects": [*bound, bad, marking]}))
    name = collection_id(lane.split("/")[4])
    shown = cibx_push(exchange, str(bundle), "--collection", name, "--preview")
    assert shown.returncode == 3, shown.stderr
    assert "org-gamma: granted" in shown.stdout
    assert "org-beta: denied" in shown.stdout
    assert gamma.get(lane + "objects/").objects == []
    done = cibx_push(exchange, str(bundle), "--collection", name)
    assert done.returncode == 3, done.stderr
    assert f"{bad['id']}: marking-missing" in done.stderr
    assert "151 are in, 1 refused" in done.stdout
    assert len(gamma.get(lane + "objects/").objects) == 151
    bundle.write_text(json.dumps(bound))
    assert cibx_push(exchange, str(bundle), "--collection", name).returncode == 0


@pytest.mark.parametrize("content", ["", "{", "[1, 2", '{"type": "bundle"}', '{"type": "bundle", "objects": []}'])
def test_a_file_that_holds_no_objects_is_refused(exchange: ExchangeProcess, tmp_path: Path, content: str) -> None:
    (tmp_path / "none.json").write_text(content)
    told = cibx_push(exchange, str(tmp_path / "none.json"), "--collection", "lane-001")
    assert told.returncode == 2, told.stdout + told.stderr
    assert told.stderr.startswith("cibx: ")
    assert "Traceback" not in told.stderr
