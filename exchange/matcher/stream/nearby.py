"""Values that are found by likeness: pictures within 31 bits, texts with runs of words in common."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.compare import text
from exchange.matcher.compare.picture import RADIUS
from exchange.matcher.values import text_form

_BANDS = 16
_WIDTH = 1 << 16
_FLIPS = np.array([0, *(1 << bit for bit in range(16))], dtype=np.int64)
_STARTS = (np.arange(_BANDS, dtype=np.int64) * _WIDTH)[:, None]
_FEW = 100
"""Pictures up to which looking at each of them is quicker than looking them up."""
_DIGITS = re.compile("[0-9a-f]{64}")


class Pictures:
    """Fingerprints, found by bands as in ``compare.picture``."""

    def __init__(self) -> None:
        self._all: set[int] = set()
        self._bands: dict[int, set[int]] = {}
        self._filled = np.zeros(_BANDS * _WIDTH, dtype=np.bool_)

    def add(self, digits: str) -> None:
        """Take in a fingerprint of 64 hex digits."""
        picture = int(digits, 16)
        self._all.add(picture)
        for place in _places(digits)[:, 0].tolist():
            self._bands.setdefault(place, set()).add(picture)
            self._filled[place] = True

    def remove(self, digits: str) -> None:
        """Forget a fingerprint."""
        picture = int(digits, 16)
        self._all.discard(picture)
        for place in _places(digits)[:, 0].tolist():
            there = self._bands.get(place, set())
            there.discard(picture)
            if not there:
                self._bands.pop(place, None)
                self._filled[place] = False

    def near(self, value: str) -> Iterator[tuple[str, int]]:
        """(fingerprint, distance) of those at most 31 bits away; nothing for what is no fingerprint."""
        digits = value.lower()
        if not self._all or _DIGITS.fullmatch(digits) is None:
            return
        picture = int(digits, 16)
        for other in self._all if len(self._all) <= _FEW else self._candidates(digits):
            distance = (other ^ picture).bit_count()
            if distance <= RADIUS:
                yield f"{other:064x}", distance

    def _candidates(self, digits: str) -> set[int]:
        """Fingerprints with a band at most one bit away."""
        places = _places(digits).ravel()
        return set().union(*(self._bands[place] for place in places[self._filled[places]].tolist()))


def _places(digits: str) -> NDArray[np.int64]:
    """Where the 16 bands of a fingerprint stand, and each with one bit turned (bands x 17)."""
    bands = np.frombuffer(bytes.fromhex(digits), dtype=">u2").astype(np.int64)
    found: NDArray[np.int64] = (bands[:, None] ^ _FLIPS) + _STARTS
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
