"""Each rule is held by the tables: without it, at least one row comes out differently."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import Row, facts
from test_duties_table import ALL as DUTIES_ROWS
from test_release_table import ALL as RELEASE_ROWS
from test_terms_table import ALL as TERMS_ROWS

from exchange.policy import decide as decide_module
from exchange.policy.decide import decide
from exchange.policy.packs import load
from exchange.policy.rule import Rule
from exchange.policy.rules import ACTION_RULES, RULES

ROWS: list[Row] = [*RELEASE_ROWS, *TERMS_ROWS, *DUTIES_ROWS]
PREPARED = [(facts(changes), decision, set(reasons)) for _, changes, decision, reasons in ROWS]


def _holds() -> bool:
    for given, decision, reasons in PREPARED:
        result = decide(given, load())
        if result.decision != decision or not reasons <= set(result.reasons):
            return False
    return True


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.id} {rule.title}" for rule in RULES])
def test_without_the_rule_a_row_fails(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = {action: tuple(other for other in rules if other is not rule) for action, rules in ACTION_RULES.items()}
    monkeypatch.setattr(decide_module, "ACTION_RULES", fewer)
    assert not _holds()
