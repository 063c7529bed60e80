"""The grammar of STIX patterns, by recursive descent (STIX 2.1, 9; caps of our own against hostile input).

Precedence of observation expressions from loose to tight: FOLLOWEDBY, OR, AND, qualifiers; inside brackets
OR, AND. At the exchange's door at most 10 kB, 200 comparisons and 50 nested parentheses; chains are flat, so no tree is
deeper.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, NoReturn

from exchange.stix.fault import shown
from exchange.stix.pattern.tokens import Token, TooLargeError, number_value, refuse, string_value, tokens, typed_value
from exchange.stix.pattern.tree import (
    KEYWORDS,
    Combination,
    Comparison,
    Constant,
    Expression,
    Logic,
    ObjectPath,
    Observation,
    Pattern,
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Test,
    Timestamp,
    Within,
)
from exchange.stix.timestamp import version_key

MAX_BYTES = 10_240
"""Longest pattern, in bytes of UTF-8."""
MAX_COMPARISONS = 200
"""Most comparisons in a pattern; an IN list is one."""
MAX_NESTING = 50
"""Deepest nesting of parentheses."""



class Limits(NamedTuple):
    """What a reader takes at most."""

    size: int = MAX_BYTES
    comparisons: int = MAX_COMPARISONS
    nesting: int = MAX_NESTING
    idle: bool = False
    """Whether what can never match is taken: STOP no later than START, a list position below 0."""


DOOR = Limits()
WIDE = Limits(4 << 20, 100_000, 80, idle=True)
"""For who only asks whether a pattern matches: no member has to read it."""

_SPACE = r"[ \t\r\n]{0,9}"
_EQUALS = rf"([a-z][a-z0-9-]*):([a-z_][a-z0-9_]*)((?:\.[a-z_][a-z0-9_]*)*){_SPACE}={_SPACE}'([^'\\]*)'"
_ONE = re.compile(_EQUALS)
_PLAIN = _EQUALS.replace("([a", "(?:[a").replace("((?:", "(?:(?:").replace("([^", "(?:[^")
_SIMPLE = re.compile(rf"\[{_SPACE}{_PLAIN}(?:(?: AND {_PLAIN})*|(?: (OR) {_PLAIN})*){_SPACE}\]")
"""One bracket of ``type:property = 'value'`` joined by AND or by OR, as nearly all indicators are: read without
tokens, three times as fast."""
_HAS_KEYWORD = re.compile(r"\b(?:true|false)[:. =]")
"""The keywords that look like names (a hint: one in a value does no harm)."""

_EQUALITY = {"=": "=", "==": "=", "!=": "!=", "<>": "!="}
_ORDER = frozenset(("<", "<=", ">", ">="))
_TEXTUAL = frozenset(("LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"))


def parse(text: str, limits: Limits = DOOR) -> Pattern:
    """The tree of a pattern; raises StixFault (``pattern-invalid``) with the place, and nothing else; TooLargeError is
    the one for what is beyond the limits."""
    return _known(text) if limits is DOOR else _read(text, limits)


@lru_cache(maxsize=64)  # one push parses the same pattern for validity and for what it holds about people
def _known(text: str) -> Pattern:
    return _read(text, DOOR)


def _read(text: str, limits: Limits) -> Pattern:
    if len(text) > limits.size or (not text.isascii() and len(text.encode("utf-8", "replace")) > limits.size):
        refuse(f"it is longer than {limits.size} bytes.", fault=TooLargeError)
    simple = _SIMPLE.fullmatch(text)
    if simple is None or _HAS_KEYWORD.search(text):
        return _Parser(tokens(text), limits).pattern()
    tests: list[Test] = [
        Comparison(ObjectPath(type_name, (first, *more[1:].split(".")) if more else (first,)), "=", value)
        for type_name, first, more, value in _ONE.findall(text)
    ]
    if len(tests) == 1:
        return Pattern(Observation(tests[0]))
    if len(tests) > limits.comparisons:
        refuse(f"it has more than {limits.comparisons} comparisons.", fault=TooLargeError)
    return Pattern(Observation(Logic(simple[1] or "AND", tuple(tests))))


_ALONE = re.compile(rf"\[{_SPACE}{_EQUALS}{_SPACE}\]")


def single_equality(text: str) -> tuple[str, str] | None:
    """Path (as ``ObjectPath.text`` has it) and value of ``[type:property = 'value']``, without making a tree.

    None for every other pattern, and where the tree would write the path otherwise.
    """
    found = _ALONE.fullmatch(text)
    if found is None or len(text) > MAX_BYTES // 4:
        return None
    type_name, first, more, value = found.groups()
    if type_name in KEYWORDS or first in KEYWORDS or (more and not KEYWORDS.isdisjoint(more[1:].split("."))):
        return None
    return f"{type_name}:{first}{more}", value


class _Parser:
    def __init__(self, found: list[Token], limits: Limits) -> None:
        self._tokens = found
        self._limits = limits
        self._position = 0
        self._now = found[0]
        self._comparisons = 0
        self._depth = 0

    def pattern(self) -> Pattern:
        """The whole pattern (STIX 2.1, 9.2). Raises StixFault."""
        expression = self._followed()
        if self._now.kind != "end":
            self._unexpected("the end, AND, OR, FOLLOWEDBY or a qualifier")
        return Pattern(expression)

    # -- moving along ----------------------------------------------------------------------------

    def _step(self) -> Token:
        token = self._now
        self._position += 1
        self._now = self._tokens[self._position]
        return token

    def _at(self, text: str) -> bool:
        return self._now.text == text and self._now.kind in ("sign", "keyword")

    def _take(self, text: str) -> bool:
        if self._now.text == text and self._now.kind in ("sign", "keyword"):
            self._step()
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._unexpected(text)

    def _unexpected(self, wanted: str) -> NoReturn:
        found = "the pattern ends" if self._now.kind == "end" else f"{shown(self._now.text)} stands"
        refuse(f"{found} where {wanted} is expected.", self._now.at)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > self._limits.nesting:
            refuse(f"parentheses are nested deeper than {self._limits.nesting}.", self._now.at, TooLargeError)

    # -- observation expressions -----------------------------------------------------------------

    def _followed(self) -> Expression:
        return self._combined("FOLLOWEDBY", self._either)

    def _either(self) -> Expression:
        return self._combined("OR", self._both)

    def _both(self) -> Expression:
        return self._combined("AND", self._qualified)

    def _combined(self, operator: str, part: Callable[[], Expression]) -> Expression:
        first = part()
        if not self._at(operator):
            return first
        operands = [first]
        while self._take(operator):
            operands.append(part())
        return Combination(operator, tuple(operands))

    def _qualified(self) -> Expression:
        expression = self._observation()
        if self._now.kind != "keyword":
            return expression
        qualifiers: list[Qualifier] = []
        at = self._now.at
        while (qualifier := self._qualifier()) is not None:
            if any(type(one) is type(qualifier) for one in qualifiers):
                refuse("a qualifier of this kind stands here already.", at)
            qualifiers.append(qualifier)
            at = self._now.at
        return Qualified(expression, tuple(qualifiers)) if qualifiers else expression

    def _observation(self) -> Expression:
        if self._take("["):
            test = self._any()
            self._need("]")
            return Observation(test)
        if not self._at("("):
            self._unexpected("[ or (")
        self._enter()
        self._step()
        inner = self._followed()
        self._need(")")
        self._depth -= 1
        return inner

    def _qualifier(self) -> Qualifier | None:
        at = self._now.at
        if self._take("WITHIN"):
            seconds = self._number()
            self._need("SECONDS")
            if seconds <= 0:
                refuse("WITHIN needs a number above 0.", at)
            return Within(seconds)
        if self._take("REPEATS"):
            times = self._number()
            self._need("TIMES")
            if not isinstance(times, int) or times < 1:
                refuse("REPEATS needs a whole number above 0.", at)
            return Repeats(times)
        if self._take("START"):
            start = self._time()
            self._need("STOP")
            stop = self._time()
            if not self._limits.idle and version_key(stop) <= version_key(start):
                refuse("STOP must be later than START.", at)
            return StartStop(start, stop)
        return None

    def _number(self) -> int | float:
        if self._now.kind != "number":
            self._unexpected("a number")
        return number_value(self._step())

    def _time(self) -> str:
        if self._now.kind == "typed":
            value = typed_value(self._now)
            if isinstance(value, Timestamp):
                self._step()
                return value.text
        return self._unexpected("a timestamp such as t'2026-01-31T12:00:00Z'")

    # -- comparison expressions ------------------------------------------------------------------

    def _any(self) -> Test:
        return self._joined("OR", self._all)

    def _all(self) -> Test:
        return self._joined("AND", self._test)

    def _joined(self, operator: str, part: Callable[[], Test]) -> Test:
        first = part()
        if not self._at(operator):
            return first
        operands = [first]
        while self._take(operator):
            operands.append(part())
        return Logic(operator, tuple(operands))

    def _test(self) -> Test:
        if self._at("("):
            self._enter()
            self._step()
            inner = self._any()
            self._need(")")
            self._depth -= 1
            return inner
        self._count()
        negated = self._take("NOT")
        if self._take("EXISTS"):
            return Comparison(self._path(), "EXISTS", None, negated)
        if negated:
            self._unexpected("EXISTS (elsewhere NOT stands behind the object path)")
        return self._comparison(self._path())

    def _count(self) -> None:
        self._comparisons += 1
        if self._comparisons > self._limits.comparisons:
            refuse(f"it has more than {self._limits.comparisons} comparisons.", self._now.at, TooLargeError)

    def _comparison(self, path: ObjectPath) -> Comparison:
        negated = self._take("NOT")
        token = self._now
        if token.text in _EQUALITY and token.kind == "sign":
            self._step()
            return Comparison(path, _EQUALITY[token.text], self._constant(), negated)
        if token.text in _ORDER and token.kind == "sign":
            self._step()
            at, value = self._now.at, self._constant()
            if isinstance(value, bool):
                refuse("true and false have no order; compare them with = or !=.", at)
            return Comparison(path, token.text, value, negated)
        if token.kind == "keyword" and token.text in _TEXTUAL:
            self._step()
            if self._now.kind != "string":
                self._unexpected("a string")
            return Comparison(path, token.text, string_value(self._step()), negated)
        if self._take("IN"):
            return Comparison(path, "IN", self._set(), negated)
        return self._unexpected("a comparison operator such as =")

    def _set(self) -> tuple[Constant, ...]:
        self._need("(")
        values: list[Constant] = []
        while not self._at(")"):
            if values:
                self._need(",")
            values.append(self._constant())
        self._step()
        return tuple(values)

    def _constant(self) -> Constant:
        token = self._now
        if token.kind == "string":
            self._step()
            return string_value(token)
        if token.kind == "number":
            self._step()
            return number_value(token)
        if token.kind == "typed":
            self._step()
            return typed_value(token)
        if self._take("true"):
            return True
        if self._take("false"):
            return False
        return self._unexpected("a value such as 'text', 5 or t'2026-01-31T12:00:00Z'")

    # -- object paths ----------------------------------------------------------------------------

    def _path(self) -> ObjectPath:
        if self._now.kind != "word":
            self._unexpected("an object path such as domain-name:value")
        type_name = self._step().text
        self._need(":")
        steps: list[str | int | None] = [self._key()]
        while True:
            if self._take("."):
                steps.append(self._key())
            elif self._take("["):
                steps.append(self._index())
                self._need("]")
            else:
                return ObjectPath(type_name, tuple(steps))

    def _key(self) -> str:
        token = self._now
        if token.kind == "string":
            self._step()
            return string_value(token)
        if token.kind == "word":
            if "-" in token.text:
                refuse(f"the key {shown(token.text)} holds a hyphen; write it in quotes.", token.at)
            self._step()
            return token.text
        return self._unexpected("a property name (in quotes if it is a word of the pattern language)")

    def _index(self) -> int | None:
        if self._take("*"):
            return None
        token = self._now
        if token.kind != "number" or "." in token.text:
            self._unexpected("a list position such as 0, or *")
        value = int(number_value(self._step()))
        if value < 0 and not self._limits.idle:  # in the grammar; 9.7.2 calls it out of range, and readers crash on it
            refuse("a list position is 0 or above.", token.at)
        return value
