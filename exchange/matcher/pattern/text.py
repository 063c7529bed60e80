"""LIKE and MATCHES: both on NFC-normalised text, by RE2 wherever it says the same as Perl's library.

MATCHES takes Perl-compatible expressions, searches, and lets the full stop match line feeds; in texts letters, digits,
white space and the bounds of words are those of Unicode, in octets those of ASCII (STIX 2.1, 9.6.1). RE2's time grows
with the text and not beyond it; what it can't do (references back, look-around, atomic groups, bounds of words in
other letters) is PCRE2's, within a budget (``perl``), and undecided beyond it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import re2

from exchange.matcher.pattern import perl
from exchange.matcher.pattern.budget import Budget
from exchange.stix.fault import shown
from exchange.stix.pattern.tokens import refuse

_PIECE = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\(\?#[^)]*\)|\\c.|\\o\{[0-7]+\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|.", re.DOTALL)
_LETTERS = {
    "\\Z": "(?:\\n?\\z)", "\\e": "\\x1b", "\\N": "[^\\n]", "\\E": "", "\\s": "[\\s\\x0b]", "\\S": "[^\\s\\x0b]",
    "\\h": "[ \\t\\xa0]", "\\H": "[^ \\t\\xa0]", "\\v": "[\\n-\\r\\x85]", "\\V": "[^\\n-\\r\\x85]",
}
"""What Perl's library means by letters that RE2 doesn't know or takes otherwise (white space: with vertical tabs)."""
_WORD = "\\p{L}\\p{N}\\p{Mn}\\p{Pc}"
_BLANK = "\\t \\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}"
_LINES = "\\n-\\r\\x{85}\\x{2028}\\x{2029}"
_UNICODE_LETTERS = {
    **_LETTERS, "\\d": "\\p{Nd}", "\\D": "\\P{Nd}", "\\w": f"[{_WORD}]", "\\W": f"[^{_WORD}]",
    "\\s": f"[{_BLANK}{_LINES}]", "\\S": f"[^{_BLANK}{_LINES}]",
    "\\h": f"[{_BLANK}]", "\\H": f"[^{_BLANK}]", "\\v": f"[{_LINES}]", "\\V": f"[^{_LINES}]",
}
"""The same in texts."""
_IN_CLASS = {"\\h": " \\t\\xa0", "\\v": "\\n-\\r\\x85", "\\s": "\\s\\x0b", "\\e": "\\x1b", "\\b": "\\x08"}
_IN_UNICODE_CLASS = {
    **_IN_CLASS, "\\h": _BLANK, "\\v": _LINES, "\\s": _BLANK + _LINES, "\\d": "\\p{Nd}", "\\D": "\\P{Nd}", "\\w": _WORD,
}
_MULTILINE = re.compile(r"\(\?\^?[a-zA-Z]*m")
_OTHERWISE = re.compile(
    _MULTILINE.pattern + r"|(?<!\\)(?:\$|\\Z)\)*[^)|]|\[[^\]]*\\S|\\N\{|\{(?:[\t ,]|\d+[\t ]|\d+,\d*[\t ])")
"""What RE2 takes but means otherwise: many lines, an end that something follows, a class with all but white space,
letters by number, how often without a least."""
_ASCII_ONLY = re.compile(r"\\[bB]|\[[^\]]*(?:\\W|\[:)")
"""What RE2 knows of ASCII alone."""
_CASELESS = re.compile(r"\(\?\^?[a-zA-Z]*i")
"""What RE2 takes for Latin letters in octets."""
_FREE = re.compile(r"\(\?([a-wyz]*)x([a-wyz]*)\)")
_QUOTED_NAME = re.compile(r"\(\?'(\w+)'")
_CONTROL = 0x40

TextTest = Callable[[Any], bool | None]


def like(template: str) -> TextTest:
    """LIKE: % is any run of characters, line feeds too, _ is one; the whole text must fit (9.6.1)."""
    expression = _template(_normal(template))
    in_text, in_octets = _compiled(expression, False), None
    if expression.isascii() or max(expression) < "\u0100":
        in_octets = _compiled(expression, True)

    def test(value: Any) -> bool | None:
        """Whether a text, or octets as Latin-1, are as the template says; None where it is too large."""
        if isinstance(value, str):
            return None if in_text is None else in_text(_normal(value).encode()) is not None
        if isinstance(value, bytes):
            return in_octets is not None and in_octets(value) is not None
        return False

    return test


def _template(normal: str) -> str:
    translated = "".join({"%": ".*", "_": "."}.get(char) or re2.escape(char) for char in normal)
    return f"\\A(?:{translated})\\z"


def searched(operator: str, constant: str) -> str | None:
    """The expression of LIKE or MATCHES in RE2's words, to be searched in NFC text; None where RE2 can't tell.

    The bounds of words are those of ASCII. Raises StixFault for what is no regular expression.
    """
    normal = _normal(constant)
    if operator == "MATCHES":
        _is_searchable(normal)
    expression = _template(normal) if operator == "LIKE" else _perl(normal, False)
    return None if _compiled(expression, False) is None else expression


def search(expression: str, budget: Budget) -> TextTest:
    """MATCHES. Raises StixFault for what is no regular expression; the test answers None where neither engine can tell,
    and raises OverBudgetError when PCRE2 would take more than the budget."""
    normal = _normal(expression)
    perls = _is_searchable(normal)
    in_text, in_octets = _compiled(_perl(normal, False), False), None
    if normal.isascii() or max(normal) < "\u0100":
        in_octets = _compiled(_perl(normal, True), True)
    otherwise = perls and _OTHERWISE.search(normal) is not None
    ascii_only = perls and _ASCII_ONLY.search(normal) is not None
    latin_case = perls and _CASELESS.search(normal) is not None

    def by_perl(value: str | bytes) -> bool | None:
        """What PCRE2 says."""
        return perl.found(normal, value, budget) if perls else None

    def test(value: Any) -> bool | None:
        """Whether the expression is found in a text, or in octets; None where neither engine can tell."""
        if isinstance(value, str):
            text = _normal(value)
            if in_text is None or otherwise or (ascii_only and not text.isascii()):
                return by_perl(text)
            return in_text(text.encode()) is not None
        if isinstance(value, bytes):
            if in_octets is None or otherwise or latin_case:
                return by_perl(value)
            return in_octets(value) is not None
        return False

    return test


def _is_searchable(expression: str) -> bool:
    """Whether PCRE2 can search by an expression. Raises StixFault for what is none."""
    try:
        return perl.is_searchable(expression)
    except perl.NonsenseError as error:
        refuse(f"{shown(expression)} after MATCHES is no regular expression ({error}).")


def _normal(text: str) -> str:
    """A text in NFC that UTF-8 can hold."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).encode("utf-8", "replace").decode()


@lru_cache(maxsize=2048)
def _compiled(expression: str, octets: bool) -> Callable[[bytes], Any] | None:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    if octets:
        options.encoding = re2.Options.Encoding.LATIN1
    try:
        compiled = re2.compile(expression.encode("latin-1" if octets else "utf-8"), options)
    except re2.error:
        return None
    found: Callable[[bytes], Any] = compiled.search
    return found


def _perl(expression: str, octets: bool) -> str:
    """The expression in RE2's words: $ and \\Z also match before a last line feed, as in Perl."""
    by_line = _MULTILINE.search(expression) is not None
    pieces = _PIECE.findall(expression)
    if free := _FREE.match(expression):
        flags = free[1] + free[2]
        pieces = [f"(?{flags})" if flags else "", *_tight(_PIECE.findall(expression[free.end():]))]
    return _QUOTED_NAME.sub(r"(?P<\1>", "".join(_piece(one, by_line, octets) for one in pieces))


def _tight(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of an expression in free form without its white space and comments."""
    comment = False
    for one in pieces:
        if comment or one == "#":
            comment = one != "\n"
        elif not one.isspace():
            yield one


def _piece(piece: str, by_line: bool, octets: bool) -> str:
    if piece == "$" and not by_line:
        return "(?:\\n?\\z)"
    if piece.startswith("(?#"):
        return ""
    if piece.startswith("\\c") and piece[2:].isascii():
        return f"\\x{{{ord(piece[2].upper()) ^ _CONTROL:x}}}"
    if piece.startswith("\\o{"):
        return f"\\x{{{int(piece[3:-1], 8):x}}}"
    if piece.startswith("["):
        letters = _IN_CLASS if octets else _IN_UNICODE_CLASS
        return re.sub(r"\\.", lambda hit: letters.get(hit[0], hit[0]), piece, flags=re.DOTALL)
    return (_LETTERS if octets else _UNICODE_LETTERS).get(piece, piece)


def beyond(expression: str) -> str:
    """Why an expression isn't searched on the platform's tables, where there is RE2 alone."""
    return (f"The regular expression {shown(expression)} needs what can't be searched in bounded time (references"
            " back, look-around, atomic groups, or too many repetitions).")


def too_many_steps(expression: str) -> str:
    """Why a MATCHES stays undecided."""
    return f"To search by the regular expression {shown(expression)} takes more steps than it may."
