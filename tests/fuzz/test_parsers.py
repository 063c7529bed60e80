"""Whatever comes from outside is read or refused in words, for every parser of ``parsers.py``.

More examples: ``CIBX_TEST_EXAMPLES=2000``; guided by coverage: ``tests/bench/fuzz_parsers.py``.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.errors import ExchangeError
from tests.fuzz.parsers import INDICATOR, PARSERS

_EXAMPLES = int(os.environ.get("CIBX_TEST_EXAMPLES", "25"))
_PIECES = st.sampled_from([
    b"", b"\0", b"'", b'"', b"\\", b"[", b"]" * 3, b"{", b"[" * 200, b"null", b"-1", b"1e999", b"9" * 5_000, b",", b";",
    "²".encode(), b"/32", b"\r\n", b"\n", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", "١２".encode(), b"=", b"%00", b"2026-02-30", b"\xef\xbb\xbf",
]) | st.binary(max_size=8)
"""What readers stumble over."""

_WORD = re.compile(rb"'[^']*'|\"[^\"]*\"|[\w.:-]+")


@st.composite
def spoilt(draw: st.DrawFn, samples: tuple[bytes, ...]) -> bytes:
    """A sample in which up to four words or stretches were replaced, or any bytes."""
    data = draw(st.sampled_from(samples)) if draw(st.integers(0, 7)) else draw(st.binary(max_size=60))
    for _ in range(draw(st.integers(1, 4))):
        words = [match.span() for match in _WORD.finditer(data)]
        if words and draw(st.booleans()):
            start, end = draw(st.sampled_from(words))
        else:
            start = draw(st.integers(0, len(data)))
            end = draw(st.integers(start, min(len(data), start + 12)))
        data = data[:start] + draw(_PIECES) + data[end:]
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_any_bytes_are_read_or_refused_in_words(name: str) -> None:
    parser = PARSERS[name]

    @settings(max_examples=_EXAMPLES, derandomize=True, deadline=None, database=None,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(spoilt(parser.samples))
    def ask(data: bytes) -> None:
        with suppress(ExchangeError):
            parser.read(data)

    ask()


@pytest.mark.parametrize(("name", "sample"), [(name, sample) for name, one in PARSERS.items() for sample in one.samples])
def test_a_sample_reaches_its_reader(name: str, sample: bytes) -> None:
    with suppress(ExchangeError):
        PARSERS[name].read(sample)


@pytest.mark.parametrize(("name", "data"), [
    ("stix-file", b'{"type":"bundle","id":'),  # the file ends where a value should begin
    ("policy-pack", b"[pack]\ntitle = " + b"9" * 5_000),  # Python reads numbers of 4,300 digits at most
    ("stix-object", INDICATOR.replace(b"domain-name:value = 'lorem.example'", "ipv4-addr:value = '192.0.2.1/²'".encode())),
    ("stix-object", INDICATOR.replace(b"domain-name:value = 'lorem.example'", b"ipv6-addr:value = '::/" + b"9" * 5_000 + b"'")),
    ("table-csv", b"accounts,platform\n" + "²,x\n".encode()),
    ("x-archive", b"userid,user_display_name,user_screen_name,follower_count\n" + "1234,lorem,lorem,²\n".encode()),
    ("x-archive", b"userid,user_display_name,user_screen_name\n" + b"9" * 30_000 + b",lorem,\n"),
    ("table-csv", b"domain,comment\n" + b"9" * 30_000 + b",b\n"),  # took minutes: each digit began a number
    ("identifier", b"[" * 3_000 + b".a"),  # took a minute: each pass undid one bracket
])
def test_what_was_found_stays_mended(name: str, data: bytes) -> None:
    with suppress(ExchangeError):
        PARSERS[name].read(data)
