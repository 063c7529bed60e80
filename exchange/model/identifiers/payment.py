"""Payment cards and bank accounts: never in the clear, only as keyed hashes.

A card's number is ISO/IEC 7812 with its check digit, a bank account an IBAN (ISO 13616) with its check
digits: a number mistyped or made up is refused.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.luhn import checks
from exchange.model.identifiers.refang import clean

_CARD = re.compile(r"[2-6]\d{3}(?:[ -]?\d){8,15}\Z", re.ASCII)
_IBAN = re.compile(r"(?:IBAN[:\s]*)?([A-Z]{2}\d\d[A-Z0-9]{11,30})\Z", re.ASCII)
_GAPS = re.compile(r"[\s-]+")


def card(text: str) -> str:
    """The 12 to 19 digits of a payment card's number; raises IdentifierError."""
    plain = clean(text)
    digits = _GAPS.sub("", plain)
    if not _CARD.match(plain) or len(set(digits)) == 1 or not checks(digits):
        raise IdentifierError("the text is no number of a payment card: 12 to 19 digits with a check digit are needed")
    return digits


def iban(text: str) -> str:
    """The IBAN in capitals without blanks; raises IdentifierError."""
    found = _IBAN.match(_GAPS.sub("", clean(text)).upper())
    if found is None or int("".join(str(int(digit, 36)) for digit in found[1][4:] + found[1][:4])) % 97 != 1:
        raise IdentifierError("the text is no IBAN: its form or its check digits are wrong")
    return found[1]


CARD = Kind(
    name="payment-card",
    title="payment card",
    normalise=card,
    personal=("PaymentCardNumber",),
    hashed_as="payment-instrument",
    weight=6.0,
    half_life=500,
    examples={
        "4111 1111 1111 1111": "4111111111111111",
        "5555-5555-5555-4444": "5555555555554444",
        "378282246310005": "378282246310005",
    },
    non_examples=("", "4111 1111 1111 1112", "0000 0000 0000 0000", "411111111111", "4111 1111 1111 1111 12/29"),
)
IBAN = Kind(
    name="iban",
    title="bank account (IBAN)",
    normalise=iban,
    personal=("BankAccount",),
    hashed_as="payment-instrument",
    weight=6.0,
    half_life=500,
    examples={
        "GB82 WEST 1234 5698 7654 32": "GB82WEST12345698765432",
        "iban: de89 3704 0044 0532 0130 00": "DE89370400440532013000",
    },
    non_examples=("", "GB82 WEST 1234 5698 7654 33", "DE00 0000", "lorem ipsum dolor"),
)
