"""Perl-compatible regular expressions by PCRE2 itself, for what RE2 can't search: so many steps and no more.

PCRE2 says what is an expression at all (STIX 2.1, 9.6.1), and searches where RE2 can't or means something else. It goes
back and tries again, so a stranger's expression could keep it for ever. It counts the points it can go back to, anew
from each place of the text, so a search takes at most that limit times the length: small limits come first, and the
budget pays for the worst case before it begins.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pcre2

from exchange.matcher.pattern.budget import Budget

_LIMITS = (30, 3_000, 300_000)
"""Points to go back to from one place of a text, tried one after the other."""
_STEPS_PER_UNIT, _LONG, _GROUPS = 10, 100, 50
"""Steps in a unit of the budget; characters that are run through in the time of one; groups that double its price."""
_MEMORY = 65_536
"""KiB of points to go back to."""
_TOO_LARGE = frozenset((119, 120, 121, 135, 149, 183, 185, 186, 187, 188, 197))
"""Errors of PCRE2 that say that an expression is beyond the library, not that it is none."""
_HEX = re.compile(r"(\\Q.*?(?:\\E|\Z))|\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2}))|\\.", re.DOTALL)
_OCTET, _SHORT, _LAST = 0x100, 0x10000, 0x10FFFF


class NonsenseError(ValueError):
    """A text is no regular expression; says why."""


def is_searchable(expression: str) -> bool:
    """Whether PCRE2 can search by an expression; no where it is too large. Raises NonsenseError if it is none."""
    try:
        _compiled(expression, False, _LIMITS[0])
    except pcre2.PatternError as error:
        if error.code in _TOO_LARGE:
            return False
        raise NonsenseError(error.msg.rpartition("; ")[2]) from error
    return True


def found(expression: str, value: str | bytes, budget: Budget) -> bool | None:
    """Whether an expression that ``is_searchable`` is found in a text, or in octets; None if that takes too many steps.

    Octets aren't Unicode: letters are those of ASCII (9.6.1). Raises OverBudgetError when the budget is used up.
    """
    octets = isinstance(value, bytes)
    length = len(value) + 1
    runs = sum(map(expression.count, "*+{"))
    weight = 1 + expression.count("(") // _GROUPS  # each point to go back to keeps what all groups hold
    for limit in _LIMITS:
        budget.spend((limit + runs) * weight * length // _STEPS_PER_UNIT * (1 + length // _LONG))
        try:
            return _compiled(expression, octets, limit).search(value) is not None
        except pcre2.PatternError:
            return False  # names a letter that no octet is
        except pcre2.LibraryError:
            continue
    return None


@lru_cache(maxsize=2048)
def _compiled(expression: str, octets: bool, limit: int) -> Any:
    # 10.47 gets lazy repetitions wrong that it makes possessive: \D+?\P{Lu}\t*? isn't found in ab
    words = f"(*NO_AUTO_POSSESS)(*LIMIT_MATCH={limit})(*LIMIT_HEAP={_MEMORY})" + _HEX.sub(_in_short, expression)
    try:
        return pcre2.compile(words.encode("latin-1") if octets else words, pcre2.DOTALL, jit=False)  # steps: no JIT
    except UnicodeEncodeError:
        return pcre2.compile(b"(?!)", jit=False)


def _in_short(hit: re.Match[str]) -> str:
    r"""``\x{…}`` and ``\xh`` in the words of this binding, which sets an option that takes them for letters."""
    if hit[1] is not None or not hit[0].startswith("\\x"):
        return hit[0]
    code = int(hit[2] or hit[3] or "0", 16)
    if code > _LAST:
        raise NonsenseError("character code point value is too large")
    if code >= _SHORT:
        return chr(code)
    return f"\\x{code:02x}" if code < _OCTET else f"\\u{code:04x}"
