"""What a key of a description may hold: readers of single values, which say what is wrong and what to write.

A reader takes a TOML (or JSON) value and gives the value that is stored; it raises ``WrongValueError``.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

Reader = Callable[[Any], Any]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,62}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/@?#]+(/[^\s@#]*)?", re.ASCII)
_RESERVED = ("api", "console", "extensions", "healthz", "metrics", "readyz", "static", "taxii2")
"""The server's own paths, and the community in which it publishes its STIX extensions."""
_LONGEST_TEXT = 4_000


class WrongValueError(ValueError):
    """A value that can't stay: why, and what to write instead."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(f"{why} {fix}")
        self.why = why
        self.fix = fix


def text(value: Any) -> str:
    """A text of at least one and at most 4,000 characters."""
    if not isinstance(value, str):
        raise WrongValueError(f"It is {_shown(value)}, which is no text.", "Write it in quotes.")
    if not value.strip() or len(value) > _LONGEST_TEXT:
        raise WrongValueError(f"It has {len(value)} characters.", f"Write 1 to {_LONGEST_TEXT} characters.")
    if any(ord(char) < 32 and char not in "\n\t" for char in value):
        raise WrongValueError("It holds a control character.", "Write plain text.")
    return value


def line(value: Any) -> str:
    """A text that stays on one line, wherever it is shown: a name or title."""
    given = text(value)
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in given):
        raise WrongValueError(f"{_shown(given)} holds a line break or control character.", "Write it on one line.")
    return given


def matching(pattern: re.Pattern[str], words: str) -> Reader:
    """A text that the whole of ``pattern`` matches; ``words`` says so to people."""

    def read(value: Any) -> str:
        """The text itself. Raises WrongValueError where the pattern doesn't match all of it."""
        given = text(value)
        if not pattern.fullmatch(given):
            raise WrongValueError(f"{given!r} can't stand here.", f"Write {words}.")
        return given

    return read


name = matching(NAME, "a name of letters, digits, '.', '_' and '-' (at most 64, the first a letter or digit)")
country = matching(_COUNTRY, "a country code of two capital letters (ISO 3166-1)")
variable = matching(_VARIABLE, "the name of an environment variable")
_slug = matching(SLUG, "a short name that fits in a URL: small letters, digits and '-' (at most 63)")
_alias = matching(ALIAS, "an alias that fits in a URL: letters, digits, '.', '_', '~' and '-' (at most 63)")


def community_slug(value: Any) -> str:
    """A community's part of the URL: a slug that the server doesn't use itself."""
    slug = str(_slug(value))
    if slug in _RESERVED:
        raise WrongValueError(f"{slug!r} is used by the server itself.", "Choose another short name.")
    return slug


def alias(value: Any) -> str:
    """A collection's alias: URL safe, and not to be taken for an id."""
    given = str(_alias(value))
    if _is_uuid(given):
        raise WrongValueError(f"{given!r} looks like an id.", "Choose a name, or give it as `id`.")
    return given


def uuid(value: Any) -> str:
    """A UUID, in its canonical small letters."""
    given = text(value)
    if not _is_uuid(given):
        raise WrongValueError(f"{given!r} is no UUID.",
                              "Write 8-4-4-4-12 hexadecimal digits, or leave `id` out and give an `alias`.")
    return given.lower()


def stix_identity(value: Any) -> str:
    """The id of a STIX identity object."""
    given = text(value)
    if not given.startswith("identity--") or not _is_uuid(given.removeprefix("identity--")):
        raise WrongValueError(f"{given!r} is no id of a STIX identity.", "Write identity-- and a UUID.")
    return given


def one_of(*words: str) -> Reader:
    """One of the listed words."""

    def read(value: Any) -> str:
        """The word itself. Raises WrongValueError with the nearest word."""
        if value not in words:
            raise WrongValueError(f"{_shown(value)} is not known here." + like(value, words),
                                  f"Use one of: {', '.join(words)}.")
        return str(value)

    return read


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongValueError(f"It is {_shown(value)}.", "Write true or false, without quotes.")
    return value


def whole_number(lowest: int, highest: int) -> Reader:
    """A whole number in the closed range."""

    def read(value: Any) -> int:
        """The number itself. Raises WrongValueError for booleans, fractions and numbers beyond the range."""
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise WrongValueError(f"It is {_shown(value)}.",
                                  f"Write a whole number from {lowest} to {highest}, without quotes.")
        return value

    return read


def list_of(read: Reader) -> Reader:
    """A list of different values, each read by ``read``."""

    def read_list(value: Any) -> list[Any]:
        """The values in their order. Raises WrongValueError for what is no list, and for a value that stands twice."""
        if not isinstance(value, list):
            raise WrongValueError(f"It is {_shown(value)}, which is no list.", "Write [\"...\", \"...\"].")
        items = [read(item) for item in value]
        for place, item in enumerate(items):
            if item in items[:place]:
                raise WrongValueError(f"{_shown(item)} is in the list twice.", "Remove one.")
        return items

    return read_list


def table_of(keys: Mapping[str, Reader], required: tuple[str, ...] = ()) -> Reader:
    """A table with these keys; all that is wrong in it is said at once."""

    def read(value: Any) -> dict[str, Any]:
        """The table with each value read. Raises WrongValueError with everything that is wrong in it."""
        if not isinstance(value, dict):
            raise WrongValueError(f"It is {_shown(value)}, which is no table.", "Write { key = value }.")
        wrong = [f"{key!r} is missing in it." for key in required if key not in value]
        result = {}
        for key, item in value.items():
            if key not in keys:
                wrong.append(f"{key!r} is no key of it.{like(key, tuple(keys))} Known: {', '.join(keys)}.")
                continue
            try:
                result[key] = keys[key](item)
            except WrongValueError as error:
                wrong.append(f"{key!r}: {error.why} {error.fix}")
        if wrong:
            raise WrongValueError(" ".join(wrong), "")
        return result

    return read


def certificate(value: Any) -> str:
    """A name of a client certificate: ``sha256:`` and its digest, or ``dns:`` or ``uri:`` of its alternative names."""
    kind, _, said = line(value).partition(":")
    if kind == "sha256" and (found := _DIGEST.fullmatch(said.replace(":", "").lower())):
        return f"sha256:{found[0]}"
    if kind == "dns" and _HOST.fullmatch(said):
        return f"dns:{said.lower()}"
    if kind == "uri" and ":" in said:
        return f"uri:{said}"
    raise WrongValueError(f"{_shown(value)} names no certificate.",
                          "Write sha256: and 64 hexadecimal digits, dns: and a host, or uri: and an address.")


def web_address(value: Any) -> str:
    """An http(s) address without a user."""
    given = line(value)
    if not _ADDRESS.fullmatch(given):
        raise WrongValueError(f"{_shown(given)} is no web address.", "Write it like https://login.example/keys.")
    return given


def claims(value: Any) -> dict[str, str]:
    """Claims of a token: names with the texts that they must hold."""
    if not isinstance(value, dict) or not value:
        raise WrongValueError(f"It is {_shown(value)}.", "Write a table of texts: { client_id = \"pipeline\" }.")
    return {line(key): line(item) for key, item in value.items()}


def evidence(value: Any) -> dict[str, Any]:
    """A table of references: texts and flags."""
    if not isinstance(value, dict) or not all(isinstance(item, str | bool) for item in value.values()):
        raise WrongValueError(f"It is {_shown(value)}.", "Write a table of texts: { lia = \"LIA-2026-3\" }.")
    return dict(value)


def moment(value: Any) -> str:
    """A time as RFC 3339 UTC text; a date alone means its first moment in UTC."""
    when = value
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            raise WrongValueError(f"{value!r} is no date.", _DATES) from None
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            when = when.date()
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    if not isinstance(when, datetime):
        raise WrongValueError(f"It is {_shown(value)}, which is no date.", _DATES)
    if when.tzinfo is None:
        raise WrongValueError(f"{value!s} doesn't say in which time zone.", _DATES)
    try:
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise WrongValueError(f"{value!s} is out of range.", _DATES) from None


_DATES = "Write 2026-01-31 or 2026-01-31T12:00:00Z."


def like(given: Any, words: tuple[str, ...]) -> str:
    """A guess at what was meant, as a sentence with a space before it; empty when nothing is near."""
    near = difflib.get_close_matches(given, words, n=1) if isinstance(given, str) else []
    return f" Did you mean {near[0]!r}?" if near else ""


def _is_uuid(given: str) -> bool:
    try:
        return str(UUID(given)) == given.lower()
    except ValueError:
        return False


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
