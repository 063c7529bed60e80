"""Unpacking in every format and cut, and lines, against the whole text."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.outbound.body import PIECE, lines, unpacked


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at:at + size] for at in range(0, len(data), size)]


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


PACKERS = {
    "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes, "": bytes,
    " GZIP ": gzip.compress,
}


@given(st.sampled_from(sorted(PACKERS)), st.one_of(st.binary(max_size=300), st.integers(0, 400_000).map(bytes)),
       st.integers(1, 70_000))
def test_unpacking_undoes_packing_however_it_is_cut(coding: str, data: bytes, size: int) -> None:
    packed = PACKERS[coding](data)
    pieces = list(unpacked(cut(packed, max(size, len(packed) // 500 + 1)), coding))
    assert b"".join(pieces) == data
    assert coding.strip() in ("", "identity") or all(len(piece) <= PIECE for piece in pieces)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_deflate_without_its_head_is_understood(data: bytes, size: int) -> None:
    assert b"".join(unpacked(cut(raw_deflate(data), size), "deflate")) == data


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 60), st.integers(0, 9))
def test_gzip_of_several_members_with_zeros_after_it(texts: list[bytes], size: int, zeros: int) -> None:
    packed = b"".join(map(gzip.compress, texts)) + b"\0" * zeros
    assert b"".join(unpacked(cut(packed, size), "gzip")) == b"".join(texts)


@pytest.mark.parametrize("data", [gzip.compress(b"x" * 99, mtime=0)[:-9], b"not packed", gzip.compress(b"a", mtime=0) + b"rest"])
def test_what_is_cut_or_not_packed_is_told(data: bytes) -> None:
    with pytest.raises(InputError, match="gzip"):
        list(unpacked([data], "gzip"))


@given(st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b""]), max_size=30))
def test_lines_are_the_same_however_they_are_cut(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    assert list(lines(pieces, 100)) == list(lines([text], 100)) == text.splitlines()


def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert list(lines([b"12345\n", b"123", b"45"], 5)) == [b"12345", b"12345"]
    for pieces in ([b"123456\n"], [b"123", b"456"], [b"1\n123456"]):
        with pytest.raises(InputError, match="longer than 5 bytes"):
            list(lines(pieces, 5))
