"""Telephone numbers: E.164 (``+442079460958``), of numbers that carry their country.

A national number without its country is refused: guessing the region would make two people one. Which
numbers exist is libphonenumber's knowledge (ITU-T E.164 and the national plans).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from types import ModuleType

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import clean

_FORM = re.compile(r"(?:\+|00)[\d\s().\-/]{6,30}\Z", re.ASCII)


@lru_cache(maxsize=1)
def _library() -> ModuleType:
    import phonenumbers  # noqa: PLC0415 - reads the plans of all countries

    return phonenumbers


def normalise(text: str) -> str:
    """E.164 of a number told with ``+`` or ``00`` and its country; raises IdentifierError."""
    plain = unicodedata.normalize("NFKC", clean(text)).removeprefix("tel:").strip()
    if not _FORM.match(plain):
        raise IdentifierError(f"{text[:40]!r} is no telephone number with its country (+44 20 7946 0958)")
    library = _library()
    try:
        number = library.parse("+" + plain[2:] if plain.startswith("00") else plain, None)
    except library.NumberParseException as error:
        raise IdentifierError(f"{text[:40]!r} is no telephone number") from error
    if not library.is_valid_number(number):
        raise IdentifierError(f"{text[:40]!r} is no telephone number that can exist")
    return str(library.format_number(number, library.PhoneNumberFormat.E164))


KIND = Kind(
    name="phone",
    title="telephone number",
    normalise=normalise,
    path="phone-number:value",
    personal=("TelephoneNumber",),
    hashed_as="phone",
    weight=4.5,
    half_life=150,
    examples={
        "+44 20 7946 0958": "+442079460958",
        "0044 (0)20 7946-0958": "+442079460958",
        "tel:+1-202-555-0123": "+12025550123",
        "+49 (0) 30 23125 001": "+493023125001",
        "＋33 1 99 00 12 34": "+33199001234",
        "+7 (495) 123-45-67": "+74951234567",
    },
    non_examples=("020 7946 0958", "+44", "+999 12345678", "+1 202 555 01", "call +44 20 7946 0958", "63 accounts", ""),
)
