"""Strict reading of one JSON object: what two readers could understand differently is refused.

Refused: bytes that aren't UTF-8, duplicate keys, NUL characters, lone surrogates, NaN and Infinity (also as
1e999), nesting deeper than 64, numbers over 400 digits, strings over 5 MiB, more than 100,000 values. Integers
stay exact.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any, NoReturn

import orjson

from exchange.stix.fault import JSON_INVALID, StixFault, shown

MAX_DEPTH = 64
"""Deepest nesting of objects and lists."""
MAX_DIGITS = 400
"""Longest number, in characters."""
MAX_STRING = 5 * 1024 * 1024
"""Longest string, in characters: room for an attachment, not for a disk image."""
MAX_VALUES = 100_000
"""Most values of one object, in all its lists and objects together: a report that refers to 20,000 objects has room."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
"""The last quotation mark may be missing: else each quotation mark in an open string would be tried as its start."""
_BRACKETS = re.compile(rb"[\[{]|[\]}]")
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SPACED = b'": '
_INFINITE = float("inf")


def parse_strict(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object; raises StixFault (``json-invalid``) whose sentence says what is wrong where."""
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or (len(raw) > MAX_VALUES and raw.count(b",") >= MAX_VALUES):
        _check_size(_STRING.sub(b"", raw))
    value = _as_written(raw)
    if value is None:
        value = _read(raw)
    if len(raw) > MAX_STRING or _SUSPECT_ESCAPE.search(raw):
        _check_strings(value, "")
    return value


def _as_written(raw: bytes) -> dict[str, Any] | None:
    """The object, where its bytes are the very ones that are written of what was read; None for all others.

    Nothing can be read differently there: no key stands twice, no number has lost a digit or is longer than 64 bits.
    Compact JSON, as many send it, is so, and this takes a third of the time of looking at each pair.
    """
    if _SPACED in raw[:80]:
        return None  # not compact: it would be read in vain
    try:
        value = orjson.loads(raw)
        return value if type(value) is dict and orjson.dumps(value) == raw else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _read(raw: bytes) -> dict[str, Any]:
    """The object, each pair and number looked at. Raises StixFault."""
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        _refuse("", f"The object is not UTF-8: byte {error.start} is wrong. Send JSON encoded as UTF-8.")
    except json.JSONDecodeError as error:
        _refuse("", f"The object is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.")
    except RecursionError:  # can't happen within MAX_DEPTH unless the caller's stack is nearly full
        _refuse("", f"The object is nested deeper than {MAX_DEPTH} levels.")
    if type(value) is not dict:
        _refuse("", f"A STIX object is a JSON object {{...}}; this is {shown(value)}.")
    return value


def _refuse(property: str, sentence: str) -> NoReturn:
    raise StixFault(JSON_INVALID, property, sentence) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                _refuse(key[:100], f"The key {shown(key)} stands twice in one object. Keep one of the two.")
            seen.add(key)
    return members


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _refuse("", f"A number has {len(text)} digits; at most {MAX_DIGITS} are taken.")
    return int(text)


def _float(text: str) -> float:
    if len(text) > MAX_DIGITS:
        _refuse("", f"A number has {len(text)} digits; at most {MAX_DIGITS} are taken.")
    value = float(text)
    if value in (_INFINITE, -_INFINITE):
        _refuse("", f"The number {text[:40]} is too large for JSON readers. Write a finite number.")
    return value


def _constant(text: str) -> NoReturn:
    _refuse("", f"{text} is not JSON. Leave the property out or write a finite number.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _check_size(bare: bytes) -> None:
    """Depth and number of values of JSON without its strings, before anything is made of it."""
    depth = 0
    for match in islice(_BRACKETS.finditer(bare), 2 * MAX_VALUES):
        if match[0] in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("", f"The object is nested deeper than {MAX_DEPTH} levels.")
        else:
            depth -= 1
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_VALUES:
        _refuse("", f"The object has more than {MAX_VALUES} values in its lists and objects. Make several of it.")


def _check_strings(value: Any, path: str) -> None:
    """Walk every string and key; recursion is bounded by MAX_DEPTH."""
    if isinstance(value, str):
        _check_string(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_string(key, path)
            _check_strings(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_strings(item, f"{path}[{index}]")


def _check_string(text: str, path: str) -> None:
    where = f"Property {path}" if path and path.isprintable() else "The object"
    if "\x00" in text:
        _refuse(path, f"{where} holds a NUL character (\\u0000). Take it out.")
    if len(text) > MAX_STRING:
        _refuse(path, f"{where} holds a string of {len(text)} characters; at most {MAX_STRING} are taken.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse(path, f"{where} holds half of a surrogate pair, which is no character. Take it out.")
