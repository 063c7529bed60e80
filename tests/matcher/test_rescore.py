"""What would be left without a part of the evidence is what a run says whose input really lacks that part."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.matcher.case.again import without_strongest
from exchange.matcher.explain import explain
from exchange.matcher.rescore import COMPANY, MEANING, MEMBERS, NOTHING, STRONGEST, Part, open_rescorer
from exchange.matcher.weighing import load_weights

WEIGHTS = load_weights()
KINDS = {"device": "dv", "payment": "pm", "phone": "ph", "cookie": "ck", "email": "em"}
PAIRS = range(6)


def lone_pairs(platform: Any, chance: random.Random) -> list[dict[str, Any]]:
    """Pairs of accounts that hold nothing in common and are a cluster by the word of a third source alone: nobody's
    standing hangs on what the others say of the other one. Returns the feed."""
    feed: list[dict[str, Any]] = []
    for pair in PAIRS:
        for side in (0, 1):
            name = 10 * pair + side
            platform.link(name, "upload_fp", f"uf_{name:02x}")
            feed += named(platform, "z", f"{pair}", "upload-fp", f"uf_{name:02x}", confidence=50)
            platform.accounts(name, verified=chance.random() < 0.3, strikes=chance.randrange(3), followers=chance.randrange(90),
                              audience_quality=round(chance.random(), 2), payment_months=chance.randrange(9))
            for kind, prefix in KINDS.items():
                for n in range(chance.randrange(1, 3)):
                    token = f"{prefix}_{name:02x}{n}"
                    platform.link(name, kind, token, last=platform.at - chance.randrange(200) * platform.day // 10)
                    for source in ("x", "y"):
                        if source == "x" or chance.random() < 0.5:
                            feed += named(platform, source, f"{name}", kind, token, confidence=chance.randrange(60, 101))
    return feed


def named(platform: Any, source: str, campaign: str, kind: str, token: str, **given: Any) -> list[dict[str, Any]]:
    """An indicator and its tie to the source's campaign."""
    one = platform.indicator(f"[x-cib-{kind}:token = '{token}']", name=f"{source} {token}",
                             created_by_ref=f"identity--{source}", **given)
    return [one, {"type": "relationship", "id": f"relationship--{one['id']}", "relationship_type": "indicates",
                  "source_ref": one["id"], "target_ref": f"campaign--{source}{campaign}"}]


def log_odds(outcome: Any) -> dict[int, float]:
    return dict(outcome.rows("SELECT account_id, log_odds FROM accounts"))


def without(outcome: Any, at: int, *parts: Part) -> list[dict[int, float]]:
    with open_rescorer(outcome.out / MEMBERS, WEIGHTS, at) as again:
        return [again(part) for part in parts]


@pytest.fixture(scope="module")
def lone(make_scene: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[dict[str, Any]], Any]:
    """The platform of lone pairs, its feed, and a run over it."""
    platform = replace(make_scene(tmp_path_factory.mktemp("pairs")).platform, tables={})
    feed = lone_pairs(platform, random.Random(1))
    return platform, feed, platform.run(feed)


def test_without_the_top_contribution_a_run_says_what_was_claimed(lone: Any) -> None:
    platform, feed, whole = lone
    before, (kept, claimed) = log_odds(whole), without(whole, platform.at, NOTHING, STRONGEST)
    assert kept == before
    firsts = [10 * pair for pair in PAIRS]
    top = {account: indicator for account, indicator in whole.rows("""SELECT account_id, indicator_id FROM evidence
        WHERE step = 'direct' QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY nats DESC, kind, local_value,
            indicator_id) = 1""")}
    taken = {top[account] for account in firsts}
    after = log_odds(platform.run([one for one in feed if one["id"] not in taken]))
    for account in firsts:
        assert claimed[account] < before[account] - 0.01
        assert claimed[account] - before[account] == pytest.approx(after[account] - before[account], abs=1e-9)


@pytest.mark.parametrize(("part", "stays"), [
    (Part("source", "identity--y"), lambda one: one.get("created_by_ref") != "identity--y"),
    (Part("kind", "payment"), lambda one: "x-cib-payment" not in one.get("pattern", "")),
])
def test_without_a_source_or_a_kind_a_run_says_what_was_claimed(lone: Any, part: Part, stays: Any) -> None:
    platform, feed, whole = lone
    (claimed,) = without(whole, platform.at, part)
    after = log_odds(platform.run([one for one in feed if stays(one)]))
    assert claimed == pytest.approx(after, abs=1e-9)
    assert any(claimed[name] < before - 0.1 for name, before in log_odds(whole).items())


def test_without_its_company_a_run_says_what_was_claimed(platform: Any) -> None:
    """One value in common, and the only one: the row of company goes with the link."""
    feed: list[dict[str, Any]] = []
    for name in (1, 2, 3):
        platform.accounts(name, audience_quality=0.2)
        platform.link(name, "payment", "pm_c")
        for kind, prefix in (("device", "dv"), ("phone", "ph")):
            platform.link(name, kind, f"{prefix}_{name}")
            for source in ("x", "y"):
                feed += named(platform, source, f"{name}", kind, f"{prefix}_{name}")
    whole = platform.run(feed)
    before, (claimed,) = log_odds(whole), without(whole, platform.at, COMPANY)
    platform.tables["links"] = [row for row in platform.tables["links"]
                                if (row["account_id"], row["itype"]) != (1, "payment")]
    after = log_odds(platform.run(feed))
    assert claimed[1] < before[1]
    assert claimed[1] == pytest.approx(after[1], abs=1e-9)


def test_where_others_hang_on_it_the_claim_is_of_this_account_alone_and_says_so(make_scene: Any, tmp_path: Any) -> None:
    """A network in common: what others are suspected of, and so what this account hears of them, stays as it was."""
    scene = make_scene(tmp_path)
    whole = scene.run()
    (claimed,) = without(whole, scene.platform.at, STRONGEST)
    text = explain(whole.out, "1").text()
    assert f"would be left without its strongest piece of evidence: probability {1 / (1 + 2.718281828459045 ** -claimed[1]):.3f}" in text
    assert MEANING in text
    assert without_strongest(whole.out, "1") == claimed[1]


def test_who_is_in_no_cluster_has_no_such_line(platform: Any) -> None:
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    outcome = platform.run([platform.indicator("[x-cib-device:token = 'dv_7c']")])
    assert without_strongest(outcome.out, "1") is None
    assert "strongest" not in explain(outcome.out, 1).text()
