"""The words of the STIX pattern language: one regular expression without backtracking, literals decoded."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple, NoReturn

from exchange.stix.fault import PATTERN_INVALID, StixFault, shown
from exchange.stix.pattern.tree import KEYWORDS, Octets, Timestamp
from exchange.stix.timestamp import version_key

_MASTER = re.compile(
    r"""
      (?P<space>(?:[\ \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+
        | //[^\r\n]* | /\*[^*]*\*+(?:[^/*][^*]*\*+)*/ )+)
    | (?P<typed>[tbh]'[^'\\]*')
    | (?P<string>'[^'\\]*(?:\\['\\][^'\\]*)*')
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    | (?P<number>[+-]?(?:[0-9]*\.[0-9]+|[0-9]+))
    | (?P<sign><=|>=|!=|<>|==|[=<>\[\]().:,*])
    | (?P<none>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""The last matches what starts no token: else each later place would be tried, to the end of what isn't closed."""

_MAX_NUMBER = 400


class Token(NamedTuple):
    """One word: ``kind`` is typed, string, word, keyword, number, sign or end."""

    kind: str
    text: str
    at: int
    """Offset in characters."""


def tokens(text: str) -> list[Token]:
    """All tokens with an ``end`` last; raises StixFault at the first character that starts none."""
    found: list[Token] = []
    at = 0
    for hit in _MASTER.finditer(text):
        kind = hit.lastgroup or ""
        if kind == "none":
            break
        if kind != "space":
            word = hit[0]
            found.append(Token("keyword" if kind == "word" and word in KEYWORDS else kind, word, at))
        at = hit.end()
    if at != len(text):
        _refuse_character(text, at)
    found.append(Token("end", "", at))
    return found


class TooLargeError(StixFault):
    """A pattern beyond the caps of its reader: what it says isn't known, it may be right."""


def refuse(sentence: str, at: int | None = None, fault: type[StixFault] = StixFault) -> NoReturn:
    """Raise the fault of a pattern; ``at`` is an offset in characters, told from 1."""
    place = "" if at is None else f" at character {at + 1}"
    word = "is wrong" if fault is StixFault else "is too large"
    raise fault(PATTERN_INVALID, "pattern", f"The STIX pattern {word}{place}: {sentence}") from None


def _refuse_character(text: str, at: int) -> NoReturn:
    if text[at] == "'" or text[at : at + 2] in ("t'", "b'", "h'"):
        end = re.compile(r"'[^'\\]*(?:\\['\\][^'\\]*)*").match(text, text.index("'", at))
        stopped = end.end() if end else at
        if stopped < len(text) and text[stopped] == "\\":
            refuse("a backslash in a string stands before ' or \\ only; write it twice.", stopped)
        refuse("a string isn't closed; end it with '.", at)
    if text.startswith("/*", at):
        refuse("a comment isn't closed; end it with */.", at)
    refuse(f"{shown(text[at])} can't stand here.", at)


def string_value(token: Token) -> str:
    """The text of a string literal."""
    inner = token.text[1:-1]
    return inner if "\\" not in inner else re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def number_value(token: Token) -> int | float:
    """An integer exactly, or a finite float. A leading zero, as in 007, is refused as the grammar does."""
    text = token.text
    if len(text) > _MAX_NUMBER:
        refuse(f"a number has more than {_MAX_NUMBER} digits.", token.at)
    if "." in text:
        return float(text)
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        refuse(f"the number {shown(text)} starts with 0.", token.at)
    return int(text)


def typed_value(token: Token) -> Timestamp | Octets:
    """The value of t'…', b'…' or h'…'."""
    kind, inner = token.text[0], token.text[2:-1]
    if kind == "t":
        try:
            version_key(inner)
        except ValueError as error:
            refuse(f"{error}.", token.at)
        return Timestamp(inner)
    try:
        if kind == "h":
            return Octets(binascii.unhexlify(inner), "h")
        return Octets(base64.b64decode(re.sub(r"[\r\n]", "", inner), validate=True), "b")  # 9.2: feeds don't count
    except ValueError:
        refuse(f"{shown(token.text)} is not " + ("hexadecimal." if kind == "h" else "base64."), token.at)
