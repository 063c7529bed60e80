"""Which texts are patterns, production by production of the grammar (STIX 2.1, 9.2 to 9.7), and what they say of one
fixed set of observations: a pattern that is none matches nothing, one that only can't match is no-match."""

from __future__ import annotations

import pytest

from exchange.matcher.pattern.observed import observed_data
from exchange.matcher.pattern.verdict import INVALID, MATCH, NO_MATCH, Judge

Y, N, BAD = MATCH, NO_MATCH, INVALID


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Two observed-data, ten seconds apart."""
    thing = {
        "type": "x-thing", "id": "x-thing--1", "v": "a", "n": 5, "f": 0.5, "neg": -5, "t": "2026-01-01T00:00:00Z", "on": True,
        "off": False, "quote": "it's", "back": "a\\b", "lines": "a\nb", "wide": "日本 😀", "AND": "word", "true": "word", "a-b": 1,
        "a.b": 2, "a b": 3, "": 4, "é": 5, "_u": 6, "l": ["p", ["q"]], "d": {"k": {"k": 7}, "MD5": "m", "SHA-256": "s"},
        "o_ref": "x-other--1", "o_refs": ["x-other--1", "x-gone--1"], "h_hex": "ffd8", "b_bin": "AAH/", "bad_hex": "f",
        "bad_bin": "*", "start": "s", "c": "/* c */ // d", "exists": "e", "null": None,
    }
    other = {"type": "x-other", "id": "x-other--1", "v": "z", "back_ref": "x-thing--1", "name": "other"}
    seen = [{"type": "observed-data", "id": f"observed-data--{n}", "number_observed": 1, "object_refs": refs,
             "first_observed": f"2026-01-01T00:00:{n}0Z", "last_observed": f"2026-01-01T00:00:{n}0Z"}
            for n, refs in enumerate((["x-thing--1", "x-other--1"], ["x-other--1"]))]
    return Judge(observed_data([*seen, thing, other]).observed)


CONSTANTS = [
    ("'a'", "v", Y), ("'a\\'", "v", BAD), ("'a", "v", BAD), ("a", "v", BAD), ('"a"', "v", BAD), ("null", "null", BAD),
    ("'it\\'s'", "quote", Y), ("'it''s'", "quote", BAD), ("'it\\\"s'", "quote", BAD), ("'a\\\\b'", "back", Y), ("'a\\b'", "back", BAD),
    ("'a\\nb'", "lines", BAD), ("'a\nb'", "lines", Y), ("'日本 😀'", "wide", Y), ("'\\u65e5'", "wide", BAD),
    ("'/* c */ // d'", "c", Y), ("'AND'", "v", N),
    ("5", "n", Y), ("5.0", "n", Y), ("5.", "n", BAD), ("05", "n", BAD), ("0", "n", N), ("-5", "neg", Y), ("- 5", "neg", BAD),
    ("--5", "neg", BAD), ("5e0", "n", BAD), ("0x5", "n", BAD), ("5 0", "n", BAD), ("1_0", "n", BAD), ("5,0", "n", BAD), ("٥", "n", BAD),
    (".5", "f", Y), ("0.5", "f", Y), ("0.50", "f", Y), ("-.5", "f", N), (".", "f", BAD), ("NaN", "f", BAD), ("Infinity", "f", BAD),
    ("true", "on", Y), ("false", "off", Y), ("false", "on", N), ("TRUE", "on", BAD), ("True", "on", BAD), ("yes", "on", BAD),
    ("t'2026-01-01T00:00:00Z'", "t", Y), ("t'2026-01-01T00:00:00.000Z'", "t", Y), ("t'2026-01-01T00:00:00'", "t", BAD),
    ("t'2026-01-01T00:00:00z'", "t", BAD), ("t'2026-01-01t00:00:00Z'", "t", BAD), ("t'2026-01-01 00:00:00Z'", "t", BAD),
    ("t'2026-01-01T00:00:00+00:00'", "t", BAD), ("t'2026-01-01T00:00Z'", "t", BAD), ("t'2026-01-01'", "t", BAD),
    ("t'2026-01-01T00:00:00.Z'", "t", BAD), ("t'2026-13-01T00:00:00Z'", "t", BAD), ("t'2026-01-32T00:00:00Z'", "t", BAD),
    ("t'2026-01-01T24:00:00Z'", "t", BAD), ("t'2026-01-01T00:60:00Z'", "t", BAD), ("t'2026-01-01T00:00:61Z'", "t", BAD),
    ("t'2024-02-29T00:00:00Z'", "t", N), ("t''", "t", BAD), ("T'2026-01-01T00:00:00Z'", "t", BAD), ("t '2026-01-01T00:00:00Z'", "t", BAD),
    ("h'ffd8'", "h_hex", Y), ("h'FFD8'", "h_hex", Y), ("h'ff d8'", "h_hex", BAD), ("h'ffd'", "h_hex", BAD), ("h'fg'", "h_hex", BAD),
    ("h''", "h_hex", N), ("H'ffd8'", "h_hex", BAD), ("h 'ffd8'", "h_hex", BAD), ("0xffd8", "h_hex", BAD),
    ("b'AAH/'", "b_bin", Y), ("b'AAH\n/'", "b_bin", Y), ("b'AAH'", "b_bin", BAD), ("b'AAH_'", "b_bin", BAD), ("b'===='", "b_bin", BAD),
    ("b''", "b_bin", N), ("b'AA=='", "b_bin", N), ("b'AA='", "b_bin", BAD), ("B'AAH/'", "b_bin", BAD),
    ("x-thing:n", "n", BAD), ("('a')", "v", BAD), ("", "v", BAD),
]


@pytest.mark.parametrize(("constant", "name", "result"), CONSTANTS)
def test_a_constant_is_read_as_the_grammar_has_it(judge: Judge, constant: str, name: str, result: str) -> None:
    assert judge.judge(f"[x-thing:{name} = {constant}]").result == result


TESTS = [
    # operators
    ("v == 'a'", Y), ("v <> 'a'", N), ("v != 'a'", N), ("v =! 'a'", BAD), ("v =< 'a'", BAD), ("v => 'a'", BAD), ("v === 'a'", BAD),
    ("v IS 'a'", BAD), ("v like 'a'", BAD), ("v LIKE 5", BAD), ("v LIKE a", BAD), ("v MATCHES /a/", BAD), ("v MATCHES 5", BAD),
    ("v LIKE t'2026-01-01T00:00:00Z'", BAD), ("v ISSUBSET 5", BAD), ("v ISSUBSET h'00'", BAD), ("v CONTAINS 'a'", BAD),
    ("v NOT NOT = 'a'", BAD), ("v NOT= 'b'", Y), ("v NOT LIKE 'b'", Y), ("v !LIKE 'b'", BAD), ("v = NOT 'a'", BAD), ("v NOT 'a'", BAD),
    ("on > false", BAD), ("on <= true", BAD), ("on NOT > true", BAD), ("on != false", Y),
    # sets
    ("v IN ('a')", Y), ("v IN('a','b')", Y), ("v IN ()", N), ("v NOT IN ()", Y), ("v IN ('a',)", BAD), ("v IN (,'a')", BAD),
    ("v IN 'a'", BAD), ("v IN ['a']", BAD), ("v IN ('a' 'b')", BAD), ("v IN (('a'))", BAD), ("v IN ('a', 5)", BAD), ("v IN ('a', true)", BAD),
    ("n IN (5, 5.5)", Y), ("n IN (true, 5)", BAD), ("v IN (h'61', b'Yg==')", Y), ("t IN (t'2026-01-01T00:00:00.0Z')", Y), ("v in ('a')", BAD),
    # names
    ("'v' = 'a'", Y), ("'a-b' = 1", Y), ("a-b = 1", BAD), ("'a.b' = 2", Y), ("a.b = 2", N), ("'a b' = 3", Y), ("'' = 4", Y), ("'é' = 5", Y),
    ("é = 5", BAD), ("_u = 6", Y), ("'AND' = 'word'", Y), ("AND = 'word'", BAD), ("'true' = 'word'", Y), ("true = 'word'", BAD),
    ("start = 's'", Y), ("START = 's'", BAD), ("exists = 'e'", Y), ("V = 'a'", N), ("'quote' = 'it\\'s'", Y), ("1v = 'a'", BAD),
    ("d.k.k = 7", Y), ("d.'k'.'k' = 7", Y), ("d . k . k = 7", Y), ("d.k = 7", N), ("d.k != 7", Y), ("d..k = 7", BAD), ("d. = 7", BAD), (".d = 7", BAD),
    ("d.MD5 = 'm'", Y), ("d.md5 = 'm'", N), ("d.'SHA-256' = 's'", Y), ("d.SHA-256 = 's'", BAD), ("d['MD5'] = 'm'", BAD), ("d[MD5] = 'm'", BAD),
    ("d[0] = 'm'", N), ("d[*] = 'm'", N),
    ("l[0] = 'p'", Y), ("l[1] = 'p'", N), ("l[2] = 'p'", N), ("l[2] != 'p'", N), ("l[-1] = 'p'", N), ("l[-2] = 'p'", N), ("l[*] = 'p'", Y), ("l[1][0] = 'q'", Y),
    ("l[*][*] = 'q'", Y), ("l[ 0 ] = 'p'", Y), ("l[ * ] = 'p'", Y), ("l[0.0] = 'p'", BAD), ("l[] = 'p'", BAD), ("l['0'] = 'p'", BAD), ("l.0 = 'p'", BAD),
    ("l[**] = 'p'", BAD), ("l[0,1] = 'p'", BAD), ("l[0:1] = 'p'", BAD), ("l.[0] = 'p'", BAD), ("[0] = 'p'", BAD),
    ("o_ref.v = 'z'", Y), ("o_ref.back_ref.v = 'a'", Y), ("o_refs[*].v = 'z'", Y), ("o_refs[0].v = 'z'", Y), ("o_refs[1].v = 'z'", N),
    ("o_refs[1].v != 'z'", N), ("o_refs[1] = 'x-gone--1'", Y), ("o_refs.v = 'z'", N), ("o_ref.type = 'x-other'", Y), ("o_ref.gone = 'z'", N),
    # existence
    ("EXISTS", BAD), ("v EXISTS", BAD),
    # binary that can't be decoded: nothing is true of it but that it is there
    ("bad_hex = 'f'", N), ("bad_hex != 'f'", N), ("bad_hex NOT = 'f'", N), ("bad_bin LIKE '%'", N), ("bad_bin NOT IN ()", N),
    # white space and notes
    ("v='a'", Y), ("v\t=\r\n'a'", Y), ("v\u00a0=\u2003\u3000\u0085\u2028'a'", Y), ("v\u200b= 'a'", BAD), ("v /* = 'b' */ = 'a'", Y),
    ("v = 'a' // x\n AND x-thing:n = 5", Y), ("v = /* 'b'", BAD), ("v = 'a' # x", BAD), ("v = 'a';", BAD),
]


@pytest.mark.parametrize(("test", "result"), TESTS)
def test_a_comparison_is_read_as_the_grammar_has_it(judge: Judge, test: str, result: str) -> None:
    assert judge.judge(f"[x-thing:{test}]").result == result


SPAN = "START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:05Z'"
A, B = "[x-thing:v = 'a']", "[x-other:v = 'z']"
PATTERNS = [
    ("", BAD), (" ", BAD), ("[]", BAD), ("()", BAD), ("[ ]", BAD), ("x-thing:v = 'a'", BAD), ("[x-thing:v]", BAD), ("[x-thing]", BAD),
    ("[:v = 'a']", BAD), ("[x-thing:v = 'a'", BAD), ("x-thing:v = 'a']", BAD), ("[x-thing.v = 'a']", BAD), ("['x-thing':v = 'a']", BAD),
    ("[x-thing :v = 'a']", Y), ("[x-thing: v = 'a']", Y), ("[X-thing:v = 'a']", N), ("[true:v = 'a']", BAD), ("[x--thing:v = 'a']", N), ("[1x:v = 'a']", BAD),
    ("[[x-thing:v = 'a']]", BAD), (f"{A} {B}", BAD), (f"{A},{B}", BAD), (f"{A}]", BAD), (f"({A}", BAD), (f"{A})", BAD), (f"(({A}))", Y), (f"NOT {A}", BAD),
    ("[NOT x-thing:v = 'b']", BAD), ("[NOT (x-thing:v = 'b')]", BAD), ("[EXISTS x-thing:v]", Y), ("[EXISTS x-thing:w]", N), ("[NOT EXISTS x-thing:v]", N),
    ("[NOT EXISTS x-thing:w]", N), ("[EXISTS x-thing:null]", Y), ("[EXISTS x-thing:bad_hex]", Y), ("[NOT EXISTS x-thing:bad_hex]", N), ("[EXISTS x-thing:bad_bin]", Y),
    ("[EXISTS x-thing:d.k]", Y), ("[EXISTS x-thing:l[1]]", Y), ("[EXISTS x-thing:l[-1]]", N), ("[EXISTS x-thing]", BAD), ("[EXISTS x-thing:v = 'a']", BAD),
    ("[exists x-thing:v]", BAD), ("[EXISTS x-thing:o_ref.name]", Y), ("[EXISTS x-thing:o_refs[1].name]", N),
    ("[x-thing:v = 'a' AND x-thing:n = 5]", Y), ("[x-thing:v = 'a' and x-thing:n = 5]", BAD), ("[x-thing:v = 'a' && x-thing:n = 5]", BAD),
    ("[x-thing:v = 'a' AND n = 5]", BAD), ("[x-thing:v = 'a' AND]", BAD), ("[AND x-thing:v = 'a']", BAD), ("[x-thing:v = 'a' FOLLOWEDBY x-thing:n = 5]", BAD),
    ("[x-thing:v = 'b' OR x-thing:v = 'a' AND x-thing:n = 5]", Y), ("[(x-thing:v = 'a' OR x-thing:n = 5) AND x-thing:n = 6]", N),
    ("[((x-thing:v = 'a'))]", Y), ("[(x-thing:v) = 'a']", BAD), ("[x-thing:v = 'a' OR x-other:v = 'y']", Y), ("[x-thing:v = 'a' AND x-other:v = 'z']", N),
    ("[(x-thing:v = 'a' AND x-other:v = 'z') OR x-thing:n = 5]", Y), ("[x-thing:v = 'a'AND x-thing:n=5]", Y),
    (f"{A} AND {B}", Y), (f"{A} OR {B}", Y), (f"{A} FOLLOWEDBY {B}", Y), (f"{B} FOLLOWEDBY {A}", N), (f"{A} XOR {B}", BAD), (f"{A} AND NOT {B}", BAD),
    (f"{A} AND", BAD), (f"AND {A}", BAD), (f"{A} followedby {B}", BAD), (f"{A} FOLLOWED BY {B}", BAD), (f"{A}AND{B}", Y), (f"{A} AND {A}", N),
    (f"{B} AND {B}", Y), (f"{B} AND {B} AND {B}", N), (f"{A} // note\nAND /* note */ {B}", Y),
    # qualifiers
    (f"{B} REPEATS 2 TIMES", Y), (f"{B} REPEATS 3 TIMES", N), (f"{B} REPEATS 0 TIMES", BAD), (f"{B} REPEATS -1 TIMES", BAD), (f"{B} REPEATS 2.0 TIMES", BAD),
    (f"{B} REPEATS TIMES", BAD), (f"{B} REPEATS 2", BAD), (f"{B} REPEATS '2' TIMES", BAD), (f"{B} REPEATS 2 times", BAD), (f"{B} REPEATS 02 TIMES", BAD),
    (f"{B} WITHIN 5 SECONDS", Y), (f"{B} WITHIN 0.5 SECONDS", Y), (f"{B} WITHIN .5 SECONDS", Y), (f"{B} WITHIN 0 SECONDS", BAD), (f"{B} WITHIN 0.0 SECONDS", BAD),
    (f"{B} WITHIN -5 SECONDS", BAD), (f"{B} WITHIN 5 MINUTES", BAD), (f"{B} WITHIN 5", BAD), (f"{B} WITHIN SECONDS", BAD), (f"{B} WITHIN 1e3 SECONDS", BAD),
    (f"{B} REPEATS 2 TIMES WITHIN 10 SECONDS", N), (f"{B} REPEATS 2 TIMES WITHIN 10.001 SECONDS", Y), (f"{B} WITHIN 1 SECONDS REPEATS 2 TIMES", Y),
    (f"{B} {SPAN}", Y), (f"{B} REPEATS 2 TIMES {SPAN}", N), (f"{B} {SPAN} REPEATS 2 TIMES", N), (f"{B} {SPAN} AND {B}", Y),
    (f"{B} START t'2026-01-01T00:00:00Z'", BAD), (f"{B} STOP t'2026-01-01T00:00:05Z'", BAD), (f"{B} START '2026-01-01T00:00:00Z' STOP '2026-01-01T00:00:05Z'", BAD),
    (f"{B} STOP t'2026-01-01T00:00:05Z' START t'2026-01-01T00:00:00Z'", BAD), (f"{B} START 0 STOP 5", BAD),
    (f"{B} START t'2026-01-01T00:00:10Z' STOP t'2026-01-01T00:00:10Z'", N), (f"{B} START t'2026-01-01T00:00:20Z' STOP t'2026-01-01T00:00:05Z'", N),
    (f"{B} START t'2026-01-01T00:00:20Z' STOP t'2026-01-01T00:00:05Z' OR {A}", Y), (f"{B} START t'2026-01-01T00:00:10Z' STOP t'2026-01-01T00:00:10.000001Z'", Y),
    (f"{B} REPEATS 2 TIMES REPEATS 1 TIMES", BAD), (f"{B} WITHIN 5 SECONDS WITHIN 6 SECONDS", BAD), (f"{B} {SPAN} {SPAN}", BAD),
    (f"({B} REPEATS 2 TIMES) REPEATS 1 TIMES", Y), (f"({B} REPEATS 2 TIMES REPEATS 1 TIMES)", BAD), (f"({B} WITHIN 5 SECONDS) WITHIN 6 SECONDS", Y),
    (f"({B}) REPEATS 2 TIMES", Y), (f"(({A} AND {B}) WITHIN 5 SECONDS)", N), (f"({A} AND {B}) WITHIN 11 SECONDS", Y), (f"REPEATS 2 TIMES {B}", BAD),
    (f"{A} FOLLOWEDBY {B} {SPAN}", N), (f"({A} FOLLOWEDBY {B}) START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:11Z'", Y),
    (f"({A} FOLLOWEDBY {B}) START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:10Z'", N), ("[x-thing:v = 'a' REPEATS 2 TIMES]", BAD),
]


@pytest.mark.parametrize(("pattern", "result"), PATTERNS)
def test_a_pattern_is_read_as_the_grammar_has_it(judge: Judge, pattern: str, result: str) -> None:
    answer = judge.judge(pattern)
    assert answer.result == result
    assert answer.reason or result != BAD


def test_of_a_span_without_a_moment_the_reason_is_told(judge: Judge) -> None:
    assert "between START and STOP" in judge.judge(f"{A} START t'2026-01-01T00:00:20Z' STOP t'2026-01-01T00:00:05Z'").reason


def test_what_its_creator_revoked_is_not_seen() -> None:
    seen = {"type": "observed-data", "id": "observed-data--1", "first_observed": "2026-01-01T00:00:00Z", "number_observed": 1,
            "last_observed": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "objects": {"0": {"type": "x-thing", "v": "a"}}}
    bundle = observed_data([seen, {**seen, "modified": "2026-01-02T00:00:00Z", "revoked": True}])
    assert Judge(bundle.observed).judge(A).result == N
    assert any("revoked" in problem for problem in bundle.problems)


def test_a_bundle_inside_of_a_bundle_is_told() -> None:
    bundle = observed_data([{"type": "bundle", "id": "bundle--1", "objects": []}])
    assert any("bundle--1" in problem for problem in bundle.problems)
