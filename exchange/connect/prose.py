"""Texts that sources write beside their values: what may not stand in them is left out.

Numbers of cards and accounts never leave whoever has them, also where a remark repeats them.
"""

from __future__ import annotations

import re

from exchange.model.identifiers import payment
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kinds import KINDS
from exchange.model.personal.scan import scan

LEFT_OUT = "[a payment number was left out]"
_DIGITS = re.compile(r"(?<![\w./])\d(?:[ -]?\d){12,18}(?![\w/])")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,34}")
_WALLET = re.compile(r"\b[a-zA-Z0-9]{26,110}\b")
_SHORTEST = 15
"""Characters of the shortest IBAN."""


def without_payment_numbers(text: str, *, words: bool = True) -> str:
    """The text with card numbers and IBANs (by their check digits) replaced by ``LEFT_OUT``.

    ``words``: it is written by people, who may disguise a number (encoded, spelled out): such a text is left out whole.
    """
    if not text or text.isalpha():
        return text
    text = _DIGITS.sub(lambda found: LEFT_OUT if _is(payment.card, found[0]) else found[0], text)
    text = _IBAN.sub(_masked, text)
    return LEFT_OUT if words and _disguised(text) else text


def _disguised(text: str) -> bool:
    """Whether a payment number is still in a text; a wallet's address may stand in the clear."""
    plain = _WALLET.sub(lambda found: "" if KINDS["wallet"].valid(found[0]) else found[0], text)
    return any(trace.kind == "payment" for trace in scan(plain, bare=False))


def _masked(found: re.Match[str]) -> str:
    plain = found[0]
    for end in range(len(plain), _SHORTEST - 1, -1):
        if _is(payment.iban, plain[:end]):
            return LEFT_OUT + plain[end:]
    return plain


def _is(normalise: object, text: str) -> bool:
    try:
        normalise(text)  # type: ignore[operator]
    except IdentifierError:
        return False
    return True
