"""Packs are read whole or not at all, hashed, and decide what their own cases say."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest

from exchange.errors import SettingError
from exchange.policy.check import run_cases
from exchange.policy.packs import load
from exchange.stix.timestamp import microseconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "policies"
    with resources.as_file(resources.files("policies")) as shipped:
        shutil.copytree(shipped, copied)
    return copied


CASES = [(result.file, result.name, result.fault) for result in run_cases(load())]


@pytest.mark.parametrize(("file", "name", "fault"), CASES, ids=[f"{file}: {name}" for file, name, _ in CASES])
def test_packs_decide_what_they_say(file: str, name: str, fault: str) -> None:
    assert fault == ""


def test_the_same_packs_have_the_same_digest(folder: Path) -> None:
    assert load(folder).digest == load().digest


def test_any_change_changes_the_digest(folder: Path) -> None:
    pack = folder / "tlp.toml"
    pack.write_text(pack.read_text() + '\n[[cases]]\nname = "one more"\ndecision = "allow"\n')
    assert load(folder).digest != load().digest


def test_a_comment_is_no_change(folder: Path) -> None:
    pack = folder / "tlp.toml"
    pack.write_text("# reviewed\n" + pack.read_text())
    assert load(folder).digest == load().digest


BROKEN = [
    ("tlp.toml", "[pack]", "[pack", "tlp.toml can't be read"),
    ("tlp.toml", "valid_from", "valid_frm", "'valid_frm' is not a known key"),
    ("tlp.toml", "valid_from = 2022-08-01", 'valid_from = "soon"', "valid_from is 'soon'"),
    ("tlp.toml", 'id = "TLP:RED"', 'id = "TLP:PINK"', "id is 'TLP:PINK'"),
    ("tlp.toml", 'id = "TLP:RED"', 'id = "TLP:CLEAR"', "'TLP:CLEAR' is given twice"),
    ("purposes.toml", 'dpv = ["https://w3id.org/dpv#Advertising"]', "dpv = []", "dpv is []"),
    ("pap.toml", 'acts = ["passive-log-search"]', 'acts = ["dance"]', "acts is ['dance']"),
    ("lawful_bases/eu_gdpr.toml", 'evidence = ["lia"]', 'evidence = ["faith"]', "evidence is ['faith']"),
    ("lawful_bases/eu_gdpr.toml", 'regime = "EU-GDPR"', 'regime = "MOON"', "names 'MOON'"),
    ("sharing/demo.toml", 'legal_basis = ["A6-1-f"]', 'legal_basis = ["A6-1-q"]', "names 'A6-1-q'"),
    ("sharing/demo.toml", "retention_days = 90", "retention_days = 0", "retention_days is 0"),
    ("sharing/demo.toml", 'purposes = ["cib-detection", "account-integrity"]', "", "the key 'purposes' is missing"),
    ("sharing/demo.toml", "[terms]", "[term]", "'term' is not a table"),
    ("programme.toml", "value = 365", "value = 0", "value is 0"),
    ("programme.toml", 'id = "min_count"', 'id = "min_cnt"', "id is 'min_cnt'"),
    ("notice.toml", 'evidence = ["deferral", "review"]', "evidence = []", "evidence is []"),
    ("notice.toml", "valid_from = 2018-05-25", "valid_from = 2018-05-25\nvalid_until = 2018-05-25", "never be valid"),
    ("subjects.toml", "protected = true", 'protected = "yes"', "protected is 'yes'"),
    ("subjects.toml", "valid_from = 2018-05-25", "valid_from = 2018-05-25T00:00:00Z", "must be a date"),
    ("retention/maxima.toml", 'word = "IPAddress"', 'word = "Shoe"', "names 'Shoe'"),
    ("sharing/demo.toml", 'notice = "public-notice"', 'notice = "later"', "names 'later'"),
    ("lawful_bases/uk_gdpr.toml", 'regimes = ["UK-GDPR"]', 'regimes = ["MARS"]', "names 'MARS'"),
    ("purposes.toml", "[[cases]]", "[[case]]", "'case' is not a table"),
    ("lawful_bases/eu_gdpr.toml", 'citation = "GDPR Art. 6(1)(b)"', 'citation = "  "', "citation is '  '"),
    ("pap.toml", "[pack]\n", "deep = " + "[" * 20_000 + "]" * 20_000 + "\n[pack]\n", "Nested too deeply"),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), BROKEN, ids=[row[3] for row in BROKEN])
def test_a_broken_pack_is_refused_with_its_place(folder: Path, file: str, old: str, new: str, words: str) -> None:
    pack = folder / file
    pack.write_text(pack.read_text().replace(old, new))
    with pytest.raises(SettingError) as refusal:
        load(folder)
    assert words in str(refusal.value)
    assert file.removesuffix(".toml").rsplit("/", 1)[-1] in str(refusal.value) or "names" in words


def test_a_missing_vocabulary_is_refused(folder: Path) -> None:
    (folder / "purposes.toml").unlink()
    with pytest.raises(SettingError, match="'purpose'"):
        load(folder)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "noise.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match=r"noise\.toml"):
        load(folder)


def test_a_wrong_case_is_found(folder: Path) -> None:
    pack = folder / "tlp.toml"
    pack.write_text(pack.read_text() + '\n[[cases]]\nname = "wrong"\ndecision = "deny"\n')
    assert [result.name for result in run_cases(load(folder)) if result.fault] == ["wrong"]


def test_sharing_packs_name_terms() -> None:
    terms = load().terms("meta-threat-research")
    assert terms["tlp"] == "TLP:CLEAR"
    assert terms["retention_days"] == 365


def test_an_unknown_sharing_pack_names_the_known_ones() -> None:
    with pytest.raises(SettingError, match="meta-threat-research"):
        load().terms("meta")


DAY = 86_400_000_000
RECOGNISED = microseconds("2026-02-05T00:00:00Z")


def test_a_word_is_known_from_its_first_day() -> None:
    assert "UK-A6-1-ea" not in load().at(RECOGNISED - 1).bases
    assert "UK-A6-1-ea" in load().at(RECOGNISED).bases
    assert load().boundary(RECOGNISED + DAY) == RECOGNISED
    assert load().next_boundary(RECOGNISED - 1) == RECOGNISED
    assert load().boundary(-10_000 * 365 * DAY) == 0


def test_a_word_is_unknown_from_its_last_day(folder: Path) -> None:
    pack = folder / "purposes.toml"
    pack.write_text(pack.read_text().replace('id = "transparency"', 'id = "transparency"\nvalid_until = 2026-07-01'))
    packs, end = load(folder), microseconds("2026-07-01T00:00:00Z")
    assert "transparency" in packs.at(end - 1).purposes
    assert "transparency" not in packs.at(end).purposes
    assert packs.at(end) is packs.at(end + DAY)
    assert packs.next_boundary(end) is None


def test_with_its_regime_a_basis_goes(folder: Path) -> None:
    pack = folder / "lawful_bases/us_sca.toml"
    pack.write_text(pack.read_text().replace('id = "US"', 'id = "US"\nvalid_until = 2026-07-01'))
    assert "US-SCA-2702-c-6" not in load(folder).at(microseconds("2026-07-01T00:00:00Z")).bases


def test_a_word_may_change_its_meaning_on_a_day(folder: Path) -> None:
    pack = folder / "retention/maxima.toml"
    entry = '[[retention]]\nid = "ip-address"\nof = "category"\nword = "IPAddress"\ndays = {}\nvalid_{} = 2027-01-01\n\n'
    text = pack.read_text().replace('id = "ip-address"', 'id = "ip-address"\nvalid_until = 2027-01-01', 1)
    pack.write_text(text.replace("[[cases]]", entry.format(30, "from") + "[[cases]]", 1))
    packs, change = load(folder), microseconds("2027-01-01T00:00:00Z")
    days = [packs.at(moment).ceilings["category", "IPAddress"].days for moment in (change - 1, change)]
    assert days == [184, 30]


def test_every_entry_has_a_citation_and_dates() -> None:
    rows = [row for table, rows in load().entries.items() if table not in {"base"} for row in rows]
    assert all(row["citation"] and row["valid_from"] for row in rows)
