"""Wallets of cryptocurrencies, by their address: ``btc:…``, ``eth:…``, ``tron:…``, ``xmr:…``.

Bitcoin and Tron addresses carry a check sum (Base58Check; BIP 173 and 350), which is verified. Ethereum's is
in the letter case only (EIP-55) and is dropped, as chains ignore it; Monero's rests on a hash that Python lacks
(Keccak), so its length and letters must do. Addresses stand on a public ledger and
may travel in the clear.
"""

from __future__ import annotations

import re
from hashlib import sha256

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind, Said
from exchange.model.identifiers.refang import refang

_BASE58 = {letter: number for number, letter in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {letter: number for number, letter in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANTS = frozenset({1, 0x2BC830A3})
"""What the polynomial leaves over of bech32 (BIP 173) and bech32m (BIP 350)."""
_PREFIX = re.compile(r"(?:bitcoin|btc|ethereum|eth|tron|trx|monero|xmr):(?://)?", re.IGNORECASE)
_ETHEREUM = re.compile(r"0x[0-9a-f]{40}\Z")
_MONERO = re.compile(r"(?:[48][1-9A-HJ-NP-Za-km-z]{94}|4[1-9A-HJ-NP-Za-km-z]{105})\Z")
"""Main and sub-addresses, and those with a payment id."""
_SHAPE = re.compile(r"[a-zA-Z0-9]{26,90}\Z")


def normalise(text: str) -> str:
    """Chain and address; raises IdentifierError where the check sum is wrong."""
    plain = _PREFIX.sub("", refang(text), count=1).partition("?")[0]
    lower = plain.lower()
    if _ETHEREUM.match(lower) and len(set(lower[2:])) > 1:
        return f"eth:{lower}"
    if _SHAPE.match(plain):
        if lower.startswith("bc1") and plain in (lower, plain.upper()) and _bech32(lower):
            return f"btc:{lower}"
        version = _base58(plain)
        if version in (0x00, 0x05):
            return f"btc:{plain}"
        if version == 0x41:
            return f"tron:{plain}"
    if _MONERO.match(plain) and len(set(plain)) > 10:
        return f"xmr:{plain}"
    raise IdentifierError(f"{text[:100]!r} is no address of a Bitcoin, Ethereum, Tron or Monero wallet, or mistyped")


def _base58(text: str) -> int | None:
    """The version byte of a Base58Check address of 20 bytes; None where it is none."""
    number = 0
    for letter in text:
        digit = _BASE58.get(letter)
        if digit is None:
            return None
        number = number * 58 + digit
    if number >= 2**200 or len(text) - len(text.lstrip("1")) != 25 - (number.bit_length() + 7) // 8:
        return None
    data = number.to_bytes(25)
    return data[0] if sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:] else None


def _bech32(text: str) -> bool:
    values = [_BECH32.get(letter, -1) for letter in text[3:]]
    if min(values, default=-1) < 0:
        return False
    check = 1
    for value in (3, 3, 0, 2, 3, *values):  # "bc", spread as BIP 173 says
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check in _CONSTANTS


def _said(value: str) -> Said:
    return {"cryptocurrency-wallet:value": value.partition(":")[2]}


_LOREM = "Lorem1psumDo2orSitAmet3" * 4 + "xy"
KIND = Kind(
    name="wallet",
    title="cryptocurrency wallet",
    normalise=normalise,
    path="cryptocurrency-wallet:value",
    said=_said,
    personal=("FinancialAccountIdentifier",),
    hashed_as="payment-instrument",
    weight=6.0,
    half_life=500,
    examples={
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": "btc:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0?amount=1":
            "btc:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": "eth:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": "tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        f"monero:4{_LOREM}": f"xmr:4{_LOREM}",
    },
    non_examples=(
        "", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "0x" + "0" * 40, "4" * 95,
        "lorem ipsum",
    ),
)  # fmt: skip
