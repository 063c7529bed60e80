"""Rising whole numbers in few bytes: runs of consecutive ones as (gap, length) in LEB128 varints.

A page of objects that were pushed together is one run, so three bytes; a lone object costs its gap and a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def encode_runs(numbers: Sequence[int]) -> bytes:
    """Strictly rising non-negative numbers, relative to the first, which the caller keeps."""
    if not numbers:
        return b""
    if numbers[-1] - numbers[0] == len(numbers) - 1:  # the usual page
        return b"\x00" + _varint(len(numbers) - 1)
    out = bytearray()
    end = start = numbers[0]
    after = start
    for number in [*numbers[1:], -1]:
        if number == end + 1:
            end = number
            continue
        out += _varint(start - after) + _varint(end - start)
        after, start, end = end, number, number
    return bytes(out)


def decode_runs(first: int, coded: bytes) -> Iterator[tuple[int, int]]:
    """(first, last) of each run, both inclusive."""
    values = _varints(coded)
    after = first
    for gap in values:
        start = after + gap
        after = start + next(values)
        yield start, after


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varints(coded: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in coded:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0
