"""Refanging: texts that were made unclickable on purpose ("hxxps://t[.]me/x") are made whole again.

The styles are those seen in published takedown files (Meta, ThreatExchange, HarfangLab, MISP): brackets of
three shapes round a dot, colon, slash or at-sign, spelled-out ``dot`` and ``at`` inside brackets,
``hxxp``, ``h**p`` and ``[h]ttp``, an escaped dot. Only brackets are touched, never plain words, so prose
survives unchanged.
"""

from __future__ import annotations

import re

_OPEN, _CLOSE = r"[\[({]\s*", r"\s*[\])}]"
_WORD_DOT = _OPEN + r"(?:\.|dot|d0t|punkt)" + _CLOSE
_DOT = re.compile(_WORD_DOT + r"|\\\.|\[\.(?=\w)|(?<=\w)\.\]", re.IGNORECASE)
_DOT_APART = re.compile(rf"(?<=\w)\s+{_WORD_DOT}\s*(?=\w)|{_WORD_DOT}\s+(?=\w)", re.IGNORECASE)
_AT = re.compile(_OPEN + r"(?:@|at)" + _CLOSE, re.IGNORECASE)
_AT_APART = re.compile(rf"(?<!\s)\s*{_AT.pattern}\s*", re.IGNORECASE)
_SIGN = re.compile(_OPEN + r"(:(?://)?|//?|www)" + _CLOSE, re.IGNORECASE)
_SCHEME = re.compile(
    r"(?<![a-z0-9])(?:h(?:xx|XX|\*\*|\+\+|__|tx|xt)p|\[h\]ttp|h\[tt\]p|\(h\)ttp|meow|http)(?P<s>[sS]?)"
    r"(?P<colon>\s?:\s?/\s?/|:\\\\|:/(?=[\w\[])|//)",
    re.IGNORECASE | re.ASCII,
)
_PLAIN_SCHEME = {"hxxp": "http", "hxxps": "https"}
_CUT = re.compile(r"(?<![\w.-])t\[\.\]/(?=\+?\w{3})", re.IGNORECASE)
"""Telegram's host without what comes after the dot: ``t[.]/RGUD_bot``."""
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_LAYERS = 30
"""Brackets in brackets that are undone; a text with more is nobody's address, and would cost a pass for each."""
_FANGS = re.compile(r"[\[\](){}\\*+]|[xX][xXtT]|[tT][xX]|__|[mM][eE][oO][wW]|:[ \\]")


def clean(text: str) -> str:
    """The text without invisible characters, no-break spaces made plain, trimmed."""
    if text.isascii():
        return text.strip()
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    return text.replace("\u00a0", " ").replace("\u202f", " ").strip()


def refang(text: str) -> str:
    """The text with every defanging style undone; idempotent, and the text itself where not defanged."""
    text = clean(text)
    if "[.]" in text:
        text = _CUT.sub("t.me/", text).replace("[.]", ".")
    plain = _PLAIN_SCHEME.get(text[:8].lower().partition(":")[0])
    if plain and text.startswith("://", len(plain)):  # nearly all that are defanged: no need for the table
        text = plain + text[len(plain) :]
    for _ in range(_LAYERS):
        if not _FANGS.search(text) or (undone := _undone(text)) == text:
            break
        text = undone
    return text


def _undone(text: str) -> str:
    if " " in text:
        text = _AT_APART.sub("@", _DOT_APART.sub(".", text))
    text = _DOT.sub(".", text)
    text = _AT.sub("@", text)
    text = _SIGN.sub(r"\1", text)
    return _SCHEME.sub(lambda found: "http" + found["s"].lower() + "://", text).strip()


def defang(text: str) -> str:
    """An address that no mail program or terminal makes a link of: ``hxxps[://]lorem[.]org/a``; refang undoes it."""
    scheme, mark, rest = text.partition("://")
    if mark and scheme.lower() in ("http", "https"):
        host, slash, path = rest.partition("/")
        return f"{scheme.lower().replace('tt', 'xx')}[://]{_bracketed(host)}{slash}{path}"
    local, at, host = text.rpartition("@")
    if at:
        return f"{local}[@]{_bracketed(host)}"
    host, slash, path = text.partition("/")
    return _bracketed(host) + slash + path


def _bracketed(host: str) -> str:
    return host.replace(".", "[.]")


def is_defanged(text: str) -> bool:
    """Whether refanging changes the text: its author meant it as something not to click on."""
    return refang(text) != clean(text)
