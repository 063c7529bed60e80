"""What a cell holds: one or more values with remarks, a broken value, or prose.

A value is never emitted when the cell leaves a doubt that it is whole: a URL with a blank inside is put
together only where it can't be meant otherwise, and else the cell is quarantined.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from exchange.connect.listed import one_by_one
from exchange.connect.value import NOTHING, Reading, Value, read
from exchange.model.identifiers.platforms import table
from exchange.model.identifiers.refang import clean, is_defanged, refang

_REMARK = re.compile(r"(?:^|\s)[\[(](?!\s*(?:\.|dot|at|@|:|/)\s*[\])])([^\[\]()]*[A-Za-z]{3}[^\[\]()]*)[\])]")
_LABEL = re.compile(r"^\s*(?:\d[\d,]* )?[A-Za-z][A-Za-z /]{1,30}:\s+(?=\S)")
_NAMED = re.compile(r"@[A-Za-z0-9_.]{3,40}")
_BETWEEN = frozenset({"and", "&", "or", "/", "|", "+", "-", "–", "—", "•", "·", "*", ",", ";", "aka", "→", "->", "=>"})
_DASHES = frozenset({"-", "–", "—", "|", "→", "->", "=>"})
_REMARK_WORDS = frozenset((
    "a", "account", "accounts", "active", "also", "an", "and", "archived", "as", "associated", "at",
    "banned", "belongs", "blog", "bot-run", "by", "channel", "channels", "closed", "comment",
    "comments", "company", "created", "deleted", "disabled", "domain", "down", "fake", "for", "former",
    "formerly", "from", "group", "groups", "has", "hosted", "hosting", "hosts", "in", "inactive", "is",
    "it", "its", "linked", "located", "main", "new", "no", "not", "now", "of", "offline", "old", "on",
    "operated", "or", "owned", "page", "pages", "part", "posing", "post", "posts", "previously",
    "private", "profile", "promoted", "redirected", "redirecting", "redirects", "registered", "removed",
    "renamed", "run", "see", "shared", "since", "site", "spoof", "spoofed", "spoofing", "still",
    "suspended", "targeted", "targeting", "targets", "that", "the", "this", "to", "unavailable", "used",
    "uses", "using", "video", "was", "website", "were", "which", "who", "with",
))  # fmt: skip
_FATES = frozenset({"suspended", "deleted", "inactive", "archived", "disabled", "removed", "unavailable", "closed"})
_THIRD_PARTY = frozenset({"with", "via", "through", "using", "by", "at", "registrar", "service", "hosted", "from",
                          "like", "uses", "including", "of", "tagged"})  # fmt: skip
_OPEN_END = re.compile(r"(?:[=&?]|%[0-9A-Fa-f]?|://|:/|\[\.\]|[A-Za-z0-9-]\[?\.)$")
_OPEN_START = re.compile(r"(?:[/?#=&%]|\[\.\]|\.\w)")
_SLUG_OPEN = re.compile(r"/[^/]*-[^/]*-[^/]*[-_]$")
_SLUG_PART = re.compile(r"[\w%.~-]{2,}$")
_NUMBER_END = re.compile(r"(?P<place>/pin/|/status/|tumblr\.com/[^/]+/)(?P<digits>\d+)$")
_LENGTHS = {"/pin/": (15, 19), "/status/": (17, 19)}
_LOOKS_LIKE = re.compile(r"\w+://|[\w-]+(?:\.[\w-]+)+(?:[/?:#]|$)|[\w.-]+@[\w-]+\.")
_STARTS = re.compile(r"(?:h(?:xx|tt)ps?\W|www\W|@\w)", re.IGNORECASE)
_LONG_LABEL = re.compile(r"\w{3,}\.\w+$|\w{3,}\.\w{2,3}\.\w{2}$|\d$")
_COMMON_ENDING = re.compile(r"\.(?:com|net|org|info|biz|[a-z]{2})$", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}[.,;:!?'’”\")]*$")


@dataclass(frozen=True)
class Cell:
    """What was read; a cell without values, shared hosts and fault is prose."""

    values: tuple[Value, ...] = ()
    shared: tuple[str, ...] = ()
    fault: str = ""
    remark: str = ""
    repair: str = ""


def read_cell(text: str, platform: str = "", known: Collection[str] = ()) -> Cell:
    """Read an indicator cell; ``known`` holds (refanged) values of the same file that stand whole elsewhere."""
    body = clean(text)
    remarks: list[str] = []

    def keep(found: re.Match[str]) -> str:
        """Keep a remark apart from the value that it stands behind."""
        remarks.append(found[1].strip())
        return " "

    stripped = _REMARK.sub(keep, body)
    body = one_by_one(stripped.strip() or body)
    if platform and _NAMED.fullmatch("; ".join(remarks)) and not _names(stripped):
        body = remarks.pop()  # "Lorem Ipsum (@lorem)"
    labelled = _LABEL.sub("", body, count=1)
    whose = table().named(body.partition(":")[0].strip())
    if labelled != body and labelled.startswith("@") and whose is not None:
        body, platform = labelled, whose.name
    elif labelled != body and (read(labelled.split()[0]).values or (platform and labelled.startswith("@"))):
        body = labelled
    words = [word for word in re.split(r"\s+", body) if word]
    if len(words) == 1 and re.search(r"\w[,;]\s*(?:https?:|hxxp|@)", body):
        words = [word for word in re.split(r"[,;]\s*(?=https?:|hxxp|@)", body) if word]
    return _words(words, platform, known, "; ".join(remarks))


def _names(text: str) -> bool:
    """Whether any word of a text is a value, or begins one."""
    return any(is_defanged(word) or read(word).values or read(word).fault for word in text.split())


def _words(words: list[str], platform: str, known: Collection[str], remark: str) -> Cell:
    readings = [NOTHING if word in _BETWEEN else read(word, platform if _alone(words) else "") for word in words]
    parts: list[Reading] = []
    for index, (word, reading) in enumerate(zip(words, readings, strict=True)):
        if word in _BETWEEN and index and parts and (word in ",;" or _more(readings[index + 1 :])):
            continue
        if (reading.values or reading.shared) and _begins(words, readings, index):
            parts.append(reading)
            continue
        rest = words[index:]
        if index == 0:
            return _no_start(words, reading, readings, known, platform, remark)
        if _ends_whole(words[index - 1], rest):
            return _cell(parts, "; ".join(filter(None, (remark, " ".join(rest)))))
        joined = _joined(words[index - 1], rest, known)
        if joined is not None:
            return _cell([*parts[:-1], joined], remark, "a blank inside the address was taken out")
        doubt = "it can't be told whether the blank is inside the value or ends it"
        return Cell(fault=f"{' '.join(words)[:200]!r}: {doubt}", remark=remark)
    return _cell(_without_wraps(words, parts), remark) if parts else Cell(remark=remark)


def _begins(words: list[str], readings: list[Reading], index: int) -> bool:
    """Whether a word that reads as a value can't be the rest of the value before it."""
    word, before = words[index], words[index - 1] if index else ""
    if not before or before in _BETWEEN or before[-1] in ",;" or _STARTS.match(word):
        return True
    if "/" in word:  # without a scheme: only after another of that kind, "x.com/a x.com/b"
        return "://" not in refang(before) and "/" in before
    pair = [value for reading in readings[index - 1 : index + 1] for value in reading.values]
    if is_defanged(before) != is_defanged(word):
        return False
    whole = read(before + word)
    if whole.shared or any(one.account for one in whole.values) or not _COMMON_ENDING.search(refang(before)):
        return False
    return len(pair) == 2 and all(
        one.kind in ("domain", "email", "ip") and "/" not in one.seen and _LONG_LABEL.search(one.canonical)
        for one in pair
    )


def _alone(words: list[str]) -> bool:
    """Whether words without an address may be handles: one word, or a list of them."""
    kept = [word.strip(",;") for word in words if word not in _BETWEEN]
    return len(kept) == 1 or all(word.startswith("@") for word in kept)


def _more(readings: list[Reading]) -> bool:
    return bool(readings) and bool(readings[0].values or readings[0].shared)


def _without_wraps(words: list[str], parts: list[Reading]) -> list[Reading]:
    """Values side by side, where none is the open beginning of the next."""
    if any(_OPEN_END.search(word) and not word.endswith(".") and word not in _BETWEEN for word in words[:-1]):
        return [Reading(fault=f"{' '.join(words)[:200]!r}: a value ends in the middle")]
    return parts


def _no_start(words: list[str], first: Reading, readings: list[Reading], known: Collection[str], platform: str,
              remark: str) -> Cell:  # fmt: skip
    if _is_prose(words):
        return Cell(remark=remark)
    if len(words) == 1:
        doubt = f"{words[0][:200]!r} looks like an address and is none" if _LOOKS_LIKE.match(refang(words[0])) else ""
        return Cell(fault=first.fault or doubt, remark=remark)
    whole = "".join(words)
    if refang(whole) in known or _OPEN_END.search(words[0]) or words[0].lower().endswith(("://", ":/")):
        joined = read(whole, platform)
        if joined.values:
            return _cell([joined], remark, "a blank inside the address was taken out")
    if any(reading.values for reading in readings) or any(is_defanged(word) for word in words):
        return Cell(fault=f"{' '.join(words)[:200]!r}: a value may be broken by a blank", remark=remark)
    return Cell(remark=remark)


def _ends_whole(word: str, rest: list[str]) -> bool:
    """Whether the value before the rest is whole for sure: a separator or a remark follows."""
    if _OPEN_START.match(rest[0]):
        return False
    if word[-1] in ",;:" or rest[0] in _DASHES or rest[0][0] in "([“\"'":
        return True
    plain = [one.strip(".,;:").casefold() for one in rest]
    if len(plain) == 1:  # "…/jine for": a single word is a remark only where it can hardly be the end of a name
        return plain[0] in _FATES
    if plain[0] in _REMARK_WORDS:
        return True
    return len(plain) >= 3 and sum(one in _REMARK_WORDS for one in plain) >= 2


def _joined(word: str, rest: list[str], known: Collection[str]) -> Reading | None:
    """The value that word and rest are two halves of, where that is certain."""
    whole = word
    for part in rest:
        if refang(whole + part) not in known and not _certain(whole, part):
            return None
        whole += part
    found = read(whole)
    return found if found.values and not found.fault else None


def _certain(whole: str, part: str) -> bool:
    if _WORD.match(part) and part.strip(".,;:").casefold() in _REMARK_WORDS:
        return False
    if _OPEN_END.search(whole) or _OPEN_START.match(part):
        return True
    if _SLUG_OPEN.search(whole) and _SLUG_PART.match(part):
        return True
    number = _NUMBER_END.search(refang(whole))
    if number and part.isdigit():
        shortest, longest = _LENGTHS.get(number["place"], (17, 19))
        return len(number["digits"]) < shortest <= len(number["digits"]) + len(part) <= longest
    return False


def _is_prose(words: list[str]) -> bool:
    plain = sum(1 for word in words if _WORD.match(word))
    return plain >= 3 or (plain >= 1 and len(words) - plain <= 1 and not any(is_defanged(word) for word in words))


def _cell(parts: list[Reading], remark: str, repair: str = "") -> Cell:
    values = tuple(value for part in parts for value in part.values)
    shared = tuple(part.shared for part in parts if part.shared)
    fault = next((part.fault for part in parts if part.fault), "")
    mended = "; ".join(dict.fromkeys(filter(None, (repair, *(value.repair for value in values)))))
    return Cell(() if fault else values, shared, fault, remark, mended)


def acquired_in(text: str) -> tuple[Value, ...]:
    """Values in a sentence about what was acquired: defanged ones that aren't named as a service that was
    used.
    """
    words = clean(text).split()
    found: list[Value] = []
    for index, word in enumerate(words):
        before = {one.strip(".,;:").casefold() for one in words[max(0, index - 3) : index]}
        if is_defanged(word.strip(".,;:()")) and not before & _THIRD_PARTY and "http" not in word[:4]:
            found += read(word.strip(".,;:()")).values
    return tuple(found)
