"""The timeline of a cluster: sign-ups, what was posted, and when the shared indicators were seen elsewhere."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from exchange.matcher.case.markup import Markup, join, tag
from exchange.matcher.case.material import Case
from exchange.words import verb

WIDTH, LEFT, RIGHT, LANE, BINS, LONGEST = 960, 122, 16, 64, 92, 400
LANES = (("sign-ups", ("sign-up",)), ("own posts", ("post",)), ("shares", ("share",)), ("tags", ("tag",)),
         ("shared indicators", ("indicator",)))
"""Each lane has a scale of its own: what counts is when, not how much of one beside the other."""


def counted(case: Case) -> Counter[tuple[int, str]]:
    """How often what happened on which day since 1970, with the days on which shared indicators were observed."""
    found: Counter[tuple[int, str]] = Counter()
    for day, what, n in case.days:
        found[day, what] += n
    for seed in case.seeds:
        if seed.observed is not None:
            found[seed.observed // 86_400, "indicator"] += 1
    return found


def draw(case: Case) -> Markup:
    """All lanes as one SVG over at most LONGEST days up to the run; what lies before is said below."""
    days = counted(case)
    last = case.at // 86_400
    first = max(min((day for day, _ in days), default=last), last - LONGEST)
    span = max(1, -(-(last - first + 1) // BINS))
    bins = -(-(last - first + 1) // span)
    width = (WIDTH - LEFT - RIGHT) / bins
    lanes = [(title, Counter({index: n for index, n in _binned(days, whats, first, last, span).items()}))
             for title, whats in LANES]
    lanes = [(title, bars) for title, bars in lanes if bars]
    if not lanes:
        return tag("p", f"No dated activity is known since {_date(first)}.", class_="quiet")
    height = len(lanes) * LANE + 22
    parts = _axis(first, last, height, (WIDTH - LEFT - RIGHT) / (bins * span))
    for number, (title, bars) in enumerate(lanes):
        floor = (number + 1) * LANE - 8
        most = max(bars.values())
        parts += [tag("text", title, x=LEFT - 10, y=floor - 22, class_="label"),
                  tag("text", f"most {most:,}", x=LEFT - 10, y=floor - 8, class_="label quiet"),
                  tag("line", x1=LEFT, y1=floor, x2=WIDTH - RIGHT, y2=floor, class_="axis")]
        kind = "seed" if title == "shared indicators" else "bar"
        for index, n in sorted(bars.items()):
            tall = max(1.5, (LANE - 20) * n / most)
            parts.append(tag("rect", tag("title", f"{_date(first + index * span)}: {n:,}"), x=LEFT + index * width,
                             y=floor - tall, width=max(1.0, width - 1), height=tall, class_=kind))
    before = sum(n for (day, _), n in days.items() if day < first)
    words = (f"Each bar is {f'{span} days' if span > 1 else 'a day'}; every lane has its own scale."
             + (f" {before:,} {verb(before, 'event lies', 'events lie')} before {_date(first)}." if before else ""))
    return join(tag("svg", tag("title", "When members signed up and acted"), *parts, viewBox=f"0 0 {WIDTH} {height}",
                    role="img", class_="timeline"), tag("p", words, class_="quiet"))


def _binned(days: Counter[tuple[int, str]], whats: tuple[str, ...], first: int, last: int, span: int) -> Counter[int]:
    found: Counter[int] = Counter()
    for (day, what), n in days.items():
        if what in whats and first <= day <= last:
            found[(day - first) // span] += n
    return found


def _axis(first: int, last: int, height: int, a_day: float) -> list[Markup]:
    """Up to eight dates: firsts of months, or every so many days where there are few."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    months = [day for day in range(first, last + 1) if (start + timedelta(days=day)).day == 1]
    wanted = months if len(months) >= 3 else list(range(first, last + 1, max(1, (last - first) // 6)))
    chosen = wanted[:: max(1, -(-len(wanted) // 8))]
    form = "%b %Y" if len(months) >= 3 else "%-d %b"
    return [join(tag("line", x1=LEFT + (day - first) * a_day, y1=4, x2=LEFT + (day - first) * a_day, y2=height - 20,
                     class_="grid"),
                 tag("text", (start + timedelta(days=day)).strftime(form), x=LEFT + (day - first) * a_day, y=height - 5,
                     class_="date")) for day in chosen]


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%Y-%m-%d")
