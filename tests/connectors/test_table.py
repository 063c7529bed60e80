"""Tables of every shape: what each row becomes, with a profile and without one; all names are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.table import CONNECTOR
from connectors.table.words import confidence, day, is_legitimate
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.stix import extensions
from exchange.stix.tlp import TLP2_IDS
from exchange.stix.validate import check

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "viginum"


def bring(path: Path, **options: str) -> tuple[list[Row], dict[str, dict[str, Any]]]:
    rows: list[Row] = []
    objects: dict[str, dict[str, Any]] = {}
    for batch in CONNECTOR.fetch(Source(str(path), options), None):
        rows += batch.rows
        objects |= {one["id"]: dict(one) for one in batch.upserts}
    assert all(check(one) is None for one in objects.values())
    assert all(row.reason for row in rows if row.outcome in ("quarantined", "repaired"))
    return rows, objects


def table(folder: Path, text: str | bytes, name: str = "lorem.csv", profile: str = "", **options: str) -> Any:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if profile:
        path.with_suffix(".toml").write_text(profile)
    return bring(path, **options)


def patterns(objects: dict[str, dict[str, Any]], kind: str = "attribution") -> list[str]:
    return sorted(one["pattern"] for one in objects.values() if one["type"] == "indicator" and kind in one["indicator_types"])


def values(objects: dict[str, dict[str, Any]], kind: str = "attribution") -> list[str]:
    return sorted(one["name"].split()[-1] for one in objects.values()
                  if one["type"] == "indicator" and kind in one["indicator_types"])  # fmt: skip


CELLS = [
    ("lorem-op.example", "lorem-op.example", "indicator"),
    ("lorem[.]op[.]example", "lorem.op.example", "indicator"),
    ("lorem.op[.]example", "lorem.op.example", "indicator"),
    ("www.LOREM-op.example", "lorem-op.example", "indicator"),
    ("hxxps://lorem-op[.]example/a?b=1", "https://lorem-op.example/a?b=1", "indicator"),
    ("[h]ttps://lorem-op.example/a", "https://lorem-op.example/a", "indicator"),
    ("https{:}//lorem-op.example/%c3%bc", "https://lorem-op.example/%C3%BC", "indicator"),
    ("https://lorem-op.example/ü", "https://lorem-op.example/%C3%BC", "indicator"),
    ("lorem\u200b-op.example\u00a0", "lorem-op.example", "indicator"),
    ("https://twitter[.]com/Made_Up_1", "made_up_1", "indicator"),
    ("t[.]me/s/Made_Up", "made_up", "indicator"),
    ("lorem[at]op-lorem.org", "lorem@op-lorem.org", "indicator"),
    ("9.10.11.12", "9.10.11.12", "indicator"),
    ("lorem-op.example (suspended)", "lorem-op.example", "indicator"),
    ("hxxps://lorem-op[.]example/why-boyc ott", "", "quarantined"),
    ("lorem-op.exa mple", "", "quarantined"),
    ("facebook.com", "", "note"),
    ("bit.ly", "", "note"),
    ("Posts about lorem and ipsum", "", "note"),
    ("   ", "", "blank"),
    ("Lorem:Ipsum", "", "note"),
    ("X: @Made_Up_1", "made_up_1", "indicator"),
    ("63 accounts", "", "count"),
]


@pytest.mark.parametrize(("cell", "value", "outcome"), CELLS)
def test_a_cell_is_read_whole_or_put_aside(tmp_path: Path, cell: str, value: str, outcome: str) -> None:
    rows, objects = table(tmp_path, f'indicator\n"{cell}"\n')
    assert [row.outcome for row in rows] == ["blank", outcome], rows
    assert values(objects) == ([value] if value else [])


def test_several_names_in_a_cell_are_several(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, 'indicator\n"lorem-op.example, ipsum-op.example"\n')
    assert values(objects) == ["ipsum-op.example", "lorem-op.example"]
    assert len(rows[1].ids) == 2


def test_the_address_wins_over_the_column_and_says_so(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "platform,account\nTikTok,https://x.com/made_up_1\nTikTok,@made_up_2\n")
    assert rows[1].outcome == "repaired"
    assert "the address stands" in rows[1].reason
    assert "account_type = 'x'" in patterns(objects)[1]
    assert "account_type = 'tiktok'" in patterns(objects)[0]


def test_a_handle_without_a_platform_is_put_aside(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "handle\nmade_up_1\n")
    assert rows[1].outcome == "quarantined"
    assert objects == {}
    rows, objects = table(tmp_path, "x handle\nmade_up_1\n")
    assert "account_type = 'x'" in patterns(objects)[0]
    rows, objects = table(tmp_path, "handle\nMade_up_1\n", platform="exlab")
    assert "account_type = 'exlab' AND user-account:account_login = 'Made_up_1'" in patterns(objects)[0]


def test_handle_and_address_of_one_account_are_one(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "network name,platform,handle,url\nLorem,X,@Made_Up_1,https://x.com/made_up_1\n")
    assert values(objects) == ["made_up_1"]
    assert len(rows[1].ids) == 2, "the account and its indicator"
    assert [one["name"] for one in objects.values() if one["type"] == "campaign"] == ["Lorem"]


def test_a_bare_word_on_no_platform_is_no_account(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "platform,account handle\nWebsite,made_up_1\nWebsite,lorem-op.example\n")
    assert [row.outcome for row in rows] == ["blank", "quarantined", "indicator"]
    assert values(objects) == ["lorem-op.example"]


RELATIONS = [
    ("operated", ["attribution"], "operated"), ("legitimate", ["benign"], "legitimate-mention"),
    ("LEGIT", ["benign"], "legitimate-mention"), ("impersonated", None, "impersonated"),
    ("victim", None, "targeted"), ("unknown", None, "unknown"), ("confirmed fake", ["attribution"], "operated"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "types", "relation"), RELATIONS)
def test_only_what_is_operated_is_attributed(tmp_path: Path, word: str, types: list[str] | None, relation: str) -> None:
    profile = '[columns]\nd = "value:domain"\ns = "relation"\nn = "campaign"\n[words]\n"confirmed fake" = "operated"\n'
    rows, objects = table(tmp_path, f"d,s,n\nlorem-op.example,{word},Lorem\n", profile=profile)
    found = [one for one in objects.values() if one["type"] == "indicator"]
    assert [one["indicator_types"] for one in found] == ([types] if types else [])
    (link,) = [one for one in objects.values() if one["type"] == "relationship"]
    assert link["extensions"][extensions.RELATIONSHIP]["relation"] == relation
    assert link["relationship_type"] == ("indicates" if relation == "operated" else "related-to")
    assert rows[1].outcome == ("indicator" if types else "note")


def test_a_relation_that_nobody_knows_is_put_aside(tmp_path: Path) -> None:
    profile = '[columns]\nd = "value"\ns = "relation"\n'
    rows, objects = table(tmp_path, "d,s\nlorem-op.example,blorem\n", profile=profile)
    assert "[words]" in rows[1].reason
    assert objects == {}


@pytest.mark.parametrize(("text", "marked"), [
    ("(LEGITIMATE)", True), ("legitimate site", True), ("Authentic.", True), ("seen in May [benign]", True),
    ("false positive", True), ("posing as a legitimate outlet", False), ("imitates authentic news", False), ("", False),
])
def test_a_mark_is_told_from_a_sentence(text: str, marked: bool) -> None:
    assert is_legitimate(text) == marked


def test_rows_that_the_source_marks_as_legitimate_stay_visible(tmp_path: Path) -> None:
    _, objects = table(tmp_path, "indicator,comments\nlorem-op.example (LEGITIMATE),\nipsum-op.example,legitimate\n"
                                 "dolor-op.example,posing as a legitimate outlet\n")
    assert values(objects, "benign") == ["ipsum-op.example", "lorem-op.example"]
    assert values(objects) == ["dolor-op.example"]


def test_a_column_may_say_that_its_values_are_somebody_elses(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "impersonated domain,domain,network\nipsum.example,lorem-op.example,Lorem\n")
    assert rows[1].outcome in ("indicator", "note")
    assert "ipsum.example" not in values(objects)


DATES = [
    ("2024-04-05", "", "2024-04-05"), ("2024/4/5", "", "2024-04-05"), ("7 July 2024", "", "2024-07-07"),
    ("July 7, 2024", "", "2024-07-07"), ("10-26-2022", "", "2022-10-26"), ("26/10/2022", "", "2022-10-26"),
    ("9/5/2024", "", ""), ("9/5/2024", "dmy", "2024-05-09"), ("9/5/2024", "mdy", "2024-09-05"),
    ("5/5/2024", "", "2024-05-05"), ("26/10/2022", "mdy", ""), ("10-26-2022", "dmy", ""), ("n/a", "", ""),
    ("2024-02-30", "", ""), ("31.12.2023", "", "2023-12-31"), ("2024-04-05T06:07:08Z", "", "2024-04-05"), ("2024", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "order", "expected"), DATES)
def test_a_date_is_taken_only_where_it_can_be_meant_in_one_way(text: str, order: str, expected: str) -> None:
    assert day(text, order)[:10] == expected


def test_an_ambiguous_date_is_kept_as_text(tmp_path: Path) -> None:
    text = "domain,first seen\nlorem-op.example,07/03/2013\nipsum-op.example,18/03/2013\n"
    _, objects = table(tmp_path, text, date="2024-01-01")
    found = {one["name"].split()[-1]: one for one in objects.values()}
    assert found["lorem-op.example"]["valid_from"] == "2024-01-01T00:00:00.000Z"
    assert "First seen: 07/03/2013" in found["lorem-op.example"]["description"]
    assert found["ipsum-op.example"]["valid_from"] == "2013-03-18T00:00:00.000Z"
    _, objects = table(tmp_path, text, date="2024-01-01", date_order="dmy")
    assert {one["valid_from"][:10] for one in objects.values()} == {"2013-03-07", "2013-03-18"}


@pytest.mark.parametrize(("text", "number"), [
    ("80", 80), ("80%", 80), ("0.8", 80), ("High", 85), ("medium confidence", 50), ("1", 1), ("0", 0), ("101", None),
    ("probably", None), ("", None),
])
def test_confidence_in_each_spelling(text: str, number: int | None) -> None:
    assert confidence(text) == number


def test_tlp_of_a_row_is_its_own_and_an_unknown_one_keeps_it_out(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "domain,tlp\na-op.example,TLP:RED\nb-op.example,green\nc-op.example,\nd-op.example,mauve\n",
                          tlp="amber")
    marked = {one["name"].split()[-1]: TLP2_IDS[one["object_marking_refs"][0]] for one in objects.values()}
    assert marked == {"a-op.example": "TLP:RED", "b-op.example": "TLP:GREEN", "c-op.example": "TLP:AMBER"}
    assert rows[4].outcome == "quarantined"
    assert "TLP" in rows[4].reason


def test_counts_come_to_the_campaign(tmp_path: Path) -> None:
    profile = ('[source]\nname = "Lorem Institute"\ndate = "2026-03-01"\n[columns]\nwhat = "value"\nn = "count"\n'
               'p = "platform"\na = "asset_type"\nc = "campaign"\n')  # fmt: skip
    text = 'what,n,p,a,c\n,"7,704",Facebook,accounts,Lorem\n"less than 100 Pages",,Facebook,,Lorem\n,some,,,Lorem\n'
    rows, objects = table(tmp_path, text, profile=profile)
    assert [row.outcome for row in rows] == ["blank", "count", "count", "note"]
    (campaign,) = [one for one in objects.values() if one["type"] == "campaign"]
    counted = campaign["extensions"][extensions.CAMPAIGN]["assets_actioned"]
    assert [(one["platform"], one["asset_type"], one["count"]) for one in counted] == [
        ("facebook", "account", 7704), ("facebook", "page", 100)]
    assert counted[1]["at_most"] is True
    assert campaign["created"] == "2026-03-01T00:00:00.000Z" < campaign["modified"]


ENCODINGS = [
    ("utf-8-sig", ""), ("utf-16", ""), ("utf-32", ""), ("utf-8", ""), ("cp1251", "cp1251"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "stated"), ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_encoding_gives_the_same(tmp_path: Path, encoding: str, stated: str, end: str) -> None:
    text = end.join(["domain,comment", "lorem-op.example,привет", '"ipsum-op.example","two', 'lines"'])
    profile = f'[table]\nencoding = "{stated}"\n[columns]\ndomain = "value"\ncomment = "comment"\n' if stated else ""
    rows, objects = table(tmp_path, text.encode(encoding), profile=profile)
    assert values(objects) == ["ipsum-op.example", "lorem-op.example"]
    assert {one["description"] for one in objects.values()} == {"привет", "two lines"}
    assert [row.row for row in rows] == [1, 2, 3]


def test_a_line_that_is_not_utf_8_says_so(tmp_path: Path) -> None:
    rows, _ = table(tmp_path, "domain,comment\nlorem-op.example,joão\n".encode("latin-1"))
    assert rows[1].outcome == "repaired"
    assert "UTF-8" in rows[1].reason


def test_a_lost_quote_costs_one_row(tmp_path: Path) -> None:
    lines = ["domain,comment", 'a-op.example,"lorem', *(f"b{number}-op.example,x" for number in range(800))]
    rows, objects = table(tmp_path, "\n".join(lines))
    assert len(rows) == 802
    assert len(values(objects)) == 801
    assert rows[1].outcome == "repaired"


def test_a_line_beyond_the_limit_costs_one_row(tmp_path: Path) -> None:
    text = b"domain\na-op.example\n" + b"x" * 5_000_000 + b"\nb-op.example\n"
    rows, objects = table(tmp_path, text)
    assert [row.outcome for row in rows] == ["blank", "indicator", "quarantined", "indicator"]
    assert "longer than" in rows[2].reason
    assert values(objects) == ["a-op.example", "b-op.example"]


FORMS = [
    ("a.tsv", "domain\tcomment\nlorem-op.example\tlorem\n"),
    ("a.csv", "domain;comment\nlorem-op.example;lorem\n"),
    ("a.txt", "# lorem, a remark\nlorem-op.example|lorem\n"),
    ("a.jsonl", '{"domain": "lorem-op.example", "comment": "lorem"}\n'),
    ("a.md", "# Lorem\n\n| Domain | Comment |\n|---|:--|\n| `lorem-op[.]example` | lorem |\n"),
    ("a.csv", "lorem-op.example,lorem\n"),
    ("a.txt", "domain\tcomment\nlorem-op.example\tlorem\n"),
    ("a.txt", "domain,comment\nlorem-op.example,lorem\n"),
    ("a.csv", "Lorem network of the year\n\ndomain;comment\nlorem-op.example;lorem\n"),
]


@pytest.mark.parametrize(("name", "text"), FORMS)
def test_each_form_gives_the_same(tmp_path: Path, name: str, text: str) -> None:
    rows, objects = table(tmp_path, text, name)
    (found,) = objects.values()
    assert found["pattern"] == "[domain-name:value = 'lorem-op.example']"
    assert found["description"] == "lorem"
    assert len(rows) == text.count("\n")


def test_files_that_are_no_tables_are_told_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<stix:STIX_Package/>")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "c.xml").write_text("lorem")
    (tmp_path / "lorem.csv").write_text("domain\nlorem-op.example\n")
    rows, _ = bring(tmp_path)
    assert [(row.file, row.outcome) for row in rows] == [
        *((name, "quarantined") for name in ("a.xml", "b.xlsx", "c.xml")), ("lorem.csv", "blank"), ("lorem.csv", "indicator")]
    assert "STIX 1.x" in rows[0].reason
    with pytest.raises(InputError, match="ZIP"):
        bring(tmp_path / "b.xlsx")


def test_broken_json_lines_spoil_none_of_their_neighbours(tmp_path: Path) -> None:
    text = '{"domain": "a-op.example"}\n{"domain": \n[]\n7\n{"domain": ["b-op.example", "c-op.example"]}\n{"domain": {"x": 1}}\n'
    rows, objects = table(tmp_path, text, "a.jsonl")
    assert [row.outcome for row in rows] == ["indicator", *["quarantined"] * 3, "indicator", "note"]
    assert values(objects) == ["a-op.example", "b-op.example", "c-op.example"]


def test_values_told_twice_are_one(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "domain\nlorem-op.example\nhxxp://LOREM-op[.]example\n")
    assert len(objects) == 1
    assert rows[2].ids == rows[1].ids
    assert "same as row 2" in rows[2].reason


TYPED = [
    ("sha256", "a" * 63 + "b", "file:hashes.'SHA-256'"), ("phone", "+44 20 7946 0958", "phone-number:value"),
    ("Telegram channel", "made_up_1", "account_type = 'telegram'"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "part"), TYPED)
def test_a_type_column_says_what_a_value_is(tmp_path: Path, kind: str, value: str, part: str) -> None:
    _, objects = table(tmp_path, f"type,value\n{kind},{value}\n")
    assert part in patterns(objects)[0]


def test_a_broken_personal_value_is_not_repeated(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "type,value\nphone,0123 garbage\n")
    assert rows[1].outcome == "quarantined"
    assert "0123" not in rows[1].reason
    assert objects == {}


def test_payment_numbers_stay_out_of_values_and_remarks(tmp_path: Path) -> None:
    rows, objects = table(tmp_path, "type,value,comment\niban,DE89 3704 0044 0532 0130 00,\n"
                                    "domain,lorem-op.example,paid by 4111 1111 1111 1111\n")
    assert [row.outcome for row in rows] == ["blank", "quarantined", "indicator"]
    assert "3704" not in json.dumps(objects) + rows[1].reason
    assert "4111" not in json.dumps(objects)


def test_hashed_accounts_are_taken_as_they_are(tmp_path: Path) -> None:
    value = "hmac-sha256:key-1:" + "ab" * 32
    _, objects = table(tmp_path, f"platform,account\nX,{value}\n")
    assert value in patterns(objects)[0]


WRONG = [
    ('[columns]\nd = "valu"\n', "valu"), ('[columns]\nd = "value:domian"\n', "domian"), ('[column]\nd = "value"\n', "column"),
    ('[columns]\nd = "comment"\n', "no column is a value"), ("[columns\n", "no TOML"), ('[columns]\nnone = "value"\n', "none"),
    ('[source]\ndate = "1/2/2024"\n[columns]\nd = "value"\n', "1/2/2024"), ('[source]\ntlp = "blue"\n[columns]\nd = "value"\n', "blue"),
    ('[source]\nrelation = "x"\n[columns]\nd = "value"\n', "relation"), ('[table]\nencoding = "lorem"\n[columns]\nd = "value"\n', "lorem"),
    ('[columns]\nd = "value"\na = "tlp"\nb = "tlp"\n', "two columns"), ('[table]\nformat = "xls"\n[columns]\nd="value"\n', "xls"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "told"), WRONG)
def test_a_wrong_profile_is_told(tmp_path: Path, profile: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        table(tmp_path, "d\nlorem-op.example\n", profile=profile)


def test_advice_is_a_profile_that_reads_the_same(tmp_path: Path) -> None:
    text = 'Account URL;Platform;First seen;"A ""note"""\nhttps://x.com/made_up_1;X;2024-01-02;lorem\n'
    rows, guessed = table(tmp_path, text)
    assert "'Account URL' as value" in rows[0].reason
    advice = CONNECTOR.advice(Source(str(tmp_path / "lorem.csv")))
    _, read = table(tmp_path, text, profile=advice)
    assert guessed == read


def test_a_table_without_known_values_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="profile"):
        table(tmp_path, "lorem,ipsum\ndolor sit,amet elit\n")


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gc
    import tracemalloc

    from connectors.table import connector
    from exchange.connect import lines

    monkeypatch.setattr(connector, "_SEEN", 200)  # small, so that a small file is larger than what is remembered
    monkeypatch.setattr(lines, "_PIECE", 4_096)

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        path.write_text("domain\n" + "".join(f"lorem-{number}.example\n" for number in range(rows)))
        gc.collect()
        tracemalloc.start()
        for _ in CONNECTOR.fetch(Source(str(path)), None):
            gc.collect(1)  # when the collector comes by itself differs from run to run
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(3_000) - peak(1_000) < 100_000


@given(st.binary(max_size=400))
def test_any_bytes_are_accounted_for(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(b"domain,comment\n" + data)
    try:
        rows, _ = bring(path)
    except InputError:
        return
    assert [row.row for row in rows] == list(range(1, len(rows) + 1))


CELL = st.text(st.sampled_from('ab,"\n\r|.é '), max_size=6)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8))
def test_well_formed_csv_is_read_as_the_standard_library_does(rows: list[list[str]]) -> None:
    import csv
    import io

    from exchange.connect.lines import lines
    from exchange.connect.records import records

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    text = out.getvalue().replace("\r", "")
    expected = [tuple(one) for one in csv.reader(io.StringIO(text, newline="")) if one]
    found = [one.cells for one in records(lines(io.BytesIO(text.encode())), "csv", ",") if one.cells]
    assert found == expected


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data isn't beside the project: VIGINUM's lists aren't read")
def test_published_lists_come_in_whole() -> None:
    counts = {}
    for path in sorted(REAL.rglob("*.csv")):
        rows, objects = bring(path, date="2024-02-12")
        counts[path.name[:8]] = (len(rows), [row for row in rows[1:] if row.outcome != "indicator"], len(values(objects)))
    assert counts == {"20241227": (372, [], 369), "NDD_RRN.": (638, [], 637)}


def test_json_values_only(tmp_path: Path) -> None:
    _, objects = table(tmp_path, "domain,network\nlorem-op.example,Lorem\n")
    assert json.loads(json.dumps(list(objects.values()))) == list(objects.values())
