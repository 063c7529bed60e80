"""LIKE and MATCHES: both on NFC-normalised text, both by RE2, whose time grows with the text and not beyond it.

MATCHES takes Perl-compatible expressions, searches, and lets the full stop match line feeds (STIX 2.1, 9.6.1).
What RE2 can't do without backtracking (references back, look-around, atomic groups) stays undecided.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import re2

from exchange.stix.fault import shown
from exchange.stix.pattern.tokens import refuse

_PCRE = re.compile(
    r"\\[1-9]|\\[gk][{<'0-9-]|\\[GKXRCcEQNhHvVe]|\\u|\\o\{|\(\?[=!>|&RP0-9+-]|\(\?<[=!]|\(\?\(|\(\?#|\(\*[A-Z]"
    r"|\(\?[a-zA-Z-]*[xJX]|[*+?}]\+|\}\{|\[[^\]]*\\[a-zA-Z]"
)
"""What stands only in expressions that Perl's library takes and RE2 doesn't (a hint, asked after RE2 refused)."""
_PIECE = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\(\?#[^)]*\)|\\c.|\\o\{[0-7]+\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|.", re.DOTALL)
_BLANK, _LINES = " \\t\\x{a0}", "\\n\\x0b\\f\\r\\x{85}"
_LETTERS = {
    "\\Z": "(?:\\n?\\z)", "\\e": "\\x1b", "\\N": "[^\\n]", "\\R": "(?:\\r\\n|[\\n\\x0b\\f\\r\\x{85}])", "\\E": "",
    "\\h": f"[{_BLANK}]", "\\H": f"[^{_BLANK}]", "\\v": f"[{_LINES}]", "\\V": f"[^{_LINES}]",
    "\\s": "[\\s\\x0b]", "\\S": "[^\\s\\x0b]",
}
"""What Perl's library means by letters that RE2 doesn't know or takes otherwise (white space: with vertical tabs)."""
_IN_CLASS = {"\\h": _BLANK, "\\v": _LINES, "\\s": "\\s\\x0b", "\\e": "\\x1b", "\\b": "\\x08"}
_MULTILINE = re.compile(r"\(\?[a-zA-Z]*m")
_FREE = re.compile(r"\(\?([a-wyz]*)x([a-wyz]*)\)")
_QUOTED_NAME = re.compile(r"\(\?'(\w+)'")
_CONTROL = 0x40

TextTest = Callable[[Any], bool | None]


def like(template: str) -> TextTest:
    """LIKE: % is any run of characters, line feeds too, _ is one; the whole text must fit (9.6.1)."""
    normal = unicodedata.normalize("NFC", template)
    return _searching(_template(normal), normal)


def _template(normal: str) -> str:
    translated = "".join({"%": ".*", "_": "."}.get(char) or re2.escape(char) for char in normal)
    return f"\\A(?:{translated})\\z"


def searched(operator: str, constant: str) -> str | None:
    """The expression of LIKE or MATCHES in RE2's words, to be searched in NFC text; None where RE2 can't tell.

    Raises StixFault for what is no regular expression.
    """
    normal = unicodedata.normalize("NFC", constant)
    expression = _template(normal) if operator == "LIKE" else _perl(normal)
    if _compiled(expression, False) is None:
        _refuse_nonsense(expression, constant)
        return None
    return expression


def search(expression: str) -> TextTest:
    """MATCHES. Raises StixFault for what is no regular expression; answers None where RE2 can't tell."""
    return _searching(_perl(unicodedata.normalize("NFC", expression)), expression)


def _searching(expression: str, shown_as: str) -> TextTest:
    text_search = _compiled(expression, False)
    if text_search is None:
        _refuse_nonsense(expression, shown_as)
        return lambda value: None if isinstance(value, str | bytes) else False
    latin = expression.isascii() or max(expression) < "\u0100"

    def test(value: Any) -> bool | None:
        """Whether the expression is found in a text, or in octets as Latin-1; None where RE2 can't tell."""
        if isinstance(value, str):
            return text_search(_utf8(unicodedata.normalize("NFC", value))) is not None
        if isinstance(value, bytes) and latin:
            octets_search = _compiled(expression, True)
            return None if octets_search is None else octets_search(value) is not None
        return False

    return test


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=2048)
def _compiled(expression: str, octets: bool) -> Callable[[bytes], Any] | None:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    if octets:
        options.encoding = re2.Options.Encoding.LATIN1
    try:
        compiled = re2.compile(expression.encode("latin-1") if octets else _utf8(expression), options)
    except re2.error:
        return None
    found: Callable[[bytes], Any] = compiled.search
    return found


def _perl(expression: str) -> str:
    """The expression in RE2's words: $ and \\Z also match before a last line feed, as in Perl."""
    by_line = _MULTILINE.search(expression) is not None
    pieces = _PIECE.findall(expression)
    if free := _FREE.match(expression):
        flags = free[1] + free[2]
        pieces = [f"(?{flags})" if flags else "", *_tight(_PIECE.findall(expression[free.end():]))]
    return _QUOTED_NAME.sub(r"(?P<\1>", "".join(_piece(one, by_line) for one in pieces))


def _tight(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of an expression in free form without its white space and comments."""
    comment = False
    for one in pieces:
        if comment or one == "#":
            comment = one != "\n"
        elif not one.isspace():
            yield one


def _piece(piece: str, by_line: bool) -> str:
    if piece == "$" and not by_line:
        return "(?:\\n?\\z)"
    if piece.startswith("(?#"):
        return ""
    if piece.startswith("\\c") and piece[2:].isascii():
        return f"\\x{{{ord(piece[2].upper()) ^ _CONTROL:x}}}"
    if piece.startswith("\\o{"):
        return f"\\x{{{int(piece[3:-1], 8):x}}}"
    if piece.startswith("["):
        return re.sub(r"\\.", lambda hit: _IN_CLASS.get(hit[0], hit[0]), piece, flags=re.DOTALL)
    return _LETTERS.get(piece, piece)


def _refuse_nonsense(expression: str, shown_as: str) -> None:
    """Tell an expression beyond RE2 from text that is no expression at all; the latter raises StixFault."""
    if _PCRE.search(shown_as):
        return
    try:
        re.compile(expression.replace("\\z", "\\Z"))
    except (re.error, OverflowError, RecursionError):
        refuse(f"{shown(shown_as)} after MATCHES is no regular expression.")


def beyond(expression: str) -> str:
    """Why a MATCHES stays undecided."""
    return (f"The regular expression {shown(expression)} needs what can't be searched in bounded time (references"
            " back, look-around, atomic groups, or too many repetitions).")
