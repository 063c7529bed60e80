"""STIX timestamps: which texts are one, their order in time to the last digit, their microseconds.

A timestamp is RFC 3339 in UTC with capital T and Z and any number of fraction digits (STIX 2.1, 3.2).
Differences below a microsecond count, so the order is kept on text and not on a number.
"""

from __future__ import annotations

import re

_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,1000}))?Z"
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MICROSECOND = 1_000_000
_DAY_SECONDS = 86_400
_DAYS_PER_ERA = 146_097
_EPOCH_SHIFT = 719_468  # days from 0000-03-01 to 1970-01-01


def version_key(text: str) -> str:
    """Canonical UTC text without Z whose plain string order is the order in time.

    ``2026-01-01T00:00:05Z``, ``…:05.000Z`` give one key; ``…:05Z`` sorts before ``…:05.5Z``. At most 1,000
    fraction digits. Leap seconds (23:59:60, RFC 3339 5.7) are refused: the stock library stix2 can't read one,
    and a page that holds one would be lost to its readers.
    Raises ValueError for anything that isn't a STIX timestamp, also for 30 February and year 0000.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not of the form YYYY-MM-DDTHH:MM:SS[.fraction]Z")
    if not is_real_date(text):
        raise ValueError(f"{text[:40]!r} names a date or time that doesn't exist (or a leap second)")
    fraction = match[7]
    if fraction is None:
        return text[:-1]
    fraction = fraction.rstrip("0")
    return f"{text[:19]}.{fraction}" if fraction else text[:19]


def is_real_date(text: str) -> bool:
    """Whether a text that already has a timestamp's form names a day and time that exist (no leap second)."""
    day, clock = text[8:10], text[11:19]
    if (
        "01" <= day <= "28"
        and clock < "24"
        and text[5:7] <= "12"
        and text[14:16] < "60"
        and text[17:19] < "60"
    ):
        return text[5:7] != "00" and text[:4] != "0000"
    year, month = int(text[:4]), int(text[5:7])
    if not (1 <= month <= 12 and year > 0 and 1 <= int(day) <= _month_days(year, month)):
        return False
    return clock < "24" and text[14:16] < "60" and text[17:19] < "60"


def microseconds(text: str) -> int:
    """Microseconds since 1970-01-01T00:00:00Z, rounded down. Raises ValueError as ``version_key``."""
    key = version_key(text)
    days = _days_from_civil(int(key[:4]), int(key[5:7]), int(key[8:10]))
    seconds = days * _DAY_SECONDS + int(key[11:13]) * 3600 + int(key[14:16]) * 60 + int(key[17:19])
    fraction = key[20:26]
    return seconds * _MICROSECOND + (int(fraction.ljust(6, "0")) if fraction else 0)


def from_microseconds(value: int) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` of microseconds since 1970. Raises ValueError outside years 1-9999."""
    seconds, fraction = divmod(value, _MICROSECOND)
    days, clock = divmod(seconds, _DAY_SECONDS)
    year, month, day = _civil_from_days(days)
    if not 1 <= year <= 9999:
        raise ValueError(f"{value} microseconds since 1970 is outside of the years 1 to 9999")
    hour, rest = divmod(clock, 3600)
    minute, second = divmod(rest, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z"


def _month_days(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS[month - 1] + leap


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, counting years from March: leap days end one."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _EPOCH_SHIFT


def _civil_from_days(days: int) -> tuple[int, int, int]:
    """The inverse of ``_days_from_civil``."""
    era, day_of_era = divmod(days + _EPOCH_SHIFT, _DAYS_PER_ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day
