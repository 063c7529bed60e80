"""How much work one pattern may cost, counted in steps and not in seconds, so that an answer is the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.matcher.pattern.demands import OverBudgetError

BUDGET = 1_000_000
"""Units of work for one pattern, each about a fifth of a microsecond."""
SCANS = 20_000_000
"""Values that all comparisons of one pattern may look at, each about half a microsecond; look-ups cost nothing."""


@dataclass
class Budget:
    """What is left to spend."""

    left: int = BUDGET
    what: str = "too many ways to assign observations to the pattern"
    """What there was too much of, when it is used up."""

    def spend(self, units: int) -> None:
        """Take units; raises OverBudgetError when there are no more."""
        self.left -= units
        if self.left < 0:
            raise OverBudgetError(self.what)
