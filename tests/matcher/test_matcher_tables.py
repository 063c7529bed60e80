"""Entity tables as they come: faults are said with place and remedy, counted, and the rest goes on."""

from pathlib import Path

import duckdb
import pytest

from exchange.errors import InputError
from exchange.matcher.mapping import TableMapping, read_mapping
from exchange.matcher.run import Options, match
from exchange.matcher.shapes import SHAPES

PATTERN = "[x-cib-device:token = 'dv_7c']"


@pytest.fixture
def one_device(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    return platform


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        match([], tmp_path / "none", tmp_path / "out", Options(at=0))


def test_a_folder_without_accounts_is_refused(platform):
    platform.link(1, "device", "dv_7c")
    with pytest.raises(InputError, match="no accounts table"):
        platform.run([])


def test_a_table_without_a_needed_column_is_left_out_and_the_rest_goes_on(one_device):
    one_device.add("avatars", account_id=1, picture="x")
    outcome = one_device.run([one_device.indicator(PATTERN)])
    assert outcome.hits() == [(1, "device")]
    assert "avatars.csv has no column 'pdq'; the table is left out. Add the column" in outcome.problems()


def test_a_table_in_utf_16_is_told_as_that(one_device, tmp_path):
    folder = tmp_path / "given"
    one_device.write(folder)
    text = (folder / "links.csv").read_text(encoding="utf-8")
    (folder / "links.csv").write_text(text, encoding="utf-16")
    report = match([one_device.indicator(PATTERN)], folder, tmp_path / "out", Options(at=one_device.at))
    assert "links.csv is UTF-16; the table is left out. Save it as UTF-8." in report.problems


def test_links_without_times_count_half(platform):
    platform.accounts(1)
    platform.add("links", account_id=1, itype="device", value="dv_7c")
    outcome = platform.run([platform.indicator(PATTERN)])
    assert outcome.rows("SELECT decay FROM evidence WHERE step = 'direct'") == [(0.5,)]
    assert "links.csv has no column 'first_seen'; without it evidence from links counts half" in outcome.problems()


def test_a_broken_file_is_left_out_and_the_rest_goes_on(one_device, tmp_path):
    folder = tmp_path / "given"
    one_device.write(folder)
    (folder / "avatars.parquet").write_bytes(b"PAR1 this is no Parquet")
    report = match([one_device.indicator(PATTERN)], folder, tmp_path / "out", Options(at=one_device.at))
    assert report.hits["device"] == 1
    assert any(text.startswith("avatars.parquet can't be read") for text in report.problems)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"account_id": ""}, "no account_id"),
        ({"itype": "shoe"}, "the itype is unknown"),
        ({"itype": ""}, "no itype"),
        ({"value": ""}, "no value"),
        ({"itype": "ip4", "value": "10.0.0"}, "the value is not of its kind"),
        ({"itype": "phone", "value": "unknown"}, "the value is not of its kind"),
        ({"itype": "email", "value": " "}, "the value is not of its kind"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_with_its_reason(one_device, rows, reason):
    one_device.add(
        "links", **{"account_id": 1, "itype": "phone", "value": "ph_1", "first_seen": 0, "last_seen": 0, **rows}
    )
    outcome = one_device.run([one_device.indicator(PATTERN)])
    table = outcome.report.tables["links"]
    assert (2, 1, {reason: 1}) == (table.read, table.used, dict(table.skipped))
    assert outcome.hits() == [(1, "device")]


def test_an_unknown_itype_is_named(one_device):
    one_device.link(1, "shoe", "5")
    assert "links.csv: 1 row has the unknown itype 'shoe' and is left out." in one_device.run([]).problems()


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (1_779_000_000_000, 1_780_000_000,
         "column first_seen mixes units: of 2 times 1 in Unix seconds, 1 in milliseconds; each"),
        (1_779_000_000, 1_780_000_000_000, "column last_seen mixes units: of 2 times 1 in Unix seconds, 1 in milli"),
    ],
)
def test_mixed_units_of_time_are_read_and_reported(one_device, first, last, sentence):
    one_device.link(1, "phone", "ph_7c", first, last)
    outcome = one_device.run([one_device.indicator("[x-cib-phone:token = 'ph_7c']")])
    assert outcome.rows("SELECT first_seen, last_seen FROM evidence WHERE step = 'direct'") == [
        (1_779_000_000, 1_780_000_000)
    ]
    assert sentence in outcome.problems()


def test_milliseconds_throughout_are_read_as_such(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c", 1_779_000_000_000, 1_780_000_000_000)
    outcome = platform.run([platform.indicator(PATTERN)])
    assert outcome.rows("SELECT first_seen, last_seen FROM evidence WHERE step = 'direct'") == [
        (1_779_000_000, 1_780_000_000)
    ]
    assert "column first_seen is in milliseconds, not in Unix seconds" in outcome.problems()


def test_an_unknown_table_is_named(one_device, tmp_path):
    folder = tmp_path / "given"
    one_device.write(folder)
    (folder / "shoes.csv").write_text("a\n1\n")
    report = match([], folder, tmp_path / "out", Options(at=one_device.at))
    assert [text for text in report.problems if "shoes" in text] == [
        "shoes.csv is no entity table that is known; it is left out."
        " Name it in a mapping file if it is one under another name."
    ]


def test_a_repeated_account_counts_once(one_device):
    one_device.accounts(1)
    outcome = one_device.run([one_device.indicator(PATTERN)])
    assert len(outcome.rows("SELECT * FROM accounts")) == 1
    assert "1 row repeats an account_id" in outcome.problems()


def test_accounts_that_only_other_tables_know_are_told(platform):
    platform.accounts(1)
    for account in (1, 77, 78):
        platform.link(account, "device", "dv_7c")
    report = platform.run([platform.indicator("[x-cib-device:token = 'dv_7c']")]).report
    assert report.not_used["a meeting of an account that the table of accounts lacks"] == 2
    assert [problem for problem in report.problems if problem.startswith("2 accounts with rows") and "77" in problem]


def test_links_of_unknown_accounts_give_no_evidence(one_device):
    one_device.link(99, "device", "dv_7c")
    assert one_device.run([one_device.indicator(PATTERN)]).hits() == [(1, "device")]


@pytest.mark.parametrize(
    ("ids", "kept"), [(("007", "8"), {"007", "8"}), (("7", "8"), {7, 8}), (("jo", "8"), {"jo", "8"})]
)
def test_account_ids_stay_what_they_are(platform, ids, kept):
    platform.accounts(*ids)
    assert kept == set(platform.run([]).scores())


def test_parquet_and_csv_give_the_same(one_device, tmp_path):
    folder, parquet = tmp_path / "csv", tmp_path / "parquet"
    one_device.write(folder)
    parquet.mkdir()
    with duckdb.connect() as connection:
        for name in ("accounts", "links"):
            connection.execute(f"COPY (FROM read_csv('{folder / name}.csv')) TO '{parquet / name}.parquet'")
    feed, options = [one_device.indicator(PATTERN)], Options(at=one_device.at)
    match(feed, folder, tmp_path / "out1", options)
    match(feed, parquet, tmp_path / "out2", options)
    with duckdb.connect() as connection:
        one, two = (
            connection.execute(f"FROM '{tmp_path / out / 'evidence.parquet'}'").fetchall() for out in ("out1", "out2")
        )
    assert one == two


MAPPING = """
[accounts]
columns = { account_id = "uid" }
[links]
file = "edges.csv"
columns = { account_id = "uid", itype = "sort", value = "it", first_seen = "since", last_seen = "till" }
kinds = { handset = "device" }
"""


def test_a_mapping_file_says_what_files_columns_and_kinds_are_called(platform, tmp_path):
    folder = tmp_path / "given"
    platform.add("accounts", uid=1, created=0)
    platform.add("edges", uid=1, sort="handset", it="dv_7c", since=platform.at, till=platform.at)
    platform.write(folder)
    (tmp_path / "map.toml").write_text(MAPPING)
    mapping = read_mapping(tmp_path / "map.toml", tuple(SHAPES))
    report = match([platform.indicator(PATTERN)], folder, tmp_path / "out", Options(at=platform.at, mapping=mapping))
    assert (report.hits["device"], [text for text in report.problems if "edges" in text]) == (1, [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[shoes]\n", "'shoes' is not an entity table"),
        ("[links]\nfiel = 'x'\n", "can't have fiel"),
        ("[links]\nfile = 3\n", "can't have file = 3"),
        ("[links\n", "is not TOML"),
    ],
)
def test_a_wrong_mapping_file_is_refused_with_its_place(tmp_path, text, sentence):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_mapping(path, tuple(SHAPES))


def test_a_mapped_file_that_is_missing_is_told(one_device):
    outcome = one_device.run([], mapping={"links": TableMapping(file="edges.csv")})
    assert "links is in edges.csv, which is not in the entities' folder" in outcome.problems()


@pytest.mark.parametrize(("size", "threads"), [("lots", None), ("4GB", 0)])
def test_a_wrong_engine_setting_is_refused(one_device, tmp_path, size, threads):
    one_device.write(tmp_path / "given")
    with pytest.raises(InputError):
        match([], tmp_path / "given", tmp_path / "out", Options(at=0, memory=size, threads=threads))


def test_nothing_but_results_is_left_behind(one_device):
    out: Path = one_device.run([one_device.indicator(PATTERN)]).out
    results = ("accounts", "actions", "classes", "clusters", "evidence", "memberships", "seeds", "timeline")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["kept", "members.duckdb", "report.json", *(f"{name}.parquet" for name in results)])


def test_too_little_memory_is_a_sentence(one_device, tmp_path):
    one_device.write(tmp_path / "given")
    with pytest.raises(InputError, match=r"memory|engine"):
        match([], tmp_path / "given", tmp_path / "out", Options(at=0, memory="1MB"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_table_that_breaks_in_the_middle_is_a_sentence(one_device, tmp_path):
    folder = tmp_path / "given"
    one_device.write(folder)
    with duckdb.connect() as connection:
        connection.execute(f"""COPY (SELECT 1 AS account_id, repeat('ab', 32) AS pdq FROM range(100000))
            TO '{folder / "avatars.parquet"}' (COMPRESSION uncompressed)""")
    whole = bytearray((folder / "avatars.parquet").read_bytes())
    whole[4:60] = b"x" * 56
    (folder / "avatars.parquet").write_bytes(whole)
    feed = [one_device.indicator(f"[x-cib-media:pdq = '{'ab' * 32}']")]
    with pytest.raises(InputError):
        match(feed, folder, tmp_path / "out", Options(at=one_device.at))
