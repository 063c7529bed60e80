"""Numbers of payment, identity, devices and networks in a text: told by check digits and by the words around them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from exchange.model.identifiers import wallet
from exchange.model.identifiers.luhn import checks
from exchange.model.personal.unwrap import OPAQUE

_RUN = re.compile(r"\d(?:[ \t\n.\-_/*,]{0,3}\d){11,60}")
_FOURS = re.compile(r"(\d{4})[ .\-_/](\d{4})[ .\-_/](\d{4})[ .\-_/](\d{4})(?!\d)")
_GROUP = re.compile(r"\d+")
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-59]|[689]\d)\d{11}|(?:6011\d\d|64[4-9]\d{3}|65\d{4})\d{10}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
    r"|(?:50[123]\d|5[678]\d\d|6304|67\d\d)\d{9,15}|220[0-4]\d{12}|60\d{14}|81\d{14}|9792\d{12}"
)  # fmt: skip
"""Leading digits and lengths that issuers of cards have (ISO/IEC 7812): a tenth of all numbers pass the check alone."""
_CARD_WORD = re.compile(r"\b(?:card|pan|visa|master\s?card|amex|maestro|credit|debit|kreditkarte|carte|tarjeta)\w*\b",
                        re.IGNORECASE)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Country to the length of its account numbers (ISO 13616 registry)."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[\s._/-]{0,2}\d[\s._/-]{0,2}\d(?:[\s._/-]{0,2}[A-Za-z0-9]){11,29}")
_ACCOUNT = re.compile(r"\b(?:iban|account (?:number|no\.?)|acct\.?|routing(?: number)?|sort[ -]code|bank account|konto"
                      r"(?:nummer)?)\b\W{0,12}(?:\w+\W{1,3}){0,2}?(?:\d[\s-]?){6,}", re.IGNORECASE)  # fmt: skip
_PAY_PAGE = re.compile(
    r"\b(?:paypal\.me|paypal\.com/paypalme|cash\.app|venmo\.com|revolut\.me|wise\.com/pay/me)/\$?[\w.-]{3,}",
    re.IGNORECASE)
_WALLET = re.compile(
    r"(?<![A-Za-z0-9])(?:0x[0-9a-fA-F]{40}|bc1[a-zA-Z0-9]{20,80}|[13T][1-9A-HJ-NP-Za-km-z]{25,39})(?![A-Za-z0-9])")
_COIN = re.compile(r"(?<![A-Za-z0-9])(?:ltc1[a-z0-9]{38,60}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93})(?![A-Za-z0-9])")
"""Litecoin's and Monero's addresses, by their beginnings and lengths."""
_CASHTAG = re.compile(
    r"\$[A-Za-z][\w-]{2,20}\b(?=[^.\n]{0,20}\bcash\s?app\b)|\bcash\s?app\b[^.\n$]{0,20}\$[A-Za-z][\w-]{2,20}",
    re.IGNORECASE)
_NATIONAL = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])")
_NATIONAL_WORD = re.compile(
    r"\b(?:ssn|social security|passport|national id(?:entity)?|identity card|driver'?s licen[cs]e|tax id|dni|nif|cpf"
    r"|cnic|aadhaar|pesel|steuer-?id)\b\W{0,12}(?:\w+\W{1,3}){0,3}?"
    r"[A-Z]{0,3}(?:\d[\s.-]?){6,}", re.IGNORECASE)  # fmt: skip
_DNI = re.compile(r"(?<![\w-])(\d{8})-?([A-Z])(?![\w-])")
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
"""Spain's check letters, by the remainder of the number and 23."""
_BORN = re.compile(
    r"\b(?:born|dob|d\.o\.b\.|date of birth|birth ?date|birthday|geboren|geburtsdatum|nacid[oa]|nee? le)\b"
    r"\W{0,6}(?:on\s|am\s|el\s)?\W{0,3}(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|\d{1,2}[-/. ]+(?:\d{1,2}|[A-Za-z]{3,9})[-/., ]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})",
    re.IGNORECASE)
_IPV4 = re.compile(r"(?<!\d)(?<!\d\.)(?<![vV])(?<!\b[vV]\s)(?<!ersion )(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_MAC = re.compile(r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_DEVICE = re.compile(
    r"\b(?:imei|imsi|idfa|idfv|gaid|aaid|android[ _-]?id|advertising[ _-]?id|device[ _-]?(?:id|fingerprint|serial)"
    r"|browser fingerprint|session[ _-]?(?:id|token)|cookie|serial (?:number|no\.?)|mac address)\b"
    r"\W{0,6}(?:\w{1,6}\W{1,3}){0,2}?(?=[\w-]{0,99}\d)[\w-]{8,}", re.IGNORECASE)  # fmt: skip
_AGENT = re.compile(r"\b(?:Mozilla|AppleWebKit|Dalvik)/\d|\b(?:Chrome|Firefox|Safari|Edg|OPR|CriOS|FxiOS)/\d{1,4}\.\d")
_DOTTED_MAC = re.compile(r"(?<![\w.])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![\w.])")
_ANALYTICS = re.compile(r"\bGA\d\.\d\.\d{5,12}\.\d{5,12}\b")
"""The value of an analytics cookie: a client of a browser."""
_IMEI = re.compile(r"(?<!\d)(?:01|35|49|86|99)\d{13}(?!\d)")
_HEX = "[0-9a-fA-F]"
_DIGEST = re.compile(
    rf"(?<!{_HEX})(?:{'|'.join(f'{_HEX}{{{length}}}' for length in (32, 40, 56, 64, 96, 128))})(?!{_HEX})")
_NEAR = 30


def payments(text: str) -> bool:
    """Whether a text holds the number of a card (Luhn), an IBAN (mod 97), another account told as one, or a wallet."""
    plain = OPAQUE.sub(" ; ", text)
    hidden = (found for found in OPAQUE.findall(text) if found[2:].isdigit())  # DE, BE, EE… are hexadecimal digits too
    return (any(_cards(plain)) or any(map(_is_iban, _IBAN.findall(plain))) or any(map(_is_iban, hidden))
            or any(one.search(text) for one in (_COIN, _CASHTAG))
            or _ACCOUNT.search(plain) is not None or _PAY_PAGE.search(plain) is not None
            or any(wallet.KIND.valid(found) for found in _WALLET.findall(text)))  # fmt: skip


def _cards(text: str) -> Iterator[bool]:
    """Each run of digits with gaps, in every way of taking whole groups; four by four also behind other digits."""
    yield from (_is_card("".join(found), told=False) for found in _FOURS.findall(text))
    for found in _RUN.finditer(text):
        groups = _GROUP.findall(found[0])
        told = _CARD_WORD.search(text[max(found.start() - _NEAR, 0) : found.start()]) is not None
        for first in range(len(groups)):
            digits = ""
            for group in groups[first : first + 19]:
                digits += group
                if len(digits) > 24:
                    break
                yield _is_card(digits, told)


def _is_card(digits: str, told: bool) -> bool:
    plain = digits.lstrip("0")
    if not 12 <= len(plain) <= 19 or len(set(plain)) == 1 or not checks(plain):
        return False
    return told or (_ISSUED.fullmatch(plain) is not None)


def _is_iban(found: str) -> bool:
    plain = re.sub(r"[\s._/-]", "", found).upper()
    length = _IBAN_LENGTHS.get(plain[:2], 99)
    if len(plain) < length:
        return False
    plain = plain[:length]
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def identities(text: str) -> bool:
    """Whether a text holds the number of an identity document, or a date of birth."""
    if any(pattern.search(text) for pattern in (_NATIONAL, _NATIONAL_WORD, _BORN)):
        return True
    return any(_DNI_LETTERS[int(digits) % 23] == letter for digits, letter in _DNI.findall(text))


def addresses(text: str) -> bool:
    """Whether a text holds an IP address, of either version."""
    return any(_is_ip(found) for pattern in (_IPV4, _IPV6) for found in (one[0] for one in pattern.finditer(text)))


def _is_ip(found: str) -> bool:
    try:
        address = ipaddress.ip_address(found.strip("."))
    except ValueError:
        return False
    return address.version == 4 or len(found.replace(":", "")) > 3


def devices(text: str) -> bool:
    """Whether a text holds what tells one device, browser or session from others."""
    return (any(one.search(text) for one in (_MAC, _DEVICE, _AGENT, _ANALYTICS))
            or any(not found.replace(".", "").isdigit() for found in _DOTTED_MAC.findall(text))
            or any(checks(found) for found in _IMEI.findall(text)))  # fmt: skip


def digests(text: str) -> bool:
    """Whether a text holds hexadecimal digits of the length of a common hash."""
    return _DIGEST.search(text) is not None
