"""P14 and P19: the programme's switches for governments, and what may not be done without a human."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import ADMISSION, RELEASE, Finding, Rule
from exchange.policy.rules.sensitive import usable_conditions

_INWARD = frozenset({"passive-log-search", "internal-watchlist"})


def _contribution(case: Case) -> Iterator[Finding]:
    if case.programme.get("no_government_contributions") and "government" in case.actor.kinds:
        yield Finding(
            "contributor-kind-excluded",
            f"{case.actor.org} is a state body",
            "a contributor that is none: the programme takes nothing from governments",
        )


def _access(case: Case) -> Iterator[Finding]:
    if not case.programme.get("no_government_access"):
        return
    for reader in case.readers:
        if "government" in reader.kinds and (reader.org != case.subject.owner or case.public):
            yield Finding(
                "audience-kind",
                f"{reader.org} is a state body",
                "a reader that is none: the programme gives governments no access",
            )


def _disputed(case: Case) -> Iterator[Finding]:
    """A dispute is told to every reader; nothing outward follows by itself until it is settled."""
    if not (case.subject.facts.get("life") or {}).get("disputed"):
        return
    outward = case.action == "act" and case.request.get("act") not in _INWARD
    if outward and case.request.get("automated") is not False:
        yield Finding(
            "disputed",
            f"automated {case.request.get('act')} on a disputed object",
            "a person who decides, or the end of the dispute",
        )
    else:
        yield Finding("disputed", "the object is disputed", "nothing: readers are told", "flag")


def _may_be_automated(case: Case) -> bool:
    """A law suffices unless special categories are decided on: then also such a condition (Art. 22(4))."""
    sensitive = case.subject.facts["data"].get("special_categories")
    return not sensitive or any(known.automated_decisions for known in usable_conditions(case))


def _human(case: Case) -> Iterator[Finding]:
    request = case.request
    if (
        request.get("act") in {"suspend-account", None}  # an act that isn't named may be any
        and request.get("automated")
        and not request.get("human_review_ref")
        and not (request.get("automation_authorised_by_law") and _may_be_automated(case))
    ):
        yield Finding(
            "human-review-required",
            "an automated suspension that nobody reviewed",
            "request.human_review_ref, or a law that authorises it",
        )


RULES = (
    Rule(
        "P14",
        "The programme may take nothing from governments",
        "Rules of the exchange, P14",
        "admission",
        ADMISSION,
        ("programme.no_government_contributions", "actor.kind", "actor.government"),
        _contribution,
        ("contributor-kind-excluded",),
    ),
    Rule(
        "P14",
        "The programme may give governments no access",
        "Rules of the exchange, P14",
        "release",
        RELEASE - {"publish"},
        ("programme.no_government_access", "actor.kind", "actor.government"),
        _access,
        ("audience-kind",),
    ),
    Rule(
        "P19",
        "Disputed objects allow no automated outward action",
        "Rules of the exchange, P19; GDPR Art. 21",
        "use",
        RELEASE,
        ("object.life.disputed", "request.act", "request.automated"),
        _disputed,
        ("disputed",),
    ),
    Rule(
        "R59",
        "Nobody is suspended by a machine alone",
        "GDPR Art. 22",
        "use",
        frozenset({"act"}),
        (
            "request.act",
            "request.automated",
            "request.human_review_ref",
            "request.automation_authorised_by_law",
            "object.data.special_categories",
        ),
        _human,
        ("human-review-required",),
    ),
)
