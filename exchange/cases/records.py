"""Contributors' records and the standing of objects, each as far as the one who asks may see (R29)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.cases.office import Members, Office
from exchange.cases.ownership import is_public_authority
from exchange.cases.posterior import Verdict, reliability
from exchange.cases.repeated import readable, value_keys, value_secret
from exchange.cases.standing import Report, Thresholds, weigh
from exchange.errors import NotFoundError
from exchange.model.state import State
from exchange.store import records as rows
from exchange.store.contests import Given, given_objects, organisation_of
from exchange.store.engine import read, write
from exchange.store.objects import Reader
from exchange.store.value_reports import Reported, add_reports, is_read, reports_of, unread_objects
from exchange.store.voices import flags_of

_DAY = 86_400_000_000
_AT_ONCE = 2_000
"""Objects that one question reads into the table of values, so that no answer waits for long."""


@dataclass(frozen=True)
class Record:
    """What became of what one contributor gave."""

    org: str
    confirmed: int
    overturned: int
    disputed: int
    by_class: Mapping[str, tuple[int, int]]
    """Campaign class to its confirmed and overturned objects."""
    reliability: Mapping[str, float]
    """Campaign class (``all``: over all) to the lower quantile of its posterior."""
    new: bool
    """A new member: capped at observe."""
    given: int
    changed: int
    """When it last changed, in microseconds; 0: never."""


class Records:
    """The records of one exchange's contributors."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def read_values(self, most: int = _AT_ONCE) -> bool:
        """Look at objects that came since the last time for the values they report; whether all were looked at."""
        with write(self._office.engine) as connection:
            secret = value_secret(connection)
            found, marks = unread_objects(connection, most)
            add_reports(connection, [
                {"value": key, "feed": feed, "seq": seq}
                for feed, seq, body in found for key in sorted(value_keys(secret, readable(body)))
            ], marks)
            return is_read(connection)

    def record(self, connection: Any, contributor: int, org: str, now: int) -> Record:
        """One contributor's record at a moment."""
        judged = rows.verdicts_on(connection, contributor)
        classes = sorted({one.campaign_class for one in judged})
        by_class = {name: (_count(judged, "confirmed", name), _count(judged, "overturned", name)) for name in classes}
        parameters = self._office.parameters
        first = rows.first_day(connection, contributor)
        new = (first is None or now - first < parameters["new-days", now] * _DAY
               or len(judged) < parameters["new-verdicts", now])
        half_life, quantile = parameters["half-life-days", now], parameters["quantile-percent", now] / 100

        def trust(name: str | None) -> float:
            """Lower quantile of the posterior for one campaign class, or for all (None); 0 to 1, four digits."""
            verdicts = [Verdict(one.word == "confirmed", one.at) for one in judged
                        if name is None or one.campaign_class == name]
            return round(reliability(verdicts, now, half_life_days=half_life, quantile=quantile), 4)

        return Record(
            org=org, confirmed=_count(judged, "confirmed"), overturned=_count(judged, "overturned"),
            disputed=flags_of(connection, contributor), by_class=by_class,
            reliability={"all": trust(None), **{name: trust(name) for name in classes}}, new=new,
            given=rows.given_in_all(connection, contributor), changed=max((one.at for one in judged), default=0),
        )

    def own(self, org: str, now: int) -> dict[str, Any]:
        """An organisation's own record, with how much it gave."""
        with read(self._office.engine) as connection:
            contributor = rows.contributor_number(connection, org)
            if contributor is None:
                return {"org": org, "given": 0, **_counts(None)}
            record = self.record(connection, contributor, org, now)
            return {"org": org, "given": record.given, **_counts(record), "new": record.new,
                    "reliability": dict(record.reliability),
                    "classes": {name: {"confirmed": c, "overturned": o} for name, (c, o) in record.by_class.items()}}

    def published(self, now: int) -> list[Record]:
        """The records of every contributor with a verdict: what all members may know."""
        with read(self._office.engine) as connection:
            return [self.record(connection, number, org, now)
                    for number, org in rows.judged_contributors(connection)]

    def standing(self, stix_id: str, collections: Sequence[str], feed_of: Callable[[str], int], reader: Reader, now: int
                 ) -> dict[str, Any]:
        """How far an object may be relied on, by what the reader sees. Raises NotFoundError (P16)."""
        complete = self.read_values()
        feeds = {feed: name for name in collections if (feed := feed_of(name))}
        seen = [(feed, one) for feed in feeds for one in self._office.known(feed, reader, [stix_id]).get(stix_id, ())]
        if not seen:
            raise NotFoundError("There is no such object.")
        members = self._office.members()
        with read(self._office.engine) as connection:
            given = [one for feed, known in seen
                     for one in given_objects(connection, known.stix_id, feed=feed, producer=known.contributor)]
            secret = value_secret(connection)
            shown = seen[0][1].body or given[0].body  # what was left out counts for nothing
            keys = sorted(value_keys(secret, readable(shown)))
            reported = reports_of(connection, keys, list(feeds), reader) if keys else []
            counted = self._counted(connection, members, given, reported, len(keys), now)
            state = State(max(given, key=lambda one: one.seq).state)
            upheld = any(rows.was_upheld(connection, (one.feed, one.producer, one.stix_id)) for one in given)
            weighed = weigh([report for report, _ in counted], state, self._thresholds(now), upheld=upheld)
        return {
            "id": stix_id, "stage": str(weighed.stage), "single_source": weighed.single_source,
            "independent_reports": weighed.independent, "public_authority_tips": weighed.tips,
            "contributors": [shown for _, shown in counted], "complete": complete,
        }

    def _thresholds(self, now: int) -> Thresholds:
        parameters = self._office.parameters
        return Thresholds(parameters["review-reports", now], parameters["friction-reports", now],
                          parameters["friction-percent", now] / 100)

    def _counted(self, connection: Any, members: Members, given: Sequence[Given], reported: Sequence[Reported],
                 values_asked: int, now: int) -> list[tuple[Report, dict[str, Any]]]:
        """Each organisation's report with what is shown of it: who gave the object, and who reported all its values."""
        mine = {one.producer for one in given}
        first: dict[int, Reported] = {}
        told: dict[int, set[int]] = {}
        for one in reported:
            first.setdefault(one.contributor, one)
            told.setdefault(one.contributor, set()).add(one.value)
        whole = mine | {number for number, seen in told.items() if len(seen) == values_asked}
        found = []
        for number in sorted(whole):
            row = first.get(number)
            org = row.org if row is not None else organisation_of(connection, number)
            found.append(self._report(connection, members, org, number, row, reported, now))
        return sorted(found, key=lambda pair: (pair[0].at, pair[0].org))

    def _report(self, connection: Any, members: Members, org: str, number: int, row: Reported | None,
                reported: Sequence[Reported], now: int) -> tuple[Report, dict[str, Any]]:
        organisation = members.organisation(org)
        record = self.record(connection, number, org, now)
        authority = organisation is not None and is_public_authority(organisation)
        copied = row is not None and self._had_pulled(connection, org, row, reported)
        report = Report(org=org, group=members.group(org), at=0 if row is None else row.seq, copied=copied,
                        authority=authority, new=record.new, reliability=record.reliability["all"])
        shown: dict[str, Any] = {**_counts(record), "new": record.new, "public_authority": authority,
                                 "independent": not copied and not authority}
        if row is None or not _unnamed(row.label):
            shown["org"] = org
        return report, shown

    def _had_pulled(self, connection: Any, org: str, row: Reported, reported: Sequence[Reported]) -> bool:
        """Whether an organisation had received another's report of the value before it gave its own."""
        earlier: dict[int, list[int]] = {}
        for one in reported:
            if one.org != org and one.seq < row.seq:
                earlier.setdefault(one.feed, []).append(one.seq)
        recipients = self._office.means().recipients
        return any(receipt.org == org and receipt.at < row.seq
                   for feed, seqs in earlier.items() for receipt in recipients(connection, feed, seqs))


def _counts(record: Record | None) -> dict[str, int]:
    if record is None:
        return {"confirmed": 0, "overturned": 0, "disputed": 0}
    return {"confirmed": record.confirmed, "overturned": record.overturned, "disputed": record.disputed}


def _count(judged: Sequence[rows.Judged], word: str, name: str | None = None) -> int:
    return sum(one.word == word and name in (None, one.campaign_class) for one in judged)


def _unnamed(label: str) -> bool:
    """Whether an IEP on the object forbids to name who gave it (IEP 2.0, provider_attribution)."""
    policies = json.loads(label)["object"]["markings"].get("iep") or ()
    return any(policy.get("attribution") in ("must not", "must-not") for policy in policies)

