"""Whether anything bears out what a contributor says, and what a plot against innocents can never reach."""

import pytest

from exchange.matcher import claims
from exchange.matcher.engine import open_engine
from exchange.matcher.weighing import load_weights

WEIGHTS = load_weights()
ALPHA, BETA = 1, 2


def weighed(folder, direct, company=()):
    """Vouched, knit and unsaid by account, of direct (account, source, campaign), which names device d, and company
    (account, bits of sources, family, signal, and a value where it isn't d)."""
    with open_engine(folder, threads=1) as engine:
        engine.run("""CREATE TEMP TABLE direct (account_id BIGINT, source VARCHAR, campaign VARCHAR, family VARCHAR,
            nats DOUBLE, witness BOOLEAN, kind VARCHAR, signal VARCHAR, local_value VARCHAR)""")
        engine.run("""CREATE TEMP TABLE company (account_id BIGINT, sources BIGINT, family VARCHAR, signal VARCHAR,
            nats DOUBLE, kind VARCHAR, value VARCHAR)""")
        engine.run(f"CREATE TEMP TABLE source_bits AS SELECT * FROM (VALUES ('a', {ALPHA}), ('b', {BETA})) t(source, bits)")
        engine.load("direct", ({"account_id": account, "source": source, "campaign": campaign, "witness": True,
                                "family": "infrastructure", "nats": 4.0, "kind": "device", "signal": "device", "local_value": "d"} for account, source, campaign in direct))
        engine.load("company", ({"account_id": account, "sources": bits, "family": family, "signal": signal,
                                 "nats": 2.0, "kind": signal, "value": value[0] if value else "d"}
                                for account, bits, family, signal, *value in company))
        claims.weigh_claims(engine, WEIGHTS)
        return {account: found for account, *found in engine.rows("SELECT * FROM claims")}


DEVICE, SHARE, ADDRESS = ("infrastructure", "device"), ("behaviour", "share"), ("infrastructure", "network")


@pytest.mark.parametrize(("more", "company", "vouched", "knit"), [
    ((), (), 0, 0),  # nothing but the source's own word, however many it names
    (((2, "b", "other"), (3, "b", "other")), (), 0.5, 0),  # another source names two of the others
    ((), ((2, BETA, *DEVICE), (3, BETA, *DEVICE)), 0.5, 0.5),  # they share machines with whom another source names
    ((), ((2, ALPHA, *DEVICE), (3, ALPHA, *DEVICE)), 0, 0.5),  # the same source's suspects vouch for nobody
    ((), ((2, BETA, *SHARE), (3, BETA, *SHARE)), 0, 0),  # a crowd acts together
    ((), ((2, BETA, *ADDRESS), (3, BETA, *ADDRESS)), 0, 0),  # and so do people behind one address
    (((1, "b", "other"),), (), 0, 0),  # nobody bears himself out
])
def test_a_claim_is_borne_out_by_the_others_of_its_campaign(tmp_path, more, company, vouched, knit):
    named = [(account, "a", "plot") for account in (1, 2, 3, 4)]
    assert weighed(tmp_path, [*named, *more], company)[1][:2] == [vouched, knit]


def test_of_several_campaigns_the_one_that_is_borne_out_best_counts(tmp_path):
    named = [(1, "a", "plot"), (1, "b", "real"), *((n, "b", "real") for n in (2, 3, 4)), (2, "a", "x"), (3, "a", "x")]
    assert weighed(tmp_path, named)[1][:2] == [0.5, 0]


@pytest.mark.parametrize(("company", "unsaid"), [
    ((1, BETA, *DEVICE), None),  # the device of which the source speaks: an echo
    ((1, BETA, *DEVICE, "another"), 2.0),  # a device that nobody named
    ((1, BETA, "infrastructure", "cookie"), 2.0),  # a value of another kind that reads the same
    ((1, BETA, *SHARE, "post"), None),
    ((1, BETA, *ADDRESS, "10.0.0.1"), None),  # strangers share it
    ((9, BETA, *DEVICE), 2.0),  # nobody names the account at all
])
def test_what_is_held_with_suspects_and_named_by_nobody_is_unsaid(tmp_path, company, unsaid):
    assert weighed(tmp_path, [(1, "a", "plot")], [company])[company[0]][2] == unsaid


def by(source, pattern, platform):
    return platform.indicator(pattern, name=f"{source} {pattern}", created_by_ref=f"identity--{source}")


def test_framed_people_of_a_crowd_that_an_operation_mixes_with_stay_provisional(platform):
    """Ten members known to two sources pass on a protest's posts with thirty protesters, of whom a third source names
    three: kind by kind, all that is theirs."""
    minute = 60
    for account in range(40):
        member = account < 10
        platform.accounts(account, audience_quality=0.3 if member else 0.8)
        platform.link(account, "device", f"dv_{account % 2 if member else 100 + account:x}")
        platform.link(account, "email", f"em_{200 + account:x}")
        platform.link(account, "phone", f"ph_{account % 3 if member else 300 + account:x}")
        for post in range(4):
            platform.add("posts", account_id=account, ts=platform.at - post * platform.day - account * minute,
                         kind="share", object=9_000 + post, text="")
    feed = [by("a", "[x-cib-device:token = 'dv_1']", platform), by("b", "[x-cib-phone:token = 'ph_0']", platform),
            by("b", "[x-cib-device:token = 'dv_0']", platform)]
    for victim in (20, 21, 22):
        feed += [by("c", f"[x-cib-{kind}:token = '{prefix}_{base + victim:x}']", platform)
                 for kind, prefix, base in (("device", "dv", 100), ("email", "em", 200), ("phone", "ph", 300))]
    scores = platform.run(feed).scores()
    assert min(scores[account] for account in range(10)) > 0.5
    assert max(scores[account] for account in range(10, 40)) < 0.5
