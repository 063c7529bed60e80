"""The book of reviews: what goes in stays, once, and the last word of a person counts."""

import json
from dataclasses import replace

import pytest

from exchange.errors import InputError
from exchange.matcher.learning.reviews import (
    CONFIRMED,
    CONTESTED,
    OVERTURNED,
    Decision,
    Review,
    add_reviews,
    read_book,
    withdraw,
)

DECISION = Decision("run1", "made", "d" * 64, 1_780_272_000, 0.9, 2.2, evidence=[{"step": "prior", "nats": 2.2}])
WEIGHTS = {"version": "made"}


def review(account="1", verdict=OVERTURNED, reviewer="ann", time="2026-06-01T00:00:00+00:00", **given):
    return Review(account, verdict, reviewer, time, given.pop("reason", "an agency"), DECISION, **given)


def test_a_review_reads_back_as_it_was_given(tmp_path):
    one = review(signals=("share",), cluster="c1", size=3)
    assert add_reviews(tmp_path, [one], WEIGHTS) == (1, [])
    assert read_book(tmp_path).reviews == (one,)


def test_the_same_review_again_adds_nothing(tmp_path):
    add_reviews(tmp_path, [review()], WEIGHTS)
    assert add_reviews(tmp_path, [review(time="2026-06-02T00:00:00+00:00")], WEIGHTS) == (0, [])
    assert len((tmp_path / "reviews.jsonl").read_text().splitlines()) == 1


def test_the_last_word_of_a_person_counts_and_the_contradiction_is_told(tmp_path):
    add_reviews(tmp_path, [review()], WEIGHTS)
    new, told = add_reviews(tmp_path, [review(verdict=CONFIRMED)], WEIGHTS)
    assert new == 1
    assert told[0].startswith("ann had overturned account 1")
    book = read_book(tmp_path)
    assert [r.verdict for r in book.reviews] == [CONFIRMED]
    assert book.superseded == 1


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ([("ann", OVERTURNED)], OVERTURNED),
        ([("ann", OVERTURNED), ("bea", OVERTURNED)], OVERTURNED),
        ([("ann", OVERTURNED), ("bea", CONFIRMED)], CONTESTED),
        ([("ann", OVERTURNED), ("bea", CONFIRMED), ("ann", CONFIRMED)], CONFIRMED),
    ],
)
def test_people_who_disagree_leave_an_account_contested(tmp_path, words, verdict):
    for reviewer, word in words:
        add_reviews(tmp_path, [review(verdict=word, reviewer=reviewer)], WEIGHTS)
    assert read_book(tmp_path).standing()["1"].verdict == verdict


@pytest.mark.parametrize("name", ["id", "account", "cluster"])
def test_a_review_is_withdrawn_by_its_id_its_account_or_its_cluster(tmp_path, name):
    one, other = review(cluster="c1"), review("2", cluster="c2")
    add_reviews(tmp_path, [one, other], WEIGHTS)
    assert withdraw(tmp_path, getattr(one, name), "ann", "2026-06-02T00:00:00+00:00", "a mistake") == 1
    assert read_book(tmp_path).reviews == (other,)


def test_what_was_withdrawn_can_be_said_again(tmp_path):
    add_reviews(tmp_path, [review()], WEIGHTS)
    withdraw(tmp_path, "1", "ann", "2026-06-02T00:00:00+00:00", "")
    assert add_reviews(tmp_path, [review()], WEIGHTS)[0] == 1
    assert len(read_book(tmp_path).reviews) == 1


def test_withdrawing_what_does_not_stand_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="No review r1 stands"):
        withdraw(tmp_path, "r1", "ann", "2026-06-02T00:00:00+00:00", "")


@pytest.mark.parametrize(
    "line", ["nonsense", "{}", json.dumps({"event": "review", "account": "1"}), json.dumps({"event": "withdrawal"})]
)
def test_a_damaged_line_is_named(tmp_path, line):
    add_reviews(tmp_path, [review()], WEIGHTS)
    with (tmp_path / "reviews.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"Line 2 of .*reviews\.jsonl is no review"):
        read_book(tmp_path)


def test_no_folder_is_an_empty_book(tmp_path):
    assert read_book(tmp_path / "none").standing() == {}


def test_the_id_changes_with_what_is_said_and_not_with_when():
    one = review()
    assert one.id == review(time="2027-01-01T00:00:00+00:00").id
    for other in (review("2"), review(verdict=CONFIRMED), review(reviewer="bea"), review(reason="other"),
                  review(signals=("share",)), replace(one, decision=replace(DECISION, run="run2"))):
        assert other.id != one.id
