"""What stands twice says the same: a value of one event in Python, a column of them in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher import values

HOSTS = ("https://", "HTTP://", "www.", "user@", "a.Example.", "b.example:80", "/p", "?q", "#f", " ", "Ü", "//", "x")
ODD = ("a", "Z", "0", " ", ".", "-", "#", "@", "é", "E\u0301", "Σ", "ΑΣ", "İ", "ß", "ﬁ", "\n", "漢", "🙂", "'")


def column(expression: Callable[[str], str], texts: list[str]) -> list[Any]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(range(len($1))) AS n, unnest($1) AS v", [texts])
        return [row[0] for row in connection.execute(f"SELECT {expression('v')} FROM t ORDER BY n").fetchall()]


@pytest.mark.parametrize(("twin", "expression", "parts"), [
    (values.text_form, values.text_sql, ODD),
    (values.host_form, values.host_sql, HOSTS),
    (values.address, values.address_sql, ("1", "25", "255", "256", ".", "0", "7", "007")),
    (lambda text: values.token_of("device", text), lambda v: values.token_sql("device", v, False),
     ("dv_", "pm_", "zz_", "1f", "72c5d055f0bb46ae", "ffffffffffffffff", ".example", " ", "A")),
    (lambda text: values.token_of("email", text), lambda v: values.token_sql("email", v, False),
     ("hmac-sha256:", "grp-1", "_", ":", "0a" * 32, "F" * 64, "f" * 63, "é", " ")),
    (values.domain_token, lambda v: f"CASE WHEN {values.is_domain_token_sql(v)} THEN"
                                    f" {values.token_sql('domain', v, True)} END",
     ("dn_", "1f", "72c5d055f0bb46ae", "9223372036854775807", "9", ".example", "a.org")),
    (lambda text: values.normal("email", text), lambda v: values.normal_sql("email", v), ODD),
    (lambda text: values.normal("domain", text), lambda v: values.normal_sql("domain", v), ODD),
])
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_python_and_sql_agree(
    twin: Callable[[str], Any], expression: Callable[[str], str], parts: tuple[str, ...], data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.lists(st.sampled_from(parts), max_size=8).map("".join), min_size=1, max_size=200))
    assert [twin(text) for text in texts] == column(expression, texts)


@pytest.mark.parametrize(("value", "token"), [(7, 7), (-1, None), (2**63, None), (2**63 - 1, 2**63 - 1)])
def test_a_number_is_a_token_when_it_fits(value: int, token: int | None) -> None:
    assert values.token_of("device", value) == values.domain_token(value) == token


@pytest.mark.parametrize(("value", "number"), [(3_221_225_985, 3_221_225_985), (2**32, None), (-1, None)])
def test_an_address_as_a_number_must_be_one(value: int, number: int | None) -> None:
    assert values.address(value) == number
