"""How many independent sources stand behind what is said: strangers who plot are one voice, however they say it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.matcher.voices import ECHO, ENOUGH, UNPROVEN, Finding, tell_voices
from exchange.matcher.weighing import load_weights

LEAST = 0.11
KINDS = (("device", "dv"), ("payment", "pm"), ("phone", "ph"))
STRICT = replace(load_weights(), sources=replace(load_weights().sources, proven_from=LEAST))
LOOSE = replace(load_weights(), sources=replace(load_weights().sources, proven_from=0.0))


def said(by, count, *, seen=0, start=0):
    """What a company (its members' letters) says of so many accounts, of which the platform itself saw some."""
    return [Finding(start + n, frozenset(by), n < seen) for n in range(count)]


REAL = [*said("a", 20, seen=10), *said("b", 20, seen=10, start=15), *said("ab", 6, seen=3)]
VICTIMS = 1_000


@pytest.mark.parametrize(("findings", "voices"), [
    (REAL, {"a": "a", "b": "b"}),  # two that agree on a part of more
    ([*REAL, *said("pq", 50, start=VICTIMS)], {"a": "a", "p": UNPROVEN, "q": UNPROVEN}),  # the same words
    ([*REAL, *said("pqrst", 50, start=VICTIMS)], {"a": "a", "p": UNPROVEN, "t": UNPROVEN}),
    ([*REAL, *said("pq", 50, start=VICTIMS), *said("p", 20, start=2_000), *said("q", 20, start=3_000)],
     {"p": UNPROVEN, "q": UNPROVEN}),  # each with noise of its own
    ([*REAL, *said("p", 50, start=VICTIMS), *said("q", 50, start=VICTIMS)],
     {"p": UNPROVEN, "q": UNPROVEN}),  # one names one half of what is theirs, the other the rest
    ([*said("apq", 20, seen=10), *said("bpq", 20, seen=10, start=15), *said("pq", 50, start=VICTIMS)],
     {"a": "a", "b": "b", "p": UNPROVEN, "q": UNPROVEN}),  # repeating what others publish makes nobody proven
    ([*said("ap", 20, seen=10), *said("bq", 20, seen=10, start=15), *said("pq", 3, start=VICTIMS)],
     {"a": "a", "b": "b", "p": UNPROVEN, "q": UNPROVEN}),  # nor where little is added at a time
    ([*REAL, *said("p", 20, seen=4, start=VICTIMS)], {"p": "p"}),  # finds of its own
    ([*REAL, *said("p", 8, start=12)], {"p": "p"}),  # proven sources name something else of what it finds
    ([*REAL, *said("p", 8, start=12), *said("q", 8, start=12), *said("p", 70, start=VICTIMS)],
     {"p": UNPROVEN, "q": "q"}),
    ([*said("ar", 20, seen=10), *said("br", 20, seen=10, start=15)],
     {"a": "a", "b": "b", "r": UNPROVEN}),  # who repeats everybody is an echo, and whom he repeats is himself
    ([*said("ar", 20, seen=10), *said("br", 20, seen=10, start=15), *said("r", 10, seen=5, start=90)],
     {"a": "a", "b": "b", "r": "r"}),  # one who repeats, and finds things of his own
    (said("xy", ECHO, seen=ECHO), {"x": "x", "y": UNPROVEN}),  # two that agree on everything are one
    (said("xy", ECHO - 1, seen=ECHO - 1), {"x": "x", "y": "y"}),  # of a few words that can't be told
    (said("p", 4), {"p": "p"}),  # where nobody is proven, few words are no verdict
    ([*said("p", 2), *said("q", 2)], {"p": "p", "q": "q"}),
    (said("pq", ENOUGH), {"p": UNPROVEN, "q": UNPROVEN}),
])  # fmt: skip
def test_whose_voice_a_source_has(findings, voices):
    told = tell_voices(findings, dict.fromkeys(sorted({s for one in findings for s in one.company}), 0), LEAST)
    assert {source: told[source] for source in voices} == voices


@pytest.mark.parametrize(("confirmed", "victims", "voice"), [(5, 20, "p"), (5, 50, UNPROVEN), (1, 2, "p"), (0, 2, UNPROVEN)])
def test_a_record_of_confirmed_objects_stands_for_a_few_findings_and_no_more(confirmed, victims, voice):
    told = tell_voices([*REAL, *said("p", victims, start=VICTIMS)], {"a": 0, "b": 0, "p": confirmed}, LEAST)
    assert told["p"] == voice


@given(st.lists(st.sets(st.sampled_from("pqrst"), min_size=1), min_size=1, max_size=40), st.booleans())
def test_strangers_are_one_voice_however_they_share_out_their_words(companies, repeat):
    plot = [Finding(VICTIMS + n // 2, frozenset(company), False) for n, company in enumerate(companies)]
    real = [replace(one, company=one.company | set("pqrst")) if repeat else one for one in REAL]
    told = tell_voices([*real, *plot], dict.fromkeys("abpqrst", 0), LEAST)
    assert {told[source] for company in companies for source in company} == {UNPROVEN}
    assert (told["a"], told["b"]) == ("a", "b")


def scene(platform):
    """An operation of sixteen that two sources know in part, and twelve people with things of their own."""
    for account in range(16):
        platform.accounts(account, strikes=1, audience_quality=0.2)
        for shift, (kind, prefix) in enumerate(KINDS):
            platform.link(account, kind, f"{prefix}_{(account + shift) // 3:x}")
    for account in range(100, 112):
        platform.accounts(account)
        for kind, prefix in KINDS:
            platform.link(account, kind, f"{prefix}_{account:x}")
    words = [(source, f"[x-cib-{kind}:token = '{prefix}_{n:x}']") for source, numbers in (("a", (0, 1, 2)), ("b", (2, 3, 4)))
             for (kind, prefix) in KINDS[:2] for n in numbers]
    plot = [(source, f"[x-cib-{kind}:token = '{prefix}_{account:x}']") for source in ("p", "q")
            for kind, prefix in KINDS for account in range(100, 112)]
    return words, plot


def feed(platform, words):
    return [platform.indicator(pattern, name=f"{source} {pattern}", created_by_ref=f"identity--{source}")
            for source, pattern in words]


def test_two_strangers_who_name_all_that_people_have_condemn_nobody(platform):
    words, plot = scene(platform)
    loose = platform.run(feed(platform, [*words, *plot]), weights=LOOSE).scores()
    after = platform.run(feed(platform, [*words, *plot]), weights=STRICT)
    assert min(loose[account] for account in range(100, 112)) > 0.5
    assert max(after.scores()[account] for account in range(100, 112)) < 0.5
    assert {account for account in range(16) if after.scores()[account] > 0.5} == {
        account for account in range(16) if loose[account] > 0.5} != set()
    assert {n for n, in after.rows("SELECT sources FROM accounts WHERE account_id >= 100")} == {1}


def test_who_repeats_what_others_say_neither_adds_to_it_nor_takes_from_it(platform):
    words, plot = scene(platform)
    plain = platform.run(feed(platform, words), weights=STRICT).scores()
    repeated = platform.run(feed(platform, [*words, *plot, *((source, said) for source in "pqr" for _, said in words)]),
                            weights=STRICT)
    assert all((repeated.scores()[account] > 0.5) == (plain[account] > 0.5) for account in range(16))
    assert set(repeated.rows("""SELECT DISTINCT source, repeated FROM evidence WHERE step = 'direct' AND account_id < 16
        AND source NOT IN ('identity--a', 'identity--b')""")) == {(f"identity--{source}", 0) for source in "pqr"}
