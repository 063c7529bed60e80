"""How all pages of a collection are asked for, once each and with an end, whatever the server gets wrong.

TAXII 2.1, 3.4: a page that isn't the last says ``more``, and ``next`` is to be sent with the original query, or
``added_after`` with the header X-TAXII-Date-Added-Last where there is no ``next``. Some servers want ``next``
alone (OpenCTI#5681) or ignore it, forget the header, say ``more`` forever, or never though they give a ``next``, or
put more objects on one date than on one page. What doesn't lead on is tried in the next of three ways; when none
does, the walk ends, and says so where something may be out of reach. A new walk begins one second before the last
date that is known, and what came then is known by its digest.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from exchange.connect.taxii_server import RefusedError
from exchange.outbound.body import OversizeError
from exchange.stix.timestamp import from_microseconds, microseconds, version_key

Way = Literal["both", "token", "date"]

OVERLAP = 1_000_000
"""Microseconds before the last known date at which a new walk begins: clocks and commits aren't in one order."""
MAX_IDLE_PAGES = 20
"""Pages in a row without anything new before another way is tried: a server may filter after it cut its pages."""
_REMEMBERED_PAGES = 4_096
_REMEMBERED_OBJECTS = 2_000
_LARGEST_LIMIT = 10_000
_MODEST_LIMIT = 100
"""Asked for where a server refuses a larger one; where it refuses this too, no limit is sent."""
_MAX_TOKEN = 4_096
_FUTURE = timedelta(days=1)
_LOST = frozenset({400, 404, 410, 416, 422, 500})
"""Statuses that may mean that a token is no longer understood."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the server."""

    objects: tuple[bytes, ...]
    """Each as JSON, as it stands in the answer."""
    more: bool | None
    """None: it doesn't say."""
    next: str
    first: str
    """X-TAXII-Date-Added-First; empty where it isn't told."""
    last: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a walk stands: what a checkpoint keeps of one collection."""

    since: str = ""
    """``added_after`` of the walk's query; empty from the beginning."""
    token: str = ""
    """``next`` of the page before."""
    way: Way = "both"
    last: str = ""
    """The last date added that is known."""
    recent: tuple[str, ...] = ()
    """Digests of the objects that came last."""
    rows: int = 0
    """Objects of the collection, and gaps in it, that were told of so far."""
    fullest: int = 0
    """Objects on the fullest page so far: what the server takes for one page."""

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"format": 1, "since": self.since, "next": self.token, "way": self.way, "last": self.last,
                "seen": list(self.recent), "rows": self.rows, "fullest": self.fullest}


def read_standing(record: Mapping[str, Any] | None) -> Standing:
    """The inverse of ``Standing.as_record``; a record that isn't understood begins anew."""
    record = record or {}
    texts = [record.get(name) for name in ("since", "next", "last")]
    seen, rows, way = record.get("seen"), record.get("rows"), record.get("way")
    if record.get("format") != 1 or not all(isinstance(text, str) for text in texts) or not isinstance(seen, list):
        return Standing()
    fullest = record.get("fullest", 0)
    if not isinstance(rows, int) or not isinstance(fullest, int) or way not in ("both", "token", "date"):
        return Standing()
    since, token, last = (str(text) for text in texts)
    return Standing(since, token, way, last, tuple(map(str, seen)), rows, fullest)


@dataclass(frozen=True, slots=True)
class Step:
    """A page's worth of a walk."""

    fresh: tuple[bytes, ...]
    """The objects that didn't come before."""
    standing: Standing
    """After them."""
    gap: str = ""
    """A sentence, where something can't be reached."""


Ask = Callable[[Mapping[str, str]], Page]
"""Sends ``next``, ``added_after`` and ``limit``; raises RefusedError, or what ends the walk."""
Added = Callable[[bytes], str]
"""The date added of an object, as the manifest has it; empty where it doesn't say."""


@dataclass
class Walk:
    """One walk through a collection, from a standing to the end."""

    ask: Ask
    added: Added
    now: datetime
    limit: int
    at: Standing
    _pages: deque[bytes] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_PAGES))
    _idle: int = 0
    _tail: bytes = b""
    """The last object that came, as long as its date isn't known."""
    _refusals: int = 0
    _finished: bool = False
    """Whether the page before said that there is no more, and gave a ``next`` all the same."""
    _largest: int = _LARGEST_LIMIT
    """The largest limit that is worth asking for."""
    _too_large: int = 0
    """The smallest limit known to give a page that is too large; 0: none."""
    _margins: list[int] = field(default_factory=lambda: [1, 0])
    """Microseconds before the last date from which on is still to be asked, where dates lead on."""

    def steps(self, most: int) -> Iterator[Step]:
        """Pages with what is new on each; the last step's standing begins a new walk.

        At most ``most`` pages with anything new: those without lead on, or end the walk, after a few.
        """
        left = most
        while left > 0:
            page = self._page()
            if page is None:
                continue
            fresh, repeated = self._take(page)
            left -= bool(fresh)
            gap, on = self._lead_on(page, fresh, repeated)
            if gap:
                self.at = replace(self.at, rows=self.at.rows + 1)
            if not on:
                self._dated()
                since = _before(self.at.last) if self.at.last else self.at.since
                self.at = replace(self.at, since=since, token="")
                if self.at.way == "date":
                    self.at = replace(self.at, way="both")
            yield Step(fresh, self.at, gap)
            if not on:
                return

    def _page(self) -> Page | None:
        """Ask for the page that is due; None where another way is to be tried: without this token, or fewer at once."""
        at = self.at
        query = {"limit": str(self.limit)} if self.limit else {}
        if at.token and at.way != "date":
            query["next"] = at.token
        if at.since and not (at.token and at.way == "token"):
            query["added_after"] = at.since
        try:
            return self.ask(query)
        except OversizeError:
            if self.limit <= 1:
                raise
            self._too_large = self.limit
            self.limit = self._largest = (self.limit + 1) // 2
            return None
        except RefusedError as refused:
            if self._finished:
                return Page((), False, "", "", "")
            if not at.token and refused.answered == 400 and self.limit:
                self.limit = self._largest = _MODEST_LIMIT if self.limit > _MODEST_LIMIT else 0
                return None
            if not at.token or refused.answered not in _LOST:
                raise
            self._refusals += 1
            if at.way != "both" and not at.last and self._refusals > 2:
                raise
        if at.way == "both" and at.since:
            self.at = replace(at, way="token")
        elif at.last:  # the token is worth nothing: from the last known date on
            self.at = replace(at, token="", way="date", since=_before(at.last))
        else:
            self.at = replace(at, token="", way="token")
        return None

    def _take(self, page: Page) -> tuple[tuple[bytes, ...], bool]:
        """What of a page is new, and whether the page itself came before in this walk."""
        digests = [hashlib.blake2b(raw, digest_size=8).hexdigest() for raw in page.objects]
        known = set(self.at.recent)
        fresh = []
        for raw, digest in zip(page.objects, digests, strict=True):
            if digest not in known:
                known.add(digest)
                fresh.append(raw)
        kept = max(_REMEMBERED_OBJECTS, 2 * len(digests))
        recent = tuple(dict.fromkeys([*self.at.recent, *digests]))[-kept:]
        last = _later(self.at.last, _plausible(page.last, self.now))
        if page.objects:
            self._tail = b"" if _plausible(page.last, self.now) else page.objects[-1]
        whole = hashlib.blake2b("".join(digests).encode(), digest_size=8).digest()
        repeated = bool(page.objects) and whole in self._pages
        self._pages.append(whole)
        self._idle = 0 if fresh else self._idle + 1
        fullest = max(self.at.fullest, len(page.objects))
        self.at = replace(self.at, recent=recent, last=last, rows=self.at.rows + len(fresh), fullest=fullest)
        return tuple(fresh), repeated

    def _lead_on(self, page: Page, fresh: tuple[bytes, ...], repeated: bool) -> tuple[str, bool]:
        """Set what is asked for next: (a gap's sentence, whether the walk goes on)."""
        if page.more is not True and not (page.next and page.objects):
            return "", False
        stuck = not fresh and (repeated or page.next == self.at.token or self._idle > MAX_IDLE_PAGES)
        self._finished = page.more is False
        if self._finished and (stuck or self.at.way == "date"):
            return "", False
        if page.next and not stuck and self.at.way != "date":
            self.at = replace(self.at, token=page.next[:_MAX_TOKEN])
            return "", True
        if stuck and self.at.way == "both" and self.at.token and self.at.since:
            self._idle = 0
            self.at = replace(self.at, way="token")
            return "", True
        return self._by_date(page, fresh)

    def _by_date(self, page: Page, fresh: tuple[bytes, ...]) -> tuple[str, bool]:
        self._dated()
        last = self.at.last
        if not last:
            if fresh or page.objects:
                return ("The server says that there is more but gives neither 'next' nor the date of the last object,"
                        " nor does its manifest: the rest can't be reached. Ask its operator."), False
            return "", False
        if self.at.way != "date" or fresh:
            self._margins = [1, 0]
            self.at = replace(self.at, way="date", token="", since=_before(last))
            return "", True
        if self.limit < self._largest and page.objects and len(self._margins) == 2:
            self.limit = min(max(self.limit, len(page.objects)) * 10, self._largest)
            return "", True
        between = (self.limit + self._too_large) // 2
        if between > self.limit and page.objects and len(self._margins) == 2:
            self.limit = self._largest = between
            return "", True
        if not self._margins:
            return "", False
        margin = self._margins.pop(0)  # nothing new up to this date: on to what comes with it, then after it
        self.at = replace(self.at, since=_before(last, margin))
        if margin or len(page.objects) < self.at.fullest or not self._on_one_date(page):
            return "", True
        return (f"The server says that there is more than one page of objects added at {last} but gives no 'next' that"
                " leads to them: the others can't be reached. Ask its operator."), True

    def _on_one_date(self, page: Page) -> bool:
        """Whether all objects of a page, of which there are some, were added at the last known date."""
        first = page.first or (self.added(page.objects[0]) if page.objects else "")
        return bool(first) and _plausible(first, self.now) == self.at.last

    def _dated(self) -> None:
        """Learn the date of the last object from the manifest, where no header told it."""
        if not self._tail:
            return
        found = _plausible(self.added(self._tail), self.now)
        self._tail = b""
        self.at = replace(self.at, last=_later(self.at.last, found))


def _plausible(text: str, now: datetime) -> str:
    """A date as TAXII takes it; empty for what is none, and for one in the future, which would hide what comes."""
    try:
        version_key(text)
    except ValueError:
        try:
            stated = datetime.fromisoformat(text)
        except ValueError:
            return ""
        stated = stated if stated.tzinfo else stated.replace(tzinfo=UTC)
        text = stated.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if microseconds(text) > (now + _FUTURE).timestamp() * 1_000_000:
        return ""
    return text


def _later(one: str, other: str) -> str:
    if not one or not other:
        return one or other
    return max(one, other, key=version_key)


def _before(date: str, margin: int = OVERLAP) -> str:
    try:
        return from_microseconds(microseconds(date) - margin) if margin else date
    except ValueError:
        return date
