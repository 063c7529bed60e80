"""What an explanation and a case say of numbers agrees with its nouns."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.matcher.case.again import sentences
from exchange.matcher.case.material import Left


@pytest.mark.parametrize(("likely", "fall", "words"), [
    (1, 1, "the one likely member that it speaks of would"), (1, 0, "not even the one likely member that it speaks of would"),
    (3, 0, "none of the 3 likely members that it speaks of would"), (1200, 1100, "1,100 of the 1,200 likely members")])
def test_what_would_change_a_case_is_told_in_grammatical_counts(likely: int, fall: int, words: str) -> None:
    (told,) = sentences([Left("company", "", "their company", likely, fall)], 0.5, "")
    assert f"Without their company, {words}" in told


def test_an_explanation_of_two_holders_speaks_of_one_other_account(platform: Any) -> None:
    for account in (1, 2):
        platform.accounts(account)
        platform.link(account, "payment", "pm_7c")
        platform.link(account, "device", f"dv_{account}")
    out = platform.run([platform.indicator("[x-cib-payment:token = 'pm_7c']", created_by_ref=f"identity--{source}") for source in "ab"]
                       + [platform.indicator(f"[x-cib-device:token = 'dv_{n}']", created_by_ref=f"identity--{source}", name=f"{n}{source}")
                          for n in (1, 2) for source in "ab"])
    ((note,),) = set(out.rows("SELECT note FROM evidence WHERE step = 'company' AND kind = 'payment'")),
    assert note[0].startswith("1 other account holds it; suspicion of ")
