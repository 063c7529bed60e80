"""Which indicators of a feed are looked for at a moment, and what is said of the others."""

import pytest

PATTERN = "[x-cib-device:token = 'dv_7c']"


@pytest.fixture
def one_device(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    return platform


@pytest.mark.parametrize(
    ("given", "reason"),
    [
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
    ],
)
def test_an_indicator_counts_or_is_left_out_with_a_reason(one_device, given, reason):
    pattern = given.pop("pattern", PATTERN)
    outcome = one_device.run([one_device.indicator(pattern, **given)])
    assert (([(1, "device")], {}) if reason is None else ([], {reason: 1})) == (
        outcome.hits(),
        dict(outcome.report.not_used),
    )


@pytest.mark.parametrize("newest_last", [True, False])
def test_the_latest_version_counts_whatever_comes_first(one_device, newest_last):
    versions = [
        one_device.indicator(PATTERN, name="i", modified="2026-05-31T00:00:00.1Z"),
        one_device.indicator(PATTERN, name="i", modified="2026-05-31T00:00:00.12Z", revoked=True),
    ]
    outcome = one_device.run(versions if newest_last else reversed(versions))
    assert outcome.hits() == []


A, B, C = "identity--a", "identity--b", "identity--c"


@pytest.mark.parametrize(
    ("named_by", "benign_by", "allow_from", "looked_for"),
    [
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
    ],
)
@pytest.mark.parametrize("word", [{"indicator_types": ["benign"]}, {"labels": ["impersonated"]}])
def test_a_word_of_benign_removes_what_its_own_source_or_a_trusted_one_speaks_of(
    one_device, named_by, benign_by, allow_from, looked_for, word
):
    def said(source, **given):
        found = one_device.indicator(PATTERN, name=f"{source} {given}", created_by_ref=source, **given)
        return {name: value for name, value in found.items() if value is not None}

    feed = [*(said(source) for source in named_by), *(said(source, **word) for source in benign_by)]
    outcome = one_device.run(feed, allow_from=frozenset(allow_from))
    sources = [source for (source,) in outcome.rows("SELECT source FROM evidence WHERE step = 'direct' ORDER BY ALL")]
    assert looked_for == sources
    suppressed = outcome.report.not_used["the value is said to be benign by its own source, or by one that is trusted for"
                                         " this"]  # fmt: skip
    assert suppressed == len(named_by) - len(looked_for)
    objected = {source for source in looked_for if set(benign_by) - {source}}
    assert outcome.report.values_objected == len(objected)
    assert len(outcome.rows("SELECT nats FROM evidence WHERE step = 'objection' AND nats < 0")) == bool(objected)


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
