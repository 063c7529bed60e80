"""Which indicators of a feed are looked for at a moment, and what is said of the others."""

import pytest

PATTERN = "[x-cib-device:token = 'dv_7c']"


@pytest.fixture
def one_device(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    return platform


GIVEN = [
    ({}, None),
    ({"valid_until": "2026-06-01T00:00:01Z"}, None),
    ({"valid_until": "2026-06-01T00:00:00Z"}, "expired"),
    ({"valid_from": "2026-06-01T00:00:00Z"}, None),
    ({"valid_from": "2026-06-01T00:00:01Z"}, "not valid yet"),
    ({"revoked": True}, "revoked"),
    ({"pattern_type": "yara"}, "the pattern is not in the STIX language"),
    ({"pattern": "[x-cib-device:token = "}, "the pattern is invalid"),
    ({"pattern": "[file:hashes.MD5 = 'a']"}, "nothing local is compared with file:hashes"),
    ({"valid_from": "yesterday"}, "valid_from or valid_until is missing or no timestamp"),
    ({"valid_from": 5}, "valid_from or valid_until is missing or no timestamp"),
    ({"indicator_types": ["benign"]}, "it says that its value is benign"),
    ({"labels": 5, "indicator_types": "benign"}, None),
    ({"id": 5}, "no STIX object: type or id is missing"),
    ({"labels": ["Legitimate"]}, "it says that its value is benign"),
]
"""What an indicator says otherwise than others, and why it is left out, if it is."""


@pytest.fixture(scope="module")
def of_given(make_platform, tmp_path_factory):
    """One run over all, each for an account of its own; the n-th comes n times, so that counts tell the reasons apart."""
    platform = make_platform(tmp_path_factory.mktemp("given"))
    feed = []
    for number, (given, _) in enumerate(GIVEN, 1):
        platform.accounts(number)
        for copy in range(number):
            platform.link(number, "device", f"dv_{100 * number + copy}c")
            said = {"pattern": f"[x-cib-device:token = 'dv_{100 * number + copy}c']", **given}
            feed.append(platform.indicator(said.pop("pattern"), name=f"{number} {copy}", **said))
    return platform.run(feed)


@pytest.mark.parametrize("number", range(1, len(GIVEN) + 1))
def test_an_indicator_counts_or_is_left_out_with_a_reason(of_given, number):
    reason = GIVEN[number - 1][1]
    hits = of_given.rows(f"SELECT count(*) FROM evidence WHERE step = 'direct' AND account_id = {number}")
    assert hits == [(number if reason is None else 0,)]
    told = sum(n for n, (_, other) in enumerate(GIVEN, 1) if other == reason is not None)
    assert of_given.report.not_used.get(reason, 0) == told
    assert set(of_given.report.not_used) == {reason for _, reason in GIVEN} - {None}


@pytest.mark.parametrize("newest_last", [True, False])
def test_the_latest_version_counts_whatever_comes_first(one_device, newest_last):
    versions = [
        one_device.indicator(PATTERN, name="i", modified="2026-05-31T00:00:00.1Z"),
        one_device.indicator(PATTERN, name="i", modified="2026-05-31T00:00:00.12Z", revoked=True),
    ]
    outcome = one_device.run(versions if newest_last else reversed(versions))
    assert outcome.hits() == []


A, B, C = "identity--a", "identity--b", "identity--c"


BENIGN = [
    ([A], [], [], [A]),
    ([A], [A], [], []),
    ([A], [B], [], [A]),
    ([A], [B], [B], []),
    ([A], [B], [C], [A]),
    ([A, B], [A], [], [B]),
    ([A, B], [C], [], [A, B]),
    ([A, B], [C], [C], []),
    ([A, B], [A], [A], []),
    ([None], [None], [], ["unknown"]),
    ([A], [None], [], [A]),
    ([A], [None], ["unknown"], []),
]
"""Who names a value, who says that it is benign, who is trusted for that, and whose word counts."""
WORDS = [{"indicator_types": ["benign"]}, {"labels": ["impersonated"]}]


@pytest.fixture(scope="module")
def of_benign(make_platform, tmp_path_factory):
    """Two runs: of the cases in which who isn't named is trusted, and of the others; each has an account, a value and
    sources of its own."""
    outcomes = []
    for trusted in (False, True):
        platform = make_platform(tmp_path_factory.mktemp("benign"))
        feed, allowed = [], set()
        for case, (named_by, benign_by, allow_from, _) in enumerate(BENIGN):
            if ("unknown" in allow_from) is not trusted:
                continue
            allowed |= {of_case(source, case) for source in allow_from}
            for account, word in enumerate(WORDS, len(WORDS) * case):
                platform.accounts(account)
                platform.link(account, "device", f"dv_{account + 1}c")
                feed += [said(platform, account, case, source) for source in named_by]
                feed += [said(platform, account, case, source, **word) for source in benign_by]
        outcomes.append(platform.run(feed, allow_from=frozenset(allowed)))
    return outcomes


def of_case(source, case):
    """The source of that letter in one case alone; who isn't named is the same everywhere."""
    return source if source in (None, "unknown") else f"{source}-{case}"


def said(platform, account, case, source, **given):
    """An indicator of the account's device; without a source where there is none."""
    found = platform.indicator(f"[x-cib-device:token = 'dv_{account + 1}c']", name=f"{account} {source} {given}",
                               created_by_ref=of_case(source, case), **given)
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("word", range(len(WORDS)))
@pytest.mark.parametrize("case", range(len(BENIGN)))
def test_a_word_of_benign_removes_what_its_own_source_or_a_trusted_one_speaks_of(of_benign, case, word):
    _, benign_by, allow_from, looked_for = BENIGN[case]
    outcome, mine = of_benign["unknown" in allow_from], f"account_id = {len(WORDS) * case + word}"
    sources = outcome.rows(f"SELECT source FROM evidence WHERE step = 'direct' AND {mine} ORDER BY ALL")
    assert [of_case(source, case) for source in looked_for] == [source for source, in sources]
    objected = outcome.rows(f"SELECT nats FROM evidence WHERE step = 'objection' AND nats < 0 AND {mine}")
    assert len(objected) == bool(objections(looked_for, benign_by))


def objections(looked_for, benign_by):
    """The sources whose word counts, and of which another says that it is none."""
    return {source for source in looked_for if set(benign_by) - {source}}


@pytest.mark.parametrize("trusted", [False, True])
def test_words_of_benign_are_counted(of_benign, trusted):
    cases = [case for case in BENIGN if ("unknown" in case[2]) is trusted]
    told = of_benign[trusted].report
    assert told.not_used["the value is said to be benign by its own source, or by one that is trusted for this"] == sum(
        len(WORDS) * (len(named) - len(looked_for)) for named, _, _, looked_for in cases)
    assert told.values_objected == sum(
        len(WORDS) * len(objections(looked_for, benign_by)) for _, benign_by, _, looked_for in cases)


def test_a_trusted_source_that_says_nothing_is_told(one_device):
    outcome = one_device.run([one_device.indicator(PATTERN)], allow_from=frozenset([B]))
    assert "--allow-from identity--b: nothing in the feed is said to be benign by this source" in outcome.problems()


def test_a_pattern_used_in_part_says_what_is_not_used(one_device):
    outcome = one_device.run([one_device.indicator("[x-cib-device:token = 'dv_7c' OR file:name LIKE 'a%']")])
    assert (outcome.hits(), dict(outcome.report.not_used)) == ([(1, "device")],
        {"the pattern compares with LIKE what isn't kept in the clear (file:name)": 1})


def test_an_indicator_without_confidence_counts_as_the_table_says(one_device):
    feed = one_device.indicator(PATTERN)
    del feed["confidence"]
    assert one_device.run([feed]).rows("SELECT confidence FROM evidence WHERE step = 'direct'") == [(0.5,)]


@pytest.mark.parametrize(("purpose", "hits"), [(None, 1), ("network-security", 1), ("research", 0)])
def test_an_indicator_shared_for_another_purpose_is_left_out(one_device, purpose, hits):
    marking = {
        "type": "marking-definition",
        "id": "marking-definition--m",
        "extensions": {"extension-definition--x": {"purposes": ["network-security"]}},
    }
    feed = [one_device.indicator(PATTERN, object_marking_refs=[marking["id"]]), marking]
    assert hits == len(one_device.run(feed, purpose=purpose).hits())


def test_the_campaign_and_the_producer_are_named(one_device):
    found = one_device.indicator(PATTERN)
    feed = [
        found,
        {"type": "identity", "id": found["created_by_ref"], "name": "Alpha"},
        {"type": "campaign", "id": "campaign--c", "name": "Op C"},
        {
            "type": "relationship",
            "id": "relationship--r",
            "relationship_type": "indicates",
            "source_ref": found["id"],
            "target_ref": "campaign--c",
        },
    ]
    assert one_device.run(feed).rows("SELECT source_name, campaign FROM evidence WHERE step = 'direct'") == [
        ("Alpha", "Op C")
    ]
