"""The index: indicators by what is looked up, and what a meeting is worth in nats (as ``direct`` reckons it)."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exchange.errors import InputError
from exchange.matcher import names
from exchange.matcher.compare.picture import RADIUS
from exchange.matcher.direct import DAY
from exchange.matcher.indicators import Indicator
from exchange.matcher.neighbours import MOST, is_neighbour
from exchange.matcher.probes import Probe
from exchange.matcher.stream.event import Event
from exchange.matcher.stream.hashes import Hashes
from exchange.matcher.stream.nearby import Pictures, Texts
from exchange.matcher.values import LINK_KINDS, address, domain_token, host_form, salt, text_form, token_of
from exchange.matcher.weighing import Weights
from exchange.model.identifiers.keyed import Key

_GRID = 2**32
_NEIGHBOUR = "neighbour"
_COUNTED = frozenset({"token", "range"})
"""How values are found that weigh nothing, and are no hit at all, once three caps hold them."""


class Met(NamedTuple):
    """An indicator that an event meets."""

    account: str | int
    kind: str
    value: str
    """As the event has it."""
    indicator: str
    """Id."""
    shared: str
    """The value, as the contributor wrote it."""
    source: str
    source_name: str
    campaign: str
    similarity: float
    nats: float
    """Direct evidence, before any scorecard."""
    objections: tuple[str, ...]
    """Who says that the value is benign, or disputes the indicator."""


class _Entry(NamedTuple):
    """A probe of an indicator with what doesn't depend on the event."""

    indicator: Indicator
    probe: Probe
    kind: str
    signal: str
    strength: float
    half_life: float
    most: float
    """Logarithm of three caps, as they are on a platform of this size."""


_Found = tuple[_Entry, float]
"""An entry and the similarity of the meeting."""


class Index:
    """Indicators in memory. Not safe for use by several threads while it is changed."""

    def __init__(self, weights: Weights, indicators: Iterable[Indicator] = (), *, at: int | None = None,
                 accounts: int | None = None, keys: Iterable[Key] = ()) -> None:
        """``at``: Unix seconds of the moment that is spoken of, for replay; None: the time of each question.

        ``accounts``: how many the platform has, where that is few: what is rare depends on it. ``keys``: the groups'
        keys, under which values in the clear are hashed (tens of microseconds each) where indicators are hashes.
        """
        self._weights, self._at = weights, at
        self._factors = {(row["campaign_class"], row["kind"]): (row["strength"], row["half_life"])
                         for row in weights.classes.factors(weights.kinds)}
        self._logs = {name: math.log(3 * kind.cap_among(accounts)) for name, kind in weights.kinds.items()}
        self._salts = {kind: salt(kind) for kind in LINK_KINDS}
        self._keys: dict[int, list[_Entry]] = {}
        self._ranges: dict[int, dict[int, list[_Entry]]] = {}
        self._texts: dict[tuple[str, str], list[_Entry]] = {}
        self._pictures, self._words = Pictures(), Texts()
        self._hashes = Hashes(keys)
        self._pages: Counter[str] = Counter()
        """Hosts of the pages that are looked for."""
        self._indicators: dict[str, Indicator] = {}
        for indicator in indicators:
            self.add(indicator)

    def __len__(self) -> int:
        return len(self._indicators)

    def __contains__(self, indicator: object) -> bool:
        return indicator in self._indicators

    def add(self, indicator: Indicator) -> None:
        """Take in an indicator; one of the same id is replaced. One event can't decide a compound pattern."""
        self.remove(indicator.id)
        self._indicators[indicator.id] = indicator
        for probe in indicator.probes:
            if probe.kind in self._weights.kinds and probe.part is None:
                self._bucket(probe, make=True).append(self._entry(indicator, probe))
                self._hashes.add(probe)
                if probe.how == "picture":
                    self._pictures.add(probe.text)
                elif probe.how == "text":
                    self._words.add(text_form(probe.text))
                elif probe.how == "url":
                    self._pages[names.url_host(probe.text)] += 1

    def remove(self, indicator: str) -> bool:
        """Forget an indicator by its id (revoked, expired, erased); says whether it was there."""
        known = self._indicators.pop(indicator, None)
        for probe in known.probes if known is not None else ():
            if probe.part is not None:
                continue
            if probe.how == "url":
                self._pages -= Counter([names.url_host(probe.text)])
            bucket = self._bucket(probe)
            if probe.kind in self._weights.kinds:
                self._hashes.remove(probe)
            bucket[:] = [entry for entry in bucket if entry.indicator is not known]
            if not bucket:
                self._forget(probe)
        return known is not None

    def meet(self, event: Event) -> list[Met]:
        """The indicators that an event meets, the strongest first; of one source the strongest only.

        A value that isn't of its kind meets nothing. Raises InputError for a kind that there is not.
        """
        find = _FINDERS.get(event.kind)
        if find is None:
            raise InputError(f"An event of account {event.account} has the unknown kind {event.kind!r}.",
                             fix=f"Kinds: {', '.join(_FINDERS)}.")
        found = list(find(self, event))
        return self._weigh(event, found) if found else []

    def _entry(self, indicator: Indicator, probe: Probe) -> _Entry:
        kind = self._weights.kinds[probe.kind]
        strength, half_life = self._factors.get((indicator.campaign_class, probe.kind), (1.0, 1.0))
        return _Entry(indicator, probe, probe.kind, kind.signal, kind.base * strength, kind.half_life * half_life,
                      self._logs[probe.kind])

    def _bucket(self, probe: Probe, *, make: bool = False) -> list[_Entry]:
        """The entries beside which a probe's stand."""
        if probe.how == "token":
            return self._keys.setdefault(probe.key, []) if make else self._keys.get(probe.key, [])
        if probe.how == "range":
            networks = self._ranges.setdefault(probe.bits, {}) if make else self._ranges.get(probe.bits, {})
            return networks.setdefault(probe.key, []) if make else networks.get(probe.key, [])
        place = _place(probe)
        return self._texts.setdefault(place, []) if make else self._texts.get(place, [])

    def _forget(self, probe: Probe) -> None:
        """Drop what no entry stands for any more."""
        if probe.how == "token":
            self._keys.pop(probe.key, None)
        elif probe.how == "range":
            networks = self._ranges.get(probe.bits, {})
            networks.pop(probe.key, None)
            if not networks:
                self._ranges.pop(probe.bits, None)
        else:
            place = _place(probe)
            self._texts.pop(place, None)
            if probe.how == "picture":
                self._pictures.remove(probe.text)
            elif probe.how == "text":
                self._words.remove(place[1])

    def _weigh(self, event: Event, found: list[_Found]) -> list[Met]:
        """The hits in nats: each source's strongest, every further source a share of the one before."""
        at = self._at if self._at is not None else int(time.time())
        worth = [(raw, entry, similarity) for entry, similarity in found
                 if (raw := self._raw(event, entry, similarity, at)) is not None]
        if len(worth) <= 1:
            return [_met(event, *one) for one in worth]
        once: dict[tuple[str, str], tuple[float, str, str, str, _Entry, float]] = {}
        for raw, entry, similarity in worth:
            ranked = (-raw, entry.kind, entry.indicator.id, entry.probe.shared, entry, similarity)
            place = entry.signal, entry.indicator.source
            if place not in once or ranked[:4] < once[place][:4]:
                once[place] = ranked
        met, before = [], dict[str, int]()
        for (signal, _), (negative, *_, entry, similarity) in sorted(
                once.items(), key=lambda item: (item[1][0], item[0][1])):
            rank = before[signal] = before.get(signal, -1) + 1
            met.append(_met(event, -negative * self._weights.direct.second_source**rank, entry, similarity))
        return sorted(met, key=lambda one: -one.nats)

    def _raw(self, event: Event, entry: _Entry, similarity: float, at: int) -> float | None:
        """Nats of one meeting by itself; None where it counts as no hit."""
        indicator = entry.indicator
        if indicator.valid_until is not None and indicator.valid_until <= at:
            return None
        rarity = 1.0
        if event.holders > 1:
            rarity = 1 - math.log(event.holders) / entry.most
            if rarity <= 0:
                if entry.probe.how in _COUNTED:
                    return None
                rarity = 0.0
        return (entry.strength * indicator.confidence * rarity * self._decay(event, entry, at) * similarity
                * indicator.trust.factor)

    def _decay(self, event: Event, entry: _Entry, at: int) -> float:
        last = event.seen
        if last is None:
            return self._weights.direct.unknown_time
        first = last
        if event.first is not None:
            first, last = min(event.first, last), max(event.first, last)
        observed = entry.indicator.observed
        gap = first - observed if first > observed else observed - last if observed > last else 0
        age = at - (observed if observed > last else last)
        days = gap + age / 2 if age > 0 else gap
        return float(2 ** (-days / DAY / entry.half_life))

    def _token(self, event: Event) -> Iterator[_Found]:
        token = token_of(event.kind, event.value)
        if token is not None:
            for entry in self._keys.get(token ^ self._salts[event.kind], ()):
                if entry.kind == event.kind:
                    yield entry, entry.probe.similarity
        yield from self._hashed(event)

    def _hashed(self, event: Event) -> Iterator[_Found]:
        for number in self._hashes.of(event.kind, event.value):
            for entry in self._keys.get(number, ()):
                if entry.kind == event.kind:
                    yield entry, entry.probe.similarity

    def _address(self, event: Event) -> Iterator[_Found]:
        number = address(event.value)
        if number is None:
            return
        for entry in self._keys.get(number ^ self._salts["ip4"], ()):
            if entry.kind == "ip4":
                yield entry, entry.probe.similarity
        for bits, networks in self._ranges.items():
            for entry in networks.get(number >> (32 - bits), ()):
                yield entry, entry.probe.similarity
        yield from self._hashed(event)

    def _link(self, event: Event) -> Iterator[_Found]:
        number = domain_token(event.value)
        if number is not None:
            for entry in self._keys.get(number ^ self._salts["domain"], ()):
                if entry.kind == "domain":
                    yield entry, entry.probe.similarity
            return
        text = str(event.value)
        host = host_form(text)
        if not host.isascii():
            host = names.host(host) or host
        yield from self._host(host)
        if host.removeprefix("www.") in self._pages:
            for entry in self._texts.get(("url", names.url(text) or ""), ()):
                yield entry, entry.probe.similarity

    def _host(self, host: str) -> Iterator[_Found]:
        """Domains that are the host, stand above it, or share its registrable parent; each probe at its best."""
        best: dict[tuple[str, str], _Found] = {}
        parts = host.split(".")
        for depth in range(len(parts) - 1):
            name = ".".join(parts[depth:])
            factor = self._weights.direct.subdomain if depth and host != f"www.{name}" else 1.0
            neighbours = self._texts.get((_NEIGHBOUR, name), ())
            if len(neighbours) > MOST:
                neighbours = ()
            for entry in (*self._texts.get(("host", name), ()), *neighbours):
                similarity = entry.probe.similarity * (factor if entry.probe.similarity >= 1 else 1)
                place = entry.indicator.id, entry.probe.shared
                if place not in best or best[place][1] < similarity:
                    best[place] = entry, similarity
        yield from best.values()

    def _picture(self, event: Event) -> Iterator[_Found]:
        for digits, distance in self._pictures.near(str(event.value)):
            factor = 1 - (1 - self._weights.direct.picture_at_radius) * distance / RADIUS
            for entry in self._texts.get(("picture", digits), ()):
                yield entry, factor

    def _text(self, event: Event) -> Iterator[_Found]:
        for form, similarity in self._words.near(str(event.value)):
            for entry in self._texts.get(("text", form), ()):
                yield entry, entry.probe.similarity * similarity

    def _account(self, event: Event) -> Iterator[_Found]:
        text = str(event.value)
        told = {names.account(None, text), names.account(event.platform, text) if event.platform else None}
        for name in sorted(filter(None, told)):
            for entry in self._texts.get(("account", name), ()):
                yield entry, entry.probe.similarity


def _met(event: Event, nats: float, entry: _Entry, similarity: float) -> Met:
    indicator = entry.indicator
    objections: tuple[str, ...] = ()
    if indicator.objections:
        objections = tuple(sorted({one.source_name for one in indicator.objections
                                   if one.shared == entry.probe.shared}))
    return Met(event.account, entry.kind, str(event.value), indicator.id, entry.probe.shared, indicator.source,
               indicator.source_name, indicator.campaign, similarity,
               math.floor(nats * _GRID + 0.5) / _GRID, objections)


def _place(probe: Probe) -> tuple[str, str]:
    """Under what a probe is looked up that isn't a number."""
    if probe.how == "text":
        return probe.how, text_form(probe.text)
    return _NEIGHBOUR if is_neighbour(probe) else probe.how, probe.text


_FINDERS = {
    **dict.fromkeys(LINK_KINDS, Index._token), "ip4": Index._address, "domain": Index._link, "link": Index._link,
    "picture": Index._picture, "text": Index._text, "account": Index._account,
}
