"""Numbers in sentences: assets removed, followers and members, money spent on advertising.

What a number is depends on the words around it; a template that nobody filled in ("$xx") is told apart from a
sentence without numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# 1,500 and 1 500 and 1.500 are thousands; 1.5 and (before a word of scale) 1,5 are decimals.
# A number begins where its digits do, so that a cell of many digits is read in linear time.
_DIGITS = (r"(?<!\d)\d{1,3}(?:[ ,.]\d{3}){1,6}(?:[.,]\d{1,2})?(?!\d)"
           r"|(?<!\d)\d+(?!\d)(?:[.,]\d+(?!\d))?")
_WORDS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]  # fmt: skip
_SAID = rf"\b(?:{'|'.join(_WORDS)})\b"
_NUMBER = (
    rf"(?P<no>no|zero)\b|(?P<number>{_DIGITS}|{_SAID})(?:\s?(?P<scale>thousand|million|billion|[kKmM](?![a-zA-Z])))?"
)
_APPROX = (
    r"(?:(?P<about>about|around|approximately|approx\.?|nearly|almost|roughly|some|over|more than|at least|just over|"
    r"an estimated|~)\s*)?(?:(?P<most>less than|fewer than|under|up to|below)\s+)?"
)
_ASSET = (
    r"(?P<asset>acc?o?u?n?ts?|profiles?|users?|pages?|groups?|channels?|events?|assets?|communities|subreddits?|blogs?|videos?"
    r"|petitions?|bots|handles?|domains?|websites?)\b"
)
_PLATFORM = (
    r"facebook|instagram|threads|x / twitter|x/twitter|twitter|youtube|tiktok|telegram|reddit|whatsapp|linkedin|"
    r"pinterest|medium|tumblr|quora|vkontakte|vk|odnoklassniki|bluesky|mastodon|truth social|substack|rumble|twitch|"
    r"snapchat|discord|weibo|wechat|rutube|dzen|gab|gettr|livejournal|wordpress|soundcloud|"
    r"x(?= (?:accounts?|posts|handles?|profiles?))"
)
_ON = rf"(?:\s+on\s+(?P<on>(?:{_PLATFORM})(?:(?:,| and|, and)\s+(?:{_PLATFORM}))*))?"
_COUNT = re.compile(
    _APPROX
    + rf"(?:{_NUMBER})(?P<plus>\+)?\s+(?:(?:fake|inauthentic|duplicate|likely|unique|public|private|related|additional|"
    rf"user|active|personal|new|more|other|compromised|linked|connected|associated|social media)\s+)*"
    rf"(?:(?P<platform>{_PLATFORM})\s+)?{_ASSET}{_ON}",
    re.IGNORECASE,
)
_TURNED = re.compile(rf"^\s*((?:(?:{_PLATFORM})\s+)?(?:accounts|pages|groups|channels|profiles))\s*[:=–-]\s*"
                     rf"((?:~|about |around )?\s*(?:{_DIGITS}))\s*$", re.IGNORECASE)  # fmt: skip
"""``Facebook accounts: 63``"""
_FOLLOWED = re.compile(
    _APPROX
    + rf"(?:{_NUMBER})\s+(?:[a-z]+\s+)?(?:acc?o?u?n?ts?|users?|people|profiles?|followers|members|subscribers)\b"
    r"(?P<verb>\s+(?:have\s+|had\s+)?(?:followed|joined|subscribed|liked|friended))?"
    r"(?P<what>\s+(?:to\s+)?(?:at least\s+)?(?:one or more of\s+|any of\s+)?(?:these|this|the)?\s*(?:[A-Za-z/]+\s+)?"
    r"(?:pages?|groups?|acc?o?u?n?ts?|channels?|profiles?)\b)?",
    re.IGNORECASE,
)
_SPEND = re.compile(
    _APPROX + rf"(?P<sign>US\$|C\$|A\$|\$|€|£)\s?(?P<number>{_DIGITS})\s?(?P<scale>thousand|million|billion|[kKmM]\b)?"
    rf"|(?P<about2>(?:about|around|approximately)\s+)?(?P<number2>{_DIGITS})\s?(?P<scale2>thousand|million|billion)?\s"
    r"(?P<code>USD|EUR|GBP|US dollars?|U\.S\. dollars?|dollars|euros?|pounds)\b",
    re.IGNORECASE,
)
_NO_SPEND = re.compile(
    r"\bno (?:paid )?ad(?:vertising|s)?(?:[- ]spend(?:ing)?)?\b"
    r"|\bdid not (?:engage in (?:paid )?advertis|run (?:any )?ads|spend)"
    r"|\bno spend(?:ing)?\b",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"[$€£]\s?x+\b|\bx{2,}\b(?!\s*\.)|\b(?:in|about|around|of) xx\b|\[(?:x+|number|amount)\]", re.IGNORECASE
)
_ACTIONED = re.compile(r"\b(?:remov|action|disabl|took down|taken down|disrupt|ban+ed|suspend|delet)", re.IGNORECASE)
_SCALES = {"thousand": 1_000, "k": 1_000, "million": 1_000_000, "m": 1_000_000, "billion": 1_000_000_000}
_CURRENCIES = {"$": "USD", "us$": "USD", "c$": "CAD", "a$": "AUD", "€": "EUR", "£": "GBP", "usd": "USD", "eur": "EUR",
               "gbp": "GBP", "euro": "EUR", "euros": "EUR", "pounds": "GBP"}  # fmt: skip
_MAX = 10**15
_LONGEST = 2_000
"""Characters of a sentence that are kept beside its number."""


@dataclass(frozen=True)
class Count:
    """Assets the publisher acted against."""

    platform: str
    asset_type: str
    count: int
    approximate: bool
    at_most: bool
    text: str


@dataclass(frozen=True)
class Audience:
    """Followers or members, as measured by the publisher."""

    metric: str
    platform: str
    asset_type: str
    value: int
    approximate: bool
    at_most: bool
    text: str


@dataclass(frozen=True)
class Spend:
    """Money spent on advertising, in the currency the publisher states it in."""

    amount: float
    currency: str
    approximate: bool
    text: str


def is_template(text: str) -> bool:
    """Whether a sentence is a template that nobody filled in."""
    return bool(_TEMPLATE.search(text))


def counts(text: str, platform: str = "") -> tuple[Count, ...]:
    """Counts of assets in a text; ``platform`` is whose they are where the words don't say."""
    found = []
    for match in _COUNT.finditer(_TURNED.sub(r"\2 \1", text)):
        named = match["on"] or match["platform"] or ""
        number = _number(match["no"], match["number"], match["scale"])
        asset = _asset(match["asset"])
        whose = _platforms(named) or (
            "facebook" if asset in ("page", "group") and platform in ("", "instagram") else platform
        )
        if number is not None:
            about = bool(match["about"] or match["most"] or match["plus"])
            found.append(Count(whose, asset, int(number), about, bool(match["most"]), match[0].strip()))
    return tuple(found)


def leading(text: str, platform: str = "") -> tuple[Count, ...]:
    """The count that a text begins with: ``63 accounts (2 of them verified)``; its other numbers may count anything."""
    return counts(text, platform)[:1] if _COUNT.match(text) else ()


def is_count(text: str) -> bool:
    """Whether a cell is nothing but counts of assets."""
    text = _TURNED.sub(r"\2 \1", text)
    rest = _COUNT.sub(" ", text)
    return _COUNT.search(text) is not None and not re.sub(
        r"\b(?:and|plus|in total|total|the|of|a|an|were|was)\b|\W", "", rest.casefold()
    )


def audiences(text: str, platform: str = "", asset_type: str = "", metric: str = "") -> tuple[Audience, ...]:
    """Audience figures in a text; without a ``metric`` given only what followed or joined something counts."""
    found: list[Audience] = []
    for match in _FOLLOWED.finditer(text):
        number = _number(match["no"], match["number"], match["scale"])
        if number is None or ((not metric or found) and not match["verb"]):
            continue
        verb, what = (match["verb"] or "").casefold(), (match["what"] or "").casefold()
        asset = next((_asset(word) for word in reversed(what.split())), asset_type)
        whose = _platforms(what) or ("facebook" if asset in ("page", "group") else platform)
        measured = "members" if "join" in verb or asset == "group" else metric or "followers"
        most = bool(match["most"])
        about = most or bool(match["about"])
        found.append(Audience(measured, whose, asset, int(number), about, most, match[0].strip()))
    return tuple(found)


def spends(text: str) -> tuple[Spend, ...]:
    """Advertising money in a text: the first amount, or nothing spent where it says so."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)
    stated = next((one for one in sentences if _SPEND.search(one)), "")
    match = _SPEND.search(stated)
    if match is None:
        none = next((one for one in sentences if _NO_SPEND.search(one)), "")
        return (Spend(0, "USD", False, none.strip()[:_LONGEST]),) if none else ()
    number = _number(None, match["number"] or match["number2"], match["scale"] or match["scale2"])
    unit = (match["sign"] or match["code"] or "").casefold()
    if number is None:
        return ()
    amount = int(number) if number == int(number) else number
    return (
        Spend(
            amount,
            _CURRENCIES.get(unit, "USD"),
            bool(match["about"] or match["most"] or match["about2"]),
            stated.strip()[:_LONGEST],
        ),
    )


def removed(text: str) -> tuple[Count, ...]:
    """Counts of assets in those sentences of prose that say they were acted against."""
    found: list[Count] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if _ACTIONED.search(sentence):
            found += [one for one in counts(_without_followers(sentence)) if one.asset_type != "user"]
    return tuple(found)


def _without_followers(sentence: str) -> str:
    """A sentence without those of its parts that say who followed or joined something."""
    return "".join(" " if _FOLLOWERS.search(part) else part for part in re.split(r"([,.;])", sentence))


_FOLLOWERS = re.compile(r"\b(?:followed|joined)\b", re.IGNORECASE)


def _number(no: str | None, digits: str | None, scale: str | None) -> float | None:
    if no:
        return 0
    if not digits:
        return None
    if digits.casefold() in _WORDS:
        return (_WORDS.index(digits.casefold()) + 1) * _SCALES.get((scale or "").casefold(), 1)
    grouped = re.fullmatch(r"(\d{1,3}(?:[ ,.]\d{3})+)(?:[.,](\d{1,2}))?", digits)
    if grouped and not (scale and len(digits) < 6):  # "1.234 million" is no group of thousands
        digits = re.sub(r"\D", "", grouped[1]) + "." + (grouped[2] or "0")
    number = float(digits.replace(",", ".").replace(" ", "")) * _SCALES.get((scale or "").casefold(), 1)
    return number if number < _MAX else None


def _asset(word: str) -> str:
    plain = word.casefold().rstrip("s")
    if plain.startswith("ac"):
        return "account"
    return {"communitie": "community", "user": "account", "profile": "account", "handle": "account"}.get(plain, plain)


def _platforms(text: str) -> str:
    if text.casefold() == "x":
        return "x"
    names = re.findall(_PLATFORM, text.casefold())
    plain = dict.fromkeys("x" if name in ("twitter", "x/twitter", "x / twitter") else name for name in names)
    return " and ".join(plain)
