"""E-mail addresses, telephone numbers and names of accounts in a text."""

from __future__ import annotations

import re
from functools import lru_cache
from types import ModuleType

from exchange.model.identifiers import account
from exchange.model.personal.unwrap import OPAQUE

_TLD = (r"(?:com|org|net|edu|gov|int|mil|info|biz|name|io|co|me|tv|app|dev|ai|example|test|[a-z]{2})")
_EMAIL = re.compile(r"""(?<![@\w])[^\s@<>()\[\]{},;:"'\\/=?&|]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,}""")
_PLAIN_EMAIL = re.compile(r"(?<![\w.@])[\w.+-]{2,64}@(?:[A-Za-z0-9-]{2,63}\.)+[A-Za-z]{2,}\b|mailto:", re.ASCII)
_LOOSE = re.compile(r"(?<![@/\w.])[\w.+-]{1,64}@[a-zA-Z][a-zA-Z-]{2,62}(?![\w-])")
_BREAK = r"[\s*_|~-]{0,3}"
_APART = re.compile(
    rf"(?<![@\w])[\w.+-]{{2,64}}{_BREAK}@{_BREAK}[\w-]{{2,63}}{_BREAK}[.,]{_BREAK}{_TLD}\b", re.IGNORECASE)
_AT_DOMAIN = re.compile(r"\b(?=\w*[._\d])[\w.+-]{3,64}\s+at\s+(?:[\w-]+\.)+[a-z]{2,}\b"
                        r"|\b[\w.+-]{2,64}\s+at\s+(?:gmail|hotmail|outlook|yahoo|icloud|protonmail|proton|gmx|aol|qq|163|web|mail)"
                        r"(?:\.|\s+dot\s+)[a-z]{2,}\b", re.IGNORECASE)  # fmt: skip
_UNDERLINED = re.compile(r"\b[a-z0-9.]{1,40}_at_[a-z0-9-]{1,60}_dot_[a-z]{2,}\b", re.IGNORECASE)
_AS_HANDLE = re.compile(
    r"@[\w.+-]{1,64}@(?:gmail|googlemail|hotmail|outlook|yahoo|ymail|icloud|proton(?:mail)?|gmx|aol|qq|163|yandex)\.[a-z]{2,}",
    re.IGNORECASE)
"""A mailbox written as a name in the fediverse: those who run private mailboxes have no server there."""
_MAILTO = re.compile(r"\bmailto:\s*[^\s@]", re.IGNORECASE)

_GAP = r"[\s().\-/_·*]{0,3}"
_DATES = re.compile(r"""
    (?<![\d.\-/]) (?:
      \d{4}-\d\d-\d\d (?: [T\s] \d\d:\d\d (?: :\d\d (?:\.\d+)? )? (?: Z | [+-]\d\d:?\d\d )? )?
    | (?:19|20)\d\d [./] (?:0?[1-9]|1[0-2]) [./] (?:0?[1-9]|[12]\d|3[01])
    | (?:0?[1-9]|[12]\d|3[01]) [./-] (?:0?[1-9]|[12]\d|3[01]) [./-] (?:19|20)\d\d
    | (?:19|20)\d\d (?:0[1-9]|1[0-2]) (?:0[1-9]|[12]\d|3[01]) (?:[T_]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?
    | (?:19|20)\d\d \s? [-/] \s? (?:19|20)?\d\d
    ) (?! [./-]? \d )
    | (?<![\d:]) [0-2]?\d : [0-5]\d (?: :[0-5]\d )? (?! [\d:] )
""", re.VERBOSE)  # fmt: skip
_PLACES = re.compile(r"(?<![\d.+])-?\d{1,3}\.\d{3,}\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}(?!\d)")
_URL = re.compile(r"\b(?:https?|hxxps?|ftp)://\S+|\b(?:[a-z0-9-]{1,63}\.){1,20}[a-z]{2,63}/\S*", re.IGNORECASE)
_IDS = re.compile(r"(?<!\d)\d{5,}(?!\d)")
_URL_PHONE = re.compile(
    r"(?:\btel:|\bsms:|\bcallto:|\bwa\.me/|whatsapp\.com/send\S*?phone=|viber\.(?:com|click)/|signal\.me/#p/|\bt\.me/\+"
    r"|[?&#;](?:phone|tel|telephone|mobile|msisdn|cell|number|whatsapp|contact|sms|fax)\w*=)"
    rf"[\s+]*(?:\d{_GAP}){{7,15}}", re.IGNORECASE)  # fmt: skip
_INTERNATIONAL = re.compile(rf"(?:\+|(?<![\d.,])00){_GAP}\d(?:{_GAP}\d){{6,14}}(?!\d)")
_TOLD = re.compile(
    r"\b(?:tele)?(?:phone|fone|fon)\w*|\btel\b|\b(?:mobile|cell(?:ular)?|whats\s?app|viber|fax|handy|hotline|msisdn|sms|movil"
    r"|portable|gsm)\b|телефон|тел\.|номер|هاتف|电话|電話|手机|फोन"
    r"|\b(?:call|text|ring|reach|contact|message|dial)\s+(?:me|us|him|her|them)\b"
    r"|\b(?:call|dial|ring)\b(?=[\s:(+]*\d)", re.IGNORECASE)  # fmt: skip
_DIGITS = re.compile(rf"(?<![\d.,])\d(?:{_GAP}\d){{6,14}}(?!\d)")
_AFTER_WORD = 30
_AMERICAN = re.compile(
    r"(?<![\w.\-/])(?:1[\s.\-_]{1,2})?\(?[2-9]\d{2}\)?[\s.\-_]{1,2}[2-9]\d{2}[\s.\-_]{1,2}\d{4}(?![\d\-/]|\.\d)")
_NATIONAL = re.compile(r"(?<![\d.,\w+/-])\(?0\d{1,4}\)?(?:[\s./\-]{1,2}\d{2,8}){1,5}(?![\d-])")
_MOBILE = re.compile(
    r"(?<![\d.,\w+-])(?:8[\s\-]{0,2}\(?9\d\d\)?[\s\-]{1,2}\d{3}[\s\-]{0,2}\d\d[\s\-]{0,2}\d\d|1[3-9]\d[\s\-]\d{4}[\s\-]\d{4})(?![\d-])")
"""As Russia and China group the numbers of mobile phones."""
_TRUNK = re.compile(r"(?<![\w.,])0[1-9]\d{8,9}(?![\w.,]*\d)")
_BARE = re.compile(r"(?<!\d)(?<!\d[.,])[1-9]\d{9,14}(?!\d|[.,]\d)")
_GROUPED = re.compile(r"(?<![\d.,\w+-])[1-9]\d{0,3}(?:[\s.\-]\d{2,8}){2,5}(?![\d-]|[.,]\d)")
_COUNTED = re.compile(
    r"\s*(?:views?|impressions?|followers?|accounts?|likes?|posts?|shares?|users?|people|members?|tokens?|bytes?|requests?"
    r"|times|usd|eur|gbp|dollars|euros?|\$|€|%|ms|seconds?)\b", re.IGNORECASE)  # fmt: skip

_HANDLE = re.compile(r"(?<![\w@/.+%])@[A-Za-z_][\w.-]{1,40}|(?<![\w@/.+%])@\d+[A-Za-z_]\w*")
_CALLED = re.compile(
    r"\b(?:user[ _-]?name|user[ _-]?id|screen[ _-]?name|handle|login|nick(?:name)?|account[ _-]?(?:name|id)"
    r"|display[ _-]?name)s?\b\s*(?:is|was|were|are|=|:|named|called)\s*[\"'“‘]?[\w.@-]{2,}", re.IGNORECASE)  # fmt: skip
_CALLED_USER = re.compile(
    r"\b(?:user|account)(?:\s*[:=]\s*|\s+)[\"'“‘]?(?=[\w.-]*[_\d])[A-Za-z][\w.-]{3,40}[\"'”’]?(?!\w)")
_ON = re.compile(
    r"\b(?:telegram|discord|insta(?:gram)?|ig|snap(?:chat)?|tik\s?tok|wechat|kik|threema|signal|tg|vk)\b"
    r"(?:\s{0,2}(?:id|handle|user(?:name)?|account|acct)\b\s{0,2}[:=@]?|\s{0,2}[:=@])\s{0,2}[\"'“]?"
    r"(?=[\w.]{0,30}[\d_])[A-Za-z][\w.]{4,40}(?![\w-])|(?<![\w/.])u/(?=[\w-]*[a-z])[\w-]{3,20}(?![\w/-])"
    r"|\bicq\b\W{0,3}\d{6,10}\b|\b(?:facebook|vk|x|twitter)\s+user\s+\d{6,20}\b", re.IGNORECASE)
"""A name told after its platform: with a digit or an underscore in it, since other words stand there as well."""
_TAGGED = re.compile(r"\blive:\.?[\w.]{6,}|(?<![\w#])(?=[A-Za-z]*[\d_.])[A-Za-z][\w.]{2,31}#\d{4}(?!\w)")
"""Skype's ids, and Discord's names with their four digits."""
_ADDRESS = re.compile(r"(?:https?://)?(?:[a-z0-9-]{1,63}\.){1,20}[a-z]{2,63}/[^\s\"'<>()\[\]]+", re.IGNORECASE)


def emails(text: str) -> bool:
    """Whether a text holds an e-mail address, also with blanks round its signs or with a spelled-out at."""
    return any(pattern.search(text) for pattern in (
        _EMAIL, _LOOSE, _APART, _AT_DOMAIN, _UNDERLINED, _AS_HANDLE, _MAILTO))


def plain_email(text: str) -> bool:
    """Whether a text holds an address in its usual form: what bytes that were decoded by chance hardly have."""
    return _PLAIN_EMAIL.search(text) is not None or _EMAIL.fullmatch(text) is not None


def phones(text: str, bare: bool) -> bool:
    """Whether a text holds a telephone number: international, national as people write it, or told as one.

    ``bare`` also takes digits without any sign or word that are a number of a country's plan: for texts in which
    ids of posts and accounts have no place. Dates, coordinates, hashes and ids in addresses are no numbers.
    """
    if _URL_PHONE.search(text):
        return True
    plain = _PLACES.sub(" ; ", OPAQUE.sub(" ; ", _DATES.sub(" ; ", text)))
    if any(_is_number("+" + _only(found).removeprefix("00")) for found in _INTERNATIONAL.findall(plain)):
        return True
    plain = _URL.sub(_query, plain)
    if any(_DIGITS.search(plain, said.end(), said.end() + _AFTER_WORD) for said in _TOLD.finditer(plain)):
        return True
    if any(_is_number("+1" + _only(found)[-10:], real=True) for found in _AMERICAN.findall(plain)):
        return True
    if _MOBILE.search(plain):
        return True
    if any(9 <= len(_only(found)) <= 12 for pattern in (_NATIONAL, _TRUNK) for found in pattern.findall(plain)):
        return True
    return bare and any(_is_bare(found, plain) for pattern in (_BARE, _GROUPED) for found in pattern.finditer(plain))


def _query(address: re.Match[str]) -> str:
    """What of an address may be a number told by its signs: its path and long runs of digits are ids."""
    _, mark, query = address[0].partition("?")
    return f" ; {_IDS.sub(';', query)}" if mark else " ; "


def number_like(digits: str) -> bool:
    """Whether digits alone, told as a JSON number, may be a telephone number: of a country's plan, and not round."""
    return 10 <= len(digits) <= 15 and not digits.endswith("00000") and _in_plan(digits)


def _is_bare(found: re.Match[str], text: str) -> bool:
    digits = _only(found[0])
    if digits.endswith("00000") or _COUNTED.match(text, found.end()):
        return False
    return _in_plan(digits)


def _in_plan(digits: str) -> bool:
    if len(digits) == 10 and _is_number("+1" + digits, real=True):
        return True
    return len(digits) >= 10 and _is_number("+" + digits, real=True)


def _only(found: str) -> str:
    return re.sub(r"\D", "", found)


@lru_cache(maxsize=1)
def _library() -> ModuleType:
    import phonenumbers  # noqa: PLC0415 - reads the plans of all countries

    return phonenumbers


def _is_number(text: str, real: bool = False) -> bool:
    """Whether ``+`` and digits have a possible length for their country, or (``real``) are of its plan."""
    library = _library()
    try:
        number = library.parse(text, None)
    except library.NumberParseException:
        return False
    if real:
        return bool(library.is_valid_number(number))
    return bool(library.is_possible_number_with_reason(number) == library.ValidationResult.IS_POSSIBLE)


def usernames(text: str) -> bool:
    """Whether a text names an account: ``@name``, a name told as one, or the address of a profile."""
    if any(pattern.search(text) for pattern in (_HANDLE, _CALLED, _CALLED_USER, _ON, _TAGGED)):
        return True
    return any(_is_profile(found.rstrip(".,;:!?")) for found in _ADDRESS.findall(text))


def _is_profile(address: str) -> bool:
    located = account.place(address)
    return located is not None and located.account is not None and not located.site


def has_userinfo(text: str) -> bool:
    """Whether an address carries a user or password before its host (RFC 3986, 3.2.1)."""
    return re.search(r"\b[a-z][a-z0-9+.-]*://[^/?#\s@]+@[^\s/]", text, re.IGNORECASE) is not None


