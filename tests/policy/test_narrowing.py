"""Which changed packs count as only narrower: a table of changes, each made to the shipped packs."""

from __future__ import annotations

import pytest

from exchange.policy.narrowing import not_only_narrower
from exchange.policy.packtext import packs_of, texts_of

SHIPPED = texts_of()
EU, MAXIMA = "lawful_bases/eu_gdpr.toml", "retention/maxima.toml"
MORE = """[[retention]]
id = "one-more"
of = "basis"
word = "{}"
days = {}

[[cases]]"""
NARROWER = [
    # file, old, new
    ("programme.toml", 'title = "Programme"', 'title = "Other words"'),
    ("programme.toml", "value = 365", "value = 200"),
    ("programme.toml", "value = 10\n", "value = 12\n"),
    (EU, 'evidence = ["lia"]', 'evidence = ["lia", "consent"]'),
    (MAXIMA, "days = 184", "days = 100"),
    (MAXIMA, "[[cases]]", MORE.format("A6-1-f", 300)),
    ("pap.toml", 'acts = ["passive-log-search", "internal-watchlist", "third-party-lookup"]',
     'acts = ["passive-log-search"]'),
]
NOT = [
    # file, old, new, what is named
    ("versions.toml", "days = 7", "days = 0", "the parameters of 'versions'"),
    ("versions.toml", "days = 7", "days = 8", "the parameters of 'versions'"),
    ("obligations.toml", "days = 7", "days = 70", "the parameters of 'obligations'"),
    ("obligations.toml", "suspend = true", "suspend = false", "the parameters of 'obligations'"),
    ("cases.toml", 'id = "answer-hours"\nvalue = 336', 'id = "answer-hours"\nvalue = 1', "the parameters of 'cases'"),
    ("cases.toml", 'id = "objects-per-day"\nvalue = ', 'id = "objects-per-day"\nvalue = 9', "the parameters of 'cases'"),
    ("actions/staged.toml", "undo = \"There is nothing to undo.\"", "undo = \"Nothing.\"",
     "the parameters of 'actions'"),
    ("sharing/demo.toml", "retention_days = 90", "retention_days = 91", "the default terms of 'demo'"),
    (EU, 'evidence = ["consent"]', "", "basis 'A6-1-a'"),
    ("programme.toml", 'id = "demand_review_date"\nvalue = true', 'id = "demand_review_date"\nvalue = false',
     "programme 'demand_review_date'"),
    ("programme.toml", "value = 365", "value = 366", "programme 'max_retention_days'"),
    (MAXIMA, "days = 184", "days = 185", "retention 'vital-interests'"),
    (MAXIMA, "[[cases]]", MORE.format("A6-1-d", 300), "retention 'one-more'"),
    (MAXIMA, 'id = "sca-emergency"\n', 'id = "sca-emergency"\nvalid_until = 2026-01-01\n', "retention 'sca-emergency'"),
    ("pap.toml", 'acts = ["passive-log-search"]', 'acts = ["passive-log-search", "block-domain"]', "pap 'PAP:RED'"),
]


def changed(file: str, old: str, new: str) -> list[str]:
    assert old in SHIPPED[file], (file, old)
    after = packs_of({**SHIPPED, file: SHIPPED[file].replace(old, new, 1)})
    return not_only_narrower(packs_of(SHIPPED), after)


@pytest.mark.parametrize(("file", "old", "new"), NARROWER)
def test_what_can_only_forbid_more_is_a_narrowing_and_its_reverse_is_not(file: str, old: str, new: str) -> None:
    assert changed(file, old, new) == []
    if "title" not in old:
        back = packs_of({**SHIPPED, file: SHIPPED[file].replace(old, new, 1)})
        assert not_only_narrower(back, packs_of(SHIPPED))


@pytest.mark.parametrize(("file", "old", "new", "named"), NOT)
def test_a_changed_duty_limit_or_demand_is_no_narrowing(file: str, old: str, new: str, named: str) -> None:
    assert named in changed(file, old, new)


@pytest.mark.parametrize("file", ["versions.toml", "obligations.toml", "cases.toml", "actions/staged.toml",
                                  "sharing/demo.toml"])
def test_leaving_out_a_pack_of_parameters_is_no_narrowing(file: str) -> None:
    less = packs_of({name: text for name, text in SHIPPED.items() if name != file})
    assert not_only_narrower(packs_of(SHIPPED), less)
    assert not_only_narrower(less, packs_of(SHIPPED))
