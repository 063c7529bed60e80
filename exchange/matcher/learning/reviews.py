"""The book of reviews: what people found of accounts that the matcher had decided on, kept line by line.

A folder of the member holds ``reviews.jsonl`` (only ever appended to) and ``versions/`` (the tables of weights that
the reviewed decisions rest on, by digest). The last review of an account by the same person counts; a review may be
withdrawn. Nothing here leaves the member.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.weights_file import digest, write_table

FILE, VERSIONS = "reviews.jsonl", "versions"
CONFIRMED, OVERTURNED, CONTESTED = "confirmed", "overturned", "contested"


@dataclass(frozen=True)
class Decision:
    """What was decided of an account, and all that it rested on."""

    run: str
    weights: str
    weights_digest: str
    at: int
    """Unix seconds of the moment that the run spoke of."""
    score: float
    log_odds: float
    cluster: str | None = None
    campaign_class: str | None = None
    created: int | None = None
    features: dict[str, float | None] = field(default_factory=dict)
    """What the last card read; None where the platform doesn't know a figure. Empty without evidence."""
    firm: float = 0.0
    evidence: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the evidence table, without their empty fields."""


@dataclass(frozen=True)
class Review:
    """One person's word on one account."""

    account: str
    verdict: str
    """confirmed or overturned."""
    reviewer: str
    time: str
    """ISO 8601, UTC."""
    reason: str
    decision: Decision
    signals: tuple[str, ...] = ()
    """Signals or kinds of evidence that the reviewer names as wrong (or, in a confirmation, as right)."""
    cluster: str | None = None
    """The cluster that was judged as a whole."""
    size: int = 1
    """Accounts that were judged together with one word."""

    @property
    def id(self) -> str:
        """Short name: the same word on the same decision by the same person is the same review."""
        told = (self.account, self.verdict, self.reviewer, self.reason, sorted(self.signals), self.cluster,
                self.decision.run, self.decision.weights_digest)
        return "r" + hashlib.sha256(orjson.dumps(told)).hexdigest()[:15]


@dataclass(frozen=True)
class Standing:
    """What the reviews of one account come to."""

    verdict: str
    """confirmed, overturned, or contested where people disagree."""
    reviewers: frozenset[str]
    reasons: tuple[str, ...]
    time: str
    """Of the last review."""
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Book:
    """All reviews that stand, oldest first."""

    reviews: tuple[Review, ...] = ()
    withdrawn: int = 0
    superseded: int = 0
    """Reviews after which the same person judged the same account again."""

    def standing(self) -> dict[str, Standing]:
        """Account to what its reviews come to."""
        found: dict[str, list[Review]] = {}
        for review in self.reviews:
            found.setdefault(review.account, []).append(review)
        return {account: _standing(rows) for account, rows in found.items()}

    def of(self, account: str, reviewer: str) -> Review | None:
        """The review of an account by a person."""
        return next((r for r in self.reviews if (r.account, r.reviewer) == (account, reviewer)), None)


def _standing(rows: list[Review]) -> Standing:
    verdicts = {row.verdict for row in rows}
    return Standing(verdicts.pop() if len(verdicts) == 1 else CONTESTED, frozenset(row.reviewer for row in rows),
                    tuple(row.reason for row in rows if row.reason), max(row.time for row in rows),
                    tuple(dict.fromkeys(row.cluster for row in rows if row.cluster)))


def read_book(folder: Path) -> Book:
    """The book in a folder; empty where there is none. Raises InputError naming a line that can't be read."""
    path = folder / FILE
    if not path.exists():
        return Book()
    standing: dict[tuple[str, str], Review] = {}
    withdrawn = superseded = 0
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = orjson.loads(line)
            if row["event"] == "withdrawal":
                gone = [key for key, review in standing.items() if review.id == row["review"]]
                withdrawn += len(gone)
                standing = {key: review for key, review in standing.items() if key not in gone}
                continue
            review = _review(row)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"Line {number} of {path} is no review.", why=f"{error!r}.",
                             fix="Restore the file from a backup, or take the line out.") from error
        key = (review.account, review.reviewer)
        superseded += standing.pop(key, None) is not None
        standing[key] = review
    return Book(tuple(standing.values()), withdrawn, superseded)


def _review(row: dict[str, Any]) -> Review:
    given = {name: value for name, value in row.items() if name not in ("event", "id")}
    given["decision"] = Decision(**given["decision"])
    given["signals"] = tuple(given["signals"])
    review = Review(**given)
    if review.verdict not in (CONFIRMED, OVERTURNED):
        raise ValueError(f"verdict {review.verdict!r}")
    datetime.fromisoformat(review.time)
    return review


def add_reviews(folder: Path, reviews: Iterable[Review], weights: dict[str, Any]) -> tuple[int, list[str]]:
    """Append reviews of decisions made by the table ``weights``; those that stand already are left out.

    Returns how many are new and sentences on contradictions. Raises InputError when the folder can't be written.
    """
    book = read_book(folder)
    told, new = [], []
    standing = {(review.account, review.reviewer): review for review in book.reviews}
    for review in reviews:
        key = (review.account, review.reviewer)
        before = standing.get(key)
        if before is not None and before.id == review.id:
            continue
        if before is not None and before.verdict != review.verdict:
            told.append(f"{review.reviewer} had {before.verdict} account {review.account} ({before.time}) and has now"
                        f" {review.verdict} it: the last word counts.")
        standing[key] = review
        new.append(review)
    _append(folder, ({"event": "review", "id": review.id, **asdict(review)} for review in new))
    _keep_version(folder, weights)
    return len(new), told


def withdraw(folder: Path, review: str, reviewer: str, time: str, reason: str) -> int:
    """Withdraw all reviews of an id (or of an account, or a cluster); returns how many. InputError if there is none."""
    book = read_book(folder)
    gone = [r.id for r in book.reviews if review in (r.id, r.account, r.cluster)]
    if not gone:
        raise InputError(f"No review {review} stands in {folder / FILE}.", fix="See cibx match review --list.")
    _append(folder, ({"event": "withdrawal", "review": one, "reviewer": reviewer, "time": time, "reason": reason}
                     for one in dict.fromkeys(gone)))
    return len(gone)


def _append(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    if not data:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE).open("ab") as file:
            file.write(data)
    except OSError as error:
        raise InputError(f"The reviews can't be kept in {folder}.", why=f"{error.strerror}.",
                         fix="Name a folder that can be written to with --reviews.") from error


def _keep_version(folder: Path, weights: dict[str, Any]) -> None:
    path = folder / VERSIONS / f"{digest(weights)}.toml"
    if not path.exists() and (folder / FILE).exists():
        write_table(weights, path)
