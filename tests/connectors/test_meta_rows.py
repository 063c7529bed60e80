"""What becomes of each row, in every format and with every oddity seen; all names and values are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.meta_threat_research import CONNECTOR, network
from exchange.connect import figures
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.model.killchain import by_id, procedure
from exchange.stix import extensions
from exchange.stix.behaviour import behaviours_in, fault_of_missing_behaviour
from exchange.stix.validate import check

HEADER = "Tactic ,Technique,Procedure,Indicator,Commernts"
NAME = "Q3_2024_PERU_BASED_CIB_NETWORK.csv"


def bring(folder: Path, **files: str) -> tuple[list[Row], dict[str, dict[str, Any]]]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    rows: list[Row] = []
    objects: dict[str, dict[str, Any]] = {}
    for batch in CONNECTOR.fetch(Source(str(folder)), None):
        rows += batch.rows
        for one in batch.upserts:
            assert check(dict(one)) is None, one
            assert objects.setdefault(one["id"], dict(one)) == one
    return rows, objects


def patterns(objects: dict[str, dict[str, Any]]) -> str:
    return "\n".join(one["pattern"] for one in objects.values() if one["type"] == "indicator")


def campaign(objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (found,) = [one for one in objects.values() if one["type"] == "campaign"]
    return dict(found["extensions"][extensions.CAMPAIGN])


OUTCOMES = [
    # procedure, indicator, comment, outcome
    ("0.6.2 Acquiring domains", "lorem[.]org", "", "indicator"),
    ("0.6.2 Acquiring domains", "https://lorem[.]org/", "", "indicator"),
    ("0.6.2 Acquiring domains", "lorem[.]org", "Domains spoofing news sites Registration date: 9/5/2024", "indicator"),
    ("0.6.2 Acquiring domains", "lorem[.]org", "posing as legitimate outlet", "indicator"),
    ("0.6.2 Acquiring domains", "lorem[.]org (LEGITIMATE)", "", "note"),
    ("0.6.2 Acquiring domains", "lorem[.]org", "impersonated", "note"),
    ("0.6.2 Acquiring domains", "lorem[.]org", "spoofed", "note"),
    ("0.6.2 Acquiring domains", "superlegitimate[.]com", "", "indicator"),
    ("0.6.2 Acquiring domains", "twitter[.]com", "", "behaviour"),
    ("0.6.2 Acquiring domains", "lorem[.]nosuchsuffix", "", "quarantined"),
    ("0.6.2 Acquiring domains", "lorem[.]org\x1b[31m", "", "quarantined"),
    ("0.6.2 Acquiring domains", "\u202elorem[.]org", "", "quarantined"),
    ("0.1.1 Acquiring proxy IP addresses", "11.22.0.0/16", "", "indicator"),
    ("0.1.1 Acquiring proxy IP addresses", "11.0.0.0/8", "", "quarantined"),
    ("0.1.1 Acquiring proxy IP addresses", "0[.]0[.]0[.]0/0", "", "quarantined"),
    ("0.9.1 Acquiring Facebook assets", "99999999999999999999999 accounts", "", "quarantined"),
    ("0.9.1 Acquiring Facebook assets", "63 accounts", "", "count"),
    ("0.9.1 Acquiring Facebook assets", "15 acounts", "", "count"),
    ("0.9.1 Acquiring Facebook assets", "63 accounts (2 of them verified)", "", "count"),
    ("0.9.1 Acquiring Facebook assets", "33 accounts were removed", "", "count"),
    ("0.9.1 Acquiring Facebook assets", "xx accounts", "", "quarantined"),
    ("0.9.4 Acquiring X / Twitter accounts", "https://www.tiktok[.]com/@lorem", "", "indicator"),
    ("0.9.4 Acquiring X / Twitter accounts", "", "", "behaviour"),
    ("0.9.4 Acquiring X / Twitter accounts", "https://x[.]com/intent/tweet?x", "", "behaviour"),
    ("0.9.5 Acquiring YouTube channels", "youtube[.]com/channel/", "", "quarantined"),
    ("0.9.7 Acquiring Telegram channels", "t[.]/lorem_bot", "", "repaired"),
    ("0.9.8 Acquiring accounts on online forums", "https://news.lorem.org/a-b.html [comment]", "", "note"),
    ("0.9.11.0 Creating online petitions ", "change[.]org/p/why-boyc ott", "", "quarantined"),
    ("0.3.1 Acquiring mobile phone", "+44 7700 900123", "", "quarantined"),
    ("1.2.4 Posing as fictional hacktivist", "Lorem Team", "", "behaviour"),
    ("1.3.1 Creating fictitious news outlet ", "lorem[.]org", "", "indicator"),
    ("1.5.1 Impersonating news website", "lorem[.]org", "", "quarantined"),
    ("5.1.1 Privacy protecting website registrations", "Registering with lorem[.]com", "", "behaviour"),
    ("5.4.1 Copying authentic news articles", "lorem[.]com", "", "behaviour"),
    ("6.3.1 Posting common or generic hashtags", "#lorem", "", "behaviour"),
    ("7.1.1 Advertising to promote content", "About $73,600 in spending", "", "spend"),
    ("7.1.1 Advertising to promote content", "no ad spend", "", "spend"),
    ("7.1.1 Advertising to promote content", "Around $xx in ads, paid for in xx", "", "quarantined"),
    ("7.1.2 Advertising goods", "They sold things", "", "behaviour"),
    ("7.2.2 Acquiring Page followers", "No accounts followed these Pages.", "", "audience"),
    ("7.2.2 Acquiring Page followers", "Followers were bought", "", "note"),
    ("7.8.3 Contacting news organizations", "https://lorem[.]com/contact", "", "behaviour"),
    ("8.2.1 Defacing websites", "victim[.]co[.]il", "", "behaviour"),
    ("9.5.3 Using redirect domains", "lorem[.]tilda[.]ws", "", "indicator"),
    ("Some new procedure", "Prose without a number", "", "note"),
]


@pytest.mark.parametrize(("named", "indicator", "comment", "outcome"), OUTCOMES)
def test_each_row_has_its_outcome(tmp_path: Path, named: str, indicator: str, comment: str, outcome: str) -> None:
    row = f'0. Tactic,0.1 Technique,{named},"{indicator}","{comment}"'
    rows, objects = bring(tmp_path, **{NAME: f"{HEADER}\r\n{row}"})
    assert [(one.row, one.outcome) for one in rows] == [(1, "note"), (2, outcome)]
    assert set(rows[1].ids) <= set(objects)
    assert bool(patterns(objects)) == (outcome in ("indicator", "repaired"))
    if outcome in ("quarantined", "repaired"):
        assert rows[1].reason


def test_a_multi_line_cell_is_one_row_and_blank_ones_are_counted(tmp_path: Path) -> None:
    text = f'{HEADER}\n0. A,0.9 B,0.9.4 X accounts,"x[.]com/a_1\nx[.]com/b_2",\n,,,,\n,,,x[.]com/c_3,'
    rows, objects = bring(tmp_path, **{NAME: text})
    assert [one.outcome for one in rows] == ["note", "indicator", "blank", "indicator"]
    assert [one.row for one in rows] == [1, 2, 3, 4]
    assert sum(one["type"] == "user-account" for one in objects.values()) == 3


@pytest.mark.parametrize("header", ["Tactics,Techniques,Procedure,IOC,Comment", " TACTIC ,Technique ,Procedures,Indicators (defanged),",
                                    "\ufeffTactic,Technique,Procedure,Value"])  # fmt: skip
def test_a_header_is_known_by_its_place_too(tmp_path: Path, header: str) -> None:
    _, objects = bring(tmp_path, **{NAME: f"{header}\r\n0. A,0.6 B,0.6.2 Domains,lorem[.]org,"})
    assert "'lorem.org'" in patterns(objects)


@pytest.mark.parametrize("sign", ["\t", ";"])
def test_a_table_is_parted_as_its_header_is(tmp_path: Path, sign: str) -> None:
    text = f"{HEADER}\r\n0. A,0.6 B,0.6.2 Domains,lorem[.]org,".replace(",", sign)
    _, objects = bring(tmp_path, **{NAME: text})
    assert "'lorem.org'" in patterns(objects)


@pytest.mark.parametrize(("stated", "comment"), [("domain_name", "APT99: Domain"), ("legitimate domain", ""),
                                                 ("impersonated domain", "")])  # fmt: skip
def test_a_list_of_a_network_may_hold_values_that_arent_its_own(tmp_path: Path, stated: str, comment: str) -> None:
    text = f"indicator_type,indicator_value,comment,ds\n{stated},lorem.org,{comment},2024-08-01"
    rows, objects = bring(tmp_path, **{NAME: text})
    assert not patterns(objects)
    assert rows[1].outcome == "note"


def test_what_the_row_before_says_of_its_procedure_is_carried_on(tmp_path: Path) -> None:
    text = f"{HEADER}\n0. A,0.9 B,0.9.4 X accounts,x[.]com/a_1,\n,,,@b_2,"
    rows, objects = bring(tmp_path, **{NAME: text})
    assert rows[2].outcome == "indicator"
    assert "account_login = 'b_2'" in patterns(objects)


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    lines = [HEADER, '0. Acquiring assets,0.6 D,0.6.2 Domains,"lorem[.]org,',
             "0. Acquiring assets,0.6 D,0.6.2 Domains,ipsum[.]org,"]  # fmt: skip
    rows, objects = bring(tmp_path, **{NAME: "\n".join(lines)})
    assert len(rows) == 3
    assert "'ipsum.org'" in patterns(objects)


def test_the_same_network_gives_the_same_ids_in_every_format(tmp_path: Path) -> None:
    rows = [
        ["0. A", "0.6 B", "0.6.2 Domains", "lorem[.]org"],
        ["0. A", "0.9 B", "0.9.4 X", "hxxps://twitter[.]com/Lorem"],
    ]
    table = [["Tactic", "Technique", "Procedure", "Indicator"], *rows]
    title = "# Indicators of Compromise: Peru-Based Influence Operation Network Targeting Chile"
    sources = {
        "H1_2026_PERU_BASED_CIB_NETWORK.csv": "\r\n".join(",".join(row) for row in table),
        "H1_2026 Peru-based CIB_network.tsv": "\n".join("\t".join(row) for row in table),
        "meta-h1-2026-peru-based-cib-network.md": f"{title}\n\n## Indicators\n\n| Indicator Type | Indicator Value |\n"
        "| :--- | :--- |\n| Domain | `lorem[.]org` |\n| Social Media Account | `x[.]com/lorem` |\n",
        "H1_2026 Peru-based CIB network.json": json.dumps([
            {"indicator_type": "domain_name", "indicator_value": "lorem.org", "comment": "", "ds": "2026-03-31"},
            {"indicator_type": "cib_url", "indicator_value": "https://twitter.com/lorem", "ds": "2026-03-31"},
        ]),
    }  # fmt: skip
    found = []
    for name, text in sources.items():
        folder = tmp_path / str(len(found))
        folder.mkdir()
        _, objects = bring(folder, **{name: text})
        found.append({one for one in objects if one.split("--")[0] in
                      ("indicator", "domain-name", "user-account", "campaign", "report")})  # fmt: skip
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 6
    whole = tmp_path / "whole"
    whole.mkdir()
    _, together = bring(whole, **sources)
    assert found[0] == {one for one in together if one.split("--")[0] in
                        ("indicator", "domain-name", "user-account", "campaign", "report")}  # fmt: skip


def test_a_markdown_report_gives_claims_counts_and_audience(tmp_path: Path) -> None:
    text = "\n".join([
        "# Indicators: Peru, Chile-Based Influence Operation Network Targeting Bolivia, Sub-Saharan Africa",
        "", "We removed 4 Facebook accounts, 12 Pages, and 1 Instagram account. About 3,300 accounts followed one "
        "or more of these Instagram accounts. There was no ad spend associated with this network.", "",
        "## Indicators of Compromise", "", "*No IOCs associated with this report.*",
    ])  # fmt: skip
    rows, objects = bring(tmp_path, **{"meta-h2-2025-peru-based-cib-network.md": text})
    assert [one.outcome for one in rows] == ["note", "blank", "count", "blank", "note", "blank", "note"]
    says = campaign(objects)
    assert [(one["platform"], one["asset_type"], one["count"]) for one in says["assets_actioned"]] == [
        ("facebook", "account", 4), ("facebook", "page", 12), ("instagram", "account", 1)]  # fmt: skip
    assert [(one["metric"], one["value"]) for one in says["audience"]] == [("followers", 3300)]
    assert says["ad_spend"][0]["amount"] == 0
    claims = {(one["relationship_type"], objects[one["target_ref"]]["name"]): one for one in objects.values()
              if one.get("relationship_type") in ("originates-from", "targets")}  # fmt: skip
    assert sorted(claims) == [("originates-from", "Chile"), ("originates-from", "Peru"), ("targets", "Bolivia"),
                              ("targets", "Sub-Saharan Africa")]  # fmt: skip
    assert not any("confidence" in one for one in objects.values())
    assert {one["extensions"][extensions.RELATIONSHIP]["claim_type"] for one in claims.values()} == {
        "originated-in", "targeted"}  # fmt: skip


def test_a_value_outside_of_a_markdown_table_is_put_aside(tmp_path: Path) -> None:
    lines = ["# A CIB network", "## Indicators", "*Replace `[.]` with `.`.*", "- `lorem[.]org`"]
    text = "\n".join([*lines, "| Type | Value |", "|---|---|", "| Domain | a.org |"])
    rows, objects = bring(tmp_path, **{"meta-h2-2025-peru-based-cib-network.md": text})
    assert [one.outcome for one in rows] == ["note", "note", "note", "quarantined", "note", "note", "indicator"]
    assert "lorem" not in patterns(objects)


def test_everything_called_cib_names_a_behaviour(tmp_path: Path) -> None:
    text = f"{HEADER}\n0. A,0.6 B,0.6.2 Domains,lorem[.]org,\n1. A,1.1 B,1.1.2 GAN pictures,They used GAN,"
    _, objects = bring(tmp_path, **{NAME: text})
    named = behaviours_in(objects.values())
    assert all(fault_of_missing_behaviour(one, named) is None for one in objects.values())
    techniques = {ref["external_id"] for one in objects.values() if one["type"] == "attack-pattern"
                  for ref in one["external_references"]}  # fmt: skip
    assert techniques == {"0.6.2", "T0149.001", "1.1.2", "T0145.002"}


def test_files_about_something_else_are_accounted_for_and_left_out(tmp_path: Path) -> None:
    chain = f"{HEADER}\n0. A,0.6 B,0.6.2 Domains,lorem[.]org,"
    typed = "indicator_type,indicator_value,comment,ds\nmd5,0123,Lorem malware,2023-05-03\ndomain_name,lorem.org,"
    rows, objects = bring(
        tmp_path, **{"Q1_2023_ Lorem_APT.csv": chain, "2023_05_malware_iocs.csv": typed + "CIB: Peru,2023-05-03",
                     "2023_05_malware.xml": "<stix/>", "README.md": "# hello",
                     "notes.md": "# A\n\nipsum.org"})  # fmt: skip
    outcomes = {(one.file, one.row): one.outcome for one in rows}
    assert outcomes["Q1_2023_ Lorem_APT.csv", 2] == "note"
    assert outcomes["2023_05_malware_iocs.csv", 2] == "note"
    assert outcomes["2023_05_malware_iocs.csv", 3] == "indicator"
    assert outcomes["2023_05_malware.xml", 1] == "quarantined"
    assert outcomes["README.md", 1] == "note"
    assert sum(one["type"] == "indicator" for one in objects.values()) == 1


def test_values_marked_as_somebody_elses_stay_visible_as_such(tmp_path: Path) -> None:
    _, objects = bring(tmp_path, **{NAME: f"{HEADER}\n0. A,0.6 B,0.6.2 Domains,lorem[.]org (LEGITIMATE),"})
    (relation,) = [one for one in objects.values() if one.get("relationship_type") == "related-to"]
    assert relation["extensions"][extensions.RELATIONSHIP]["relation"] == "legitimate-mention"
    assert objects[relation["target_ref"]]["value"] == "lorem.org"


COUNTS = [
    ("63 accounts", [("facebook", "account", 63, False)]),
    ("7,704 Facebook accounts", [("facebook", "account", 7704, False)]),
    ("1 pages", [("facebook", "page", 1, False)]),
    ("About 110 accounts on Facebook and Instagram", [("facebook and instagram", "account", 110, True)]),
    ("63 accounts, 44 Pages and 2 Groups", [("facebook", "account", 63, False), ("facebook", "page", 44, False),
                                            ("facebook", "group", 2, False)]),
    ("less than 100 accounts", [("facebook", "account", 100, True)]),
    ("18 Instagram accounts", [("instagram", "account", 18, False)]),
    ("1.9 million accounts", [("facebook", "account", 1_900_000, False)]),
    ("4 789 accounts", [("facebook", "account", 4789, False)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), COUNTS)
def test_counts_are_read(text: str, expected: list[tuple[str, str, int, bool]]) -> None:
    assert figures.is_count(text)
    assert [
        (one.platform, one.asset_type, one.count, one.approximate) for one in figures.counts(text, "facebook")
    ] == expected


@pytest.mark.parametrize(("text", "amount", "currency"), [
    ("About $1,650 in spending for ads", 1650, "USD"), ("$1.2 million", 1_200_000, "USD"), ("20 USD in ads", 20, "USD"),
    ("Around \u20ac3.500 for ads", 3500, "EUR"), ("no ad spend", 0, "USD"), ("$3600", 3600, "USD"),
    ("\u00a35k", 5000, "GBP"),
])  # fmt: skip
def test_spending_is_read(text: str, amount: float, currency: str) -> None:
    assert [(one.amount, one.currency) for one in figures.spends(text)] == [(amount, currency)]


@pytest.mark.parametrize(("file", "key", "date"), [
    ("csv/Q2_2023 /Q2 2023 T\u00fcrkiye-based CIB network 1.csv", "q2-2023/turkiye-1", "2023-06-30"),
    ("tsv/Q2_2023 /Q2 2023 T\u00fcrkiye-based CIB_network_1.tsv", "q2-2023/turkiye-1", "2023-06-30"),
    ("Q4-1_2026_GithubIOCs - H1_2026_PERU_BASED_CIB_NETWORK_2.csv", "h1-2026/peru-2", "2026-03-31"),
    ("meta-h1-2026-peru-based-cib-network-2.md", "h1-2026/peru-2", "2026-03-31"),
    ("Q2-3_2025_GithubIOCs - Q2-3_2025_PERU_BASED_CIB_NETWORK.csv", "h2-2025/peru", "2025-09-30"),
    ("csv/Q1_2024/Lorem network.csv", "q1-2024/lorem", "2024-03-31"),
    ("2022_09_removing_cib_from_peru.json", "2022-09/peru", "2022-09-30"),
])  # fmt: skip
def test_a_network_has_one_key_in_every_file_name(file: str, key: str, date: str) -> None:
    found = network.of_file(file)
    assert (found.key, found.date) == (key, date)


@pytest.mark.parametrize(("cell", "number", "techniques"), [
    ("0.9.4 Acquiring X / Twitter accounts", "0.9.4", ["T0146", "T0151.008"]),
    ("0.9.10.0  Acquiring Pinterest accounts", "0.9.10", []), (" 2.2.1 Monitoring breaking news\n", "2.2.1", ["T0068"]),
    ("Creating apps", "0.8.1", ["T0147.004"]), ("7.3.4  Utilising campaigns", "7.3.4", ["T0101"]),
])  # fmt: skip
def test_procedures_are_mapped_to_techniques(cell: str, number: str, techniques: list[str]) -> None:
    found = procedure(cell)
    assert found is not None
    assert (found.id, [one.id for one in found.techniques]) == (number, techniques)
    assert procedure("Lorem ipsum") is None
    assert by_id("8.9.9").role == "third-party"
