"""The classes of campaigns (R11), and the words by which a feed states them.

A class comes from the campaign extension of an object, from its labels, or from coded behaviour that only one class is
known for (DISARM). Coordinated inauthentic behaviour without more said is read as influence, the class in which most
is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exchange.stix import extensions

CLASSES = ("influence", "spam", "fake_creators", "bot_signup", "account_takeover", "financial")
_WORDS = {
    "influence-operation": "influence", "information-operation": "influence", "influence": "influence",
    "coordinated-inauthentic-behaviour": "influence", "coordinated-inauthentic-behavior": "influence",
    "cib": "influence", "spam": "spam", "fake-creator": "fake_creators", "bot-signup": "bot_signup",
    "account-takeover": "account_takeover", "financially-motivated": "financial", "scam": "financial",
    "financial": "financial",
}
_TECHNIQUES = {"T0011": "account_takeover", "T0141.001": "account_takeover", "T0090.003": "bot_signup",
               "T0137": "financial"}
"""DISARM: compromise legitimate accounts, acquire compromised account, create bot accounts, make money."""


def read_class(word: object) -> str:
    """The class that a word states; empty where it states none."""
    if not isinstance(word, str):
        return ""
    return _WORDS.get(re.sub(r"[\W_]+", "-", word.strip().lower()).removesuffix("s"), "")


def stated_class(obj: Mapping[str, Any]) -> str:
    """The class that a STIX object states of itself; empty where it states none, or two that differ."""
    extension = extensions.of(obj, extensions.CAMPAIGN)
    if found := read_class(extension.get("campaign_class")):
        return found
    labels = obj.get("labels")
    words = {read_class(word) for word in labels} - {""} if isinstance(labels, list) else set()
    if not words:
        behaviours = extension.get("behaviours")
        words = {_of_technique(one) for one in behaviours} - {""} if isinstance(behaviours, list) else set()
    return words.pop() if len(words) == 1 else ""


def _of_technique(behaviour: object) -> str:
    if not isinstance(behaviour, Mapping) or str(behaviour.get("framework")).upper() != "DISARM":
        return ""
    code = str(behaviour.get("id"))
    return _TECHNIQUES.get(code) or _TECHNIQUES.get(code.partition(".")[0], "")
