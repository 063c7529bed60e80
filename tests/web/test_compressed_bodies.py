"""Compressed bodies: gzip and zstd undone within the limit of plain ones; bombs, broken and doubled frames refused."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import zstandard
from flask import Request
from werkzeug.test import EnvironBuilder

from exchange.errors import BadRequestError, ExchangeError, TooLargeError, UnsupportedMediaError
from exchange.web.body import BYTES, read_body

PLAIN = b'{"objects": [' + b", ".join(b'{"id": "%d"}' % n for n in range(500)) + b"]}"


def _zstd(body: bytes, **options: int) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(body)


def _read(body: bytes, encoding: str, most: int = 1_000_000) -> bytes:
    request = Request(EnvironBuilder(method="POST", data=body, headers={"Content-Encoding": encoding}).get_environ())
    try:
        return read_body(request, most)
    finally:
        assert request.environ.get(BYTES, 0) <= max(most, len(body))


@pytest.mark.parametrize(("encoding", "body"), [
    ("gzip", gzip.compress(PLAIN, mtime=0)), ("zstd", _zstd(PLAIN)), ("ZSTD", _zstd(PLAIN, level=19)), ("zstd", _zstd(b" x" * 400_000)),
    ("identity", PLAIN), ("", PLAIN),
])
def test_a_body_comes_out_as_it_was(encoding: str, body: bytes) -> None:
    assert _read(body, encoding) in {PLAIN, b" x" * 400_000}


@pytest.mark.parametrize(("encoding", "body", "error"), [
    ("zstd", _zstd(PLAIN)[:-5], BadRequestError), ("zstd", _zstd(PLAIN) + b"x", BadRequestError),
    ("zstd", _zstd(PLAIN) * 2, BadRequestError), ("zstd", _zstd(PLAIN) + b"\0" * 2_000, BadRequestError),
    ("zstd", PLAIN, BadRequestError), ("zstd", gzip.compress(PLAIN, mtime=0), BadRequestError), ("zstd", b"", BadRequestError),
    ("zstd", _zstd(b""), BadRequestError), ("gzip", _zstd(PLAIN), BadRequestError),
    ("br", PLAIN, UnsupportedMediaError), ("gzip, zstd", PLAIN, UnsupportedMediaError),
])
def test_what_is_not_one_whole_frame_is_refused(encoding: str, body: bytes, error: type[ExchangeError]) -> None:
    with pytest.raises(error):
        _read(body, encoding)


@pytest.mark.parametrize(("encoding", "bomb"), [
    ("zstd", _zstd(bytes(300_000_000))), ("gzip", gzip.compress(bytes(50_000_000), 1, mtime=0)),
    ("zstd", _zstd(bytes(20_000_000), level=1)),
])
def test_a_bomb_is_refused_before_it_takes_much_memory(encoding: str, bomb: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        _read(bomb, encoding)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 24_000_000


def test_a_frame_with_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = stream.compress(PLAIN) + stream.flush()
    with pytest.raises(BadRequestError, match="window of over 8 MB"):
        _read(body, "zstd")


def test_just_the_limit_is_let_in_and_one_more_is_not() -> None:
    assert len(_read(_zstd(b"x" * 70_000), "zstd", 70_000)) == 70_000
    with pytest.raises(TooLargeError):
        _read(_zstd(b"x" * 70_001), "zstd", 70_000)
