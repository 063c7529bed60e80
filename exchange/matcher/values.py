"""How values of each kind are brought to one form on both sides, and to the one number that is joined.

A token is a whole number below 2**63. Values that arrive as tokens (``dv_72c5…``: the digits are the token in
hex) stay what they are; keyed hashes (``hmac-sha256:KEY:…``) give their first 60 bits; values in the clear become
the first 60 bits of SHA-256 over ``kind:value``. Every function stands twice, for Python and as a SQL expression,
because both sides must agree to the last bit; the tests compare them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache
from typing import Any

import re2

TOKEN_KINDS = ("device", "payment", "phone", "email", "email_domain", "cookie", "upload_fp", "domain")
LINK_KINDS = (*TOKEN_KINDS, "ip4")
PREFIXES = {
    "dv": "device", "pm": "payment", "ph": "phone", "em": "email", "md": "email_domain", "ck": "cookie",
    "uf": "upload_fp", "dn": "domain",
}
_TOKEN_TEXT = r"[a-z]{2}_[0-9a-f]{1,16}(\.example)?"  # noqa: S105 - a form, not a secret
_TOKEN = re.compile(r"([a-z]{2})_([0-9a-f]{1,16})(?:\.example)?")
HASHED = "hmac-sha256:"
"""How a keyed hash begins; its key's id and 64 hex digits follow."""
_HASHED_FORM = r"hmac-sha256:[A-Za-z0-9][A-Za-z0-9._-]{0,63}:([0-9a-f]{15})[0-9a-f]{49}"
_HASHED = re.compile(_HASHED_FORM)
_DIGIT = re.compile("[0-9]")
_NOT_PHONE = re.compile(r"[^0-9+]")
_NUMBER = re.compile("[0-9]{1,19}")
_QUAD = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_NOT_WORD = re.compile("[^a-z0-9#@]+")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@?#]*@)?([^/:?#]+)")
LARGEST = 2**63 - 1
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def real(number: float) -> str:
    """A SQL literal of type DOUBLE; DuckDB takes ``0.4`` for a decimal, and reckons with it as one."""
    text = repr(float(number))
    return text if "e" in text else f"{text}e0"


@cache
def salt(kind: str) -> int:
    """The number that is mixed into a token (xor) so that equal tokens of two kinds don't meet."""
    return int.from_bytes(hashlib.sha256(f"kind {kind}".encode()).digest()[:8]) >> 1


def key(kind: str, token: int) -> int:
    """The one number that is joined."""
    return token ^ salt(kind)


def read_token(text: str) -> tuple[str, int] | None:
    """Kind and token of a text such as ``dv_72c5d055f0bb46ae``; None when it isn't one."""
    match = _TOKEN.fullmatch(text)
    if match is None or match[1] not in PREFIXES or int(match[2], 16) > LARGEST:
        return None
    return PREFIXES[match[1]], int(match[2], 16)


def normal(kind: str, text: str) -> str:
    """One spelling of a clear value. A phone keeps its plus and digits only; no region is guessed."""
    if kind == "phone":
        digits = _NOT_PHONE.sub("", text)
        return "+" + digits[2:] if digits.startswith("00") else digits
    if kind in ("email", "email_domain", "domain"):
        lower = _lower(text.strip(" "))
        return lower if kind == "email" else lower.rstrip(".")
    return text.strip(" ")


def normal_sql(kind: str, value: str) -> str:
    """``normal`` as SQL over a VARCHAR expression."""
    if kind == "phone":
        digits = f"regexp_replace({value}, '[^0-9+]', '', 'g')"
        return f"(CASE WHEN {digits} LIKE '00%' THEN '+' || {digits}[3:] ELSE {digits} END)"
    if kind == "email":
        return f"lower(trim({value}, ' '))"
    if kind in ("email_domain", "domain"):
        return f"rtrim(lower(trim({value}, ' ')), '.')"
    return f"trim({value}, ' ')"


def clear_token(kind: str, text: str) -> int:
    """Token of a value in the clear."""
    return int(hashlib.sha256(f"{kind}:{normal(kind, text)}".encode()).hexdigest()[:15], 16)


def hashed_token(digits: str) -> int:
    """Token of a keyed hash of 64 hex digits."""
    return int(digits[:15], 16)


def token_of(kind: str, value: str | int) -> int | None:
    """Token of a value of a row: a number as it is, a text written as a token, or a text in the clear.

    A column of texts that are all bare numbers is taken for tokens by ``token_sql``; one text alone never is.
    """
    if isinstance(value, int):
        return value if 0 <= value <= LARGEST else None
    written = _TOKEN.fullmatch(value)
    if value.startswith(HASHED):
        keyed = _HASHED.fullmatch(value)
        return hashed_token(keyed[1]) if keyed else None
    if written is None:
        return None if is_blank(kind, value) else clear_token(kind, value)
    token = int(written[2], 16)
    return token if token <= LARGEST else None


def is_blank(kind: str, text: str) -> bool:
    """Whether a text in the clear names nothing: no digit in a phone number ("unknown"), nothing but blanks elsewhere.
    All of these would be one value that strangers share."""
    return not (_DIGIT.search(text) if kind == "phone" else text.strip(" "))


def is_blank_sql(kind: str, value: str) -> str:
    """``is_blank`` as SQL."""
    return f"regexp_full_match({value}, {quoted('[^0-9]*' if kind == 'phone' else ' *')})"


def clear_token_sql(kind: str, value: str) -> str:
    """``clear_token`` as SQL."""
    digest = f"sha256({quoted(kind + ':')} || {normal_sql(kind, value)})"
    return f"TRY_CAST('0x' || {digest}[1:15] AS BIGINT)"


def is_token_sql(value: str) -> str:
    """Whether a VARCHAR expression is written as a token."""
    return f"regexp_full_match({value}, {quoted(_TOKEN_TEXT)})"


def is_domain_token_sql(value: str) -> str:
    """Whether a VARCHAR expression of kind domain is a token, with or without its prefix (no host is a number)."""
    return f"({is_token_sql(value)} OR regexp_full_match({value}, '[0-9]{{1,19}}'))"


def domain_token(value: str | int) -> int | None:
    """Token of a value of kind domain that is written as one; None when it is a domain or page in the clear."""
    if isinstance(value, int) or _TOKEN.fullmatch(value):
        return token_of("domain", value)
    return int(value) if _NUMBER.fullmatch(value) and int(value) <= LARGEST else None


def token_sql(kind: str, value: str, numbers: bool) -> str:
    """Token of a VARCHAR: written as a token or keyed hash, as a bare number (``numbers``), or in the clear."""
    clear = (f"TRY_CAST({value} AS BIGINT)" if numbers else
             f"CASE WHEN NOT {is_blank_sql(kind, value)} THEN {clear_token_sql(kind, value)} END")
    written = f"TRY_CAST('0x' || regexp_extract({value}, '_([0-9a-f]+)', 1) AS BIGINT)"
    keyed = f"TRY_CAST('0x' || regexp_extract({value}, {quoted(f'^{_HASHED_FORM}$')}, 1) AS BIGINT)"
    return (f"CASE WHEN {is_token_sql(value)} THEN {written} WHEN {value} LIKE {quoted(HASHED + '%')} THEN {keyed}"
            f" ELSE {clear} END")


def address(value: str | int) -> int | None:
    """``address_sql`` of one value."""
    if isinstance(value, int):
        return value if 0 <= value < 2**32 else None
    if _QUAD.fullmatch(value):
        parts = [int(part) for part in value.split(".")]
        return None if max(parts) > 255 else parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3]
    return address(int(value)) if _NUMBER.fullmatch(value) else None


def address_sql(value: str) -> str:
    """IPv4 address as a number, of dotted quads or of numbers written as text; NULL for anything else."""
    parts = [f"TRY_CAST(split_part({value}, '.', {n}) AS UTINYINT)::BIGINT" for n in (1, 2, 3, 4)]
    quad = " + ".join(f"{part} * {256 ** (3 - n)}" for n, part in enumerate(parts))
    form = "'[0-9]{1,3}(\\.[0-9]{1,3}){3}'"
    number = f"TRY_CAST({value} AS BIGINT)"
    return (f"CASE WHEN regexp_full_match({value}, {form}) THEN {quad} WHEN regexp_full_match({value}, '[0-9]{{1,19}}')"
            f" AND {number} BETWEEN 0 AND {2**32 - 1} THEN {number} END")


def text_form(text: str) -> str:
    """``text_sql`` of one text."""
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower()).strip(" ")
    return str(_not_word_anywhere().sub(" ", _lower(unicodedata.normalize("NFC", text)))).strip(" ")


def _lower(text: str) -> str:
    """Lower case, one character for one as the engine has it (Python knows last sigmas and a dot over the I)."""
    return text.lower() if text.isascii() else "".join("i" if c == "\u0130" else c.lower() for c in text)


@cache
def _not_word_anywhere() -> Any:
    return re2.compile(r"[^\p{L}\p{N}\p{M}#@]+")


def shown_sql(row: str) -> str:
    """How a value of ``links`` is written; NULL in the table stands for its bare number."""
    salts = " ".join(f"WHEN {quoted(name)} THEN {salt(name)}" for name in LINK_KINDS)
    return f"COALESCE({row}.value, CAST(xor({row}.key, CASE {row}.kind {salts} END) AS VARCHAR))"


def text_key_sql(value: str) -> str:
    """The number that stands for a text: the first 60 bits of its MD5, the same on every engine."""
    return f"TRY_CAST('0x' || md5({value})[1:15] AS BIGINT)"


def run_hashes_sql(columns: str, forms: str, length: int) -> str:
    """SELECT of ``columns`` and ``hashed``, a row for each run of so many words of column ``form`` of a table: quick
    hashes, the same within one run of the program only, that find what may be equal. Words are hashed once."""
    run = ", ".join(f"h[i + {n}]" if n else "h[i]" for n in range(length))
    return (f"SELECT {columns}, unnest(list_transform(range(1, len(h) - {length - 2}),"
            f" lambda i: (hash({run}) >> 33)::INTEGER)) AS hashed FROM (SELECT {columns},"
            f" list_transform(string_split(form, ' '), lambda w: hash(w)) AS h FROM {forms}) r")


def text_sql(value: str) -> str:
    """One form of a post's text: letters, digits, # and @ in lower case, parted by single blanks."""
    form = f"trim(regexp_replace(lower(nfc_normalize({value})), '[^\\p{{L}}\\p{{N}}\\p{{M}}#@]+', ' ', 'g'))"
    return f"CASE WHEN regexp_full_match({value}, '[0-9a-z#@]+( [0-9a-z#@]+)*') THEN {value} ELSE {form} END"


def host_form(value: str) -> str:
    """``host_sql`` of one text."""
    text = value.strip(" ")
    found = _HOST.match(_lower(text))
    return found[1].rstrip(".") if found else ""


def host_sql(value: str) -> str:
    """Host of a VARCHAR expression that is a domain or a URL, in lower case and without a last dot."""
    form = "'^(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@?#]*@)?([^/:?#]+)'"
    return f"rtrim(regexp_extract(lower(trim({value})), {form}, 1), '.')"


def time_sql(column: str, column_type: str) -> str:
    """Unix seconds of a time column: numbers in s, ms, us or ns (told apart by size), timestamps, ISO texts (in UTC
    where they name no zone); NULL for what is none."""
    if column_type.startswith(("TIMESTAMP", "DATE")):
        return f"TRY_CAST(floor(epoch({column})) AS BIGINT)"
    if column_type == "VARCHAR":
        number = f"TRY_CAST({column} AS DOUBLE)"
        moment = f"TRY_CAST(floor(epoch(TRY_CAST({column} AS TIMESTAMPTZ))) AS BIGINT)"
        return f"COALESCE({_seconds(number)}, {moment})"
    return _seconds(column)


SECONDS = "in Unix seconds"
_UNITS = (("in nanoseconds", "1e17", "1e9"), ("in microseconds", "1e14", "1e6"), ("in milliseconds", "1e11", "1e3"))
"""Unit, the least number that is taken to be of it (as seconds these lie beyond the year 5138), and its part of a
second."""
ZONED, BARE = "texts with a zone", "texts without a zone"
_ZONE = ".*:[0-9.]+ ?([Zz]|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"


def odd_time_sql(column: str, column_type: str) -> str:
    """Whether a time is there and is anything but a number of seconds (or a timestamp, which has no unit)."""
    if column_type.startswith(("TIMESTAMP", "DATE")):
        return f"{column} IS NOT NULL AND {time_sql(column, column_type)} IS NULL"
    if column_type in INTEGERS:  # so that the bounds which a file notes of its columns are enough
        most = int(float(_UNITS[-1][1])) - 1
        return f"{column} IS NOT NULL AND NOT {column} BETWEEN {-most} AND {most}"
    return f"{column} IS NOT NULL AND NOT COALESCE(abs(TRY_CAST({column} AS DOUBLE)) < {_UNITS[-1][1]}, false)"


def unit_sql(column: str, column_type: str) -> str:
    """How a time is written: ``SECONDS``, another unit, ``ZONED``, ``BARE``; NULL where it can't be read."""
    number = f"TRY_CAST({column} AS DOUBLE)"
    cases = [f"WHEN {time_sql(column, column_type)} IS NULL THEN NULL",
             *(f"WHEN abs({number}) >= {least} THEN {quoted(unit)}" for unit, least, _ in _UNITS),
             f"WHEN {number} IS NOT NULL THEN {quoted(SECONDS)}"]
    if column_type == "VARCHAR":
        cases.append(f"WHEN regexp_full_match({column}, {quoted(_ZONE)}) THEN {quoted(ZONED)}")
    return f"CASE {' '.join(cases)} ELSE {quoted(BARE)} END"


def _seconds(number: str) -> str:
    steps = " ".join(f"WHEN abs({number}) >= {bound} THEN {number} / {part}" for _, bound, part in _UNITS)
    return f"TRY_CAST(floor(CASE {steps} ELSE {number} END) AS BIGINT)"
