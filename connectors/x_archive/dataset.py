"""Which data set a file of the archive belongs to, by its name, and when it was released.

Twitter named its files in several manners: ``hashed_2021_12_RNA_0621_RNA_0621_users.csv``,
``iran_201906_1_tweets_csv_hashed.csv``, ``ira_users_csv_unhashed.csv``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NO_NAME = frozenset({"hashed", "unhashed", "users", "user", "tweets", "tweet", "csv", "information", "media"})
_PART = re.compile(r"(?:part)?0*\d{1,3}\Z")


@dataclass(frozen=True)
class DataSet:
    """One takedown, as the archive calls it."""

    name: str
    day: str
    """First day of the month of its release, ``YYYY-MM-DD``; empty where the name doesn't tell it."""

    @property
    def key(self) -> str:
        """What the files of a data set have in common."""
        return f"{self.day} {self.name}".strip()


def of_file(stem: str) -> DataSet:
    """The data set of a file's name without its ending."""
    words = [word for word in re.split(r"[_\-\s.]+", stem) if word]
    sorts = [at for at, word in enumerate(words) if word.casefold() in ("users", "tweets", "user", "tweet")]
    cut = sorts[0] if sorts else len(words)
    kept = [word for word in words[:cut] if word.casefold() not in _NO_NAME]
    rest = [word for word in words[cut + 1 :] if word.casefold() not in _NO_NAME and not _PART.match(word.casefold())]
    words = kept or rest
    day = ""
    if len(words) > 2 and re.fullmatch(r"20\d\d", words[0]) and re.fullmatch(r"0[1-9]|1[0-2]", words[1]):
        day, words = f"{words[0]}-{words[1]}-01", words[2:]
    half = len(words) // 2
    if half and len(words) % 2 == 0 and words[:half] == words[half:]:
        words = words[:half]
    day = day or next(filter(None, map(_month, words)), "")
    return DataSet(" ".join(words) or stem, day)


def _month(word: str) -> str:
    """The month in ``201906`` or ``082019``; empty for other words."""
    found = re.fullmatch(r"(?P<year>20\d\d)(?P<month>0[1-9]|1[0-2])|(?P<month2>0[1-9]|1[0-2])(?P<year2>20\d\d)", word)
    if not found:
        return ""
    return f"{found['year'] or found['year2']}-{found['month'] or found['month2']}-01"
