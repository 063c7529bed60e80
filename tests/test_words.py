"""Counts agree with their nouns and verbs, also in what the exchange and its commands say."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.connect.report import Report
from exchange.connect.summary import closing
from exchange.words import counted, verb


@pytest.mark.parametrize(("number", "sentence"), [
    (0, "0 holders hold"), (1, "1 holder holds"), (2, "2 holders hold"), (1234, "1,234 holders hold")])
def test_a_count_agrees_with_its_noun_and_verb(number: int, sentence: str) -> None:
    assert f"{counted(number, 'holder')} {verb(number, 'holds', 'hold')}" == sentence


def test_a_plural_of_its_own_is_used() -> None:
    assert counted(2, "person", "people") == "2 people"


@pytest.mark.parametrize(("number", "sentence"), [
    (1, "1 row of 1 file: added 1 object, 1 was there already. 1 row is in quarantine, 1 object was refused."),
    (1200, "1,200 rows of 1,200 files: added 1,200 objects, 1,200 were there already. 1,200 rows are in quarantine,"
           " 1,200 objects were refused."),
])
def test_a_runs_closing_sentence_agrees_with_its_numbers(number: int, sentence: str) -> None:
    report = Report(files=number, outcomes=Counter(quarantined=number),
                    objects={"indicator": Counter(added=number, unchanged=number, refused=number)})
    assert closing(report) == sentence
