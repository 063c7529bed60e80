"""Which network a file is about: period, key, origins and targets, from its name or its report's title."""

from __future__ import annotations

import calendar
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePosixPath

_HALF = re.compile(r"\bh([12])[ -]?(20\d\d)\b")
_QUARTER = re.compile(r"\bq([1-4])(?:[ -]([1-4]))?[ -]?(20\d\d)\b")
_MONTH = re.compile(r"^(20\d\d)[ -](0[1-9]|1[0-2])\b")
_YEAR = re.compile(r"^(20\d\d)\b")
_NOISE = frozenset({
    "meta", "metas", "githubiocs", "cib", "network",
    "networks", "cluster", "based", "influence", "operation",
    "updated", "operations", "indicators", "iocs", "ioc", "coordinated", "inauthentic", "behavior", "behaviour",
    "removing", "from", "adversarial", "threat", "report", "and", "final", "new",
})  # fmt: skip
_NOT_CIB = re.compile(
    r"\b(?:apt|espionage|malware|malicious|hackers?|hacking|surveillance|spyware|scams?|phishing|cyber|mobile apps?|"
    r"ransomware|fraud)\b"
)
_CIB = re.compile(r"\b(?:cib|inauthentic|influence operation)\b")
_BASED = re.compile(r"(.*?)\bbased\b")
_TARGETING = re.compile(r"\btargeting\b(.*)")
_UNDATED = "2020-01-01"


@dataclass(frozen=True)
class Place:
    """A country or region."""

    name: str
    code: str
    is_country: bool


@dataclass(frozen=True)
class Network:
    """One network as one report tells of it: the same in every format."""

    period: str
    """Such as ``q2-2023``, ``h1-2026``, ``2022-09``; empty where the source has none."""
    slug: str
    """What tells it apart within the period."""
    date: str
    """The last day the report covers (YYYY-MM-DD): the day of publication isn't in the files."""
    origins: tuple[Place, ...] = ()
    targets: tuple[Place, ...] = ()

    @property
    def key(self) -> str:
        """Period and slug."""
        return f"{self.period}/{self.slug}"

    @property
    def name(self) -> str:
        """For people."""
        words = " ".join(word.upper() if len(word) < 4 else word.capitalize() for word in self.slug.split("-"))
        return f"CIB network {words} ({self.period.upper()})" if self.period else f"CIB network {words}"


def plain(text: str) -> str:
    """Lower-case words without accents or punctuation, single blanks between them."""
    folded = unicodedata.normalize("NFKD", text.replace("ı", "i")).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", folded).split())


def of_file(file: str) -> Network:
    """The network that a file's name (and, for the period, its folders) tells of."""
    path = PurePosixPath(file)
    words = plain(path.stem)
    period, date = _period(words)
    for folder in reversed(path.parts[:-1]):
        if period:
            break
        period, date = _period(plain(folder))
    return Network(period, _slug(words), date or _UNDATED, *_claims(words))


def with_part(network: Network, part: str) -> Network:
    """The network of some rows of a file that tells of several."""
    return Network(network.period, f"{network.slug}-{'-'.join(plain(part).split())}", network.date)


def titled(network: Network, title: str) -> Network:
    """The network with the origins and targets that a report's title names added."""
    origins, targets = _claims(plain(title.rpartition(":")[2]))
    return Network(network.period, network.slug, network.date, _merged(network.origins, origins),
                   _merged(network.targets, targets))  # fmt: skip


def is_cib_name(file: str) -> bool | None:
    """Whether a file's name says that it is about CIB (True) or something else (False); None where it
    doesn't say.
    """
    words = plain(PurePosixPath(file).stem)
    if _CIB.search(words):
        return True
    return False if _NOT_CIB.search(words) else None


def places_in(text: str) -> tuple[Place, ...]:
    """Countries and regions in a text, in order, each once."""
    found: dict[str, Place] = {}
    names = _places()
    for match in _place_pattern().finditer(plain(text)):
        place = names[match[0]]
        found.setdefault(place.code, place)
    return tuple(found.values())


def _period(words: str) -> tuple[str, str]:
    half = _HALF.search(words)
    if half:  # H1 reports cover the fourth and first quarter, H2 reports the second and third
        return f"h{half[1]}-{half[2]}", f"{half[2]}-03-31" if half[1] == "1" else f"{half[2]}-09-30"
    quarter = _QUARTER.search(words)
    if quarter:
        first, last, year = quarter.groups()
        names = {("2", "3"): "h2", ("4", "1"): "h1"}
        name = names.get((first, last or ""), f"q{first}-{last}" if last else f"q{first}")
        month = 3 * int(last or first)
        return f"{name}-{year}", f"{year}-{month:02d}-{calendar.monthrange(int(year), month)[1]:02d}"
    month_match = _MONTH.search(words)
    if month_match:
        year, number = month_match.groups()
        return f"{year}-{number}", f"{year}-{number}-{calendar.monthrange(int(year), int(number))[1]:02d}"
    year_match = _YEAR.search(words)
    return (year_match[1], f"{year_match[1]}-12-31") if year_match else ("", "")


def _slug(words: str) -> str:
    for pattern in (_HALF, _QUARTER, _MONTH, _YEAR):
        words = pattern.sub(" ", words)
    kept = [word for word in words.split() if word not in _NOISE]
    return "-".join(kept) or "network"


def _claims(words: str) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    based, targeting = _BASED.search(words), _TARGETING.search(words)
    origins = places_in(based[1]) if based else ()
    targets = places_in(targeting[1]) if targeting else ()
    if targeting and not targets and not based:  # "MOLDOVA_&_MADAGASCAR_TARGETING_CIB_NETWORK"
        targets = places_in(words[: targeting.start()])
    return origins, targets


def _merged(one: tuple[Place, ...], other: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple({place.code: place for place in (*one, *other)}.values())


@lru_cache(maxsize=1)
def _places() -> dict[str, Place]:
    raw = tomllib.loads(files(__package__).joinpath("places.toml").read_text("utf-8"))
    found = {plain(name): Place(name.title(), code, False) for name, code in raw["regions"].items()}
    names: dict[str, str] = {}
    for name, code in raw["countries"].items():
        names.setdefault(code, name.title())
        found[plain(name)] = Place(names[code], code, True)
    return found


@lru_cache(maxsize=1)
def _place_pattern() -> re.Pattern[str]:
    names = sorted(_places(), key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
