"""What is told of personal data that was found in a text: its kind and how it was hidden, never the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType({
    "email": "an e-mail address",
    "phone": "a telephone number",
    "payment": "a number of a payment card, bank account or wallet",
    "national-id": "a number of an identity document",
    "home": "the address of a home or a post-office box",
    "ip": "an IP address",
    "device": "an identifier of a device, browser or session",
    "username": "the name of an account",
    "name": "what reads as the name of a person",
    "digest": "a hash without a key, which is undone by guessing",
    "words": "what reads as a prompt, an output of a model or a conversation",
})
"""Kind to what it is, for people."""


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """One finding. It doesn't hold what was found: it goes into messages and logs."""

    kind: str
    """A word of ``KINDS``."""
    hidden: str = ""
    """How it was hidden (``base64``, ``percent-encoding``); empty where it stood in the clear."""

    @property
    def title(self) -> str:
        """For people: ``an e-mail address (hidden by base64)``."""
        return KINDS[self.kind] + (f" (hidden by {self.hidden})" if self.hidden else "")
