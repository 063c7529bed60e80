"""The page of a case: self-contained HTML with its pictures inside, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from exchange.matcher.action.pack import ACTIONS, ActionPack
from exchange.matcher.case import picture_graph, picture_timeline, picture_waterfall
from exchange.matcher.case.markup import Markup, join, tag
from exchange.matcher.case.material import Case, Member
from exchange.matcher.case.style import STYLE
from exchange.matcher.rescore import MEANING
from exchange.words import counted, verb

CARDS, ROWS, SEEDS = 12, 150, 25
"""Waterfalls, lines of the table of accounts and of that of indicators; the JSON has everything."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CHANGES = 3


def case_page(case: Case, pack: ActionPack) -> str:
    """The whole page of a case."""
    return _document(f"Case {case.name}", join(
        _head(case), _recommended(case, pack),
        _section("What ties them together", "Circles are accounts, squares are values that they hold in common.",
                 tag("div", picture_graph.draw(case), class_="picture")),
        _section("When they were active", None, tag("div", picture_timeline.draw(case), class_="picture")),
        _class(case), _seeds(case), _against(case),
        _section("What would change the result", f"Each part is taken away by itself; every member is {MEANING}.",
                 tag("ul", *(tag("li", words) for words in case.changes))),
        _cards(case), _accounts(case), _footer(case, pack)))


def index_page(cases: Sequence[tuple[str, Case]]) -> str:
    """The list of cases, each with its page."""
    rows = [(tag("a", case.name, href=file), _number(len(case.members)), _number(case.likely),
             _number(round(case.reach)), class_words(case.campaign_class), ", ".join(case.sources) or "none",
             _counts(case.count("action"))) for file, case in cases]
    return _document("Cases", join(
        tag("header", tag("h1", "Cases"),
            tag("p", f"{counted(len(cases), 'cluster')} in which something is recommended.", class_="lead")),
        _table(("Case", "#Accounts", "#Likely", "#Reach in 90 days", "Class", "Named by", "Recommended"), rows)))


def _document(title: str, body: Markup) -> str:
    return "<!doctype html>\n" + tag(
        "html",
        tag("head", tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="referrer", content="no-referrer"), tag("title", title), tag("style", Markup(STYLE))),
        tag("body", tag("main", body)), lang="en") + "\n"


def _section(title: str, lead: str | None, *body: object) -> Markup:
    return tag("section", tag("h2", title), tag("p", lead) if lead else None, *body)


def _head(case: Case) -> Markup:
    sources = case.sources
    named = f" of class {class_words(case.campaign_class)}" if case.campaign_class else ""
    lead = (f"{case.likely:,} of {counted(len(case.members), 'account')}"
            f" {verb(case.likely, 'is', 'are')} likely ({case.likely_from:g} or more) to be part of"
            f" one covert operation{named}. "
            + (f"Indicators of {', '.join(sources)} met them." if sources
               else "No shared indicator met them; they share things with accounts that were met."))
    tiles = (("accounts", len(case.members)), (f"likely ({case.likely_from:g} or more)", case.likely),
             ("people reached in 90 days", round(case.reach)), ("sources that met them", len(sources)),
             ("shared indicators that met them", len({seed.indicator for seed in case.seeds})))
    also = ", ".join(f"{name} ({n})" for name, n in case.overlaps.items())
    return tag("header", tag("div", f"{case.marking} · case of the matcher · recommendations, not decisions",
                             class_="kicker"),
               tag("h1", f"Case {case.name}"), tag("p", lead, class_="lead"),
               tag("p", f"Some members also belong in part to: {also}.", class_="quiet") if also else None,
               tag("dl", *(tag("div", tag("dt", words), tag("dd", f"{n:,}")) for words, n in tiles), class_="tiles"))


def _recommended(case: Case, pack: ActionPack) -> Markup:
    rows = []
    for row in sorted(pack.rows, key=lambda row: -ACTIONS.index(row.action)):
        members = [member for member in case.members if member.recommendation.row == row.id]
        if members:
            step = pack.steps[row.action]
            own = f" · {row.citation}" if row.citation != pack.citation else None
            rows.append((_pill(row.action, human=row.human), _number(len(members)),
                         _number(round(sum(member.facts.reach for member in members))),
                         f"{row.hours} h" if row.hours else "–",
                         join(row.why, tag("div", "row ", tag("code", row.id), own, class_="quiet")), step.undo))
    return _section(
        "What is recommended", "By policy, apart from detection. Marked steps wait for a person; no step happens by"
                               " itself.",
        _table(("Step", "#Accounts", "#Reach", "Within", "Because", "How it is undone"), rows))


def class_words(name: str | None) -> str:
    """A class for people."""
    return name.replace("_", " ") if name else "unknown"


def _class(case: Case) -> Markup:
    rows = [(class_words(reason.campaign_class), reason.words, _number(f"{reason.nats:+.1f}"))
            for reason in case.class_reasons]
    lead = (f"{class_words(case.campaign_class).capitalize()}, with a probability of {case.class_probability:.0%} among"
            " the classes." if case.campaign_class else "No class can be told; the thresholds of any campaign hold.")
    return _section("What kind of campaign it is", lead, _table(
        ("Class", "Because", "#Nats"), rows,
        none="No source states a class, and nothing in behaviour is a sign of one."))


def _seeds(case: Case) -> Markup:
    rows = [(seed.source, seed.campaign or "–", seed.kind.replace("_", " "), _day(seed.observed),
             _number(seed.confidence and f"{seed.confidence:.0%}"), _number(seed.accounts),
             _number(f"{seed.nats:+.1f}"), tag("code", seed.indicator.rpartition("--")[2][:8]))
            for seed in case.seeds[:SEEDS]]
    more = len(case.seeds) - len(rows)
    return _section("Shared indicators that met them, and whose they are", None, _table(
        ("Source", "Campaign", "Kind", "Observed", "#Confidence", "#Accounts", "#Nats", "Indicator"), rows,
        none="None: everything here rests on what members have in common with accounts of other clusters."),
        tag("p", f"{more:,} more in the JSON.", class_="quiet") if more else None)


def _against(case: Case) -> Markup:
    rows = [(row.what, _number(row.accounts), _number(f"{row.nats:+.1f}"), _number(f"{row.nats / row.accounts:+.1f}"))
            for row in case.against[:20]]
    return _section("What speaks against", "Over all members; nats below zero lower the probability.",
                    _table(("What", "#Accounts", "#Nats in all", "#Each"), rows, none="Nothing was found."))


def _cards(case: Case) -> Markup:
    chosen = _exemplary(case)
    return _section(
        "Why these accounts", f"{len(chosen)} of {len(case.members):,}: the likeliest, those with most reach, those"
                              f" nearest to {case.likely_from:g}. The dashed line is {case.likely_from:g}; what ends"
                              " right of it is likely.",
        tag("div", *(_card(member, case.likely_from) for member in chosen), class_="grid"))


def _exemplary(case: Case) -> list[Member]:
    """Members whose evidence is drawn: a third likeliest, a third of great reach, a third nearest to likely."""
    told = [member for member in case.members if member.weights]
    chosen: dict[str, Member] = {}
    for key in (_least_sure, _least_reach, lambda member: (abs(member.score - case.likely_from), member.account)):
        ordered = [member for member in sorted(told, key=key) if member.account not in chosen]
        chosen |= {member.account: member for member in ordered[: CARDS // 3]}
    return sorted(chosen.values(), key=lambda m: (-m.score, m.account))


def _least_sure(member: Member) -> tuple[float, str]:
    return -member.score, member.account


def _least_reach(member: Member) -> tuple[float, str]:
    return -member.facts.reach, member.account


def _card(member: Member, likely_from: float) -> Markup:
    found = member.recommendation
    changes = [tag("li", f"Without {one.words}: {_probability(one.score)}.") for one in member.without[:_CHANGES]]
    changes += [tag("li", words) for words in found.changes[:_CHANGES]]
    return tag(
        "article",
        tag("h3", f"Account {member.account} "), tag(
            "p", join(f"{_probability(member.score)} · {_part(member)} · reaches"
                      f" {member.facts.reach:,.0f} · ", _pill(found.action, human=found.human)), class_="quiet"),
        picture_waterfall.draw(member, likely_from), tag("ul", *changes) if changes else None, class_="card")


def _part(member: Member) -> str:
    taken = ", looks taken from its owner" if member.facts.compromised else ""
    return f"{member.role or 'role not told'}{taken}"


def _accounts(case: Case) -> Markup:
    rows = [(tag("code", member.account), _number(_probability(member.score)), _part(member),
             _number(f"{member.facts.reach:,.0f}"), _number(member.facts.sources), _number(member.facts.kinds),
             _pill(member.recommendation.action, human=member.recommendation.human), member.recommendation.row)
            for member in case.members[:ROWS]]
    more = len(case.members) - len(rows)
    return _section("All members" if not more else f"The {ROWS} likeliest members", None, _table(
        ("Account", "#Probability", "Role", "#Reach", "#Sources", "#Kinds", "Recommended", "Row of the policy"), rows),
        tag("p", f"{more:,} more in the JSON.", class_="quiet") if more else None)


def _footer(case: Case, pack: ActionPack) -> Markup:
    return tag(
        "footer",
        tag("p", join(f"Run of {datetime.fromtimestamp(case.at, UTC):%Y-%m-%d %H:%M} UTC · weights ",
                      tag("code", case.weights), f" · policy “{pack.title}” ", tag("code", case.pack[:16]))),
        tag("p", "Nats are natural log-odds. Sources are independent ones; what the platform itself saw counts as one"
                 " where it saw enough. Origins write what others pass on, relays pass it on first, amplifiers follow;"
                 " casual people and co-opted ones stand beside it and are no part of it."),
        tag("p", "Values are tokens or masked. A score is a probability, not a finding of fact; the same page can be"
                 " made again from the results of the run. Whoever is named here may contest it."))


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], none: str = "") -> Markup:
    """A table; a heading with ``#`` before it is of figures."""
    if not rows:
        return tag("p", none, class_="quiet")
    head = tag("tr", *(tag("th", text.lstrip("#"), class_="number" if text.startswith("#") else None, scope="col")
                       for text in heads))
    body = [tag("tr", *(tag("td", cell, class_="number" if text.startswith("#") else None)
                        for text, cell in zip(heads, row, strict=True))) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="wide", tabindex=0)


def _pill(action: str, *, human: bool) -> Markup:
    return tag("span", f"{action} · a human decides" if human else action, class_="pill human" if human else "pill")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {word}" for word, n in counts.items() if word != "none") or "nothing"


def _number(value: object) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _probability(score: float) -> str:
    return "> 0.999" if score > 0.999 else f"{score:.3f}"


def _day(moment: int | None) -> str:
    return "–" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
