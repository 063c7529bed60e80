"""What leaves of a run: nothing local, in any made-up world; stable ids; a ledger that keeps single accounts quiet."""

import json
import re
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

import duckdb
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from exchange.cli.main import run as cibx
from exchange.errors import InputError
from exchange.matcher.results.ledger import read_ledger, write_ledger
from exchange.matcher.results.objects import LeakError, only_allowed
from exchange.matcher.results.share import Rules, prepare
from exchange.matcher.results.told import LEAST, Former, rounded
from exchange.policy.packs import load
from exchange.stix.validate import check
from tests.matcher.conftest import AT, DAY, stix_id

ME = stix_id("identity", "Me")
TERMS = load().terms("match-results")
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"  # nothing that leaves is written so

def rules(**more):
    return Rules(**{"identity": ME, "terms": TERMS, "least": LEAST, **more})


def results(folder, accounts, evidence, seeds):
    """Results as a run writes them: accounts (id, log-odds), evidence and seeds as tuples."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE accounts (account_id VARCHAR, log_odds DOUBLE, likely_from DOUBLE, cluster VARCHAR)")
        connection.execute("""CREATE TABLE evidence (account_id VARCHAR, step VARCHAR, indicator_id VARCHAR, source VARCHAR,
            source_name VARCHAR, signal VARCHAR,
            repeated DOUBLE, nats DOUBLE, first_seen BIGINT, last_seen BIGINT, local_value VARCHAR)""")
        connection.execute("""CREATE TABLE seeds (indicator_id VARCHAR, source VARCHAR, source_name VARCHAR, campaign VARCHAR,
            campaign_ref VARCHAR, tlp VARCHAR)""")
        for table, rows in (("accounts", accounts), ("evidence", evidence), ("seeds", seeds)):
            if rows:
                places = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
                connection.execute(f"INSERT INTO {table} VALUES {places}", [value for row in rows for value in row])
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    (folder / "report.json").write_text(json.dumps({"at": AT}))


def world_of(dice):
    """Accounts with Greek names who hold Greek values that indicators of two sources named, in Greek clusters."""
    def word():
        return "".join(dice.choices(GREEK, k=dice.randint(4, 12)))

    accounts = [(word(), dice.choice([-3.0, 0.4, 6.0]), 0.5, word()) for _ in range(dice.randint(1, 120))]
    ids = [(stix_id("indicator", str(n)), f"identity--{n % 2}", stix_id("campaign", str(n // 2))) for n in range(4)]
    evidence = []
    for indicator, source, _ in ids:
        for name, *_ in dice.sample(accounts, dice.randint(0, len(accounts))):
            moment = dice.randint(AT - 400 * DAY, AT)
            evidence.append((name, "direct", indicator, source, "Alpha", "device", 1.0, dice.choice([0.2, 3.0]), moment,
                             moment + dice.randint(0, 90 * DAY), word()))
    words = [["confirmed"], ["overturned"], ["confirmed", "overturned", "contested"]]
    said = dice.choice(words)
    verdicts = {name: dice.choice(said) for name, *_ in dice.sample(accounts, dice.randint(0, len(accounts)))}
    seeds = [(indicator, source, "Alpha", "Campaign", campaign, "") for indicator, source, campaign in ids]
    return accounts, evidence, seeds, verdicts


@given(st.randoms(use_true_random=False))
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_nothing_of_the_local_tables_is_in_what_leaves(dice):
    accounts, evidence, seeds, verdicts = world_of(dice)
    with TemporaryDirectory() as folder:
        results(Path(folder), accounts, evidence, seeds)
        outgoing = prepare(Path(folder), {}, verdicts, rules())
    text = b"".join(outgoing.bundle()).decode()
    assert not re.search("[α-ω]", text), "a name, value or cluster of a local table"
    for obj in map(json.loads, outgoing.bundle()):
        assert check(obj, True) is None
        moments = {value for key, value in obj.items() if key in ("first_seen", "last_seen")}
        assert all(moment.endswith("-01T00:00:00.000000Z") for moment in moments)
        assert all(moment.endswith("T00:00:00.000000Z") for moment in (obj["created"], obj.get("modified", obj["created"])))
        if obj["type"] == "sighting":
            assert obj["count"] == rounded(obj["count"], LEAST) >= LEAST
            of = {row[0] for row in seeds if obj["sighting_of_ref"] in (row[0], row[4])}
            assert len({row[0] for row in evidence if row[2] in of}) >= obj["count"]
        if obj["type"] == "opinion":
            assert len(verdicts) >= LEAST


@pytest.mark.parametrize(("change", "fits"), [
    ({}, True), ({"count": 13}, False), ({"count": 3}, False), ({"count": True}, False), ({"x_cluster": "c1"}, False),
    ({"description": "Account 17 did it."}, False), ({"sighting_of_ref": "indicator--removed"}, False),
    ({"first_seen": "2026-05-17T00:00:00.000000Z"}, False), ({"created": "2026-05-17T11:22:33.000000Z"}, False),
    ({"where_sighted_refs": [stix_id("identity", "x")]}, False), ({"type": "note"}, False), ({"confidence": 87}, False),
])  # fmt: skip
def test_whatever_is_not_on_the_list_is_refused(tmp_path, change, fits):
    results(tmp_path, *operation(12))
    obj = prepare(tmp_path, {}, {}, rules()).objects[0] | change
    if fits:
        assert only_allowed(obj, LEAST) == obj
    else:
        with pytest.raises(LeakError):
            only_allowed(obj, LEAST)


SEED = stix_id("indicator", "a")


def operation(size, *, alone=0, tlp=""):
    """Accounts that two sources name; ``alone`` ones only the first does, which makes all of their score."""
    both = [(f"{n}", 6.0, 0.5, "c") for n in range(size)]
    one = [(f"x{n}", 2.0, 0.5, "c") for n in range(alone)]
    rows = [(row[0], "direct", SEED, "identity--other", "Alpha", "device", 1.0, 3.0, AT - 90 * DAY, AT - 5 * DAY, "dv_7c")
            for row in [*both, *one]]
    return [*both, *one], rows, [(SEED, "identity--other", "Alpha", "", "", tlp)]


def test_accounts_count_only_where_they_are_likely_without_the_sources_word(tmp_path):
    """Whoever frames people with an indicator of his own doesn't hear whether they are here."""
    results(tmp_path, *operation(9, alone=40))
    assert prepare(tmp_path, {}, {}, rules()).objects == []
    results(tmp_path, *operation(10, alone=40))
    (obj,) = prepare(tmp_path, {}, {}, rules()).objects
    assert (obj["count"], obj["first_seen"], obj["last_seen"]) == (
        10, "2026-03-01T00:00:00.000000Z", "2026-05-01T00:00:00.000000Z")


def test_without_a_source_those_behind_it_on_the_same_value_take_its_place(tmp_path):
    """3 + 0.6 x 3 nats by two sources on one value are 3 nats by either."""
    accounts = [(f"{n}", 2.5, 0.5, "c") for n in range(12)]
    seeds = [(stix_id("indicator", name), f"identity--{name}", name, "", "", "") for name in "ab"]
    rows = [(account[0], "direct", seed[0], seed[1], seed[2], "device", 0.6**n, 3.0 * 0.6**n, AT, AT, "dv_7c")
            for account in accounts for n, seed in enumerate(seeds)]
    results(tmp_path, accounts, rows, seeds)
    assert [obj["count"] for obj in prepare(tmp_path, {}, {}, rules()).objects] == [10, 10]
    results(tmp_path, [(row[0], 1.7, 0.5, "c") for row in accounts], rows, seeds)
    assert [obj["sighting_of_ref"] for obj in prepare(tmp_path, {}, {}, rules()).objects] == []


def test_people_count_more_than_scores(tmp_path):
    results(tmp_path, *operation(9, alone=40))
    confirmed = prepare(tmp_path, {}, {"x1": "confirmed"}, rules())
    assert [obj["count"] for obj in confirmed.objects] == [10]
    results(tmp_path, *operation(10))
    assert prepare(tmp_path, {}, {"1": "overturned"}, rules()).objects == []


def test_ids_stay_and_a_second_word_is_a_new_version(tmp_path):
    results(tmp_path, *operation(12))
    first = prepare(tmp_path, {}, {}, rules())
    former = dict(first.remembered.values())
    assert prepare(tmp_path, former, {}, rules()).objects == []
    results(tmp_path, *operation(70))
    (second,) = prepare(tmp_path, former, {}, rules()).objects
    (before,) = first.objects
    assert (second["id"], second["created"]) == (before["id"], before["created"])
    assert second["modified"] > before["modified"]
    assert second["count"] == 50
    elsewhere = prepare(tmp_path, {}, {}, rules(identity=stix_id("identity", "They")))
    assert elsewhere.objects[0]["id"] != before["id"]


@pytest.mark.parametrize(("tlp", "marks"), [("", "GREEN"), ("TLP:CLEAR", "GREEN"), ("TLP:AMBER", "AMBER"), ("TLP:RED", None)])
def test_the_stricter_tlp_of_the_pack_and_the_indicator_holds(tmp_path, tlp, marks):
    results(tmp_path, *operation(12, tlp=tlp))
    outgoing = prepare(tmp_path, {}, {}, rules(audience=("org-alpha",)))
    assert [line.rpartition("TLP:")[2] for line in outgoing.lines] == ([marks] if marks else [])
    (said,) = outgoing.marking["extensions"].values()
    assert (said["data"], said["audience"]) == (
        {"personal": "no", "subject_kind": "no-natural-person"}, {"named_orgs": ["org-alpha"]})


def test_a_ledger_is_read_as_it_was_written_and_a_broken_one_is_refused(tmp_path):
    rows = {("sighting", SEED): Former("a", "b", 10, 14), ("opinion", SEED): Former("a", "b", 0, 12, 1, "agree")}
    write_ledger(tmp_path / "l" / "shared.json", rows)
    assert read_ledger(tmp_path / "l" / "shared.json") == rows
    assert read_ledger(tmp_path / "none.json") == {}
    for broken in (b"", b"[]", b'{"note x": {}}', b'{"sighting x": {"created": 1}}'):
        (tmp_path / "broken.json").write_bytes(broken)
        with pytest.raises(InputError, match="can't be read"):
            read_ledger(tmp_path / "broken.json")


def share(tmp_path, *more):
    return cibx(["match", "share", "--out", str(tmp_path), "--identity", ME, *more])


def test_a_preview_tells_what_would_leave_and_keeps_nothing(tmp_path, capsys):
    results(tmp_path, *operation(12))
    assert share(tmp_path, "--preview") == 0
    text = capsys.readouterr().out
    assert f"sighting of {SEED} (Alpha): 10 accounts or more; TLP:GREEN" in text
    assert not (tmp_path / "shared.json").exists()


def test_a_bundle_is_told_once(tmp_path, capsys):
    results(tmp_path, *operation(12))
    bundle = tmp_path / "bundle.json"
    assert share(tmp_path, "--bundle", str(bundle)) == 0
    assert [obj["type"] for obj in json.loads(bundle.read_bytes())["objects"]] == ["marking-definition", "sighting"]
    assert share(tmp_path, "--bundle", str(bundle)) == 0
    assert "objects" not in json.loads(bundle.read_bytes())
    assert "told before, and fewer than 10 accounts changed since" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "sentence"), [
    ((), "Say where to"),
    (("--preview", "--min-count", "4"), "A minimum of 4 accounts is too small"),
    (("--preview", "--identity", "me"), "'me' is no STIX identity"),
    (("--preview", "--policy", "none"), "There is no sharing pack 'none'"),
    (("--preview", "--out", "nowhere"), "nowhere/accounts.parquet is not there"),
    (("--to", "http://127.0.0.1:9/", "--token-env", "NOT_SET"), "The environment variable NOT_SET is empty"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence(tmp_path, capsys, arguments, sentence):
    results(tmp_path, *operation(12))
    assert share(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_a_run_keeps_what_sharing_needs(platform):
    """From a real run: two sources name two machines that twelve accounts share."""
    for account in range(24):
        platform.accounts(account)
        for kind in ("device", "payment"):
            platform.link(account, kind, f"{kind[:2].replace('de', 'dv').replace('pa', 'pm')}_7c")
    made = [platform.indicator(pattern, name=f"{source} {pattern}", created_by_ref=stix_id("identity", source))
            for source in "ab" for pattern in ("[x-cib-device:token = 'dv_7c']", "[x-cib-payment:token = 'pm_7c']")]
    made[0]["object_marking_refs"] = ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]
    outcome = platform.run(made)
    outgoing = prepare(outcome.out, {}, {}, rules())
    told = {obj["sighting_of_ref"]: obj["count"] for obj in outgoing.objects}
    assert told == {one["id"]: 20 for one in made[1:]}
    assert outgoing.kept == {("sighting", "its TLP:RED lets nothing out"): 1}
    assert uuid.UUID(outgoing.objects[0]["id"].partition("--")[2]).version == 5


def test_the_command_and_the_rules_name_one_minimum():
    from exchange.cli.match_share import share_command

    assert next(option.default for option in share_command.params if option.name == "least") == LEAST
