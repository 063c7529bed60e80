"""Words in cells: relations, confidence, TLP, dates, and marks that a value is an innocent party's own."""

from __future__ import annotations

import re
from datetime import date

from exchange.stix.tlp import TLP2_IDS, from_word

RELATION_WORDS = {
    **dict.fromkeys(("operated", "operator", "owned", "run", "malicious", "coordinated", "inauthentic", "fake", "cib",
                     "confirmed", "true positive", "attributed", "suspicious", "suspected", "core", "part of network",
                     "bot", "troll", "sock puppet", "removed", "taken down"), "operated"),
    **dict.fromkeys(("impersonated", "spoofed", "mimicked", "imitated", "original", "copied"), "impersonated"),
    **dict.fromkeys(("targeted", "target", "victim", "attacked"), "targeted"),
    **dict.fromkeys(("legitimate", "legit", "benign", "authentic", "genuine", "real", "clean", "non malicious",
                     "nonmalicious", "false positive", "legitimate mention", "allowlisted", "whitelisted",
                     "not malicious", "innocent", "mentioned"), "legitimate"),
    **dict.fromkeys(("unknown", "unclear", "unconfirmed", "undetermined", "not assessed", "n/a"), "unknown"),
}  # fmt: skip
ROLES = ("origin", "relay", "amplifier", "casual-participant", "co-opted", "unknown")

_LEGITIMATE = re.compile(
    r"(?:legit(?:imate)?|benign|authentic|genuine|non[- _]?malicious|false[- ]positive|(?:white|allow)[- ]?listed)"
    r"(?:\s+(?:site|website|domain|account|page|outlet|mention))?", re.IGNORECASE)  # fmt: skip
_BRACKETED = re.compile(r"[\[(]\s*([^\[\]()]+?)\s*[\])]")
_LEVELS = {"none": 0, "very low": 5, "low": 15, "medium": 50, "med": 50, "moderate": 50, "high": 85, "very high": 95}
"""Words to numbers by STIX 2.1, appendix A (None/Low/Medium/High)."""
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(?:Z|\+00:?00)?)?\Z")
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:\s+\d\d:\d\d(?::\d\d)?)?\Z")
_NAMED = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?\.?\s+([A-Za-z]{3,9})\.?,?\s+(\d{4})|([A-Za-z]{3,9})\.?\s+(\d{1,2})"
                    r"(?:st|nd|rd|th)?,?\s+(\d{4}))\Z")  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LEVEL_IDS = {level: ref for ref, level in TLP2_IDS.items()}


def is_legitimate(remark: str) -> bool:
    """Whether a remark does nothing but mark its value as legitimate: the whole of it, or a bracket in it.

    A sentence that uses the word ("posing as a legitimate outlet") marks nothing.
    """
    plain = remark.strip().strip(".!")
    if _LEGITIMATE.fullmatch(plain):
        return True
    return any(_LEGITIMATE.fullmatch(inner) for inner in _BRACKETED.findall(remark))


def confidence(text: str) -> int | None:
    """0 to 100 of a number, a percentage, a share below 1, or a word; None where it is none of them."""
    plain = text.strip().casefold().removesuffix("confidence").strip()
    if plain in _LEVELS:
        return _LEVELS[plain]
    found = re.fullmatch(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*(%?)", plain)
    if not found:
        return None
    number = float(found[1].replace(",", "."))
    if not found[2] and number <= 1 and not found[1].isdigit():
        number *= 100
    return round(number) if number <= 100 else None


def tlp(text: str) -> str:
    """The id of the marking that a cell asks for; empty where it is no level that is known."""
    found = from_word(text) or from_word(f"tlp:{text.strip()}")
    if found is None:
        return ""
    return _LEVEL_IDS["TLP:CLEAR" if found[1] == "TLP:WHITE" else found[1]]


def day(text: str, order: str = "") -> str:
    """A date as ``YYYY-MM-DDTHH:MM:SS.000Z``; empty where it can't be told for sure.

    03/04/2026 needs ``order``, the source's word for it; 13/04/2026 can be meant in one way only.
    """
    plain = text.strip()
    if (iso := _ISO.fullmatch(plain)) is not None:
        year, first, second = int(iso[1]), int(iso[2]), int(iso[3])
        clock = f"{iso[4] or '00'}:{iso[5] or '00'}:{iso[6] or '00'}"
        return _stamp(year, first, second, clock)
    if (numbers := _NUMBERS.fullmatch(plain)) is not None:
        first, second, year = int(numbers[1]), int(numbers[2]), int(numbers[3])
        if order == "dmy" or (first > 12 and order != "mdy") or first == second:
            return _stamp(year, second, first)
        if order == "mdy" or second > 12:
            return _stamp(year, first, second)
        return ""
    if (named := _NAMED.fullmatch(plain)) is not None:
        month = (named[2] or named[4])[:3].casefold()
        if month in _MONTHS:
            return _stamp(int(named[3] or named[6]), _MONTHS.index(month) + 1, int(named[1] or named[5]))
    return ""


def _stamp(year: int, month: int, number: int, clock: str = "00:00:00") -> str:
    try:
        found = date(year, month, number)
    except ValueError:
        return ""
    return f"{found.isoformat()}T{clock}.000Z" if clock < "24" and clock[3:5] < "60" and clock[6:] < "60" else ""
