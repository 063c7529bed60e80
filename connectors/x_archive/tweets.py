"""What the tweets of a data set come to: numbers, times, most used tags and hosts, repeated texts as digests.

No text is kept and none becomes an indicator. Everything that is counted is counted in bounded memory: where there
are more different values than fit, the rarest are forgotten and the figures are said to be lower bounds.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.model.identifiers import hashtag, url
from exchange.model.identifiers.fault import IdentifierError

MOST = 20_000
"""Different values of one sort that are counted."""
SHOWN = 20
MIN_TEXT = 100
"""Characters from which a text that is told again is a sign: shorter ones, anybody says."""
MIN_TIMES = 3
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::\d\d)?\Z")


class Bounded:
    """A counter that forgets its rarest values when it is full."""

    def __init__(self, most: int = MOST) -> None:
        self.found: Counter[str] = Counter()
        self.cut = False
        self._most = most

    def add(self, value: str) -> None:
        """Count one."""
        self.found[value] += 1
        if len(self.found) > self._most:
            self.found = Counter(dict(self.found.most_common(self._most // 2)))
            self.cut = True

    def shown(self, most: int = SHOWN) -> list[tuple[str, int]]:
        """The most frequent ones, of equals the first by name."""
        return sorted(self.found.items(), key=lambda one: (-one[1], one[0]))[:most]


@dataclass
class Summary:
    """Tallies of one file of tweets."""

    tweets: int = 0
    retweets: int = 0
    replies: int = 0
    first: str = ""
    last: str = ""
    languages: Bounded = field(default_factory=Bounded)
    clients: Bounded = field(default_factory=Bounded)
    tags: Bounded = field(default_factory=Bounded)
    hosts: Bounded = field(default_factory=Bounded)
    texts: Bounded = field(default_factory=Bounded)
    mentions: int = 0

    def add(self, cells: Mapping[str, str]) -> None:
        """Count a tweet by its columns."""
        self.tweets += 1
        self.retweets += cells.get("is_retweet", "").strip().casefold() == "true"
        self.replies += bool(cells.get("in_reply_to_tweetid", "").strip())
        self.mentions += len(items(cells.get("user_mentions", "")))
        when = moment(cells.get("tweet_time", ""))
        if when:
            self.first = min(filter(None, (self.first, when)))
            self.last = max(self.last, when)
        for column, counter in (("tweet_language", self.languages), ("tweet_client_name", self.clients)):
            if cells.get(column, "").strip():
                counter.add(cells[column].strip()[:60])
        for tag in items(cells.get("hashtags", "")):
            _add_tag(self.tags, tag)
        for link in items(cells.get("urls", "")):
            _add_host(self.hosts, link)
        text = " ".join(cells.get("tweet_text", "").split())
        if len(text) >= MIN_TEXT:
            self.texts.add(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())

    def told(self) -> str:
        """In words, for a note."""
        said = [f"{self.tweets:,} tweets, of them {self.retweets:,} retweets and {self.replies:,} replies;"
                f" {self.mentions:,} mentions of accounts."]  # fmt: skip
        if self.first:
            said.append(f"From {self.first} to {self.last}.")
        for label, counter in (("Languages", self.languages), ("Clients", self.clients), ("Hashtags", self.tags),
                               ("Hosts that were linked to", self.hosts)):  # fmt: skip
            if counter.found:
                bound = " (lower bounds)" if counter.cut else ""
                listed = ", ".join(f"{value} {count:,}" for value, count in counter.shown())
                said.append(f"{label}{bound}: {listed}.")
        return "\n".join(said)

    def fingerprints(self) -> list[dict[str, Any]]:
        """Digests of the texts that were told most often."""
        return [{"alg": "sha-256", "value": value, "modality": "text"}
                for value, count in self.texts.shown(50) if count >= MIN_TIMES]  # fmt: skip


def items(text: str) -> list[str]:
    """The items of ``[a, b]``, as the archive writes lists."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [one for one in (part.strip().strip("'\"") for part in inner.split(",")) if one]


def moment(text: str) -> str:
    """``YYYY-MM-DD HH:MM`` (UTC) as a STIX timestamp; empty for anything else."""
    found = _TIME.match(text.strip())
    return f"{found[1]}T{found[2]}:00.000Z" if found else ""


def _add_tag(counter: Bounded, tag: str) -> None:
    try:
        counter.add("#" + hashtag.normalise("#" + tag.lstrip("#")))
    except IdentifierError:
        return


def _add_host(counter: Bounded, link: str) -> None:
    try:
        counter.add(url.host_of(url.normalise(link)))
    except IdentifierError:
        return


