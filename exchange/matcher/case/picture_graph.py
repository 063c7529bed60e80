"""The picture of a cluster's graph: members and the values that tie them, small enough to read.

Shown are the values that tie most, and members with the same ties stand as one circle with their number where there are
many; what isn't shown is counted below the picture.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from exchange.matcher.case.layout import place, separate
from exchange.matcher.case.markup import Markup, join, tag
from exchange.matcher.case.material import Case, Member, Value
from exchange.words import counted, verb

WIDTH, HEIGHT = 960, 560
VALUES, GROUPS, LABELS, APART = 44, 110, 14, 70
"""Most values, circles and labels; up to APART members each has a circle of its own."""


@dataclass(frozen=True)
class Group:
    """Members that stand as one circle."""

    members: tuple[Member, ...]
    ties: tuple[tuple[str, float], ...]
    """Ids of values and the nats of all members together."""

    @property
    def role(self) -> str:
        """The role of most members."""
        roles = [member.role or "unknown" for member in self.members]
        return max(sorted(set(roles)), key=roles.count)


@dataclass(frozen=True)
class Shown:
    """What of the graph is in the picture."""

    values: tuple[Value, ...]
    groups: tuple[Group, ...]
    members_left_out: int
    values_left_out: int


def choose(case: Case) -> Shown:
    """The values with most weight that at least two members hold (or that are seeds), and the members they tie."""
    values = tuple(value for value in case.values if value.holders > 1 or value.seed)[:VALUES]
    wanted = {value.id for value in values}
    ties: dict[str, dict[str, float]] = defaultdict(dict)
    for edge in case.edges:
        if edge.value in wanted:
            ties[edge.account][edge.value] = edge.nats
    alike: dict[object, list[Member]] = defaultdict(list)
    tied = [member for member in case.members if member.account in ties]
    for member in tied:
        key = member.account if len(tied) <= APART else (member.role, *sorted(ties[member.account]))
        alike[key].append(member)
    groups = sorted((_group(members, ties) for members in alike.values()),
                    key=lambda group: (-len(group.members), -sum(nats for _, nats in group.ties)))[:GROUPS]
    there = sum(len(group.members) for group in groups)
    used = {value for group in groups for value, _ in group.ties}
    return Shown(tuple(value for value in values if value.id in used), tuple(groups), len(case.members) - there,
                 len(case.values) - len(used))


def _group(members: list[Member], ties: dict[str, dict[str, float]]) -> Group:
    total: dict[str, float] = defaultdict(float)
    for member in members:
        for value, nats in ties[member.account].items():
            total[value] += nats
    return Group(tuple(members), tuple(sorted(total.items())))


def draw(case: Case) -> Markup:
    """The graph as SVG, with what it leaves out said below."""
    shown = choose(case)
    if not shown.values:
        return tag("p", "Members hold no value in common that could be drawn.", class_="quiet")
    number = {value.id: index for index, value in enumerate(shown.values)}
    edges = [(number[value], len(number) + index, math.log1p(nats / len(group.members)))
             for index, group in enumerate(shown.groups) for value, nats in group.ties]
    radii = [_side(value) / 2 for value in shown.values] + [_radius(group) for group in shown.groups]
    at = separate(place(len(radii), edges, WIDTH, HEIGHT, 46), radii, WIDTH, HEIGHT, 46)
    spots = [(float(x), float(y)) for x, y in at]
    lines = [tag("line", x1=spots[a][0], y1=spots[a][1], x2=spots[b][0], y2=spots[b][1], class_="tie",
                 stroke_width=0.6 + 0.5 * min(3.0, weight)) for a, b, weight in edges]
    circles = [_circle(group, spots[len(number) + index], case.likely_from) for index, group in enumerate(shown.groups)]
    squares = [_square(value, spots[index]) for index, value in enumerate(shown.values)]
    return join(
        tag("svg", tag("title", f"Graph of {len(case.members)} accounts and the values they share"), *lines, *circles,
            *squares, *_labels(shown, spots), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="graph"),
        _legend(), tag("p", _left_out(shown), class_="quiet"))


def _circle(group: Group, spot: tuple[float, float], likely_from: float) -> Markup:
    size = len(group.members)
    first = group.members[0]
    words = (f"{first.account}: {first.score:.3f}, {first.role or 'role unknown'}, {first.recommendation.action}"
             if size == 1 else f"{size} accounts with the same ties, mostly {group.role}")
    inner = tag("text", size, x=spot[0], y=spot[1] + 3.5, class_="count") if size > 1 else None
    known = group.role if group.role in ("origin", "relay", "amplifier") else "other"
    faint = " faint" if max(member.score for member in group.members) < likely_from else ""
    return tag("g", tag("title", words),
               tag("circle", cx=spot[0], cy=spot[1], r=_radius(group), class_=f"member {known}{faint}"), inner)


def _radius(group: Group) -> float:
    return 5.5 if len(group.members) == 1 else min(26.0, 6 + 2.2 * math.sqrt(len(group.members)))


def _side(value: Value) -> float:
    return min(15.0, 6 + 1.2 * math.sqrt(value.holders))


def _square(value: Value, spot: tuple[float, float]) -> Markup:
    side = _side(value)
    return tag("g", tag("title", f"{_kind(value)} {value.shown}: {counted(value.holders, 'member')}"
                                 f"{', named by a shared indicator' if value.seed else ''}"),
               tag("rect", x=spot[0] - side / 2, y=spot[1] - side / 2, width=side, height=side, rx=1.5,
                   class_="value seed" if value.seed else "value"))


def _labels(shown: Shown, spots: list[tuple[float, float]]) -> list[Markup]:
    """Names of the values that tie most, where they run neither into each other nor over a circle with a number."""
    taken: list[tuple[float, float, float]] = []
    for group, (x, y) in zip(shown.groups, spots[len(shown.values):], strict=True):
        radius = _radius(group)
        if len(group.members) > 1:
            taken += [(x - radius, x + radius, y + step) for step in (-radius / 2, radius / 2)]
    labels: list[Markup] = []
    for index, value in enumerate(shown.values):
        text = f"{_kind(value)} {value.shown}"
        text = text if len(text) <= 30 else text[:29] + "…"
        x, y = spots[index]
        wide = 6.1 * len(text)
        left = x + 11 if x + 11 + wide < WIDTH else x - 11 - wide
        if len(labels) < LABELS and not any(
                abs(y - other) < 15 and left < end and start < left + wide for start, end, other in taken):
            taken.append((left, left + wide, y))
            labels.append(tag("text", text, x=left, y=y + 4, class_="name"))
    return labels


def _kind(value: Value) -> str:
    return value.kind.replace("_", " ")


def _legend() -> Markup:
    def mark(kind: str, words: str) -> Markup:
        """One entry: the shape of a class of the style sheet, and what it stands for."""
        shape = (tag("rect", x=1, y=1, width=10, height=10, rx=1.5, class_=kind) if "value" in kind
                 else tag("circle", cx=6, cy=6, r=5, class_=kind))
        return tag("span", tag("svg", shape, viewBox="0 0 12 12", width=12, height=12, aria_hidden="true"), words)

    return tag("div", mark("member origin", "origin"), mark("member relay", "relay"),
               mark("member amplifier", "amplifier"), mark("member other", "casual, co-opted or not told"),
               mark("member amplifier faint", "not likely"),
               mark("value seed", "value that a shared indicator names"),
               mark("value", "value in common only"), class_="legend")


def _left_out(shown: Shown) -> str:
    parts = []
    if members := shown.members_left_out:
        parts.append(f"{counted(members, 'member')} without ties to these values or with rarer sets of ties")
    if values := shown.values_left_out:
        parts.append(f"{values:,} {verb(values, 'value that ties', 'values that tie')} less")
    return f"Not drawn, but in the JSON: {' and '.join(parts)}." if parts else "Everything is drawn."
