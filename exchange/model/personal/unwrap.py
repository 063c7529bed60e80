"""The ways in which a text hides another one, undone: the text as it stands, folded, and decoded layer by layer.

Encodings may be nested (a percent-encoded base64 of an address); depth, number and length of what is looked at
are bounded, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import unquote

from exchange.model.identifiers.refang import refang

_DEEPEST, _MOST, _LONGEST = 4, 60, 200_000
_MOST_CHARACTERS = 120_000
"""Of all forms of a text together: no text costs more than some seconds, however many disguises it wears."""
_SHORTEST_TOKEN, _MOST_TOKENS = 8, 200
_DIGITS = 5
"""Digits that a run must have for its letters to be read as digits too."""
_UNSEEN = ("Mn", "Me", "Cf")
_SIGNS = str.maketrans({
    "ⓐ": "@", "⒜": "@", "﹫": "@", "＠": "@", "➕": "+", "˖": "+",
    "。": ".", "｡": ".", "․": ".", "·": ".", "•": ".", "∙": ".", "⋅": ".", "۔": ".", "ꓸ": ".", "﹒": ".",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "﹣": "-", "⁃": "-",
    "ı": "i", "ł": "l", "ø": "o", "⁄": "/", "∕": "/",
    **{chr(0xE0000 + code): chr(code) for code in range(0x20, 0x7F)},  # tags: letters that nobody sees
})  # fmt: skip
_ALIKE = str.maketrans(dict(zip(
    "аеорсухіјѕԁһԛԝԍνкмтвнАВЕКМНОРСТУХІЈЅЗαοριυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧɡɑ",
    "aeopcyxijsdhqwgvkmtbhABEKMHOPCTYXIJS3aopiukABEZHIKMNOPTYXga", strict=True)))  # fmt: skip
"""Letters of other scripts that look like Latin ones."""
_DIGITS_ALIKE = str.maketrans("OoQDIl|!SsBZz", "0000111155822")
_NEARLY_NUMBER = re.compile(r"(?<![A-Za-z])[\dOoQDIl|!SsBZz+()./\s-]{8,40}(?![A-Za-z])")
_WORD_ALONE = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{3,}(?![0-9A-Za-z])")
_ESCAPE = re.compile(r"\\u\{?([0-9a-fA-F]{2,6})\}?|\\x([0-9a-fA-F]{2})|U\+([0-9a-fA-F]{4,6})")
_QUOTED_PRINTABLE = re.compile(r"=([2-7][0-9A-Fa-f])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"\b[A-Z2-7]{16,}={0,6}")
_HEX = re.compile(r"(?:0x|\\x)?(?:[0-9a-fA-F]{2}[\s:,-]?(?:0x|\\x)?){6,}[0-9a-fA-F]?")
_READABLE_RUN = re.compile(rb"[ -~]{7,}")
_CODES = re.compile(r"(?<!\d)(?:\d{2,3}[ ,;]+){6,}\d{2,3}(?!\d)")
_BITS = re.compile(r"(?<![01])(?:[01]{8}[ ,]?){6,}(?![01])")
_OCTAL = re.compile(r"(?<!\d)(?:[01]?[0-7]{2}[ ,]+){6,}[01]?[0-7]{2}(?!\d)")
_UNPACKED = 10_000
_APART = re.compile(r"(?<!\S)(?:\S[ \t._*|~-]){5,}\S(?!\S)")
OPAQUE = re.compile(
    r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
    r"|(?<![0-9A-Za-z])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{16,}(?![0-9A-Za-z])")
"""UUIDs and hashes: their digits are no numbers of anybody."""
_SEAM = re.compile(r"(?<=[A-Za-z]{3})(?=[+(]?\d)|(?<=\d{3})(?=[A-Za-z]{3})|(?<=[A-Za-z][.,;:!?])(?=[+(]?\d)")
_GAPS = re.compile(r"[ \t*|~]")
_NUMERALS = {
    "zero": "0", "oh": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "plus": "+",
    **{word: str(number) for words in (
        "null eins zwei drei vier funf sechs sieben acht neun", "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "zero un deux trois quatre cinq six sept huit neuf", "zero um dois tres quatro cinco seis sete oito nove",
        "zero uno due tre quattro cinque sei sette otto nove",
        "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
        "ноль один два три четыре пять шесть семь восемь девять", "sifir bir iki uc dort bes alti yedi sekiz dokuz",
    ) for number, word in enumerate(words.split())},
}  # fmt: skip
_NUMERAL = "|".join(_NUMERALS)
_SPELLED_NUMBER = re.compile(rf"\b(?:(?:{_NUMERAL}|double|triple|\d)[\s,.-]+){{5,}}(?:{_NUMERAL}|\d)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+|\+")
_AT = (r"(?:at|ät|arrobas?|arobase|klammeraffe|apenstaartje|sobaka|собака|zavinac|chez|chiocciola|commat|at-sign|malpa"
       r"|kukac|snabel-a)")  # fmt: skip
_DOT = r"(?:dot|d0t|punkt|punto|ponto|point|period|full stop|nokta)"
_OPEN, _CLOSE = r"\s{0,9}[\[({<_*|~^\"'/\\-]{1,9}+\s{0,9}+", r"\s{0,9}[\])}>_*|~^\"'/\\-]{1,9}\s{0,9}"
_SPELLED_AT = re.compile(
    rf"(?<=\w)(?:{_OPEN}(?:{_AT}|@){_CLOSE}|\s{{0,9}}[\[({{<]a[\])}}>]\s{{0,9}})(?=\w)", re.IGNORECASE)
_SPELLED_DOT = re.compile(rf"(?<=\w){_OPEN}(?:{_DOT}|\.){_CLOSE}(?=\w)", re.IGNORECASE)
_BARE_DOT = re.compile(rf"(?<=\w)\s+{_DOT}\s+(?=\w)", re.IGNORECASE)
_BARE_AT = re.compile(rf"(?<=\w)\s+{_AT}\s+(?=[\w-]+\.\w)", re.IGNORECASE)


def fold(text: str) -> str:
    """The text without accents, invisible and combining characters, in plain digits and signs (NFKD)."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS)).translate(_SIGNS)
    return "".join(_plain(one) for one in plain if unicodedata.category(one) not in _UNSEEN)


def views(text: str) -> Iterator[tuple[str, str]]:
    """The text folded, then every form that undoing a disguise gives, each once, with the name of the disguise."""
    queue = [("", fold(text[:_LONGEST]), 0)]
    seen: set[str] = set()
    characters = 0
    while queue and len(seen) < _MOST and characters < _MOST_CHARACTERS:
        how, view, depth = queue.pop(0)
        if view in seen or not view.strip():
            continue
        seen.add(view)
        characters += len(view)
        yield how, view
        if depth < _DEEPEST:
            queue += [(how or name, fold(undone), depth + 1)
                      for name, undo in _DISGUISES for undone in undo(view) if undone != view]  # fmt: skip


def _plain(one: str) -> str:
    digit = unicodedata.digit(one, None)
    if digit is not None:
        return str(digit)
    return " " if unicodedata.category(one) == "Zs" else one


def _percent(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text)


def _entities(text: str) -> Iterator[str]:
    if "&" in text:
        yield html.unescape(text)


def _escapes(text: str) -> Iterator[str]:
    if "\\" in text or "U+" in text:
        yield _ESCAPE.sub(lambda found: _character(next(filter(None, found.groups())), 16), text)


def _quoted_printable(text: str) -> Iterator[str]:
    if "=" in text:
        yield _QUOTED_PRINTABLE.sub(lambda found: _character(found[1], 16), text)


def _alike(text: str) -> Iterator[str]:
    if not text.isascii():
        yield text.translate(_ALIKE)


def _digits_alike(text: str) -> Iterator[str]:
    """``4lll 1111 1111 1111``: of runs that are digits for the most part."""
    yield _NEARLY_NUMBER.sub(_read_as_digits, text)


def _read_as_digits(found: re.Match[str]) -> str:
    run = found[0]
    if sum(map(str.isdigit, run)) < _DIGITS or _WORD_ALONE.search(run):
        return run
    return run.translate(_DIGITS_ALIKE)


def _defanged(text: str) -> Iterator[str]:
    yield refang(text)


def _spelled(text: str) -> Iterator[str]:
    """``jane (at) lorem (dot) example``, ``jane at lorem dot example``."""
    dotted = _BARE_DOT.sub(".", _SPELLED_DOT.sub(".", text))
    whole = _SPELLED_AT.sub("@", dotted)
    if dotted != text:  # only beside a dot that is spelled: "hosted at lorem.example" is prose
        whole = _BARE_AT.sub("@", whole)
    yield whole


def _numerals(text: str) -> Iterator[str]:
    yield _SPELLED_NUMBER.sub(_as_digits, text)


def _as_digits(found: re.Match[str]) -> str:
    digits, times = "", 1
    for word in _WORD.findall(found[0].lower()):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        digits += _NUMERALS.get(word, word) * times
        times = 1
    return digits


def _glued(text: str) -> Iterator[str]:
    """``lorem415-555-0123``: numbers apart from the words before and behind them; hashes are left out."""
    yield _SEAM.sub(" ", OPAQUE.sub(" ; ", text))


def _spaced(text: str) -> Iterator[str]:
    """``j a n e @ l o r e m . e x a m p l e``."""
    yield _APART.sub(lambda found: _GAPS.sub("", found[0]), text)


def _codes(text: str) -> Iterator[str]:
    """Characters by their decimal codes."""
    for found in _some(_CODES, text):
        numbers = [int(number) for number in re.findall(r"\d+", found)]
        if all(32 <= number < 127 for number in numbers):
            yield "".join(map(chr, numbers))


def _bits(text: str) -> Iterator[str]:
    """Characters by their codes in binary, eight digits each, or in octal."""
    for found in _some(_BITS, text):
        bits = re.sub(r"[ ,]", "", found)
        yield from _readable(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)))
    for found in _some(_OCTAL, text):
        yield from _readable(bytes(int(code, 8) for code in re.findall(r"\d+", found)))


def _hexadecimal(text: str) -> Iterator[str]:
    for found in _some(_HEX, text):
        digits = re.sub(r"0x|\\x|[\s:,-]", "", found)
        for start in (0, 1):  # something else may be glued to it
            pairs = digits[start:]
            yield from _readable(bytes.fromhex(pairs[: len(pairs) // 2 * 2]))


def _base64(text: str) -> Iterator[str]:
    tokens = list(_some(_BASE64, text))
    if len(text) < _LONGEST // 10 and re.fullmatch(r"[A-Za-z0-9+/=_\s-]{12,}", text):
        tokens.append(re.sub(r"\s", "", text))
    for token in tokens:
        whole = token.rstrip("=").replace("-", "+").replace("_", "/")
        for start in range(4):  # something else may be glued to it
            bare = whole[start : start + (len(whole) - start) // 4 * 4 + (len(whole) - start) % 4 // 2 * 4]
            try:
                yield from _readable(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
            except binascii.Error:
                continue


def _base32(text: str) -> Iterator[str]:
    for token in _some(_BASE32, text):
        bare = token.rstrip("=")
        try:
            yield from _readable(base64.b32decode(bare + "=" * (-len(bare) % 8)))
        except binascii.Error:
            continue


def _readable(data: bytes) -> Iterator[str]:
    """The bytes as text, where they are one, else what in them is one: of digests and pictures next to nothing."""
    if data[:2] == b"\x1f\x8b" or (data[:1] == b"\x78" and len(data) > 8):
        with suppress(zlib.error):
            data = zlib.decompressobj(47).decompress(data, _UNPACKED)  # 47: gzip or zlib, as its head says
    plain = data.replace(b"\0", b"")
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        text = ""
    if len(text) >= 4 and text.isprintable():
        yield text
    else:
        yield from (run.decode() for run in _READABLE_RUN.findall(plain))


def _some(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for number, found in enumerate(pattern.finditer(text)):
        if number >= _MOST_TOKENS:
            return
        yield found[0]


def _character(code: str, base: int) -> str:
    number = int(code, base)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""


_DISGUISES: tuple[tuple[str, Callable[[str], Iterator[str]]], ...] = (
    ("percent-encoding", _percent),
    ("HTML entities", _entities),
    ("character escapes", _escapes),
    ("quoted-printable", _quoted_printable),
    ("letters that look alike", _alike),
    ("letters that look like digits", _digits_alike),
    ("defanging", _defanged),
    ("spelling it out", _spelled),
    ("numerals in words", _numerals),
    ("blanks between characters", _spaced),
    ("writing it together", _glued),
    ("character codes", _codes),
    ("binary digits", _bits),
    ("hexadecimal", _hexadecimal),
    ("base64", _base64),
    ("base32", _base32),
)
