"""Which values a pattern asks for, and why others can't be looked up."""

import pytest

from exchange.matcher.patterns import NEGATED, NOT_TEXT, QUALIFIED, SEVERAL, TOGETHER, Unit, Unusable, alternatives
from exchange.stix.pattern import parse

ONE = Unit((("domain-name:value", "a.example"),))
TWO = Unit((("domain-name:value", "b.example"),))

CASES = [
    ("[domain-name:value = 'a.example']", [ONE]),
    ("[domain-name:value = 'a.example' OR domain-name:value = 'b.example']", [ONE, TWO]),
    ("[domain-name:value = 'a.example'] OR [domain-name:value = 'b.example']", [ONE, TWO]),
    ("([domain-name:value = 'a.example'] OR [domain-name:value = 'b.example'])", [ONE, TWO]),
    ("[domain-name:value IN ('a.example', 'b.example')]", [ONE, TWO]),
    ("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", [Unit((("ipv4-addr:value", "10.0.0.0/8"),), subset=True)]),
    (
        "[user-account:account_type = 'x' AND user-account:account_login = 'jo']",
        [Unit((("user-account:account_type", "x"), ("user-account:account_login", "jo")))],
    ),
    ("[domain-name:value != 'a.example']", [Unusable("the pattern compares with !=")]),
    ("[domain-name:value NOT = 'a.example']", [Unusable(NEGATED)]),
    ("[domain-name:value LIKE '%.example']", [Unusable("the pattern compares with LIKE")]),
    ("[file:size = 5]", [Unusable(NOT_TEXT)]),
    ("[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']", [Unusable(SEVERAL)]),
    ("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']", [Unusable(SEVERAL)]),
    ("[domain-name:value = 'a.example'] REPEATS 3 TIMES", [Unusable(QUALIFIED)]),
    ("[domain-name:value = 'a.example' AND domain-name:value LIKE 'b%']", [Unusable(TOGETHER)]),
    (
        "[domain-name:value = 'a.example' OR domain-name:value LIKE 'b%']",
        [ONE, Unusable("the pattern compares with LIKE")],
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_pattern_is_brought_to_its_alternatives(text, expected):
    assert expected == list(alternatives(parse(text)))
