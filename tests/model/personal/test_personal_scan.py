"""Personal data in texts: found however it is hidden, not seen where there is none, and never told."""

from __future__ import annotations

import base64
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.personal.scan import scan, scan_document, scan_number
from exchange.model.personal.trace import KINDS, Trace
from tests.model.personal.personal_cases import CARD, CLEAN, HELD, IBAN, MAIL

RAW = {"email": MAIL, "phone": "+44 20 7946 0958", "payment": CARD}
HIDE = {
    "as it is": lambda text: text,
    "percent-encoded": quote,
    "every character percent-encoded": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of base64": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "zero-width": "\u200b".join,
    "HTML entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
}


@pytest.mark.parametrize(("kind", "text"), HELD, ids=[f"{kind}: {text[:40]!a}" for kind, text in HELD])
def test_personal_data_is_found(kind: str, text: str) -> None:
    assert kind in {trace.kind for trace in scan(text)}


@pytest.mark.parametrize("text", CLEAN, ids=[f"{text[:50]!a}" for text in CLEAN])
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert scan(text) == ()


@pytest.mark.parametrize("hide", HIDE.values(), ids=HIDE)
@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("around", ["{}", "seen: {} (twice)", "a {}"])
def test_every_disguise_is_undone(kind: str, hide, around: str) -> None:  # type: ignore[no-untyped-def]
    assert kind in {trace.kind for trace in scan(around.format(hide(RAW[kind])))}


@given(st.text(string.ascii_lowercase, min_size=1, max_size=20), st.text(string.ascii_lowercase, min_size=1, max_size=12),
       st.sampled_from(["org", "example", "com", "de"]), st.sampled_from(list(HIDE)))  # fmt: skip
def test_any_address_is_found_under_any_disguise(local: str, host: str, end: str, hide: str) -> None:
    assert "email" in {trace.kind for trace in scan(HIDE[hide](f"{local}@{host}.{end}"))}


@given(st.text(string.digits, min_size=14, max_size=14), st.sampled_from(["", " ", "-", ".", "_"]))
def test_any_card_with_its_check_digit_is_found_however_it_is_split(rest: str, gap: str) -> None:
    for last in string.digits:
        number = "4" + rest + last
        digits = [int(digit) for digit in reversed(number)]
        total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
        told = gap.join(number[start : start + 4] for start in range(0, 16, 4))
        assert ("payment" in {trace.kind for trace in scan(told)}) == (total % 10 == 0 and len(set(number)) > 1)


@given(st.text(max_size=300))
def test_any_text_is_read_and_the_same_each_time(text: str) -> None:
    found = scan(text)
    assert found == scan(text)
    assert {trace.kind for trace in found} <= set(KINDS)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_any_number_is_read(number: float) -> None:
    assert {trace.kind for trace in scan_number(number)} <= {"payment", "phone"}


NUMBERS = [
    (4111111111111111, {"payment"}), (14155550123, {"phone"}), (4155550123, {"phone"}), (447911123456, {"phone"}),
    (447911123456.0, {"phone"}), (4111111111.111111, {"payment"}), (23, set()), (7704, set()), (12345678, set()),
    (1234567890, set()), (14_000_000_000, set()), (0.031, set()), (-5, set()), (20260610, set()),
]  # fmt: skip


@pytest.mark.parametrize(("number", "kinds"), NUMBERS)
def test_numbers_of_json_are_looked_at(number: float, kinds: set[str]) -> None:
    assert {trace.kind for trace in scan_number(number)} == kinds


def test_a_document_is_looked_through_to_its_last_key() -> None:
    document = {
        "a": [{"b": [[MAIL]]}], MAIL: 1, "c": 4111111111111111, "d": {"e": {"f": IBAN}}, "g": ["jane", "@lorem", ".org"],
        "h": [4111, 1111, 1111, 1111], "i": True, "j": None, "k": "CL-77", "l": ["en", "ur"],
    }  # fmt: skip
    found = {(".".join(map(str, one.path)), one.trace.kind, one.in_key) for one in scan_document(document)}
    assert found == {
        ("a.0.b.0.0", "email", False), (MAIL, "email", True), ("c", "payment", False), ("d.e.f", "payment", False),
        ("g", "email", False), ("h", "payment", False),
    } | {one for one in found if one[0].startswith("g.")}  # fmt: skip


def test_where_ids_belong_digits_alone_are_no_telephone_number() -> None:
    assert scan("4155550123", bare=False) == ()
    assert scan("4155550123") == (Trace("phone"),)


def test_the_time_grows_with_the_length_and_not_faster() -> None:
    for text in ("1" * 4_000, "1 " * 2_000, "a." * 2_000, "QUFB" * 1_000, "41" * 2_000, "@" * 4_000, "one " * 1_000):
        scan(text)  # a pattern that backtracks would not come back


def test_what_was_found_is_told_without_it() -> None:
    for kind, text in HELD:
        for trace in scan(text):
            assert text not in trace.title, kind
    assert Trace("email", "base64").title == "an e-mail address (hidden by base64)"
