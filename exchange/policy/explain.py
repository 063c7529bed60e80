"""Why a decision is as it is: every rule that was asked, what it found, and the smallest change that would help.

The facts are those that the server decides on: the folded label and profile, and what the object's row says of
its time and state.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exchange.model.state import State
from exchange.policy.decide import Decision, Reason, decide
from exchange.policy.packs import Packs
from exchange.policy.remedy import Change, changed, remedies
from exchange.policy.rule import Finding
from exchange.policy.rules import ACTION_RULES
from exchange.stix.timestamp import from_microseconds

_FOREVER = "9999-12-31T23:59:59Z"
_MOST_TRIED, _MOST_CHANGES, _MOST_ANSWERS = 250, 5, 3
_WORDS = {"allow": "granted", "redact": "redacted", "deny": "denied"}
_REVIEW = ("R29", "Requirements of the exchange, R29: a contributor's sudden volume is reviewed first")


@dataclass(frozen=True)
class Standing:
    """What the object's row, and its history, say at the moment of the question; times in microseconds."""

    state: State = State.ACTIVE
    visible_from: int | None = None
    visible_until: int | None = None
    received_before: bool = False
    legal_hold: bool = False
    refs: tuple[tuple[str, bool], ...] = ()
    """Ids that it refers to, and whether the recipient may see them."""
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    type: str | None = None


@dataclass(frozen=True)
class Explanation:
    """A decision with everything that made it."""

    decision: Decision
    facts: Mapping[str, Any]
    passed: tuple[Mapping[str, Any], ...]
    """Rules that were asked and found nothing wrong: rule, title, citation, and the facts that they read."""
    changes: tuple[tuple[Change, ...], ...]
    """Smallest sets of changes with which it would be released; empty: it is, or nothing that is known helps."""

    @property
    def outcome(self) -> str:
        """granted, redacted or denied."""
        return _WORDS[self.decision.decision]

    def as_json(self) -> dict[str, Any]:
        """Plain values for people and programs."""
        return {
            "outcome": self.outcome,
            "withheld": list(self.decision.redact),
            "reasons": [{**reason.as_json(), "effect": reason.finding.outcome} for reason in self.decision.explain],
            "passed": [dict(row) for row in self.passed],
            "would_have_to_change": [[change.as_json() for change in changes] for changes in self.changes],
            "policy_version": self.decision.policy_version,
        }


def pull_facts(label: str, profile: str, at: int, standing: Standing) -> dict[str, Any]:
    """The complete facts of a pull at ``at`` (microseconds): folded texts, and what the row says.

    Raises ValueError where a text isn't one that was folded.
    """
    obj, asked = json.loads(label)["object"], json.loads(profile)
    life = obj.get("life") or {}
    kept = life.get("retention_until") and (_FOREVER if standing.visible_until is None else None)
    obj["life"] = {
        "retention_until": kept or (standing.visible_until and from_microseconds(standing.visible_until)),
        "not_before": standing.visible_from and from_microseconds(standing.visible_from),
        "revoked": standing.state is State.REVOKED, "erased": standing.state is State.ERASED,
        "restricted": _restriction(standing.state), "legal_hold": standing.legal_hold,
        "disputed": standing.state is State.DISPUTED,
    }
    obj["refs"] = [{"id": ref, "visible": seen} for ref, seen in standing.refs]
    if standing.type is not None:
        obj["type"] = standing.type
    if standing.fields:
        obj["fields"], obj["required_fields"] = list(standing.fields), list(standing.required)
    return {
        "at": from_microseconds(at), "action": "pull", "request": asked["request"], "object": obj,
        "actor": {**asked["actor"], "received_before": standing.received_before},
        "programme": asked.get("programme") or {},
    }


def explain(label: str, profile: str, packs: Packs, at: int, standing: Standing,
            further: Sequence[Reason] = ()) -> Explanation:
    """Explain a pull; ``further`` are reasons outside of the rules, such as a collection that isn't readable."""
    facts = pull_facts(label, profile, at, standing)
    decision = decide(facts, packs)
    own = facts["actor"]["org"] == facts["object"].get("owner")
    reasons = [_review(reason) if standing.state is State.HELD else reason for reason in decision.explain]
    reasons += [*_closed(standing, at, reasons, own), *further]
    if any(reason.finding.outcome == "deny" for reason in reasons):
        decision = replace(decision, decision="deny", redact=(), visible_error=decision.visible_error or "absent")
    decision = replace(decision, explain=tuple(reasons))
    changes = _smallest(facts, packs) if decision.decision == "deny" and not further else ()
    return Explanation(decision, facts, _passed(facts, decision), changes)


def _restriction(state: State) -> str | None:
    if state is State.HELD:
        return "held for review before its release"
    return "its producer alone sees it" if state is State.RESTRICTED else None


def _review(reason: Reason) -> Reason:
    if reason.finding.code != "processing-restricted":
        return reason
    return replace(reason, rule=_REVIEW[0], citation=_REVIEW[1])


def _closed(standing: Standing, at: int, reasons: Sequence[Reason], own: bool) -> list[Reason]:
    """The window in time closes for everybody, its producer too; an erased object is nobody's."""
    codes = {reason.finding.code for reason in reasons if reason.finding.outcome == "deny"}
    found = []
    if standing.visible_from is not None and at < standing.visible_from and "embargo" not in codes:
        start = from_microseconds(standing.visible_from)
        found.append(Reason("P9", "Nothing is released before its date", "Rules of the exchange, P9",
                            Finding("embargo", f"not before {start}", "that time or later")))
    if standing.visible_until is not None and at >= standing.visible_until and "retention-expired" not in codes:
        end = from_microseconds(standing.visible_until)
        found.append(Reason("P9", "Retention ends", "GDPR Art. 5(1)(e)",
                            Finding("retention-expired", f"retention ended at {end}", "a time before that")))
    return found


def _passed(facts: Mapping[str, Any], decision: Decision) -> tuple[Mapping[str, Any], ...]:
    told = {(reason.rule, reason.title) for reason in decision.explain}
    return tuple(
        {"rule": rule.id, "title": rule.title, "citation": rule.citation,
         "found": {path: found for path in rule.needs if (found := _at(facts, path)) not in (None, [], {})}}
        for rule in ACTION_RULES["pull"] if (rule.id, rule.title) not in told
    )


def _at(facts: Mapping[str, Any], path: str) -> Any:
    value: Any = facts
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _smallest(facts: Mapping[str, Any], packs: Packs) -> tuple[tuple[Change, ...], ...]:
    """The smallest sets of remedies after which it isn't denied any more, tried one change at a time."""
    waiting: deque[tuple[Mapping[str, Any], tuple[Change, ...]]] = deque([(facts, ())])
    seen: set[frozenset[str]] = set()
    answers: list[tuple[Change, ...]] = []
    tried = 0
    while waiting and tried < _MOST_TRIED and len(answers) < _MOST_ANSWERS:
        present, made = waiting.popleft()
        if answers and len(made) >= len(answers[0]):
            break
        codes = [reason.finding.code for reason in decide(present, packs).explain if reason.finding.outcome == "deny"]
        for change in (c for code in dict.fromkeys(codes) for c in remedies(code, present, packs)):
            after = frozenset({*(f"{c.path}={c.value}" for c in made), f"{change.path}={change.value}"})
            if after in seen or len(made) >= _MOST_CHANGES:
                continue
            seen.add(after)
            tried += 1
            then = changed(present, change)
            if decide(then, packs).decision != "deny":
                answers.append((*made, change))
            else:
                waiting.append((then, (*made, change)))
    least = min((len(answer) for answer in answers), default=0)
    return tuple(answer for answer in answers if len(answer) == least)
