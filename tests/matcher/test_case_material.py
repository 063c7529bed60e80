"""Case material: complete, masked, the same each time, and a page that no hostile name can break."""

from __future__ import annotations

import csv
import json
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.errors import InputError
from exchange.matcher.action.decide import decide
from exchange.matcher.action.facts import Facts
from exchange.matcher.action.pack import load_actions
from exchange.matcher.action.recall import recall
from exchange.matcher.case import picture_graph, picture_waterfall
from exchange.matcher.case.layout import place, separate
from exchange.matcher.case.markup import escape, join, tag
from exchange.matcher.case.masking import shown
from exchange.matcher.case.material import Case, Edge, Member, Value, Weight
from exchange.matcher.case.page import case_page
from exchange.matcher.case.write import write_cases
from exchange.matcher.run import Options, match

PACK = load_actions()
AT, DAY = 1_780_272_000, 86_400
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
PHONE, DEVICE, CARD = "+49 30 1234567", "dv_72c5d055f0bb46ae", "pm_72c5d055f0bb46af"


@pytest.mark.parametrize(("kind", "value", "expected"), [
    ("phone", "+49301234567", "•••67"),
    ("email", "anna.muster@example.org", "•••rg"),
    ("device", "8262148461324623872", "token …cb6000"),
    ("device", "dv_72c5d055f0bb46ae", "token …bb46ae"),
    ("ip4", "203.0.113.77", "203.0.•.•"),
    ("ip4", "3405803853", "203.0.•.•"),
    ("ip_range", "2001:db8:1:2::/64", "2001:0db8:0001:…"),
    ("ip4", "nonsense", "•••"),
    ("picture", "ab" * 32, "picture abababab…"),
    ("domain", "news.example", "news.example"),
    ("wording", "call @anna on 030123456 now", "call @••• on ••• now"),
    ("text", "x" * 60, "x" * 47 + "…"),
    ("cookie", "abc", "•••"),
    ("cookie", None, "–"),
])
def test_identifiers_are_masked_and_public_values_cut_short(kind: str, value: str | None, expected: str) -> None:
    assert shown(kind, value) == expected


def test_markup_escapes_everything_that_is_not_markup() -> None:
    assert tag("p", EVIL, title=EVIL) == tag("p", escape(EVIL), title=EVIL)
    assert "<script" not in join(tag("td", EVIL), EVIL)
    assert escape("a\u202eb\x00c") == "a�b�c"


def _write(folder: Path, table: str, rows: list[dict[str, Any]]) -> None:
    with (folder / f"{table}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _indicator(pattern: str, source: dict[str, Any]) -> dict[str, Any]:
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{pattern} {source['id']}")
    return {"type": "indicator", "id": f"indicator--{name}", "pattern": pattern, "pattern_type": "stix", "confidence": 100,
            "valid_from": "2026-05-31T00:00:00Z", "modified": "2026-05-31T00:00:00Z", "created_by_ref": source["id"]}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts with a phone, a card and a device that two sources name, in a campaign with a hostile name."""
    folder = tmp_path_factory.mktemp("platform")
    members, seen = [f"a{number}" for number in range(6)], {"first_seen": AT - 20 * DAY, "last_seen": AT}
    _write(folder, "accounts", [
        {"account_id": name, "created": AT - 30 * DAY - 7_200 * number, "reach_90d": 4000, "followers": 10, "audience_quality": 0.2}
        for number, name in enumerate([*members, "b1", "b2"])])
    _write(folder, "links", [
        {"account_id": name, "itype": kind, "value": value, **seen} for name in members
        for kind, value in (("phone", PHONE), ("device", DEVICE), ("payment", CARD), ("email", "anna@example.org"))])
    _write(folder, "posts", [
        {"account_id": name, "ts": AT - DAY * number, "kind": "share", "object": 77, "text": EVIL + " and more words to meet"}
        for number, name in enumerate(members)])
    evil = {"type": "campaign", "id": "campaign--0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7a12", "name": EVIL, "modified": "2026-05-31T00:00:00Z"}
    alpha = {"type": "identity", "id": "identity--0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7a14", "name": "Alpha", "modified": "2026-05-31T00:00:00Z"}
    beta = {"type": "identity", "id": "identity--0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7a13", "name": "Beta\u202e<b>", "modified": "2026-05-31T00:00:00Z"}
    named = [_indicator(pattern, source) for source in (alpha, beta) for pattern in (
        "[phone-number:value = '+49301234567']", f"[x-cib-device:token = '{DEVICE}']", f"[x-cib-payment:token = '{CARD}']",
        "[email-addr:value = 'anna@example.org']")]
    links = [{"type": "relationship", "id": f"relationship--0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7b{number:02}", "relationship_type": "indicates",
              "source_ref": one["id"], "target_ref": evil["id"], "modified": "2026-05-31T00:00:00Z"} for number, one in enumerate(named)]
    match([alpha, beta, evil, *named, *links], folder, folder / "out", Options(at=AT, threads=1))
    return folder / "out"


@pytest.fixture(scope="module")
def cases(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cases of these results."""
    folder = tmp_path_factory.mktemp("cases")
    assert write_cases(results, folder, PACK) >= 1
    return folder


def _cases(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def test_contributions_add_up_and_nothing_personal_is_in_clear(cases: Path) -> None:
    [case, *_] = _cases(cases)
    assert case["accounts"]
    for account in case["accounts"]:
        assert sum(weight["nats"] for weight in account["weights"]) + account["rest"] == pytest.approx(account["log_odds"], abs=1e-9)
        assert account["recommendation"]["row"] in {row.id for row in PACK.rows}
        assert Facts(**account["facts"]).score == account["score"]
        assert decide(Facts(**account["facts"]), PACK).row == account["recommendation"]["row"]
    assert {seed["source"] for seed in case["seeds"]} >= {"Alpha"}
    assert case["timeline"]
    for path in cases.iterdir():
        text = path.read_text()
        assert "301234567" not in text.replace(" ", "")
        assert DEVICE not in text
        assert CARD not in text
        assert "anna@" not in text


RED = {"object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}


@pytest.mark.parametrize("also", [False, True], ids=["red only", "something else too"])
def test_what_is_for_one_persons_eyes_is_not_in_a_case(tmp_path: Path, also: bool) -> None:
    """TLP:RED: neither id, campaign nor source, of what met them, says their class, or calls a value benign. A source
    is named for what it shared under another TLP, and the case is marked as what went into it."""
    folder, names = tmp_path / "platform", [f"a{number}" for number in range(8)]
    folder.mkdir()
    _write(folder, "accounts", [{"account_id": name, "created": AT - 30 * DAY - 7_200 * number}
                                for number, name in enumerate(names)])
    _write(folder, "links", [{"account_id": name, "itype": kind, "value": value, "first_seen": AT - 20 * DAY, "last_seen": AT}
                             for name in names for kind, value in (("device", DEVICE), ("payment", CARD))])
    sources = [{"type": "identity", "id": f"identity--{uuid.uuid5(uuid.NAMESPACE_URL, name)}", "name": name,
                "modified": "2026-05-31T00:00:00Z"} for name in ("Quietus", "Open", "Third", "Doubter")]
    patterns = f"[x-cib-device:token = '{DEVICE}']", f"[x-cib-payment:token = '{CARD}']"
    named = [_indicator(pattern, source) for source in sources[:3] for pattern in patterns]
    campaign = {"type": "campaign", "id": f"campaign--{uuid.uuid5(uuid.NAMESPACE_URL, 'c')}", "name": "Nightjar",
                "modified": "2026-05-31T00:00:00Z", "labels": ["spam"]}
    links = [{"type": "relationship", "id": f"relationship--{number}", "relationship_type": "indicates",
              "source_ref": one["id"], "target_ref": campaign["id"], "modified": "2026-05-31T00:00:00Z"}
             for number, one in enumerate(named[:2])]
    benign = _indicator(patterns[0], sources[3]) | {"indicator_types": ["benign"]} | RED
    red = [one | RED for one in named[: 1 if also else 2]]
    match([*sources, campaign, benign, *red, *named[len(red):], *links], folder, folder / "out", Options(at=AT, threads=1))
    assert write_cases(folder / "out", tmp_path / "cases", PACK) >= 1
    text = "".join(path.read_text() for path in (tmp_path / "cases").iterdir())
    assert "Open" in text
    assert "withheld (TLP:RED)" in text
    assert "called benign by withheld (TLP:RED)" in text
    for secret in ("Doubter", benign["id"], *(one["id"] for one in red), *(() if also else ("Quietus", "Nightjar"))):
        assert secret not in text
    assert ("Quietus" in text) is also
    [case, *_] = _cases(tmp_path / "cases")
    assert case["marking"] == "TLP:RED"
    assert not any(seed["source"] == "Quietus" and seed["indicator"] == "withheld (TLP:RED)" for seed in case["seeds"])


def test_a_case_is_marked_as_what_tells_of_people_at_least(cases: Path) -> None:
    assert {case["marking"] for case in _cases(cases)} == {"TLP:AMBER+STRICT"}
    assert all("TLP:AMBER+STRICT" in page.read_text() for page in cases.glob("c*.html"))


def test_a_page_has_no_script_no_address_and_only_escaped_names(cases: Path) -> None:
    pages = sorted(cases.glob("c*.html"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert "default-src 'none'" in text.replace("&#x27;", "'")
        assert not re.search(r"<(script|img|iframe|link|object|embed|a|form)\b", text)
        assert not re.search(r"\b(src|href|on\w+)=\"", text)
        assert "http://" not in text
        assert "https://" not in text
        assert "\u202e" not in text
        assert "&lt;script&gt;" in text
        ElementTree.fromstring(re.sub(r"<meta[^>]*>", "", text.removeprefix("<!doctype html>\n")))


def test_cases_are_the_same_bytes_each_time(results: Path, cases: Path, tmp_path: Path) -> None:
    write_cases(results, tmp_path, PACK)
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (cases, tmp_path))
    assert one == two


def test_a_recommendation_is_recalled_with_its_row_and_only_under_its_own_pack(results: Path) -> None:
    text = recall(results, "a0", PACK)
    assert re.search(r"Row [a-z-]+ of the policy", text)
    assert "Undo: " in text
    assert "another one than now" in recall(results, "a0", replace(PACK, digest="0" * 64))
    assert recall(results, "b1", PACK) == ""


def test_without_results_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="so no cases can be made"):
        write_cases(tmp_path, tmp_path / "cases", PACK)


def _member(number: int, score: float = 0.97) -> Member:
    facts = Facts(score, 2, 3, 5000, 100.0)
    weights = (Weight("prior", "prior", -5.0, "before any evidence"), Weight("direct", "device", 9.0, EVIL, "v1"))
    return Member(f"{EVIL}{number}", score, 4.0, ("origin", "relay", "amplifier")[number % 3], facts, decide(facts, PACK, changes=False), weights, 0.0, 0)


def _large(members: int, values: int) -> Case:
    every = tuple(_member(number) for number in range(members))
    held = tuple(Value(f"v{number}", "device", f"token …{number:06x}", members // values, number % 3 == 0) for number in range(values))
    edges = tuple(Edge(member.account, f"v{(number + step) % values}", 1.5, AT - 9, AT) for number, member in enumerate(every) for step in (0, 1))
    return Case("c0ffee", AT, "made", PACK.digest, "spam", every, held, edges, 0, ((20_000, "share", 3),), (), (), ("x",))


def test_a_cluster_of_five_thousand_is_summarised() -> None:
    case = _large(5_000, 300)
    chosen = picture_graph.choose(case)
    assert len(chosen.values) <= picture_graph.VALUES
    assert len(chosen.groups) <= picture_graph.GROUPS
    assert sum(len(group.members) for group in chosen.groups) + chosen.members_left_out == 5_000
    page = case_page(case, PACK)
    assert len(page) < 400_000
    assert "more in the JSON" in page
    assert "<script" not in page


def test_a_waterfall_ends_at_the_log_odds() -> None:
    member = _member(1)
    assert sum(nats for _, nats in picture_waterfall.steps(member)) == pytest.approx(member.log_odds)


def test_a_layout_is_the_same_each_time_and_stays_in_its_frame() -> None:
    edges = [(0, 1, 1.0), (1, 2, 1.0), (0, 3, 0.2)]
    at = place(5, edges, 400, 300, 20)
    assert at.tolist() == place(5, edges, 400, 300, 20).tolist()
    assert at.min() >= 20 - 1e-6
    assert (at[:, 0].max(), at[:, 1].max()) <= (380 + 1e-6, 280 + 1e-6)
    assert place(1, [], 400, 300, 20).tolist() == [[200.0, 150.0]]
    assert place(0, [], 400, 300, 20).shape == (0, 2)


def test_nodes_that_lie_on_each_other_are_pushed_apart() -> None:
    at = separate(place(2, [], 400, 300, 20), [10.0, 10.0], 400, 300, 20)
    close = separate(at * 0 + [[100.0, 100.0], [101.0, 100.0]], [10.0, 10.0], 400, 300, 20)
    assert abs(close[1, 0] - close[0, 0]) >= 20
