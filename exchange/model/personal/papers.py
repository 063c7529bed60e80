"""Numbers of identity papers and vehicles, and addresses of homes: told by check letters, by their form, or by words.

Forms without a check digit count only where nothing else looks so: letters and digits alone are a ticket's number.
"""

from __future__ import annotations

import re

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_NIE = re.compile(r"(?<![\w-])([XYZ])-?(\d{7})-?([A-Z])(?![\w-])")
"""Spain's number of foreigners; X, Y and Z count as 0, 1 and 2 before the digits."""
_CODICE = re.compile(r"(?<![\w-])[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z](?![\w-])", re.IGNORECASE)
"""Italy's tax code (D.M. 23 December 1976): name, birth, place, a check letter."""
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23), strict=True))
"""Values of signs at odd places."""
_CURP = re.compile(r"(?<![\w-])[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[A-Z\d]\d(?![\w-])")
"""Mexico's population register: name, birth, sex, state, consonants."""
_NINO = re.compile(
    r"(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:\s?\d\d){3}\s?[A-D](?![\w-])")
"""The United Kingdom's national insurance number, without the prefixes that are never given out."""
_TOLD = re.compile(
    r"\b(?:passport|(?:driver'?s?|driving) licen[cs]e|national insurance|codice fiscale|personnummer"
    r"|(?:licen[cs]e|number|registration) plate|kennzeichen|(?-i:NINO|CURP|BSN|NIE|VIN))\b"
    r"(?:\W{0,3}(?:no|nr|number|is|was)\b)?\W{0,4}(?!(?:19|20)\d\d\b)"
    r"(?-i:(?=(?:[A-Z -]{0,8}\d){3})[A-Z\d][A-Z\d -]{4,16})", re.IGNORECASE)
"""A number with at least three digits after its name; a year is none."""
_BORN = re.compile(r"\b(?:geb\.|г\.р\.)\s{0,3}\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", re.IGNORECASE)

_STREET = re.compile(
    r"(?<![\w.,-])\d{1,5}[A-Za-z]?,?\s(?:[A-Z][\w'-]{1,30}\s){1,3}"
    r"(?:Street|Road|Avenue|Ave|Lane|Drive|Boulevard|Blvd|Court|Terrace|Crescent)\b")
_STRASSE = re.compile(
    r"\b[A-ZÄÖÜ][a-zäöüß-]{2,30}(?:straße|strasse|str\.|gasse|allee|damm)\s\d{1,4}\s?[a-z]?(?![\w.-])"
    r"|\b(?:[A-ZÄÖÜ][a-zäöüß]{2,20}\s)?(?:Straße|Strasse|Allee|Gasse)\s\d{1,4}\s?[a-z]?,\s\d{5}\b")
_RUE = re.compile(
    r"(?<![\w.,-])\d{1,4}\s?(?:bis|ter)?,?\s(?:rue|avenue|boulevard|chemin|impasse|allée)\s(?:de\s|du\s|des\s|la\s|l'|le\s){0,2}"
    r"(?-i:[A-ZÀ-Ý])", re.IGNORECASE)
_BOX = re.compile(r"\bP\.?\s?O\.?\sBox\s\d{1,6}\b|\bPostfach\s\d{2,6}\b", re.IGNORECASE)


def papers(text: str) -> bool:
    """Whether a text holds the number of an identity paper or a vehicle, or a date of birth after an abbreviation."""
    if any(pattern.search(text) for pattern in (_CURP, _NINO, _TOLD, _BORN)):
        return True
    if any(_DNI_LETTERS[int(str("XYZ".index(first)) + digits) % 23] == letter
           for first, digits, letter in _NIE.findall(text)):
        return True
    return any(_is_codice(found.upper()) for found in _CODICE.findall(text))


def _is_codice(code: str) -> bool:
    """By its last letter, which follows from the others: at odd places by a table, at even ones by their value."""
    total = sum(_ODD[sign] if place % 2 == 0 else int(sign) if sign.isdigit() else ord(sign) - ord("A")
                for place, sign in enumerate(code[:15]))
    return chr(ord("A") + total % 26) == code[15]


def homes(text: str) -> bool:
    """Whether a text holds a street with its house's number, or a post-office box."""
    return any(pattern.search(text) for pattern in (_STREET, _STRASSE, _RUE, _BOX))
