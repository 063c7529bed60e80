"""Values that are found by likeness: pictures within 31 bits, texts with runs of words in common."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import re2

from exchange.matcher.compare import text
from exchange.matcher.compare.picture import RADIUS
from exchange.matcher.values import text_form

_BANDS = [(256 - 16 * (n + 1)) for n in range(16)]
_FLIPS = (0, *(1 << bit for bit in range(16)))
_FEW = 200
"""Pictures up to which looking at each of them is quicker than looking them up."""
_DIGITS = re2.compile("[0-9a-f]{64}")


class Pictures:
    """Fingerprints, found by bands as in ``compare.picture``."""

    def __init__(self) -> None:
        self._all: set[int] = set()
        self._bands: list[defaultdict[int, set[int]]] = [defaultdict(set) for _ in _BANDS]

    def add(self, digits: str) -> None:
        """Take in a fingerprint of 64 hex digits."""
        picture = int(digits, 16)
        self._all.add(picture)
        for shift, band in zip(_BANDS, self._bands, strict=True):
            band[picture >> shift & 0xFFFF].add(picture)

    def remove(self, digits: str) -> None:
        """Forget a fingerprint."""
        picture = int(digits, 16)
        self._all.discard(picture)
        for shift, band in zip(_BANDS, self._bands, strict=True):
            place = picture >> shift & 0xFFFF
            band[place].discard(picture)
            if not band[place]:
                del band[place]

    def near(self, value: str) -> Iterator[tuple[str, int]]:
        """(fingerprint, distance) of those at most 31 bits away; nothing for what is no fingerprint."""
        digits = value.lower()
        if not self._all or _DIGITS.fullmatch(digits) is None:
            return
        picture = int(digits, 16)
        for other in self._all if len(self._all) <= _FEW else self._candidates(picture):
            distance = (other ^ picture).bit_count()
            if distance <= RADIUS:
                yield f"{other:064x}", distance

    def _candidates(self, picture: int) -> set[int]:
        found: set[int] = set()
        for shift, band in zip(_BANDS, self._bands, strict=True):
            here = picture >> shift & 0xFFFF
            for flip in _FLIPS:
                if there := band.get(here ^ flip):
                    found |= there
        return found


class Texts:
    """Texts, found by their form or by runs of words as in ``compare.text``.

    What is everybody's phrase can't be told from one event; rarity does that once holders are given.
    """

    def __init__(self) -> None:
        self._runs: defaultdict[str, set[str]] = defaultdict(set)
        self._sizes: dict[str, int] = {}

    def add(self, form: str) -> None:
        """Take in a text in its common form."""
        runs = _runs(form)
        self._sizes[form] = len(runs)
        for run in runs:
            self._runs[run].add(form)

    def remove(self, form: str) -> None:
        """Forget a text."""
        if self._sizes.pop(form, None) is None:
            return
        for run in _runs(form):
            self._runs[run].discard(form)
            if not self._runs[run]:
                del self._runs[run]

    def near(self, value: str) -> Iterator[tuple[str, float]]:
        """(form, similarity) of the texts that are the same or nearly so."""
        if not self._sizes:
            return
        form = text_form(value)
        if form in self._sizes:
            yield form, 1.0
        runs = _runs(form)
        common: Counter[str] = Counter()
        for run in runs:
            if there := self._runs.get(run):
                common.update(there)
        for other, count in common.items():
            similarity = 2.0 * count / (len(runs) + self._sizes[other])
            if count >= text.LEAST and similarity >= text.NEAR and other != form:
                yield other, similarity


def _runs(form: str) -> set[str]:
    words = form.split(" ")
    return {" ".join(words[at : at + text.RUN]) for at in range(len(words) - text.RUN + 1)}
