"""A refit from reviews: a group is cleared, a real network stays, and without reviews nothing changes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exchange.errors import InputError
from exchange.matcher.change.kept import read_kept
from exchange.matcher.learned import OWN, PREFIX
from exchange.matcher.learning.population import read_population
from exchange.matcher.learning.refit import refit
from exchange.matcher.learning.reviews import CONFIRMED, OVERTURNED, Book
from exchange.matcher.learning.take import Word, take
from exchange.matcher.learning.version import as_json, as_text, hashes, write_version
from exchange.matcher.weighing import load_weights, read_weights

NOW = datetime(2026, 6, 2, tzinfo=UTC)


def reviews(kept, accounts, verdict=OVERTURNED, people=2, signals=()):
    found, wrong = take(kept, [Word(verdict, f"p{n % people}", NOW.isoformat(), "an agency", account, signals=signals)
                               for n, account in enumerate(accounts)])
    assert wrong == []
    return found


def refitted(kept, found, base=None, now=NOW):
    book = Book(tuple(found))
    return refit(base or kept.weights, book, read_population([kept], book.standing()), now, "salt",
                 hashes(book.reviews, "salt"))


@pytest.fixture(scope="module")
def scene(make_scene, tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def before(scene):
    return scene.run()


def test_without_reviews_the_weights_stay_exactly_as_they_are(before):
    kept = read_kept(before.out)
    assert refitted(kept, []).table == kept.weights.table
    assert read_weights(refitted(kept, []).table, "again") == kept.weights


@pytest.fixture(scope="module")
def after(scene, before):
    """The run after half of the agency was overturned."""
    found = refitted(read_kept(before.out), reviews(read_kept(before.out), scene.agency[::2]))
    return scene.run(weights=read_weights(found.table, "new"))


def test_a_group_is_cleared_by_reviews_of_half_of_it_and_the_real_network_stays(scene, before, after):
    assert scene.flagged(before, scene.agency) == scene.agency
    assert scene.flagged(before, scene.network) == scene.network
    assert scene.flagged(after, scene.agency[::2]) == []
    assert len(scene.flagged(after, scene.agency)) <= 0.2 * len(scene.agency)
    assert scene.flagged(after, scene.network) == scene.network


def test_what_reviews_did_is_evidence_and_the_sum_stays_exact(scene, after):
    for log_odds, total in after.rows("""SELECT log_odds, (SELECT sum(nats) FROM evidence e WHERE
            e.account_id = a.account_id) FROM accounts a WHERE has_evidence"""):
        assert total == log_odds
    rows = after.rows("SELECT DISTINCT CAST(account_id AS VARCHAR), kind FROM evidence WHERE step = 'review' AND nats <> 0")
    assert {account for account, kind in rows if kind == OWN} == set(scene.agency[::2])
    assert {account for account, kind in rows if kind.startswith(PREFIX)} <= set(scene.agency[1::2])


def test_a_confirmed_account_is_lifted_and_not_taken_for_one_of_the_overturned(scene, before):
    kept = read_kept(before.out)
    one = scene.agency[1]
    found = refitted(kept, [*reviews(kept, scene.agency[::2]), *reviews(kept, [one], CONFIRMED)])
    assert scene.flagged(scene.run(weights=read_weights(found.table, "new")), [one]) == [one]


def test_reviews_of_people_who_disagree_teach_nothing(scene, before):
    kept = read_kept(before.out)
    half = scene.agency[::2]
    contested = [*reviews(kept, half, people=1), *(replace(one, reviewer="somebody else") for one in reviews(kept, half, CONFIRMED, 1))]
    assert refitted(kept, contested).table["learned"]["known"] == {}


def test_an_id_that_was_given_to_somebody_else_is_another_account(make_scene, before, tmp_path):
    scene = make_scene(tmp_path)
    kept = read_kept(before.out)
    found = refitted(kept, reviews(kept, scene.agency[:1]))
    for row in scene.platform.tables["accounts"]:
        row["created"] -= 86_400
    assert scene.flagged(scene.run(weights=read_weights(found.table, "new")), scene.agency[:1]) == scene.agency[:1]


def test_a_signal_that_reviewers_name_loses_weight_by_a_step_and_is_reported(scene, before):
    kept = read_kept(before.out)
    found = refitted(kept, reviews(kept, [*scene.agency[:8], *scene.network[:8]], signals=("phone",)))
    named = {row["name"] for row in found.defects if row["kind"] == "signal"}
    assert named  # of what they name, whatever the shipped card weighs: by made-7 it is what the platform itself shares
    assert named <= {"direct.phone", "company.phone"}
    factors = found.table["learned"]["factors"]
    assert factors
    assert set(factors) <= {"direct.phone", "company.phone"}
    assert all(0.75 <= factor < 1 for factor in factors.values())
    assert "keeps being overturned" in as_text(found, "v")


def test_a_second_refit_on_the_same_day_moves_a_factor_no_further(scene, before):
    kept = read_kept(before.out)
    words = reviews(kept, [*scene.agency[:8], *scene.network[:8]], signals=("phone",))
    once = read_weights(refitted(kept, words).table, "once")
    again, later = (refitted(kept, words, once, NOW + timedelta(days=days)).table["learned"]["factors"] for days in (0, 1))
    assert again == once.table["learned"]["factors"]
    assert all(later[name] < factor for name, factor in again.items())


def test_withdrawn_reviews_leave_no_trace_but_the_steps_already_gone(scene, before):
    kept = read_kept(before.out)
    words = reviews(kept, scene.agency[::2])
    once = read_weights(refitted(kept, words).table, "once")
    after = refitted(kept, words[:1], once)
    assert len(after.table["learned"]["known"]) == 1
    assert after.table["learned"]["model"] == []


def test_a_version_is_a_file_of_its_own_that_is_never_changed(scene, before, tmp_path):
    kept = read_kept(before.out)
    found = refitted(kept, reviews(kept, scene.agency[::2]))
    first, told = write_version(found, tmp_path)
    second, _ = write_version(found, tmp_path)
    assert first != second
    assert load_weights(first).version == f"{kept.weights.version}+r1"
    assert load_weights(first).cards == read_weights(found.table, "new").cards
    assert json.loads(told.read_bytes()) == json.loads(json.dumps(as_json(found, f"{kept.weights.version}+r1")))
    with pytest.raises(InputError, match="never changed"):
        write_version(found, tmp_path, first)


def test_calibration_is_checked_on_reviewed_accounts_and_only_proposed(scene, before):
    kept = read_kept(before.out)
    found = refitted(kept, [*reviews(kept, scene.agency), *reviews(kept, scene.network, CONFIRMED)])
    told = found.calibration
    assert told.reviews == sum(one.reviews for one in told.bins) == 48
    assert told.error == pytest.approx(0.5, abs=0.1)
    assert told.shift < 0
    assert [card["intercept"] for card in found.table["card"]] == [card.intercept for card in kept.weights.cards]


def test_what_cannot_be_taken_is_a_sentence_and_the_rest_goes_on(scene, before):
    kept = read_kept(before.out)
    found, wrong = take(kept, [
        Word(OVERTURNED, "p", NOW.isoformat(), account="999", place="Line 1"),
        Word(OVERTURNED, "p", NOW.isoformat(), cluster="c-none", place="Line 2"),
        Word(OVERTURNED, "p", NOW.isoformat(), account="1", signals=("nonsense",), place="Line 3"),
        Word(OVERTURNED, "p", NOW.isoformat(), account="1")])
    assert [review.account for review in found] == ["1"]
    assert [sentence[:7] for sentence in wrong] == ["Line 1:", "Line 2:", "Line 3:"]


def test_a_cluster_is_judged_as_its_accounts(scene, before):
    kept = read_kept(before.out)
    (cluster, size), *_ = before.rows("SELECT cluster, count(*) FROM accounts WHERE cluster IS NOT NULL GROUP BY 1 ORDER BY 1")
    found, _ = take(kept, [Word(OVERTURNED, "p", NOW.isoformat(), cluster=cluster)])
    assert len(found) == size
    assert {(review.cluster, review.size) for review in found} == {(cluster, size)}
