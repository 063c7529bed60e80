"""Counts of assets in the words that takedown reports use; all made up."""

from __future__ import annotations

import pytest

from exchange.connect import figures

COUNTS = [
    # cell, platform of the row, platform, kind, count
    ("two accounts", "facebook", "facebook", "account", 2),
    ("twelve Pages", "", "facebook", "page", 12),
    ("27 user accounts", "facebook", "facebook", "account", 27),
    ("5 WhatsApp accounts", "", "whatsapp", "account", 5),
    ("9 Truth Social accounts", "", "truth social", "account", 9),
    ("Facebook accounts: 63", "", "facebook", "account", 63),
    ("Accounts - 7,704", "instagram", "instagram", "account", 7704),
    ("1,000+ accounts", "facebook", "facebook", "account", 1000),
    ("14 X handles", "", "x", "account", 14),
]


@pytest.mark.parametrize(("text", "platform", "whose", "kind", "count"), COUNTS)
def test_a_count_is_read_however_it_is_worded(text: str, platform: str, whose: str, kind: str, count: int) -> None:
    assert figures.is_count(text)
    (found,) = figures.counts(text, platform)
    assert (found.platform, found.asset_type, found.count) == (whose, kind, count)


@pytest.mark.parametrize("text", ["someone accounts", "Operation 2024 accounts for half", "none of the accounts"])
def test_what_only_looks_like_a_count_is_none(text: str) -> None:
    assert not figures.is_count(text)
