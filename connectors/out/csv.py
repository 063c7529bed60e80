"""What a member may have as one CSV table: a row per value, with what it is to whom.

Every run writes the file anew; it stands under its name only when it is whole. A cell that a spreadsheet would take
for a formula gets an apostrophe before it, which the connector ``table`` takes off again.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar

import msgspec

from exchange.connect.contract import StixObject
from exchange.connect.named import Name, of_observable, of_pattern
from exchange.connect.outward import Publisher, Sent, Target
from exchange.connect.rows import OutputFile
from exchange.connect.source import Option
from exchange.errors import InputError
from exchange.model.identifiers.refang import defang
from exchange.stix import extensions, tlp

COLUMNS = ("type", "value", "platform", "url", "relation", "role", "campaign", "tlp", "confidence", "first_seen",
           "last_seen", "source", "id")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_TOLD = frozenset({"relationship", "campaign", "intrusion-set", "identity", "marking-definition"})
"""Types that stand in columns and not in rows."""
_STRICT = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
_RELATIONS = {"legitimate-mention": "legitimate"}


class CsvFile(Publisher):
    """The way out ``csv``."""

    name = "csv"
    title = "CSV: one table of values (a file is named)"
    options: ClassVar[Mapping[str, Option]] = {
        "defang": Option("yes: addresses are written so that nobody clicks on them", "no"),
    }
    whole = True

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Write the latest version of everything; raises InputError where the file can't be written."""
        if target.path.is_dir():
            raise InputError(f"{target.path} is a folder.", fix="Name the file to write, such as values.csv.")
        with tempfile.TemporaryFile() as spool:
            held = _Held(spool)
            for item in objects:
                held.add(item)
            yield from _written(held, target.path, target.option("defang") == "yes")


PUBLISHER = CsvFile()


@dataclass
class _Link:
    """What a relationship says of a value."""

    campaign: str
    relation: str = ""
    role: str = ""
    first: str = ""
    last: str = ""


@dataclass
class _Held:
    """The objects on disk, and in memory where the latest version of each stands and what they say of each other."""

    spool: IO[bytes]
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    markings: dict[str, str] = field(default_factory=dict)
    """Marking to its level."""
    links: dict[str, _Link] = field(default_factory=dict)
    """By the id of an indicator or observable."""

    def add(self, item: StixObject) -> None:
        """Take a version in; a revoked one takes out what was there."""
        name = str(item["id"])
        self.places.pop(name, None)
        self.gone.discard(name)
        if item.get("revoked") is True:
            self.gone.add(name)
            self.names.pop(name, None)
            return
        if item["type"] == "relationship":
            self._link(item)
        elif item["type"] == "marking-definition":
            level = tlp.from_definition(item)
            if isinstance(level, tuple):
                self.markings[name] = level[1]
        elif item["type"] in _TOLD:
            self.names[name] = str(item.get("name") or "")
        raw = msgspec.json.encode(item)
        self.places[name] = self.spool.tell(), len(raw)
        self.spool.write(raw)

    def items(self) -> Iterator[Mapping[str, Any]]:
        """The latest versions, in the order in which they came."""
        for begin, size in list(self.places.values()):
            self.spool.seek(begin)
            yield msgspec.json.decode(self.spool.read(size))

    def _link(self, item: StixObject) -> None:
        says = extensions.of(item, extensions.RELATIONSHIP)
        for one, other in (("source_ref", "target_ref"), ("target_ref", "source_ref")):
            campaign = str(item.get(other, ""))
            if campaign.startswith(("campaign--", "intrusion-set--")):
                self.links[str(item.get(one, ""))] = _Link(
                    campaign, str(says.get("relation", "")), str(says.get("role", "")), str(item.get("start_time", "")),
                    str(item.get("stop_time", "")))  # fmt: skip


def _written(held: _Held, path: Path, defanged: bool) -> Iterator[Sent]:
    sents: list[Sent] = [Sent(name, "sent", "revoked: it stands in no row any more") for name in held.gone]
    told: set[Name] = set()
    with OutputFile(path) as file:
        file.write(_line(COLUMNS))
        for item in held.items():
            if item["type"] != "indicator":
                continue
            names = of_pattern(str(item.get("pattern"))) if item.get("pattern_type") == "stix" else None
            if names is None:
                sents.append(Sent(item["id"], "left-out", "its pattern says more than values"))
                continue
            told.update(Name(one.kind, one.value, one.platform) for one in names)
            sents.append(Sent(item["id"], "sent"))
            file.write(b"".join(_line(_cells(one, item, held, defanged)) for one in names))
        for item in held.items():
            if item["type"] == "indicator":
                continue
            names = of_observable(item)
            if not names:
                known = item["type"] in _TOLD
                sents.append(Sent(item["id"], "sent" if known else "left-out", "" if known else "a table has no place"))
                continue
            new = [one for one in names if Name(one.kind, one.value, one.platform) not in told]
            sents.append(Sent(item["id"], "sent"))
            file.write(b"".join(_line(_cells(one, item, held, defanged)) for one in new))
    yield from sents


def _cells(name: Name, item: Mapping[str, Any], held: _Held, defanged: bool) -> tuple[str, ...]:
    link = held.links.get(item["id"], _Link(""))
    indicator = item["type"] == "indicator"
    relation = _RELATIONS.get(link.relation, link.relation) or ("operated" if indicator else "unknown")
    if indicator and "benign" in item.get("indicator_types", ()):
        relation = "legitimate"
    value, address = name.value, name.url
    if defanged and name.kind in ("domain", "url", "email", "ipv4", "ipv6"):
        value = defang(value)
    by = str(item.get("created_by_ref", ""))
    return (
        name.kind, value, name.platform, defang(address) if defanged else address, relation, link.role,
        held.names.get(link.campaign, link.campaign), _level(item, held), str(item.get("confidence", "")),
        link.first or str(item.get("valid_from", "")), link.last, held.names.get(by, by), str(item["id"]),
    )  # fmt: skip


def _level(item: Mapping[str, Any], held: _Held) -> str:
    found = []
    for ref in item.get("object_marking_refs") or ():
        known = tlp.well_known(str(ref))
        level = known[1] if known else held.markings.get(str(ref), "")
        found.append("TLP:CLEAR" if level == "TLP:WHITE" else level)
    found += [known[1] for label in item.get("labels") or () if (known := tlp.from_word(str(label)))]
    return max((level for level in found if level in _STRICT), key=_STRICT.index, default="")


def _line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell
