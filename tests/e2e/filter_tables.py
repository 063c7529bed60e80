"""A collection with versions, observables and a marking, and what each filter gives of it (TAXII 2.1, 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.stix_objects import DAY, campaign, domain, fixed_id, indicator

WHOLE, HALF, FINER, NEXT_DAY = (
    "2026-01-15T08:00:05Z",
    "2026-01-15T08:00:05.500Z",
    "2026-01-15T08:00:05.5000001Z",
    "2026-01-16T00:00:00.000Z",
)
MANY = fixed_id("indicator", "many")
STATEMENT = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": fixed_id("marking-definition", "statement"),
    "created": "2026-01-02T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Made up for tests."},
}
PLAIN_DOMAIN = {name: value for name, value in domain("plain.example").items() if name != "spec_version"}
PUSHES = {
    "half": indicator("many", modified=HALF),
    "campaign": campaign("c"),
    "next day": indicator("many", modified=NEXT_DAY),
    "domain": domain("stated.example"),
    "whole": indicator("many", modified=WHOLE),
    "plain": PLAIN_DOMAIN,
    "finer": indicator("many", modified=FINER),
    "statement": STATEMENT,
}
"""Label to object, in the order of adding, each pushed by itself."""
LAST = ["campaign", "next day", "domain", "plain", "statement"]
ALL = list(PUSHES)


@dataclass
class Feed:
    """The collection under test: its path, and the date added of every label."""

    path: str
    caller: HttpCaller
    dates: dict[str, str]

    def query(self, query: Mapping[str, str]) -> dict[str, str]:
        """A query whose {labels} are replaced by dates."""
        return {
            name: value.format(**{k.replace(" ", "_"): v for k, v in self.dates.items()})
            for name, value in query.items()
        }

    def objects(self, query: Mapping[str, str], rest: str = "objects/") -> list[str]:
        """Labels of the objects that a query gives."""
        answer = self.caller.get(self.path + rest, self.query(query))
        assert answer.status == 200, answer.body
        assert bool(answer.objects) == (answer.first is not None) == (answer.last is not None)
        assert answer.json.get("objects") != []
        found = [next(label for label, one in PUSHES.items() if one == given) for given in answer.objects]
        if found:
            assert (answer.first, answer.last) == (self.dates[found[0]], self.dates[found[-1]])
        return found

    def manifest(self, query: Mapping[str, str]) -> list[str]:
        """Labels of the manifest records that a query gives."""
        answer = self.caller.get(self.path + "manifest/", self.query(query))
        assert answer.status == 200, answer.body
        by_date = {date: label for label, date in self.dates.items()}
        found = [by_date[record["date_added"]] for record in answer.objects]
        if found:
            assert (answer.first, answer.last) == (self.dates[found[0]], self.dates[found[-1]])
        return found


def fill(exchange: ExchangeProcess, alpha: HttpCaller) -> Feed:
    """Push every object by itself into a new collection."""
    path = exchange.next_lane()
    dates: dict[str, str] = {}
    for label, one in PUSHES.items():
        answer = alpha.push(path + "objects/", [one])
        assert answer.json["success_count"] == 1, answer.body
        after = {"added_after": list(dates.values())[-1]} if dates else {}
        (record,) = alpha.get(path + "manifest/", {"match[version]": "all", **after}).objects
        dates[label] = record["date_added"]
    return Feed(path, alpha, dates)


MATCHES: list[tuple[dict[str, str], list[str]]] = [
    ({}, LAST),
    ({"match[version]": "last"}, LAST),
    ({"match[version]": "all"}, ALL),
    ({"match[version]": "first"}, ["campaign", "domain", "whole", "plain", "statement"]),
    ({"match[version]": "first,last"}, ["campaign", "next day", "domain", "whole", "plain", "statement"]),
    ({"match[version]": "last,first"}, ["campaign", "next day", "domain", "whole", "plain", "statement"]),
    ({"match[version]": WHOLE}, ["whole"]),
    ({"match[version]": "2026-01-15T08:00:05.000Z"}, ["whole"]),
    ({"match[version]": "2026-01-15T08:00:05.000000Z"}, ["whole"]),
    ({"match[version]": "2026-01-15T08:00:05.0Z"}, ["whole"]),
    ({"match[version]": "2026-01-15T08:00:05.5Z"}, ["half"]),
    ({"match[version]": "2026-01-15T08:00:05.500000Z"}, ["half"]),
    ({"match[version]": "2026-01-15T08:00:05.500000000000Z"}, ["half"]),
    ({"match[version]": FINER}, ["finer"]),
    ({"match[version]": "2026-01-15T08:00:05.50000010Z"}, ["finer"]),
    ({"match[version]": "2026-01-15T08:00:05.5000002Z"}, []),
    ({"match[version]": "2026-01-15T08:00:05.499999Z"}, []),
    (
        {"match[version]": f"{NEXT_DAY},first"},
        ["campaign", "next day", "domain", "whole", "plain", "statement"],
    ),
    ({"match[version]": f"last,{HALF}"}, ["half", *LAST]),
    ({"match[version]": f"{HALF},{FINER},{WHOLE}"}, ["half", "whole", "finer"]),
    ({"match[version]": "1999-01-01T00:00:00Z"}, []),
    ({"match[version]": DAY}, ["campaign"]),
    ({"match[version]": "2026-01-15T08:00:00Z"}, ["campaign"]),
    ({"match[version]": "2026-01-02T00:00:00Z"}, ["statement"]),
    ({"match[version]": "{domain}"}, ["domain"]),
    ({"match[version]": "{plain},{domain}"}, ["domain", "plain"]),
    ({"match[version]": "{campaign}"}, []),
    ({"match[type]": "indicator"}, ["next day"]),
    ({"match[type]": "campaign"}, ["campaign"]),
    ({"match[type]": "indicator,campaign"}, ["campaign", "next day"]),
    ({"match[type]": "campaign,indicator,malware"}, ["campaign", "next day"]),
    ({"match[type]": "malware"}, []),
    ({"match[type]": "Indicator"}, []),
    ({"match[type]": "indicator "}, []),
    ({"match[type]": "%"}, []),
    ({"match[type]": "*"}, []),
    ({"match[type]": "indicat_r"}, []),
    ({"match[id]": MANY}, ["next day"]),
    ({"match[id]": f"{MANY},{PUSHES['campaign']['id']}"}, ["campaign", "next day"]),
    ({"match[id]": "indicator--00000000-0000-4000-8000-000000000000"}, []),
    ({"match[id]": f"nonsense,{MANY}"}, ["next day"]),
    ({"match[id]": "nonsense"}, []),
    ({"match[id]": MANY.upper()}, []),
    ({"match[id]": MANY[:-1]}, []),
    ({"match[id]": PLAIN_DOMAIN["id"]}, ["plain"]),
    ({"match[spec_version]": "2.1"}, LAST),
    ({"match[spec_version]": "2.0"}, []),
    ({"match[spec_version]": "2.0,2.1"}, LAST),
    ({"match[spec_version]": "2.2"}, []),
    ({"match[id]": MANY, "match[type]": "indicator"}, ["next day"]),
    ({"match[id]": MANY, "match[type]": "campaign"}, []),
    ({"match[id]": MANY, "match[version]": "all"}, ["half", "next day", "whole", "finer"]),
    ({"match[id]": MANY, "match[version]": "first"}, ["whole"]),
    ({"match[id]": MANY, "match[version]": "first,last"}, ["next day", "whole"]),
    ({"match[id]": MANY, "match[version]": "all", "match[spec_version]": "2.0"}, []),
    (
        {"match[type]": "indicator", "match[version]": "all", "match[spec_version]": "2.1"},
        ["half", "next day", "whole", "finer"],
    ),
    ({"match[type]": "domain-name", "match[spec_version]": "2.1"}, ["domain", "plain"]),
    ({"match[id]": f"{MANY},{PUSHES['domain']['id']}", "match[type]": "domain-name,campaign"}, ["domain"]),
    ({"added_after": "{half}", "match[version]": "all"}, ALL[1:]),
    ({"added_after": "{next_day}"}, ["domain", "plain", "statement"]),
    ({"added_after": "{next_day}", "match[version]": "all"}, ALL[3:]),
    ({"added_after": "{next_day}", "match[version]": "all", "match[id]": MANY}, ["whole", "finer"]),
    ({"added_after": "{whole}", "match[version]": "first"}, ["plain", "statement"]),
    ({"added_after": "{statement}"}, []),
    ({"added_after": "{statement}", "match[type]": "indicator"}, []),
    ({"added_after": "1970-01-01T00:00:00Z"}, LAST),
    ({"added_after": "1969-12-31T23:59:59.999999Z"}, LAST),
    ({"added_after": "0001-01-01T00:00:00Z"}, LAST),
    ({"added_after": "9999-12-31T23:59:59.999999Z"}, []),
    ({"limit": "1000"}, LAST),
    ({"limit": "5"}, LAST),
    ({"limit": "99999999999999999999999999"}, LAST),
    ({"limit": "9223372036854775808"}, LAST),
    ({"limit": "2147483648"}, LAST),
    ({"limit": "2"}, LAST[:2]),
    ({"limit": "2", "added_after": "{next_day}"}, ["domain", "plain"]),
    ({"limit": "1", "match[type]": "domain-name"}, ["domain"]),
    (
        {"limit": "2", "match[version]": "all", "match[id]": MANY, "added_after": "{half}"},
        ["next day", "whole"],
    ),
    ({"unknown": "x"}, LAST),
]


BY_ID: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["next day"]),
    ({"match[version]": "all"}, ["half", "next day", "whole", "finer"]),
    ({"match[version]": "first"}, ["whole"]),
    ({"match[version]": HALF}, ["half"]),
    ({"match[version]": "first,last"}, ["next day", "whole"]),
    ({"match[version]": f"{FINER},last"}, ["next day", "finer"]),
    ({"match[version]": "all", "limit": "3"}, ["half", "next day", "whole"]),
    ({"match[version]": "all", "added_after": "{next_day}"}, ["whole", "finer"]),
    ({"match[version]": "all", "added_after": "{whole}", "limit": "1"}, ["finer"]),
    ({"match[spec_version]": "2.1"}, ["next day"]),
    ({"match[spec_version]": "2.1", "match[version]": "first"}, ["whole"]),
]


VERSIONS: list[tuple[dict[str, str], list[str]]] = [
    ({}, [HALF, NEXT_DAY, WHOLE, FINER]),
    ({"limit": "2"}, [HALF, NEXT_DAY]),
    ({"added_after": "{next_day}"}, [WHOLE, FINER]),
    ({"added_after": "{next_day}", "limit": "1"}, [WHOLE]),
    ({"match[spec_version]": "2.1"}, [HALF, NEXT_DAY, WHOLE, FINER]),
    ({"match[spec_version]": "2.1", "added_after": "{whole}"}, [FINER]),
]
