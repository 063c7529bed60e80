"""Contributors' records and disputes: what they leave of a source's word, and that nobody is condemned by a bad one."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.matcher.contributors import Contributors, Record, beta_share, contributors, read_records
from exchange.matcher.weighing import Sources, load_weights
from exchange.stix.extensions import RECORD

RULES = Sources()
A, B, C, D, X = (f"identity--{name}" for name in "abcdx")
PATTERN = "[x-cib-device:token = 'dv_7c']"
CARD = "[x-cib-payment:token = 'pm_7c']"


@pytest.mark.parametrize(("confirmed", "overturned", "share", "witness"), [
    (0, 0, 1.0, True),
    (500, 0, 1.0, True),       # a good record adds nothing
    (50, 1, 1.0, True),
    (3, 1, 0.926, True),
    (0, 1, 0.833, False),
    (0, 5, 0.5, False),
    (0, 20, 0.2, False),
    (10, 5, 0.806, False),
    (1000, 200, 0.926, True),
])  # fmt: skip
def test_the_share_that_a_record_leaves(confirmed, overturned, share, witness):
    known = Contributors({"a": Record("a", confirmed, overturned)}, {A: "a"})
    trust = known.trust(A, "Alpha", RULES)
    assert math.isclose(trust.factor, share, abs_tol=5e-4)
    assert trust.witness is witness
    assert ("overturned" in trust.why) == bool(overturned)


counts = st.integers(0, 10**6)


@given(counts, counts, counts)
def test_a_record_never_adds_and_each_overturned_object_takes_away(confirmed, overturned, more):
    share = beta_share(Record("a", confirmed, overturned), RULES)
    assert 0 < share <= 1
    assert beta_share(Record("a", confirmed, overturned + more), RULES) <= share
    assert beta_share(Record("a", confirmed + more, overturned), RULES) >= share


def test_a_public_authority_is_no_witness_and_reviews_here_count_beside_the_record():
    known = Contributors({"g": Record("g", 90, 0, public_authority=True)}, {A: "g"}, learned={A: 0.5, B: 0.5})
    assert (known.trust(A, "", RULES).factor, known.trust(A, "", RULES).witness) == (0.5, False)
    assert known.trust(B, "", RULES).witness is False
    assert "tips only" in known.trust(A, "", RULES).why


def test_identities_of_one_contributor_or_ownership_group_are_one_source():
    known = contributors({"records": [{"org": "a", "group": "a"}, {"org": "b", "group": "a", "identity": B}],
                          "identities": {A: "a", C: "b", D: "d"}}, "here")
    assert {known.one_source(one) for one in (A, B, C)} == {A}
    assert known.one_source(D) == D
    assert known.one_source(X) == X


@pytest.mark.parametrize("content", [
    {"own": {}, "records": [{"org": "a", "confirmed": 2, "overturned": 3, "identity": A}]},
    {"objects": [{"type": "identity", "id": A}, {"type": "note", "object_refs": [A], "extensions": {
        RECORD: {"contributor": "a", "confirmed": 2, "overturned": 3}}}]},
])  # fmt: skip
def test_records_are_read_as_the_exchange_tells_them(tmp_path, content):
    (tmp_path / "records.json").write_text(json.dumps(content))
    known = read_records(tmp_path / "records.json")
    assert (known.records, known.identities) == ({"a": Record("a", 2, 3)}, {A: "a"})


def test_what_a_run_knew_of_contributors_is_read_back_as_it_was():
    known = Contributors({"a": Record("a", 2, 3, True, "g")}, {A: "a", B: "a"}, X, recorded_only=True)
    assert contributors(json.loads(json.dumps(known.as_json())), "the run") == known


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "are no JSON"),
    (b"[]", "holds no records"),
    (b"{}", "holds no records"),
    (b'{"records": [{"confirmed": 1}]}', "record 1 lacks org"),
    (b'{"records": [{"org": "a", "overturned": -1}]}', "record 1: overturned is -1"),
    (b'{"records": [{"org": "a", "confirmed": true}]}', "record 1: confirmed is True"),
    (b'{"records": [], "identities": {"identity--a": 1}}', "identities must give"),
])  # fmt: skip
def test_what_are_no_records_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "records.json").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_records(tmp_path / "records.json")


def by(platform, source, pattern, **given):
    return platform.indicator(pattern, name=f"{source} {pattern}", created_by_ref=source, **given)


def victim(platform, account=1):
    platform.accounts(account)
    platform.link(account, "device", "dv_7c")
    platform.link(account, "payment", "pm_7c")


def overturned(source, number=5):
    return Contributors({"a": Record("a", 0, number)}, {source: "a"})


def test_a_record_scales_direct_evidence_and_the_explanation_shows_it(platform):
    victim(platform)
    feed = [by(platform, A, PATTERN)]
    plain, scaled = platform.run(feed), platform.run(feed, contributors=overturned(A))
    (before,), (after,) = (run.rows("SELECT raw FROM evidence WHERE step = 'direct'") for run in (plain, scaled))
    assert math.isclose(after[0], 0.5 * before[0], abs_tol=1e-9)
    ((record, note),) = scaled.rows("SELECT record, note FROM evidence WHERE step = 'direct'")
    assert (record, note) == (0.5, "of its objects 0 were confirmed and 5 overturned")
    ((log_odds, total),) = scaled.rows("SELECT log_odds, (SELECT sum(nats) FROM evidence) FROM accounts")
    assert total == log_odds
    from exchange.matcher.explain import explain

    assert "source record 0.50" in explain(scaled.out, 1).text()


def test_a_source_with_an_overturned_record_is_no_second_witness(platform):
    victim(platform)
    feed = [by(platform, source, pattern) for source in (A, B) for pattern in (PATTERN, CARD)]
    assert platform.run(feed).scores()[1] > 0.5
    outcome = platform.run(feed, contributors=overturned(A, 1))
    assert outcome.scores()[1] < 0.5
    assert outcome.rows("SELECT sources FROM accounts") == [(1,)]


def test_two_identities_of_one_contributor_are_no_two_witnesses(platform):
    victim(platform)
    feed = [by(platform, source, pattern) for source in (A, B) for pattern in (PATTERN, CARD)]
    assert platform.run(feed, contributors=Contributors(identities={A: "a", B: "a"})).scores()[1] < 0.5
    assert platform.run(feed, contributors=Contributors(recorded_only=True)).scores()[1] < 0.5


def identity(name, author=None):
    return {"type": "identity", "id": name, "name": name, **({"created_by_ref": author} if author else {})}


MADE_UP = [
    ({}, {}, True),
    ({B: A}, {}, False),  # A made B up: one word
    ({A: C, B: C}, {}, False),
    ({A: C, B: D, D: C}, {}, False),
    ({A: B, B: A}, {}, True),  # of two that wrote each other down nothing is known
    ({A: A, B: B}, {}, True),
    ({A: X, B: X}, {}, True),  # the exchange says who is who
    ({B: A}, {A: "a", B: "b"}, True),  # each a member of its own
    ({B: C}, {A: "a", C: "a"}, False),
]
"""Who wrote down whose identity, whose members' identities they are, and whether A and B are two sources."""


def of_case(number, name):
    """The same identity in each case's own world; the exchange's is the same in all."""
    return name if name == X else f"{name}-{number}"


@pytest.fixture(scope="module")
def of_made_up(make_platform, tmp_path_factory):
    """One run: in each case A and B name what a victim of its own has."""
    platform = make_platform(tmp_path_factory.mktemp("made-up"))
    feed, members = [identity(X)], {}
    for number, (authors, known, _) in enumerate(MADE_UP):
        feed += victim_of_case(platform, number, A, B)
        for name in (A, B, C, D):
            author = authors.get(name)
            feed.append(identity(of_case(number, name), author and of_case(number, author)))
        members |= {of_case(number, name): f"{member}-{number}" for name, member in known.items()}
    return platform.run(feed, contributors=Contributors(identities=members, exchange=X)).scores()


def victim_of_case(platform, number, *sources):
    """An account with a device and a card of its own, and the indicators by which each source names both."""
    platform.accounts(number)
    platform.link(number, "device", f"dv_{number + 1:x}c")
    platform.link(number, "payment", f"pm_{number + 1:x}c")
    return [by(platform, of_case(number, source), pattern) for source in sources for pattern in (
        f"[x-cib-device:token = 'dv_{number + 1:x}c']", f"[x-cib-payment:token = 'pm_{number + 1:x}c']")]


@pytest.mark.parametrize(("number", "likely"), [(number, likely) for number, (*_, likely) in enumerate(MADE_UP)])
def test_an_identity_that_a_contributor_made_up_speaks_with_its_voice(of_made_up, number, likely):
    assert (of_made_up[number] > 0.5) is likely


def test_the_record_of_a_contributor_is_that_of_the_identities_it_made_up():
    known = replace(overturned(A, 9), written_by={B: A})
    assert known.trust(B, "b", RULES) == known.trust(A, "a", RULES)
    assert known.trust(B, "b", RULES).factor < 1


def framed(platform, *sources):
    """Fifty people with things of their own, all of which the sources name."""
    feed = []
    for number in range(50):
        platform.accounts(number)
        for kind in ("device", "payment", "phone"):
            value = f"{ {'device': 'dv', 'payment': 'pm', 'phone': 'ph'}[kind]}_{number + 1:x}"
            platform.link(number, kind, value)
            feed += [by(platform, source, f"[x-cib-{kind}:token = '{value}']") for source in sources]
    return feed


def test_one_source_that_frames_fifty_people_condemns_none_and_with_its_record_less(platform):
    feed = framed(platform, A)
    plain, known = platform.run(feed).scores(), platform.run(feed, contributors=overturned(A)).scores()
    assert max(plain.values()) < 0.5
    assert max(known.values()) < max(plain.values())
    assert sum(known.values()) < sum(plain.values())


def test_two_sources_that_collude_are_stopped_by_the_record_of_one_of_them(platform):
    """As two sources they are heard; what stands against them is what became of their words before."""
    feed = framed(platform, A, B)
    assert min(platform.run(feed).scores().values()) > 0.5
    assert max(platform.run(feed, contributors=overturned(B, 2)).scores().values()) < 0.5


def opinion(platform, source, about, word="disagree", **more):
    from tests.matcher.conftest import stix_id

    return {"type": "opinion", "id": stix_id("opinion", f"{source} {word} {about['id']}"), "modified": "2026-05-31T00:00:00Z",
            "created_by_ref": source, "opinion": word, "object_refs": [about["id"]], **more}


def sighting(platform, source, about, **more):
    from tests.matcher.conftest import stix_id

    return {"type": "sighting", "id": stix_id("sighting", f"{source} {about['id']}"), "modified": "2026-05-31T00:00:00Z",
            "created_by_ref": source, "sighting_of_ref": about["id"], **more}


FALSE = {"labels": ["false-positive"]}
MARK = {"type": "note", "labels": ["disputed"]}


SAID = [
    ([], "full"),
    ([(opinion, B, {"word": "agree"})], "full"),
    ([(sighting, B, {})], "full"),
    ([(opinion, B, {})], "objected"),
    ([(opinion, B, {"revoked": True})], "full"),
    ([(sighting, B, FALSE)], "objected"),
    ([(sighting, B, {"count": 0})], "full"),
    ([(opinion, B, {}), (sighting, B, FALSE)], "objected"),     # one source, however often
    ([(opinion, B, {}), (opinion, C, {})], "disputed"),
    ([(opinion, B, {}), (sighting, C, FALSE)], "disputed"),
    ([(opinion, A, {})], "left out"),                           # its own source
    ([(opinion, D, {})], "left out"),                           # trusted for it
    ([(opinion, X, MARK)], "disputed"),                         # the exchange's own mark
    ([(opinion, X, {**MARK, "revoked": True})], "full"),
    ([(opinion, B, MARK)], "objected"),                         # anybody else's is a voice
    ([(opinion, "identity--g", {}), (opinion, B, {})], "objected"),  # a public authority gives tips only
]  # fmt: skip
"""Who says what of A's indicator, and what becomes of its word."""


@pytest.fixture(scope="module")
def of_disputes(make_platform, tmp_path_factory):
    """One run: of each case A names the device of a victim of its own, and C its card."""
    platform = make_platform(tmp_path_factory.mktemp("disputes"))
    feed = []
    for number, (said, _) in enumerate(SAID):
        about, card = victim_of_case(platform, number, "")
        about, card = about | {"created_by_ref": A}, card | {"created_by_ref": C}
        feed += [about, card, *(make(platform, who, about, **more) for make, who, more in said)]
    known = Contributors({"gov": Record("gov", public_authority=True)}, {"identity--g": "gov"}, exchange=X)
    return platform.run(feed, contributors=known, allow_from=frozenset([D]))


@pytest.mark.parametrize(("number", "state"), [(number, state) for number, (_, state) in enumerate(SAID)])
def test_disputes_within_the_feed_act_by_who_says_so(of_disputes, number, state):
    mine = f"FROM evidence WHERE account_id = {number} AND step"
    direct = dict(of_disputes.rows(f"SELECT source, record {mine} = 'direct'"))
    ((objections,),) = of_disputes.rows(f"SELECT count(*) {mine} = 'objection'")
    seen = ("left out" if A not in direct else "disputed" if direct[A] == RULES.disputed
            else "objected" if objections else "full")
    assert seen == state
    assert direct[C] == 1.0
    ((log_odds, total),) = of_disputes.rows(f"""SELECT log_odds, (SELECT sum(nats) {mine} <> '')
        FROM accounts WHERE account_id = {number}""")
    assert total == log_odds


def test_disputed_indicators_are_counted(of_disputes):
    assert of_disputes.report.disputed == sum(state == "disputed" for _, state in SAID)


def test_a_dispute_of_the_campaign_is_one_of_its_indicators(platform):
    victim(platform)
    named = by(platform, A, PATTERN)
    campaign = {"type": "campaign", "id": "campaign--1", "modified": "2026-05-31T00:00:00Z", "name": "C"}
    link = {"type": "relationship", "id": "relationship--1", "modified": "2026-05-31T00:00:00Z",
            "relationship_type": "indicates", "source_ref": named["id"], "target_ref": campaign["id"]}
    voices = [opinion(platform, source, campaign) for source in (B, C)]
    outcome = platform.run([named, campaign, link, *voices])
    assert outcome.rows("SELECT record FROM evidence WHERE step = 'direct'") == [(RULES.disputed,)]


def test_records_within_a_feed_are_no_records(platform):
    """Anybody may push a note of praise, or of blame."""
    victim(platform)
    note = {"type": "note", "id": "note--1", "modified": "2026-05-31T00:00:00Z", "object_refs": [A],
            "extensions": {RECORD: {"contributor": A, "confirmed": 0, "overturned": 99}}}
    outcome = platform.run([by(platform, A, PATTERN), note])
    assert outcome.rows("SELECT record FROM evidence WHERE step = 'direct'") == [(1.0,)]


def test_the_shipped_weights_state_how_records_count():
    assert replace(load_weights().sources, proven_from=RULES.proven_from) == RULES  # who is proven: test_voices
