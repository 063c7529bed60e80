"""What may not be seen, what is gone and what never was are answered alike, byte for byte and with as much work (P16).

Beside TAXII (``tests/e2e/test_non_interference.py``): every way under /api/v1 to ask about an object, a case, a push, a
webhook or a notice. Work is told by the number of statements that the database is asked, not by time.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from exchange.model.description import read_description
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.web.app import create_app
from exchange.wiring import Exchange, prepare
from tests.e2e.http_caller import TAXII, basic
from tests.e2e.members import SECRETS, collection_id, description, environment_name
from tests.e2e.stix_objects import DAY, TLP, fixed_id, indicator

COLLECTION, OTHER = collection_id("indicators"), collection_id("alpha-only")
OBJECTS = f"/taxii2/main/collections/{COLLECTION}/objects/"
_MOMENT = re.compile(r'(?<="until":")[^"]+')
"""When what was pushed now ends."""
ABSENT_NAME = "00000000-0000-4000-8000-000000000000"


@dataclass
class Served:
    """The application, and how many statements its database was asked."""

    client: FlaskClient
    statements: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What is named in paths, such as the id of a case of others."""

    def ask(self, key: str, method: str, path: str, body: Any = None, kind: str = "application/json") -> TestResponse:
        """One request of a member."""
        headers = {"Authorization": basic(key, SECRETS[key]), "Accept": "*/*"}
        data = None if body is None else json.dumps(body)
        return self.client.open(path, method=method, headers=headers, data=data,
                                content_type=None if body is None else kind)

    def push(self, one: Mapping[str, Any], path: str = OBJECTS) -> TestResponse:
        """alpha gives an object."""
        pushed = self.ask("alpha", "POST", path, {"objects": [one]}, TAXII)
        assert pushed.json
        assert pushed.json["success_count"] == 1, pushed.data
        return pushed


def _secret(word: str) -> dict[str, Any]:
    return indicator(word, object_marking_refs=[TLP["AMBER"]])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    settings = Settings(database_url=f"sqlite:///{folder / 'cibx.db'}")
    prepare(settings)
    exchange = Exchange(settings)
    made = Served(create_app(exchange).test_client())
    event.listen(exchange.engine, "connect", lambda link, _: link.set_trace_callback(made.statements.append))
    secrets = {environment_name(key): secret for key, secret in SECRETS.items()}
    with read(exchange.engine) as connection:
        known = load_directory(connection)
    with write(exchange.engine) as connection:
        apply(connection, read_description(tomllib.loads(description(lanes=1)), known, secrets, source="members"))
    _fill(made)
    yield made
    exchange.engine.dispose()


def _fill(made: Served) -> None:
    for word in ("invisible", "deleted", "erased"):
        made.names["status"] = str((made.push(_secret(word)).json or {})["id"])
    made.push(indicator("elsewhere"), f"/taxii2/main/collections/{OTHER}/objects/")
    made.push(indicator("seen"))
    assert made.ask("alpha", "DELETE", f"{OBJECTS}{_secret('deleted')['id']}/").status_code == 200
    erased = made.ask("alpha", "POST", f"/api/v1/objects/{_secret('erased')['id']}/state", {"state": "erased", "reason": "x"})
    assert erased.status_code == 200, erased.data
    case = made.ask("beta", "POST", "/api/v1/cases", {"collection": COLLECTION, "objects": [indicator("seen")["id"]],
                                                      "grounds": "Ours"})
    assert case.status_code == 201, case.data
    hook = made.ask("alpha", "POST", "/api/v1/webhooks", {"collection": COLLECTION, "url": "https://hook.example/"})
    notices = made.ask("alpha", "GET", "/api/v1/notices?show=all").json or {}
    made.names |= {"case": (case.json or {})["id"], "hook": (hook.json or {})["id"],
                   "notice": notices["notices"][0]["id"], "receipt": made.names["status"]}


WORDS = ("invisible", "elsewhere", "deleted", "erased")
REFERS = {"type": "relationship", "spec_version": "2.1", "id": fixed_id("relationship", "r"), "created": DAY, "modified": DAY,
          "relationship_type": "related-to", "source_ref": "ID", "target_ref": indicator("seen")["id"]}
OPINION = {"type": "opinion", "spec_version": "2.1", "id": fixed_id("opinion", "o"), "created": DAY, "modified": DAY,
           "opinion": "strongly-disagree", "object_refs": ["ID"]}
ABOUT: dict[str, tuple[str, str, Any]] = {
    "explanation": ("GET", "/api/v1/explanations?object=ID", None),
    "explanation for another": ("GET", "/api/v1/explanations?object=ID&for=org-beta", None),
    "explanation in a collection": ("GET", f"/api/v1/explanations?object=ID&collection={COLLECTION}", None),
    "standing": ("GET", "/api/v1/objects/ID/standing", None),
    "state": ("GET", "/api/v1/objects/ID/state", None),
    "state of another": ("GET", "/api/v1/objects/ID/state?contributor=org-alpha", None),
    "change": ("POST", "/api/v1/objects/ID/state", {"state": "disputed", "reason": "x"}),
    "change of another's": ("POST", "/api/v1/objects/ID/state", {"state": "erased", "reason": "x", "contributor": "org-alpha"}),
    "contest": ("POST", "/api/v1/cases", {"collection": COLLECTION, "objects": ["ID"], "grounds": "x"}),
    "preview of the id": ("POST", "/api/v1/previews?collection=indicators", {"objects": [indicator("mine") | {"id": "ID"}]}),
    "preview of a reference": ("POST", "/api/v1/previews?collection=indicators", {"objects": [REFERS]}),
    "preview of an opinion": ("POST", "/api/v1/previews?collection=indicators", {"objects": [OPINION]}),
    "object": ("GET", f"{OBJECTS}ID/", None),
    "versions": ("GET", f"{OBJECTS}ID/versions/", None),
    "manifest": ("GET", f"/taxii2/main/collections/{COLLECTION}/manifest/?match[id]=ID", None),
    "withdrawal": ("DELETE", f"{OBJECTS}ID/", None),
}


LOOKS_AT_WHAT_IS_THERE = {"explanation", "explanation in a collection"}
"""Whether its asker ever received an object is looked up by the object's rows: told in the threat model."""


def _about(served: Served, name: str, stix_id: str) -> tuple[tuple[int, str, list[tuple[str, str]]], int]:
    method, path, body = ABOUT[name]
    told = None if body is None else json.loads(json.dumps(body).replace("ID", stix_id))
    served.statements.clear()
    answer = served.ask("gamma", method, path.replace("ID", stix_id), told)
    shown = _MOMENT.sub("NOW", answer.get_data(as_text=True).replace(stix_id, "ID"))
    return (answer.status_code, shown, list(answer.headers)), len(served.statements)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ABOUT)
def test_an_object_that_may_not_be_seen_is_one_that_does_not_exist(served: Served, name: str, word: str) -> None:
    absent = indicator("absent")["id"]
    expected, found = (_thrice(served, name, stix_id) for stix_id in (absent, indicator(word)["id"]))
    assert found[0] == expected[0]
    if name not in LOOKS_AT_WHAT_IS_THERE:
        assert found[1] == expected[1]


def _thrice(served: Served, name: str, stix_id: str) -> tuple[Any, int]:
    """The answer, and the least work: what a process learns once, or books at times, isn't work of the request."""
    asked = [_about(served, name, stix_id) for _ in range(3)]
    return asked[-1][0], min(count for _, count in asked)


OF_OTHERS: dict[str, tuple[str, str, Any]] = {
    "case": ("GET", "/api/v1/cases/NAME", None),
    "case answered": ("POST", "/api/v1/cases/NAME/answer", {"statement": "x"}),
    "case restricted": ("POST", "/api/v1/cases/NAME/restriction", {"statement": "x"}),
    "case reviewed": ("POST", "/api/v1/cases/NAME/review", {"statement": "x", "outcome": "reversed"}),
    "status": ("GET", "/taxii2/main/status/NAME/", None),
    "receipt": ("GET", "/api/v1/log/receipts/NAME", None),
    "hook": ("GET", "/api/v1/webhooks/NAME", None),
    "hook dropped": ("DELETE", "/api/v1/webhooks/NAME", None),
    "hook stopped": ("POST", "/api/v1/webhooks/NAME/stop", None),
    "hook resumed": ("POST", "/api/v1/webhooks/NAME/resume", {}),
    "hook replayed": ("POST", "/api/v1/webhooks/NAME/dead-letters/1/replay", None),
    "notice": ("GET", "/api/v1/notices/NAME", None),
    "notice answered": ("POST", "/api/v1/notices/NAME/acknowledgement", {"done": True}),
}


@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_is_another_members_is_what_does_not_exist(served: Served, name: str) -> None:
    method, path, body = OF_OTHERS[name]

    def asked(called: str) -> tuple[int, bytes, list[tuple[str, str]], int]:
        served.statements.clear()
        answer = served.ask("gamma", method, path.replace("NAME", called), body)
        return answer.status_code, answer.data, list(answer.headers), len(served.statements)

    there = served.names[name.partition(" ")[0]]
    absent = "case--" + ABSENT_NAME if name.startswith("case") else ABSENT_NAME
    asked(absent)
    found, expected = asked(there), asked(absent)
    assert found[:3] == expected[:3]
    assert found[0] == 404
    assert found[3] == expected[3] or name == "receipt"  # names of events are drawn by lot: nobody asks for one by chance


@pytest.mark.parametrize("path", ["/api/v1/cases", "/api/v1/webhooks", "/api/v1/notices?show=all"])
def test_lists_of_ones_own_cost_the_same_whatever_others_have(served: Served, path: str) -> None:
    def asked() -> tuple[bytes, int]:
        served.statements.clear()
        answer = served.ask("gamma", "GET", path)
        assert answer.status_code == 200
        return answer.data, len(served.statements)

    asked()
    before = asked()
    for number in range(3):
        served.push(indicator(f"contested {number} {path}"))
        served.ask("beta", "POST", "/api/v1/cases", {
            "collection": COLLECTION, "objects": [indicator(f"contested {number} {path}")["id"]], "grounds": "x"})
        served.ask("alpha", "POST", "/api/v1/webhooks", {"collection": COLLECTION, "url": "https://hook.example/"})
    assert asked() == before


@pytest.mark.parametrize("url", [
    "https://[::1", "https://a:99999/", "https://a:b/", "https://u@a.example/", "https://:p@a.example/", "ftp://a.example/",
    "https://", "https:///x", "https://a.example/\n", "https://a b/", "//a.example", "file:///etc/passwd", "", "x" * 3_000,
])
def test_what_is_no_address_makes_no_webhook(served: Served, url: str) -> None:
    answer = served.ask("gamma", "POST", "/api/v1/webhooks", {"collection": COLLECTION, "url": url})
    assert answer.status_code == 422, answer.data


@pytest.mark.parametrize("collection", [["a"], {"a": 1}, 5, True, None, "", "\u0000", "nothing"])
def test_what_is_no_collection_is_not_found_whatever_it_is(served: Served, collection: object) -> None:
    answer = served.ask("gamma", "POST", "/api/v1/webhooks", {"collection": collection, "url": "https://a.example/"})
    assert answer.status_code in {404, 422}, answer.data
