"""P12: the status of the notice that people are owed whose data wasn't got from them."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import ADMISSION, Finding, Rule


def _status(case: Case) -> Iterator[Finding]:
    subject = case.subject
    regime = case.packs.regimes.get(subject.facts.get("regime") or "")
    if not subject.personal or (regime is not None and not regime.notice_required):
        return
    basis = subject.facts["basis"]
    stated = basis.get("notice")
    asked = case.packs.notices.get(stated or "")
    if asked is None:
        yield Finding("notice-status-missing", stated or "no status", f"one of: {', '.join(case.packs.notices)}")
        return
    refs = basis.get("refs") or {}
    if "deferral" in asked and not refs.get("notice_deferral"):
        yield Finding("notice-deferral-unjustified", f"{stated} without a reason", "refs.notice_deferral")
    if "review" in asked and case.programme.get("demand_review_date") and not refs.get("notice_review"):
        yield Finding("notice-deferral-unjustified", f"{stated} without a date of review", "refs.notice_review")


RULES = (
    Rule(
        "P12",
        "The notice status is stated",
        "GDPR Art. 14; UK GDPR Art. 14",
        "admission",
        ADMISSION,
        ("object.basis.notice", "object.basis.refs.notice_deferral", "programme.demand_review_date"),
        _status,
        ("notice-status-missing", "notice-deferral-unjustified"),
    ),
)
