"""The waterfall of an account's evidence: from the prior, each kind up or down, to the log-odds."""

from __future__ import annotations

import math

from exchange.matcher.case.markup import Markup, tag
from exchange.matcher.case.material import Member

WIDTH, ROW, LEFT, RIGHT = 480, 20, 232, 52
STEPS = 9
"""Most kinds in a waterfall; the rest is one step."""


def steps(member: Member) -> list[tuple[str, float]]:
    """Words and nats from the prior on: contributions of one wording together, the largest first, the rest as one."""
    sums: dict[str, float] = {}
    prior = 0.0
    for weight in member.weights:
        if weight.step == "prior":
            prior += weight.nats
        else:
            sums[weight.words] = sums.get(weight.words, 0.0) + weight.nats
    ordered = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    rest = sum(nats for _, nats in ordered[STEPS:]) + member.rest
    shown = sorted(ordered[:STEPS], key=lambda item: (-item[1], item[0]))
    count = len(ordered[STEPS:]) + member.rest_count
    found = [("before any evidence", prior), *shown]
    return [*found, (f"{count} smaller contributions", rest)] if count else found


def draw(member: Member, likely_from: float = 0.5) -> Markup:
    """One account's waterfall as SVG; the dashed line is the probability from which it is likely."""
    rows = steps(member)
    marks = [0.0]
    for _, nats in rows:
        marks.append(marks[-1] + nats)
    bound = math.log(likely_from / (1 - likely_from))
    low, high = min(*marks, bound - 1.0), max(*marks, bound + 1.0)
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def x(nats: float) -> float:
        """Place of a sum of nats, in units of the picture."""
        return LEFT + (nats - low) * scale

    height = ROW * (len(rows) + 1) + 8
    parts = [tag("line", x1=x(bound), y1=2, x2=x(bound), y2=height - 4, class_="half")]
    for index, (words, nats) in enumerate(rows):
        top = index * ROW + 4
        left, right = sorted((x(marks[index]), x(marks[index + 1])))
        side = "start" if not index else "for" if nats >= 0 else "down"
        parts += [tag("text", words if len(words) <= 37 else words[:36] + "…", x=LEFT - 8, y=top + 12, class_="label"),
                  tag("rect", x=left, y=top + 3, width=max(1.0, right - left), height=ROW - 7, rx=1.5, class_=side),
                  tag("line", x1=x(marks[index + 1]), y1=top + ROW - 4, x2=x(marks[index + 1]), y2=top + ROW + 3,
                      class_="join"),
                  tag("text", f"{nats:+.1f}", x=right + 5, y=top + 12, class_="figure")]
    top = len(rows) * ROW + 4
    left, right = sorted((x(0), x(marks[-1])))
    parts += [tag("text", "log-odds in sum", x=LEFT - 8, y=top + 12, class_="label whole"),
              tag("rect", x=left, y=top + 3, width=max(1.0, right - left), height=ROW - 7, rx=1.5, class_="sum"),
              tag("text", f"{marks[-1]:+.1f}", x=right + 5, y=top + 12, class_="figure whole")]
    return tag("svg", tag("title", f"Evidence of account {member.account}"), *parts, viewBox=f"0 0 {WIDTH} {height}",
               role="img", class_="waterfall")
