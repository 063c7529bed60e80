"""The STIX pattern language: what it takes, what it refuses and where, and that nothing makes it crash."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stix2patterns.validator import run_validator

from exchange.stix.fault import StixFault
from exchange.stix.pattern import MAX_COMPARISONS, MAX_NESTING, comparisons, parse
from exchange.stix.pattern.parser import single_equality
from exchange.stix.pattern.tree import (
    Combination,
    Comparison,
    Logic,
    ObjectPath,
    Observation,
    Octets,
    Qualified,
    Repeats,
    StartStop,
    Timestamp,
    Within,
    quoted,
)

GOOD = [
    "[domain-name:value = 'a.example']",
    "[ domain-name:value == 'a.example' ]",
    "[domain-name:value='a' AND domain-name:value!='b' OR url:value<>'c']",
    "[user-account:account_type = 'x' AND user-account:account_login = 'jdoe']",
    "[(a:b = 1 OR a:c = 2) AND a:d = 3]",
    "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    "[file:name = 'it\\'s \\\\ here']",
    "[file:name = '']",
    "[file:name MATCHES '^a\\\\.b$']",
    "[file:name NOT MATCHES 'x' OR file:name NOT = 'y' OR file:name NOT IN ('a', 'b')]",
    "[file:size > 5 AND file:size <= 10 AND file:size >= -3 AND file:size < +4]",
    "[a:b = 1.5 OR a:b = -0.25 OR a:b = .5]",
    "[a:b = true OR a:b = false]",
    "[a:b = t'2026-01-01T00:00:00Z']",
    "[a:b = h'aBcD' OR a:b = b'dGVzdA==' OR a:b = h'']",
    "[a:b IN ('x', 5, true)]",
    "[a:b IN ()]",
    "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv4-addr:value ISSUPERSET '198.51.100.0/24']",
    "[a:b LIKE 'a%_']",
    "[EXISTS a:b OR a:c = 1]",
    "[NOT EXISTS a:b]",
    "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.1']",
    "[process:extensions.'windows-service-ext'.service_dll_refs[*].name = 'f']",
    "[x-a:list[0].b[7] = 1]",
    "[a:'b c'.'d\\'e' = 1]",
    "[a:b = 1] AND [a:c = 2] OR [a:d = 3] FOLLOWEDBY [a:e = 4]",
    "([a:b = 1] OR [a:c = 2]) WITHIN 5 SECONDS",
    "[a:b = 1] REPEATS 5 TIMES WITHIN 1.5 SECONDS",
    "[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
    "(([a:b = 1]))",
    "[a:b = 1] // to the end\n",
    "[/* in\nside */a:b /**/ = /***/ 1]",
    "\t[a:b\n=\r\n1]\u00a0",
    "[x-cib-device:token = 'dv_1']",
    "[domain-name:value = 'пример.example' OR url:value = 'https://a.example/?q=\U0001f600']",
]


@pytest.mark.parametrize("text", GOOD)
def test_the_whole_language_is_read(text: str) -> None:
    assert parse(text) is not None


@pytest.mark.parametrize("text", [text for text in GOOD if "NOT EXISTS" not in text and "<>" not in text])
def test_what_we_take_the_reference_validator_takes(text: str) -> None:
    assert [str(error) for error in run_validator(text, stix_version="2.1")] == []


BAD: list[tuple[str, int | None]] = [
    # pattern, character that is named
    ("", 1),
    ("a:b = 1", 1),
    ("[]", 2),
    ("[a:b]", 5),
    ("[a = 1]", 4),
    ("[a: = 1]", 5),
    ("[a:b = ]", 8),
    ("[a:b = 1", 9),
    ("[a:b = 1]]", 10),
    ("[a:b = 1] [a:c = 2]", 11),
    ("[a:b = 1 AND]", 13),
    ("[a:b = 1] AND", 14),
    ("[a:b = 1] WITHIN 5", 19),
    ("[a:b = 1] WITHIN 0 SECONDS", 11),
    ("[a:b = 1] REPEATS 0 TIMES", 11),
    ("[a:b = 1] REPEATS 1.5 TIMES", 11),
    ("[a:b = 1] REPEATS -1 TIMES", 11),
    ("[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES", 27),
    ("[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'", 17),
    ("[a:b = 1] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'", 11),
    ("[a:b = t'2026-02-30T00:00:00Z']", 8),
    ("[a:b = h'abc']", 8),
    ("[a:b = b'*']", 8),
    ("[a:b = 'x]", 8),
    ("[a:b = 'x\\n']", 10),
    ("[a:b = 'x\\']", 8),
    ('[a:b = "x"]', 8),
    ("[a:b LIKE 5]", 11),
    ("[a:b > true]", 8),
    ("[a:b = 007]", 8),
    ("[a:b = 1 and a:c = 2]", 10),
    ("[file:hashes.SHA-256 = 'x']", 14),
    ("[a:b[x] = 1]", 6),
    ("[a:b[1.5] = 1]", 6),
    ("[a:b[-1] = 1]", 6),
    ("[a:b IN 'x']", 9),
    ("[a:b IN ('x' 'y')]", 14),
    ("[a:b IN ('x',)]", 14),
    ("[NOT a:b = 1]", 6),
    ("[a:b = 1] /* open", 11),
    ("[a:AND = 1]", 4),
    ("[a:b = 1]\x00", 10),
    ("([a:b = 1]", 11),
    ("[(a:b = 1]", 10),
]


@pytest.mark.parametrize(("text", "character"), BAD)
def test_what_is_no_pattern_is_refused_with_its_place(text: str, character: int) -> None:
    with pytest.raises(StixFault) as refused:
        parse(text)
    assert (refused.value.code, refused.value.property) == ("pattern-invalid", "pattern")
    assert re.search(rf"at character {character}\b", str(refused.value)), str(refused.value)


@pytest.mark.parametrize("text", [text for text, _ in BAD if "STOP t" not in text and "02-30" not in text])
def test_what_we_refuse_the_reference_validator_refuses(text: str) -> None:
    if "WITHIN 0" in text or "REPEATS 0" in text:
        pytest.skip("numbers that mean nothing: refused by the specification's words, not by its grammar")
    if not text or "[-1]" in text:
        pytest.skip("the reference validator crashes on it")
    assert run_validator(text, stix_version="2.1")


@pytest.mark.parametrize("text", [
    "[" + " OR ".join(["a:b = 1"] * (MAX_COMPARISONS + 1)) + "]",
    "[" + " OR ".join(["a:b = '1'"] * (MAX_COMPARISONS + 1)) + "]",
    "(" * (MAX_NESTING + 1) + "[a:b = 1]" + ")" * (MAX_NESTING + 1),
    "[" + "(" * (MAX_NESTING + 1) + "a:b = 1" + ")" * (MAX_NESTING + 1) + "]",
    "(" * 10_000,
    "[" + "(" * 10_000,
    "[a:b = '" + "x" * 11_000 + "']",
    "[a:b = '" + "é" * 6_000 + "']",
    "[a:b = " + "1" * 500 + "]",
    "/" + "*" * 10_000,
    "[a:b = '" + "\\\\" * 4_000,
    "[a:b = 1] " + "REPEATS 1 TIMES " * 600 + "x",
])
def test_hostile_patterns_are_refused_not_suffered(text: str) -> None:
    with pytest.raises(StixFault):
        parse(text)


def test_as_much_as_is_allowed_is_read() -> None:
    text = "(" * MAX_NESTING + "[" + " OR ".join(["a:b = 1"] * MAX_COMPARISONS) + "]" + ")" * MAX_NESTING
    assert len(list(comparisons(parse(text)))) == MAX_COMPARISONS


def test_precedence_is_and_before_or_before_followedby() -> None:
    def one(name: str) -> Observation:
        return Observation(Comparison(ObjectPath("a", (name,)), "=", 1))

    expected = Combination("FOLLOWEDBY", (
        Combination("OR", (one("b"), Combination("AND", (one("c"), one("d"))))), one("e"),
    ))
    assert expected == parse("[a:b = 1] OR [a:c = 1] AND [a:d = 1] FOLLOWEDBY [a:e = 1]").expression
    inner = parse("[a:b = 1 OR a:c = 1 AND a:d = 1]").expression
    assert isinstance(inner, Observation)
    assert isinstance(inner.test, Logic)
    assert inner.test.operator == "OR"


def test_a_qualifier_binds_to_the_expression_before_it() -> None:
    expression = parse("[a:b = 1] FOLLOWEDBY [a:c = 1] REPEATS 2 TIMES WITHIN 3 SECONDS").expression
    assert isinstance(expression, Combination)
    last = expression.operands[1]
    assert isinstance(last, Qualified)
    assert (Repeats(2), Within(3)) == last.qualifiers


def test_start_and_stop_keep_their_texts() -> None:
    expression = parse("[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:00.1Z'").expression
    assert isinstance(expression, Qualified)
    assert (StartStop("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1Z"),) == expression.qualifiers


@pytest.mark.parametrize(("literal", "value"), [
    ("'it\\'s \\\\'", "it's \\"), ("5", 5), ("-5", -5), ("+5", 5), ("1.50", 1.5), ("true", True), ("false", False),
    ("t'2026-01-01T00:00:00Z'", Timestamp("2026-01-01T00:00:00Z")), ("h'00ff'", Octets(b"\x00\xff", "h")),
    ("b'AP8='", Octets(b"\x00\xff", "b")), ("9" * 400, int("9" * 400)),
])
def test_literals_are_decoded(literal: str, value: object) -> None:
    expression = parse(f"[a:b = {literal}]").expression
    assert isinstance(expression, Observation)
    assert isinstance(expression.test, Comparison)
    assert value == expression.test.value
    assert type(value) is type(expression.test.value)


def test_comparisons_are_flat_in_order_and_plain() -> None:
    text = (
        "[a:b = 'x' AND (a:'c d'[*].e NOT IN ('y', 2) OR NOT EXISTS a:f[0])] FOLLOWEDBY "
        "([g:h > t'2026-01-01T00:00:00Z'] OR [i:j = h'00']) WITHIN 5 SECONDS"
    )
    assert [tuple(one) for one in comparisons(parse(text))] == [
        ("a:b", "=", "x", False), ("a:'c d'[*].e", "IN", ("y", 2), True), ("a:f[0]", "EXISTS", None, True),
        ("g:h", ">", "2026-01-01T00:00:00Z", False), ("i:j", "=", b"\x00", False),
    ]


_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in ("true", "false"))
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(_NAMES, st.lists(_NAMES, min_size=1, max_size=3), _TEXTS, st.sampled_from([" AND ", " OR "]), st.integers(1, 4))
def test_the_quick_way_and_the_grammar_read_the_same(
    type_name: str, path: list[str], value: str, joint: str, count: int
) -> None:
    text = f"{type_name}:{'.'.join(path)} = {quoted(value)}"
    quick = parse("[" + joint.join([text] * count) + "]")
    slow = parse("[/**/" + joint.join([text] * count) + "]")
    assert quick == slow
    assert [value] * count == [one.value for one in comparisons(quick)]


_ANY_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True) | st.sampled_from(["true", "false"])


@given(_NAMES, st.lists(_ANY_NAMES, min_size=1, max_size=3), _TEXTS)
def test_a_single_equality_read_without_a_tree_is_that_of_the_tree(
    type_name: str, path: list[str], value: str
) -> None:
    text = f"[{type_name}:{'.'.join(path)} = {quoted(value)}]"
    found = single_equality(text)
    try:
        one, = comparisons(parse(text))
    except StixFault:
        assert found is None
        return
    assert found in (None, (one.object_path, one.value))
    if "\\" not in text and not {"true", "false"} & set(path) and re.fullmatch("[a-z][a-z0-9-]*", type_name):
        assert found is not None


@pytest.mark.parametrize("text", [
    "[a:b != 'x']", "[a:b NOT = 'x']", "[a:b = 'x' OR a:b = 'y']", "[a:b = 'x'] AND [a:b = 'y']", "[a:b IN ('x')]",
    "[a:b = 1]", "[a:b[0] = 'x']", "[a:'b' = 'x']", "a:b = 'x'", "[a:b = 'x", f"[a:b = '{'x' * 10_240}']",
])
def test_what_is_no_single_equality_is_left_to_the_grammar(text: str) -> None:
    assert single_equality(text) is None


@given(_NAMES, st.lists(_TEXTS | st.integers(0, 500) | st.none(), max_size=4), _TEXTS)
def test_an_object_path_is_read_as_it_is_written(type_name: str, steps: list[str | int | None], first: str) -> None:
    path = ObjectPath(type_name, (first, *steps))
    expression = parse(f"[{path.text} = 1]").expression
    assert isinstance(expression, Observation)
    assert isinstance(expression.test, Comparison)
    assert path == expression.test.path


_PIECES = st.sampled_from([
    "[", "]", "(", ")", "a:b", " = ", "'x'", "1", " AND ", " OR ", " FOLLOWEDBY ", " NOT ", "IN", "EXISTS ", "t'", "h'",
    "b'", "'", "\\", "WITHIN ", "5 SECONDS", " START ", "STOP", "REPEATS 2 TIMES", "/*", "*/", "//", "\n", "true", ".",
    "[*]", "[0]", "-", "+", ",", "LIKE", "\ud800", "é", "\x00",
])


@given(st.text(max_size=60) | st.lists(_PIECES, max_size=25).map("".join))
def test_any_text_gives_a_tree_or_a_fault(text: str) -> None:
    try:
        tree = parse(text)
    except StixFault as fault:
        written: object = str(fault).encode()
    else:
        written = list(comparisons(tree))
    assert written
