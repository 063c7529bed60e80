"""An outsider who looks and meddles, and the secrets that may be there: for comparing its answers with and without."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import Answer, HttpCaller
from tests.e2e.members import collection_id
from tests.e2e.stix_objects import DAY, TLP, Object, domain, fixed_id, handling, iep, indicator

LATER, LATEST = "2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"
SECRET, SHARED = indicator("secret"), domain("secret.example")
MARKING = fixed_id("marking-definition", "terms")
ALPHA_ONLY = "/taxii2/main/collections/alpha-only/"

Step = tuple[str, list[Object]]
"""A member's key and what it pushes."""


def marked(*refs: str, base: Object = SECRET, **more: Any) -> Object:
    """An object with markings."""
    return base | {"object_marking_refs": list(refs)} | more


def under(tlp: str, **terms: Any) -> list[Step]:
    """The secret and its observable under a TLP level and handling terms of alpha's."""
    marking = handling("terms", **terms)
    return [("alpha", [marking, marked(TLP[tlp], MARKING), marked(TLP[tlp], MARKING, base=SHARED)])]


def under_iep(**terms: Any) -> list[Step]:
    """The same under an IEP policy."""
    return [
        (
            "alpha",
            [
                marked(TLP["AMBER"], base=iep("terms", **terms)),
                marked(TLP["GREEN"], MARKING),
                marked(TLP["GREEN"], MARKING, base=SHARED),
            ],
        )
    ]


def bare(tlp: str) -> list[Step]:
    """The same under a TLP level alone."""
    return [("alpha", [marked(TLP[tlp]), marked(TLP[tlp], base=SHARED)])]


FAR = "2099-01-01T00:00:00Z"
SECRETS: dict[str, list[Step]] = {
    "amber without an audience": bare("AMBER"),
    "amber+strict without an audience": bare("AMBER+STRICT"),
    "red": bare("RED"),
    "amber for another organisation": under("AMBER", audience={"named_orgs": ["org-beta"]}),
    "amber+strict for another organisation": under("AMBER+STRICT", audience={"named_orgs": ["org-beta"]}),
    "amber for another group": under("AMBER", audience={"sharing_groups": ["inner"]}),
    "amber for nobody": under("AMBER", audience={"named_orgs": []}),
    "green, this organisation excluded": under("GREEN", audience={"exclude_orgs": ["org-gamma"]}),
    "amber for all, this organisation excluded": under(
        "AMBER", audience={"sharing_groups": ["circle"], "exclude_orgs": ["org-gamma"]}
    ),
    "this kind of organisation excluded": under("GREEN", audience={"kinds_denied": ["platform"]}),
    "green for another purpose": under("GREEN", purposes=["incident-response"]),
    "embargoed": under("GREEN", not_before=FAR),
    "IEP that has not begun": under_iep(start_date=FAR, end_date="2099-02-01T00:00:00Z"),
    "IEP that has ended": under_iep(start_date="2020-01-01T00:00:00Z", end_date="2021-01-01T00:00:00Z"),
    "thirty of them": [
        (
            "alpha",
            [marked(TLP["AMBER"], base=indicator(f"secret-{n}")) for n in range(30)] + bare("AMBER")[0][1],
        )
    ],
    "several versions": [("alpha", [marked(TLP["AMBER"], modified=m) for m in (LATEST, DAY, LATER)])],
    "of two contributors": [("alpha", bare("AMBER")[0][1]), ("beta", bare("AMBER")[0][1])],
    "an observable that another shows too, reported before": [
        ("alpha", [marked(TLP["AMBER"], base=domain("seen.example", x_note="alpha's"))])
    ],
    "newer version of a visible object": [
        ("alpha", [marked(TLP["AMBER"], base=indicator("seen"), modified=LATER, name="Secret name")])
    ],
    "older version of a visible object": [
        (
            "alpha",
            [
                marked(
                    TLP["AMBER"],
                    base=indicator("seen"),
                    modified="2026-01-15T07:00:00Z",
                    created="2026-01-15T07:00:00Z",
                )
            ],
        )
    ],
    "withdrawn before anybody looked": [("alpha", [SECRET, SHARED]), ("alpha delete", [SECRET, SHARED])],
}
"""Steps that bring the secret into the collection."""
VISIBLE: list[Step] = [
    ("alpha", [indicator("seen"), domain("other.example")]),
    ("beta", [domain("seen.example")]),
]
AFTERWARDS: list[Step] = [("beta", [indicator("seen later")]), ("alpha", [indicator("seen last")])]


def local(lane: str, text: str) -> str:
    """A text in which the marking of terms is the collection's own: members know theirs in every collection."""
    return text.replace(MARKING, fixed_id("marking-definition", lane))


def bring(exchange: ExchangeProcess, lane: str, steps: list[Step]) -> None:
    """Push what the steps say; every object has to be taken."""
    for key, given in steps:
        objects: list[Object] = json.loads(local(lane, json.dumps(given)))
        member, _, delete = key.partition(" ")
        caller = exchange.caller(member)
        if delete:
            assert {caller.delete(f"{lane}objects/{one['id']}/").status for one in objects} == {200}
        else:
            answer = caller.push(lane + "objects/", objects)
            assert answer.json["failure_count"] == 0, answer.body
        caller.close()


IDS = [
    SECRET["id"],
    SHARED["id"],
    MARKING,
    indicator("seen")["id"],
    domain("seen.example")["id"],
    indicator("secret-7")["id"],
]
QUERIES: list[dict[str, str]] = [
    {},
    {"match[version]": "all"},
    {"match[version]": "first"},
    {"match[version]": "first,last"},
    {"match[version]": DAY},
    {"match[version]": LATER},
    {"match[version]": "last", "match[spec_version]": "2.1"},
    {"match[type]": "indicator"},
    {"match[type]": "domain-name"},
    {"match[type]": "marking-definition"},
    {"match[id]": SECRET["id"]},
    {"match[id]": SHARED["id"]},
    {"match[id]": ",".join(IDS)},
    {"match[id]": SECRET["id"], "match[version]": "all"},
    {"match[id]": indicator("seen")["id"], "match[version]": "all"},
    {"match[id]": indicator("seen")["id"], "match[version]": "first"},
    *({"limit": str(n)} for n in range(2, 7)),
    {"limit": "1", "match[type]": "indicator"},
    {"limit": "0"},
    {"next": "x"},
    {"match[version]": "nonsense"},
]


def reads(lane: str) -> list[tuple[str, str]]:
    """Paths and methods that change nothing."""
    paths = [lane, lane.partition("collections/")[0], lane + "objects/", lane + "manifest/"]
    for one in IDS:
        paths += [f"{lane}objects/{local(lane, one)}/", f"{lane}objects/{local(lane, one)}/versions/"]
    return [("GET", path) for path in paths] + [("HEAD", path) for path in paths[2:8]] + [("PUT", paths[4])]


@dataclass
class Watcher:
    """An outsider who notes down every answer."""

    caller: HttpCaller
    lane: str
    noted: list[tuple[str, Answer]] = field(default_factory=list)

    def note(self, what: str, answer: Answer) -> Answer:
        """Keep an answer under what was asked."""
        self.noted.append((what, answer))
        return answer

    def look(self) -> None:
        """Every endpoint with every filter, every page of every size, and the dates as filters."""
        for method, path in reads(self.lane):
            self.note(f"{method} {path}", self.caller.ask(method, path))
        for endpoint in ("objects/", "manifest/"):
            for query in QUERIES:
                self.note(f"{endpoint} {query}", self.caller.get(self.lane + endpoint, query))
            packed = {"Accept-Encoding": "gzip"}
            self.note(f"{endpoint} gzip", self.caller.get(self.lane + endpoint, headers=packed))
            self.crawl(endpoint, "1")
            self.crawl(endpoint, "2")
            for number, date in enumerate(self.dates()):
                self.note(f"{endpoint} after {number}", self.caller.get(self.lane + endpoint, {"added_after": date}))
        for one in IDS:
            for query in (
                {"match[version]": "all"},
                {"match[version]": LATER},
                {"limit": "1", "match[version]": "first,last"},
            ):
                self.note(f"{one} {query}", self.caller.get(f"{self.lane}objects/{local(self.lane, one)}/", query))

    def dates(self) -> list[str]:
        """The dates added that the outsider sees."""
        return [r["date_added"] for r in self.caller.get(self.lane + "manifest/", {"match[version]": "all"}).objects]

    def crawl(self, endpoint: str, limit: str) -> None:
        """Follow ``next`` to the end."""
        query = {"limit": limit, "match[version]": "all"}
        page = self.note(f"{endpoint} page", self.caller.get(self.lane + endpoint, query))
        while page.json.get("more"):
            more = {**query, "next": page.json["next"]}
            page = self.note(f"{endpoint} page", self.caller.get(self.lane + endpoint, more))

    def meddle(self) -> None:
        """Write to the ids that might be taken, delete them, use the marking that might be there."""
        for one in (SECRET, SHARED, indicator("seen"), domain("seen.example"), indicator("secret-7")):
            path = f"{self.lane}objects/{one['id']}/"
            self.note("delete", self.caller.delete(path))
            self.note("delete first", self.caller.delete(path, {"match[version]": "first"}))
            for change in (
                {},
                {},
                {"modified": LATER},
                {"modified": "2026-01-15T09:00:00Z"},
                {"name": "Mine"},
                {"x_mine": 1},
            ):
                if "modified" in one or "modified" not in change:
                    self.push([one | change])
            self.note("own", self.caller.get(path, {"match[version]": "all"}))
            self.note("versions", self.caller.get(path + "versions/"))
            self.note("delete", self.caller.delete(path, {"match[version]": "last"}))
            self.note("own", self.caller.get(path, {"match[version]": "all"}))
            self.note("delete", self.caller.delete(path))
        self.push([indicator("user of a marking", object_marking_refs=[TLP["GREEN"], MARKING])])
        self.push([handling("terms", purposes=["cib-detection"])])
        self.push([indicator("user of a marking", object_marking_refs=[TLP["GREEN"], MARKING])])
        self.push(
            [
                {
                    "type": "sighting",
                    "spec_version": "2.1",
                    "id": fixed_id("sighting", 1),
                    "created": DAY,
                    "modified": DAY,
                    "sighting_of_ref": SECRET["id"],
                }
            ]
        )

    def push(self, objects: list[Object]) -> None:
        """Push, and ask for the status again."""
        body = local(self.lane, json.dumps({"objects": objects}))
        answer = self.note("push " + body, self.caller.post(self.lane + "objects/", body.encode()))
        if answer.status == 202:
            self.note("status", self.caller.get(f"/taxii2/lanes/status/{answer.json['id']}/"))


def exact(answer: Answer) -> tuple[Any, ...]:
    """An answer without the clock's header; of a receipt, a random number, only that there is one."""
    pairs = [(name, "RECEIPT" if name == "cibx-receipt" else value) for name, value in answer.pairs if name != "date"]
    return answer.status, pairs, answer.body


class Renaming:
    """Texts of one collection with its own names, dates and status ids replaced in the order of appearance."""

    def __init__(self, lane: str) -> None:
        self._lane = lane.split("/")[-2]
        self._marking = local(lane, MARKING)
        self._names: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """A text that can be compared with one of another collection."""
        text = text.replace(self._lane, "LANE").replace(collection_id(self._lane), "COLLECTION-ID")
        text = text.replace(self._marking, MARKING)
        text = re.sub(r'"next":"([^"]*)"', lambda m: f'"next":{len(m[1])}', text)
        text = re.sub(r"\('cibx-receipt', '[0-9a-f-]{32,36}'\)", "RECEIPT", text)
        text = re.sub(r'((?:^|^202 )\{"id":)"[0-9a-f-]{36}"', r'\1"STATUS"', text)
        return re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", self._name, text)

    def _name(self, match: re.Match[str]) -> str:
        return self._names.setdefault(match[0], f"DATE-{len(self._names)}")


def renamed(watcher: Watcher) -> list[tuple[str, int, str, str]]:
    """Everything noted, comparable between twins."""
    rename = Renaming(watcher.lane)
    noted = []
    for what, answer in watcher.noted:
        pairs = sorted(p for p in answer.pairs if p[0] != "date")
        packed = answer.headers.get("content-encoding") == "gzip"
        if packed:  # its length follows the digits of the dates; before and after it is compared exactly
            pairs = [p for p in pairs if p[0] != "content-length"]
        body = "" if packed else answer.body.decode()
        noted.append((rename(what), answer.status, rename(str(pairs)), rename(body)))
    return noted


def first_difference(left: list[Any], right: list[Any]) -> str:
    """For a message: where two lists part."""
    for one, other in zip(left, right, strict=False):
        if one != other:
            return f"\nwith:    {one}\nwithout: {other}"
    return f"lengths {len(left)} and {len(right)}"


def script(exchange: ExchangeProcess, steps: list[Step]) -> list[tuple[str, int, str, str]]:
    """What an outsider is told who meddles and then looks, in a new collection."""
    lane = exchange.next_lane()
    bring(exchange, lane, [*steps, *AFTERWARDS])
    watcher = Watcher(exchange.caller("gamma"), lane)
    watcher.meddle()
    watcher.look()
    return renamed(watcher)
