"""What the evidence adds up to: exact sums, limits, and what one voice alone can never do."""

import math
import random
from dataclasses import replace

import pytest

from exchange.matcher.weighing import load_weights

ACTION = 0.5
WEIGHTS = load_weights()


def by(source, pattern, platform, **given):
    return platform.indicator(
        pattern, name=f"{source} {pattern} {given}", created_by_ref=f"identity--{source}", **given
    )


def crowd(platform):
    """Two operations' machines, a household, an agency and a bystander."""
    for account in range(1, 9):
        platform.accounts(
            account,
            verified=account % 2,
            assurance=account % 3,
            strikes=account % 4,
            payment_months=account * 3,
            audience_quality=account / 9,
            disclosed=int(account == 7),
        )
        platform.link(account, "device", f"dv_{account // 3 + 1:x}")
        platform.link(account, "phone", f"ph_{account // 2 + 1:x}")
        platform.link(account, "ip4", f"10.0.0.{account}")
        platform.link(account, "email", f"em_{account:x}")
    return [
        by("a", "[x-cib-device:token = 'dv_1']", platform),
        by("b", "[x-cib-phone:token = 'ph_2']", platform),
        by("a", "[x-cib-email:token = 'em_3']", platform, confidence=60),
        by("c", "[ipv4-addr:value ISSUBSET '10.0.0.0/30']", platform),
        by("b", "[x-cib-device:token = 'dv_1']", platform, valid_from="2025-12-01T00:00:00Z"),
    ]


@pytest.fixture(scope="module")
def crowded(make_platform, tmp_path_factory):
    """Their platform, its feed, and what a run says of it."""
    platform = make_platform(tmp_path_factory.mktemp("crowd"))
    feed = crowd(platform)
    return platform, feed, platform.run(feed)


def test_contributions_add_up_to_the_log_odds(crowded):
    *_, outcome = crowded
    for log_odds, score, total in outcome.rows("""SELECT log_odds, score, (SELECT sum(nats) FROM evidence e
            WHERE e.account_id = a.account_id) FROM accounts a WHERE has_evidence"""):
        assert total == log_odds
        assert math.isclose(score, 1 / (1 + math.exp(-log_odds)), abs_tol=1e-12)


def test_an_account_without_evidence_is_as_likely_as_those_of_which_nothing_speaks(platform):
    platform.accounts(1)
    outcome = platform.run([])
    assert [(WEIGHTS.silent, False)] == outcome.rows("SELECT log_odds, has_evidence FROM accounts")
    assert outcome.rows("SELECT * FROM evidence") == []


def test_each_contribution_is_the_product_of_its_factors(crowded):
    *_, outcome = crowded
    rows = outcome.rows("""SELECT nats, strength * COALESCE(confidence, 1) * rarity * decay * similarity * repeated * COALESCE(record, 1) * fitted
        FROM evidence WHERE step IN ('direct', 'company')""")
    assert len(rows) > 10
    for nats, product in rows:
        assert math.isclose(nats, product, abs_tol=1e-9)


def test_the_order_of_rows_and_objects_changes_nothing_to_the_last_bit(crowded):
    platform, feed, first = crowded
    for seed in range(3):
        dice = random.Random(seed)
        shuffled = platform.run(
            dice.sample(feed, len(feed)), order=lambda rows, dice=dice: dice.sample(rows, len(rows))
        )
        for table in ("accounts", "evidence"):
            assert first.rows(f"FROM {table} ORDER BY ALL") == shuffled.rows(f"FROM {table} ORDER BY ALL")


PATTERNS = [
    "[x-cib-device:token = 'dv_7c']",
    "[x-cib-payment:token = 'pm_7c']",
    "[x-cib-email:token = 'em_7c']",
    "[x-cib-phone:token = 'ph_7c']",
]


def victim(platform, account=1):
    platform.accounts(account)
    for kind, value in (("device", "dv_7c"), ("payment", "pm_7c"), ("email", "em_7c"), ("phone", "ph_7c")):
        platform.link(account, kind, value)


def test_one_poisoned_indicator_never_condemns(platform):
    feed = []
    for account, pattern in enumerate(PATTERNS, 1):  # strangers to each other, each named once, by a source of its own
        platform.accounts(account)
        for kind, prefix in (("device", "dv"), ("payment", "pm"), ("email", "em"), ("phone", "ph")):
            platform.link(account, kind, f"{prefix}_{account}c")
        feed.append(by(f"source-{account}", pattern.replace("7c", f"{account}c"), platform))
    outcome = platform.run(feed)
    met = dict(outcome.rows("SELECT account_id, count(*) FROM evidence WHERE step = 'direct' GROUP BY 1"))
    assert met == dict.fromkeys(range(1, len(PATTERNS) + 1), 1)
    assert max(outcome.scores().values()) < ACTION


def test_one_source_alone_never_condemns_whatever_it_says(platform):
    victim(platform)
    outcome = platform.run([by("a", pattern, platform) for pattern in PATTERNS])
    assert 0.2 < outcome.scores()[1] < ACTION
    assert ("provisional",) in outcome.rows("SELECT kind FROM evidence WHERE step = 'limit'")


def test_one_kind_alone_never_condemns_however_many_say_so(platform):
    victim(platform)
    assert platform.run([by(source, PATTERNS[1], platform) for source in "abcdef"]).scores()[1] < ACTION


def two_sources(platform):
    """Two contributors name two strong kinds each."""
    return [by("ab"[number % 2], pattern, platform) for number, pattern in enumerate(PATTERNS)]


def test_two_sources_and_several_strong_kinds_do_even_without_company(platform):
    victim(platform)
    assert platform.run(two_sources(platform)).scores()[1] > ACTION


def test_a_framed_person_does_not_drag_the_household_along(platform):
    victim(platform)
    for other in (2, 3):
        platform.accounts(other)
        for kind, value in (("device", "dv_7c"), ("payment", "pm_7c"), ("ip4", "10.0.0.1")):
            platform.link(other, kind, value)
    platform.link(1, "ip4", "10.0.0.1")
    outcome = platform.run([by("a", pattern, platform) for pattern in PATTERNS])
    assert all(score < ACTION for score in outcome.scores().values())


def test_the_same_source_naming_a_value_twice_counts_once(platform):
    victim(platform)
    once = platform.run([by("a", PATTERNS[0], platform)])
    twice = platform.run([by("a", PATTERNS[0], platform), by("a", PATTERNS[0], platform, labels=["again"])])
    assert once.scores() == twice.scores()


def benign(source, pattern, platform):
    return by(source, pattern, platform, indicator_types=["benign"])


@pytest.mark.parametrize("voices", ["x", "xyz"])
def test_another_sources_word_of_benign_counts_against_once_and_takes_no_more_than_its_share(platform, voices):
    victim(platform)
    named = by("a", PATTERNS[0], platform)
    outcome = platform.run([named, *(benign(source, PATTERNS[0], platform) for source in voices)])
    ((hit,),) = outcome.rows("SELECT nats / fitted FROM evidence WHERE step = 'direct'")
    ((against, note),) = outcome.rows("SELECT nats / fitted, note FROM evidence WHERE step = 'objection'")
    assert math.isclose(against, max(WEIGHTS.against.said_benign, -hit * WEIGHTS.against.said_benign_share), abs_tol=1e-9)
    assert note == "device dv_7c is benign, says " + ", ".join(f"identity--{source}" for source in voices)
    assert outcome.scores()[1] < platform.run([named]).scores()[1]
    ((log_odds, total),) = outcome.rows("""SELECT log_odds, (SELECT sum(nats) FROM evidence) FROM accounts""")
    assert total == log_odds


def test_a_weak_hit_keeps_a_share_against_any_word_of_benign(platform):
    victim(platform)
    named = by("a", PATTERNS[0], platform, confidence=10)
    outcome = platform.run([named, benign("x", PATTERNS[0], platform)])
    assert outcome.rows("""SELECT abs((SELECT sum(nats) FROM evidence WHERE step IN ('direct', 'objection')) -
        (SELECT sum(nats) FROM evidence WHERE step = 'direct') / 2) < 1e-9""") == [(True,)]


def test_words_of_benign_never_cancel_what_two_sources_say_in_strong_kinds(platform):
    victim(platform)
    feed = two_sources(platform)
    poison = [benign(source, pattern, platform) for source in "vwxyz" for pattern in PATTERNS]
    outcome = platform.run([*feed, *poison])
    assert outcome.scores()[1] > ACTION
    taken = "SELECT sum(nats) FROM evidence WHERE step = 'objection' OR kind = 'against' OR step = 'account' AND nats < 0"
    assert outcome.rows(taken)[0][0] >= WEIGHTS.against.limit_two_strong - 1e-6


def test_a_second_source_counts_less_than_the_first(platform):
    victim(platform)
    outcome = platform.run([by("a", PATTERNS[0], platform), by("b", PATTERNS[0], platform)])
    (first,), (second,) = outcome.rows("SELECT nats FROM evidence WHERE step = 'direct' ORDER BY nats DESC")
    assert math.isclose(second, first * WEIGHTS.direct.second_source, abs_tol=1e-9)


@pytest.mark.parametrize("column", ["verified", "assurance", "disclosed", "audience_quality"])
def test_a_good_record_never_speaks_for(column):
    for card in WEIGHTS.cards:
        (line,) = (line for line in card.lines if line.feature == column)
        assert all(list(row) == sorted(row, reverse=True) for row in line.nats)


@pytest.mark.parametrize("part", ["strikes", "direct.", "company.", "against.", "sources", "kinds", "infrastructure"])
def test_more_of_what_speaks_for_never_speaks_against(part):
    for card in WEIGHTS.cards:
        lines = [line for line in card.lines if line.feature.startswith(part)]
        assert lines
        assert all(list(row) == sorted(row) for line in lines for row in line.nats)


def test_a_good_record_is_no_veto_against_two_strong_kinds(platform):
    victim(platform)
    platform.tables["accounts"][0].update(
        verified=1, assurance=2, payment_months=40, disclosed=1, created=1_500_000_000
    )
    feed = [by(source, pattern, platform) for source in "ab" for pattern in PATTERNS]
    outcome = platform.run(feed)
    ((taken,),) = outcome.rows("""SELECT sum(nats) FROM evidence
        WHERE step = 'account' AND nats < 0 OR kind = 'against'""")
    assert math.isclose(taken, WEIGHTS.against.limit_two_strong, abs_tol=1e-8)
    assert outcome.scores()[1] > ACTION


def test_an_openly_run_account_is_not_covert_on_the_word_about_its_machine(platform):
    """One kind, however many name it and however many share it."""
    for account in range(1, 20):
        platform.accounts(account, disclosed=1)
        for kind, value in (("device", "dv_7c"), ("payment", "pm_1"), ("phone", "ph_1")):
            platform.link(account, kind, value)
    outcome = platform.run([by(source, PATTERNS[0], platform) for source in "abc"])
    assert max(outcome.scores().values()) < 0.2


def test_content_adds_little_without_infrastructure(platform):
    platform.accounts(1, 2)
    feed = []
    for number in range(6):
        for account in (1, 2):
            platform.add(
                "posts", account_id=account, ts=platform.at, kind="original", object=number, text=f"slogan {number}"
            )
        feed += [by(source, f"[x-cib-post:text = 'slogan {number}']", platform) for source in "abc"]
    platform.link(2, "payment", "pm_7c")
    outcome = platform.run([*feed, by("a", PATTERNS[1], platform)])
    content = dict(outcome.rows("""SELECT account_id, sum(nats) FROM evidence WHERE family IN ('content', 'behaviour')
        OR kind = 'gate' GROUP BY 1"""))
    assert content[1] <= WEIGHTS.gate.content_limit + 1e-6
    assert content[2] > content[1]


HALVED = {0: 1.0, 120: 0.5, 240: 0.25}


@pytest.fixture(scope="module")
def of_distances(make_platform, tmp_path_factory):
    """One run over an account for each distance (days), with a device of its own."""
    platform = make_platform(tmp_path_factory.mktemp("distances"))
    for days in HALVED:
        platform.accounts(days)
        end = platform.at - (days + 1) * platform.day
        platform.link(days, "device", f"dv_{days + 1}c", end - platform.day, end)
    outcome = platform.run([by("a", f"[x-cib-device:token = 'dv_{days + 1}c']", platform) for days in HALVED])
    return dict(outcome.rows("SELECT account_id, decay FROM evidence WHERE step = 'direct'"))


@pytest.mark.parametrize(("days", "factor"), HALVED.items())
def test_distance_in_time_halves_the_weight_for_each_half_life(of_distances, days, factor):
    """A device's half-life is 120 days; the link ended that long before the indicator's observation."""
    assert math.isclose(of_distances[days], factor * 2 ** (-1 / 240), rel_tol=1e-9)


def operation(platform):
    """Ten accounts on two machines and a card; two contributors know one machine and the card of some."""
    for account in range(10):
        platform.accounts(account)
        platform.link(account, "device", f"dv_{1 + account % 2}")
        platform.link(account, "upload_fp", "uf_5")
        if account < 4:
            platform.link(account, "payment", "pm_9")
    return [by("a", "[x-cib-device:token = 'dv_1']", platform), by("b", "[x-cib-payment:token = 'pm_9']", platform)]


def test_company_reaches_members_that_no_indicator_names(platform):
    outcome = platform.run(operation(platform))
    assert outcome.rows("SELECT * FROM evidence WHERE account_id = 9 AND step = 'direct'") == []
    assert outcome.rows("SELECT sum(nats) > 0.5 FROM evidence WHERE account_id = 9 AND step = 'company'") == [(True,)]


def test_ordinary_company_speaks_against(platform):
    """Forty people use one machine, one of them is named: the others are witnesses for that one."""
    for account in range(40):
        platform.accounts(account)
        platform.link(account, "device", "dv_5")
    platform.link(0, "payment", "pm_7c")
    outcome = platform.run([by("a", PATTERNS[1], platform), by("b", PATTERNS[1], platform)])
    assert outcome.rows("SELECT nats < 0 FROM evidence WHERE account_id = 0 AND step = 'company'") == [(True,)]
    assert all(score < 0.05 for account, score in outcome.scores().items() if account)


def test_propagation_does_not_feed_on_itself(platform):
    """Two accounts that share everything gain nothing from more rounds than it takes to hear of each other."""
    for account in (1, 2):
        platform.accounts(account)
        for kind, value in (("device", "dv_5"), ("payment", "pm_5"), ("phone", "ph_5")):
            platform.link(account, kind, value)
    platform.link(1, "email", "em_7c")
    feed = [by("a", PATTERNS[2], platform)]
    more = replace(WEIGHTS, cards=(*WEIGHTS.cards, *[WEIGHTS.cards[-1]] * 9))
    few, many = (platform.run(feed, weights=weights).scores() for weights in (WEIGHTS, more))
    assert max(few.values()) < ACTION
    assert max(many.values()) <= max(few.values())


def test_rounds_of_company_settle_and_do_not_swing(platform):
    for account in (1, 2, 3):
        platform.accounts(account)
        for kind, value in (("device", "dv_5"), ("payment", "pm_5"), ("phone", "ph_5")):
            platform.link(account, kind, value)
    platform.link(1, "email", "em_7c")
    feed = [by("a", PATTERNS[2], platform)]
    late = [replace(WEIGHTS, cards=(*WEIGHTS.cards, *[WEIGHTS.cards[-1]] * more)) for more in (12, 13)]
    one, other = (platform.run(feed, weights=weights).scores() for weights in late)
    assert all(math.isclose(one[account], other[account], abs_tol=0.01) for account in one)


def test_without_links_there_is_still_content(platform):
    platform.accounts(1)
    platform.add("posts", account_id=1, ts=platform.at, kind="original", object=1, text="a slogan")
    assert platform.run([by("a", "[x-cib-post:text = 'a slogan']", platform)]).hits() == [(1, "text")]
