"""What personal data a text or a whole JSON document holds, in the clear or hidden, and at which path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exchange.model.personal import contacts, names, numbers, papers, speech
from exchange.model.personal.trace import KINDS, Trace
from exchange.model.personal.unwrap import views

_FINDERS: Mapping[str, Callable[[str], bool]] = {
    "email": lambda text: contacts.emails(text) or contacts.has_userinfo(text),
    "payment": numbers.payments,
    "national-id": lambda text: numbers.identities(text) or papers.papers(text),
    "home": papers.homes,
    "ip": numbers.addresses,
    "device": numbers.devices,
    "username": contacts.usernames,
    "name": names.people,
    "digest": numbers.digests,
    "words": speech.words,
}
_ONLY_IN_THE_CLEAR = frozenset({"name", "home", "words", "username", "digest"})
"""Kinds for which bytes decoded by chance would speak too often: found where a readable text was encoded."""
_PLAIN = re.compile(r"[A-Za-z][a-z]*\Z|[\d.]{1,8}\Z")
"""Single words and short numbers hold nothing."""
_HASHLIKE = frozenset({"base64", "base32", "hexadecimal"})
_JOINED = frozenset({"email", "phone", "payment"})
_WORDS_NEEDED = 3
_WINDOW, _OVERLAP = 1_500, 300
"""Characters that are looked at together, and how many of them again with the next ones."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trace at its place in a JSON document."""

    path: tuple[str | int, ...]
    """Keys and positions from the top."""
    trace: Trace
    in_key: bool = False
    """It stands in the last key of the path and not in its value."""


@lru_cache(maxsize=4096)
def scan(text: str, *, bare: bool = True) -> tuple[Trace, ...]:
    """Each kind of personal data that the text holds, once, sorted; the plainest telling of each.

    ``bare``: digits alone that are a telephone number of a country's plan count too; leave it out where ids of
    accounts and posts belong. Never raises; the time grows with the length of the text and not faster.
    """
    if _PLAIN.match(text):
        return ()
    found: dict[str, str] = {}
    for how, view in views(text):
        for kind in {kind for window in _windows(view) for kind in _kinds(window, bare)} - found.keys():
            if how not in _HASHLIKE or _meant(kind, view):
                found[kind] = how
    return tuple(sorted(Trace(kind, how) for kind, how in found.items()))


def _meant(kind: str, decoded: str) -> bool:
    """Whether decoded bytes hold it on purpose: hashes decode to a few readable characters by chance."""
    if kind == "email":
        return contacts.plain_email(decoded)
    return kind not in _ONLY_IN_THE_CLEAR or len(decoded.split()) >= _WORDS_NEEDED


def _windows(view: str) -> Iterator[str]:
    """The view in overlapping parts, so that no pattern's time grows with the square of a hostile text."""
    for start in range(0, max(len(view) - _OVERLAP, 1), _WINDOW - _OVERLAP):
        yield view[start : start + _WINDOW]


def _kinds(view: str, bare: bool) -> Iterator[str]:
    for kind, finder in _FINDERS.items():
        if finder(view):
            yield kind
    if contacts.phones(view, bare):
        yield "phone"


def scan_number(number: float) -> tuple[Trace, ...]:
    """What a JSON number holds: digits of a card, or of a telephone number of a country's plan."""
    text = f"{number:f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)
    digits = re.sub(r"\D", "", text)
    found = [Trace("payment")] if numbers.payments(digits) else []
    if contacts.number_like(digits):
        found.append(Trace("phone"))
    return tuple(found)


def scan_document(value: Any, bare: Callable[[tuple[str | int, ...]], bool] = lambda path: True,
                  pause: Callable[[], None] = lambda: None) -> Iterator[Found]:
    """Traces in every key, text and number of a JSON document, and in texts that a list takes apart.

    ``bare`` says of a path whether digits alone count there as telephone numbers. ``pause`` is called at every text, so
    that others have their turn. Nesting is bounded by whoever parsed the document.
    """
    def told(path: tuple[str | int, ...]) -> bool:
        """Whether the place is left out; others have their turn before."""
        pause()
        return bare(path)

    yield from _walk(value, (), told)


def _walk(value: Any, path: tuple[str | int, ...], bare: Callable[[tuple[str | int, ...]], bool]) -> Iterator[Found]:
    if isinstance(value, str):
        yield from (Found(path, trace) for trace in scan(value, bare=bare(path)))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (Found((*path, key), trace, in_key=True) for trace in scan(str(key)))
            yield from _walk(item, (*path, key), bare)
    elif isinstance(value, list):
        yield from _taken_apart(value, path, bare(path))
        for position, item in enumerate(value):
            yield from _walk(item, (*path, position), bare)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (Found(path, trace) for trace in scan_number(value))


def _taken_apart(value: list[Any], path: tuple[str | int, ...], bare: bool) -> Iterator[Found]:
    """An address or number of which each entry of a list holds a part."""
    parts = [str(item) for item in value if isinstance(item, str | int) and not isinstance(item, bool)]
    if len(parts) < 2 or len(parts) < len(value):
        return
    alone = {trace.kind for part in parts for trace in scan(part, bare=bare)}
    for glue in ("", " "):
        for trace in scan(glue.join(parts), bare=False):
            if trace.kind in _JOINED - alone and (glue == "" or trace.kind != "email"):
                yield Found(path, Trace(trace.kind, "taking it apart"))
                alone.add(trace.kind)


__all__ = ["KINDS", "Found", "Trace", "scan", "scan_document", "scan_number"]
