"""The decision: every rule that the action calls for is asked, deny > redact > allow, all reasons (P24).

``decide`` is total: facts that can't be read and a rule that fails deny, they never release. P16 is here too:
what is denied on a pull looks to the outside exactly as what doesn't exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from exchange.errors import InputError
from exchange.policy.case import Case, read_case
from exchange.policy.packs import Packs
from exchange.policy.rule import Finding, Rule
from exchange.policy.rules import ACTION_RULES, CODE_ORDER, TOMBSTONE_RULES
from exchange.policy.rules.lifecycle import is_protection_officer
from exchange.policy.shape import check_facts

Word = Literal["allow", "redact", "deny"]

_WHO_AND_WHAT_FOR = frozenset({"P3", "P4", "P5", "P13"})
_QUICK_RULES: Mapping[str, tuple[Rule, ...]] = {
    action: tuple(sorted(rules, key=lambda rule: rule.id not in _WHO_AND_WHAT_FOR))
    for action, rules in ACTION_RULES.items()
}
"""The same rules, those first that deny most often: the outcome is the same in any order."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding together with the rule that made it."""

    rule: str
    title: str
    citation: str
    finding: Finding

    def as_json(self) -> dict[str, str]:
        """Plain values: rule, title, code, citation, found, needed."""
        return {
            "rule": self.rule,
            "title": self.title,
            "code": self.finding.code,
            "citation": self.citation,
            "found": self.finding.found,
            "needed": self.finding.needed,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What may happen, and every reason why not more."""

    decision: Word
    explain: tuple[Reason, ...]
    redact: tuple[str, ...]
    """What is withheld: selectors, personal-data categories, ``*content``. Empty unless ``redact``."""
    visible_error: str | None
    """``404``: as for an unknown id; ``absent``: no trace in the page; None: the reasons may be told."""
    policy_version: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every code once, in the order in which a push is checked."""
        codes = {reason.finding.code for reason in self.explain}
        return tuple(sorted(codes, key=lambda code: (CODE_ORDER.get(code, len(CODE_ORDER)), code)))

    def as_json(self) -> dict[str, Any]:
        """Plain values for printing."""
        return {
            "decision": self.decision,
            "reasons": list(self.reasons),
            "redact": list(self.redact),
            "explain": [reason.as_json() for reason in self.explain],
            "visible_error": self.visible_error,
            "policy_version": self.policy_version,
        }


_UNREADABLE = Rule(
    "P24",
    "What can't be read is denied",
    "Rules of the exchange, P24",
    "admission",
    frozenset(),
    (),
    lambda case: (),
    ("facts-invalid",),
)


def decide(facts: Mapping[str, Any], packs: Packs) -> Decision:
    """Decide on facts of the shape of policy-facts.json. Never raises: what can't be read is denied."""
    try:
        check_facts(facts)
        case = read_case(facts, packs)
    except InputError as error:
        return _conclude(
            [_reason(_UNREADABLE, Finding("facts-invalid", str(error), "complete facts"))],
            _visible(facts),
            packs.digest,
        )
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the facts, nothing is released
        return _conclude(
            [_reason(_UNREADABLE, Finding("facts-invalid", type(error).__name__, "complete facts"))],
            _visible(facts),
            packs.digest,
        )
    return decide_case(case, "404" if _unseen(case) else _visible(facts))


def decide_case(case: Case, visible: str | None = None) -> Decision:
    """Decide on a prepared case; ``visible`` is what a denial looks like to the outside."""
    rules = TOMBSTONE_RULES if case.tombstone else ACTION_RULES[case.action]
    return _conclude([_reason(rule, finding) for rule, finding in _findings(rules, case)], visible, case.packs.digest)


def allowed(case: Case) -> bool:
    """Whether a case is allowed in full: the quick form of ``decide_case(...).decision == "allow"``."""
    return all(finding.outcome == "flag" for _, finding in _findings(_QUICK_RULES[case.action], case))


def outcome(case: Case) -> tuple[Word, tuple[str, ...]]:
    """What ``decide_case`` says, without its reasons: the word, and what is withheld; it stops at a denial."""
    withheld: set[str] = set()
    for _, finding in _findings(TOMBSTONE_RULES if case.tombstone else _QUICK_RULES[case.action], case):
        if finding.outcome == "deny":
            return "deny", ()
        if finding.outcome == "redact":
            withheld.update(finding.redact)
    return ("redact", _least(withheld)) if withheld else ("allow", ())


def _findings(rules: Iterable[Rule], case: Case) -> Iterator[tuple[Rule, Finding]]:
    """What rules find; one that fails denies."""
    for rule in rules:
        try:
            for finding in rule.check(case):
                yield rule, finding
        except Exception as error:  # noqa: BLE001 - a rule that fails denies, it never releases
            yield rule, Finding("rule-failed", type(error).__name__, "a rule that answers")


def _reason(rule: Rule, finding: Finding) -> Reason:
    return Reason(rule.id, rule.title, rule.citation, finding)


def _conclude(reasons: list[Reason], visible: str | None, version: str) -> Decision:
    outcomes = {reason.finding.outcome for reason in reasons}
    word: Word = "deny" if "deny" in outcomes else "redact" if "redact" in outcomes else "allow"
    withheld: tuple[str, ...] = ()
    if word == "redact":
        withheld = _least({part for reason in reasons for part in reason.finding.redact})
    return Decision(word, tuple(reasons), withheld, visible if word == "deny" else None, version)


def _least(parts: set[str]) -> tuple[str, ...]:
    """What is withheld, sorted; a stub withholds everything else too."""
    return ("*content",) if "*content" in parts else tuple(sorted(parts))


def _unseen(case: Case) -> bool:
    """P16: who changes or deletes what it may not even read hears of an unknown id."""
    if case.action not in {"update", "delete"} or case.own or is_protection_officer(case):
        return False
    return decide_case(replace(case, action="pull")).decision == "deny"


def _visible(facts: Any) -> str | None:
    """P16: a denied pull by id is an unknown id, in a feed it leaves no trace."""
    if not isinstance(facts, Mapping) or facts.get("action", "pull") != "pull":
        return None
    request = facts.get("request")
    return "absent" if isinstance(request, Mapping) and request.get("mode") == "feed" else "404"
