"""A sample source for each connector, made by the test: the connector contract runs over all of them.

A connector of files says how to ``make`` one; a connector of a server says how to ``serve`` it: a context manager
that runs a local peer (tests/fakes/) and gives the Source, with ``quick_web()`` as its way into the web.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exchange.connect.source import Source
from tests.fakes import lab_reports, misp_events
from tests.fakes import opencti_objects as opencti
from tests.fakes.graph_peer import GROUP, TOKEN, GraphPeer, descriptor, thing
from tests.fakes.quick_web import quick_web
from tests.fakes.taxii_peer import ID as TAXII_ID
from tests.fakes.taxii_peer import TaxiiPeer, stamp


@dataclass(frozen=True)
class Sample:
    """How to make a source, and which rows it has."""

    make: Callable[[Path], Path] | None
    """Writes the source below a folder and returns its place; None where it is served."""
    rows: frozenset[tuple[str, int]]
    """(file, row) of every row of the source."""
    suffix: str = ""
    """Ending of a file that the connector reads; empty where it reads none."""
    serve: Callable[[Path], AbstractContextManager[Source]] | None = None
    """Runs a local peer, and gives the source; the folder is empty and the test's own."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of a made source; a served one has its own."""

    @contextmanager
    def source(self, folder: Path) -> Iterator[Source]:
        """The source, for as long as it is there."""
        if self.serve is not None:
            with self.serve(folder) as served:
                yield served
        else:
            assert self.make is not None, "a sample is made or served"
            yield Source(str(self.make(folder)), self.options)


def _id(kind: str, number: int) -> str:
    return f"{kind}--{uuid.uuid5(uuid.NAMESPACE_OID, f'{kind} {number}')}"


def _domain(number: int) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "id": _id("domain-name", number),
            "value": f"d{number}.example"}


def _relationship(number: int) -> dict[str, Any]:
    return {
        "type": "relationship", "spec_version": "2.1", "id": _id("relationship", number),
        "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-01T00:00:00.000Z",
        "relationship_type": "related-to", "source_ref": _id("domain-name", number),
        "target_ref": _id("domain-name", number + 1),
        "start_time": "2024-01-01T00:00:00.000Z", "stop_time": "2024-01-01T00:00:00.000Z",
    }


def _stix_folder(folder: Path) -> Path:
    """Two bundles, with objects to be taken, mended and quarantined, some twice, and markings at the end."""
    source = folder / "stix"
    source.mkdir()
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "created": "2017-01-20T00:00:00.000Z",
        "id": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "definition_type": "tlp",
        "name": "TLP:CLEAR", "definition": {"tlp": "clear"},
    }
    first: list[Any] = [make(number) for number in range(600) for make in (_domain, _relationship)]
    first[100] = {"type": "domain-name", "id": "domain-name--1", "value": "bad.example"}
    first[200] = 7
    first[1100] = first[2]
    first.append(marking)
    second = [_domain(number) for number in range(1_000, 1_299)]
    for name, objects in (("a.json", first), ("b.json", second)):
        bundle = {"type": "bundle", "id": _id("bundle", len(objects)), "objects": objects}
        (source / name).write_text(json.dumps(bundle))
    return source


_TAKEDOWN = """Tactic,Technique,Procedure,Indicator,Comments\r
0 Acquiring assets,0.9 Acquiring social media accounts,0.9.1 Acquiring Facebook assets,63 accounts,\r
,,,"About 7,000 accounts followed one or more of these Pages",\r
,,,,\r
0 Acquiring assets,0.9 Acquiring social media accounts,0.9.4 Acquiring X accounts,https://twitter[.]com/made_up_1,\r
,,0.9.5 Acquiring YouTube channels,"hxxps://www.youtube[.]com/@made-up
(a second line)",\r
7. Targeted engagement,7.1 Running ads,7.1.1 Advertising,"About $1,600 in spending for ads on Facebook",\r
0 Acquiring assets,0.6 Acquiring domains,0.6.2 Acquiring domains to support influence operations,broken url .exa mple,
"""
_TAKEDOWN_ROWS = 8
"""Rows of the text above: the cell with two lines is one."""


def _meta_folder(folder: Path) -> Path:
    """Two periods, of several batches, with every kind of row; all names are made up."""
    source = folder / "meta" / "indicators" / "csv"
    for period in ("Q1_2023", "Q2_2024"):
        (source / period).mkdir(parents=True)
        lines = "".join(f",,,made-up-{period[-4:]}-{number}[.]example[.]com,\r\n" for number in range(240))
        path = source / period / f"{period}_Utopia-based_CIB_network.csv"
        path.write_text(_TAKEDOWN + lines, newline="")
    (source / "Q1_2023" / "Q1_2023_Utopia-based_CIB_network_2.tsv").write_text(
        "Tactic\tTechnique\tProcedure\tIndicator\n"
        "0 Acquiring assets\t0.6 Acquiring domains\t0.6.2 Acquiring domains\tother-made-up[.]example[.]org",
    )
    return folder / "meta"


def _meta_rows() -> frozenset[tuple[str, int]]:
    rows = [(f"indicators/csv/{period}/{period}_Utopia-based_CIB_network.csv", row)
            for period in ("Q1_2023", "Q2_2024") for row in range(1, _TAKEDOWN_ROWS + 241)]
    other = "indicators/csv/Q1_2023/Q1_2023_Utopia-based_CIB_network_2.tsv"
    return frozenset([*rows, (other, 1), (other, 2)])


@contextmanager
def _taxii(_folder: Path) -> Iterator[Source]:
    """Nine pages, with objects to be mended and quarantined, dates that are equal, and one object twice."""
    held: list[tuple[str, Any]] = [(stamp(number // 4), one) for number in range(12)
                                   for one in (_domain(number), _relationship(number))]
    held[7:7] = [(held[7][0], {"type": "domain-name", "id": "domain-name--1", "value": "bad.example"})]
    held.append((stamp(90), _domain(3)))
    with TaxiiPeer(held, token="made-up-token") as peer:
        yield Source(peer.discovery, {"collection": "lorem"}, {"token": "made-up-token"}, quick_web())


def _opencti_folder(folder: Path) -> Path:
    """A bundle of 200 sites that a campaign uses or copies from, and one of a broken object."""
    source = folder / "opencti"
    source.mkdir()
    campaign = opencti.thing("campaign", "Lorem")
    objects = [campaign]
    for number in range(200):
        site = opencti.thing("channel", f"site-{number}.example.net")
        objects += [site, opencti.link(campaign, "amplifies" if number % 5 == 0 else "uses", site)]
    (source / "a.json").write_text(json.dumps({"type": "bundle", "id": _id("bundle", 1), "objects": objects}))
    (source / "b.json").write_text(json.dumps([opencti.observable("domain-name", "lorem.example"), {"type": "channel"}]))
    return source


def _tables(folder: Path) -> Path:
    """Three tables: of 1,200 rows with a profile beside it, of JSON lines, and one that is none."""
    source = folder / "tables"
    source.mkdir()
    lines = ["name,what,since,list"]
    for number in range(1_200):
        what = ("mine", "theirs", "odd", "")[number % 4]
        lines.append(f"made-up-{number % 1_100}[.]example,{what},2024-01-{number % 28 + 1:02},Lorem {number % 3}")
    lines += ['"broken .exa mple",mine,,Lorem', "63 accounts,,,Lorem", ",,,"]
    (source / "a.csv").write_text("\n".join(lines))
    (source / "a.toml").write_text(
        '[source]\nname = "Lorem Institute"\ndate = "2024-02-01"\n[columns]\nname = "value"\nwhat = "relation"\n'
        'since = "first_seen"\nlist = "campaign"\n[words]\nmine = "operated"\ntheirs = "legitimate"\n')  # fmt: skip
    (source / "b.jsonl").write_text('{"account": "https://x.com/made_up_1", "tlp": "green"}\n{"account": \n\n')
    (source / "c.csv").write_text("lorem ipsum,dolor\nsit amet,elit\n")
    return source


_TABLE_ROWS = frozenset([*(("a.csv", row) for row in range(1, 1_205)), ("b.jsonl", 1), ("b.jsonl", 2), ("b.jsonl", 3),
                         ("c.csv", 1)])  # fmt: skip


_NOW = datetime(2023, 11, 20, tzinfo=UTC)


@contextmanager
def _graph(_folder: Path) -> Iterator[Source]:
    """Four pages of a privacy group: opinions of each status, a deletion, one that can't be said."""
    with GraphPeer() as peer:
        for number in range(1, 10):
            status = ("MALICIOUS", "NON_MALICIOUS", "UNKNOWN")[number % 3]
            told = descriptor(number, status=status, reactions=[{"SAW_THIS_TOO": ["9"]}])
            peer.say(thing(number, "DOMAIN", f"made-up-{number}.example", told), at=1_700_000_000 + number)
        peer.delete(3, at=1_700_000_100)
        peer.say(thing(10, "DOMAIN", "made-up-10.example", descriptor(10, share_level=None)), at=1_700_000_101)
        yield Source(peer.group_url, {}, {"token": TOKEN}, quick_web(), lambda: _NOW)


def _lab_folder(folder: Path) -> Path:
    """One report alone, and a file of lines: two versions of one report, one with a fault, one withdrawn, no JSON."""
    source = folder / "lab"
    source.mkdir()
    (source / "a.json").write_text(json.dumps(lab_reports.FULL, indent=1))
    lines = [
        lab_reports.form(report_id="rpt-2"), lab_reports.form(report_id="rpt-2", version=2, external_assets=[]),
        lab_reports.form(report_id="rpt-3", prompts=["lorem"]), lab_reports.form(report_id="rpt-4", status="withdrawn"),
    ]
    (source / "b.jsonl").write_text("\n".join([*map(json.dumps, lines), "{not JSON}"]))
    return source


def _disarm(folder: Path) -> Path:
    """Two releases: of 500 techniques the later one retires every fifth and renames every seventh."""
    source = folder / "disarm"
    for version, day, step in (("1.6", "2024-11-22", 1), ("1.7", "2026-01-21", 5)):
        stamp = f"{day}T10:00:00.000Z"
        objects = [
            {"type": "attack-pattern", "id": _id("attack-pattern", number + int(day[:4]) * 1_000), "created": stamp,
             "modified": stamp, "name": f"Lorem {number} {version if number % 7 == 0 else ''}",
             "external_references": [{"source_name": "mitre-attack", "external_id": f"T{number:04}"}],
             "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "plan-lorem"}]}
            for number in range(500) if step == 1 or number % step
        ]  # fmt: skip
        (source / version).mkdir(parents=True)
        bundle = {"type": "bundle", "id": _id("bundle", step), "objects": [*objects, {"type": "malware"}]}
        (source / version / "DISARM.json").write_text(json.dumps(bundle))
    return source


def _archive(folder: Path) -> Path:
    """A data set: 700 users, most of them hashed, and 600 tweets; and a file that is no part of it."""
    source = folder / "archive"
    source.mkdir()
    users = ["userid,user_display_name,user_screen_name,follower_count,account_creation_date,account_language"]
    for number in range(700):
        ident = f"{number:041}A" if number % 5 else str(10_000 + number)
        name = ident if number % 5 else f"made_up_{number}"
        users.append(f"{ident},{name},{name},{number},2019-02-03,en")
    (source / "lorem_2021_users.csv").write_text("\n".join([*users, "?,?,?,,,"]))
    tweets = ["tweetid,userid,user_screen_name,tweet_text,tweet_time,hashtags"]
    tweets += [f"{number},10000,made_up_0,lorem,2021-01-02 03:04,[a]" for number in range(600)]
    (source / "lorem_2021_tweets.csv").write_text("\n".join(tweets))
    (source / "zz.csv").write_text("lorem,ipsum\n")
    return source


_ARCHIVE_ROWS = frozenset([*(("lorem_2021_users.csv", row) for row in range(1, 703)), ("zz.csv", 1),
                           *(("lorem_2021_tweets.csv", row) for row in range(1, 602))])  # fmt: skip

SAMPLES: Mapping[str, Sample] = {
    "ai-lab-report": Sample(_lab_folder, frozenset([("a.json", 1), *(("b.jsonl", row) for row in range(1, 6))]), ".json"),
    "stix-file": Sample(
        _stix_folder,
        frozenset([("a.json", row) for row in range(1, 1_202)] + [("b.json", row) for row in range(1, 300)]),
        ".json",
    ),
    "taxii": Sample(
        None, frozenset((f"collections/{TAXII_ID}", row) for row in range(1, 26)), serve=_taxii),
    "opencti": Sample(
        _opencti_folder, frozenset([("a.json", row) for row in range(1, 402)] + [("b.json", 1), ("b.json", 2)]), ".json"),
    "meta-threat-research": Sample(_meta_folder, _meta_rows(), ".csv"),
    "disarm": Sample(
        _disarm, frozenset([*(("1.6/DISARM.json", row) for row in range(1, 502)),
                            *(("1.7/DISARM.json", row) for row in range(1, 402))]), ".json"),
    "x-archive": Sample(_archive, _ARCHIVE_ROWS, ".csv"),
    "table": Sample(_tables, _TABLE_ROWS, ".csv"),
    "threatexchange": Sample(
        None, frozenset((f"{GROUP}/threat_updates", row) for row in range(1, 11)), serve=_graph),
    "misp": Sample(
        lambda folder: misp_events.write_feed(folder / "misp", misp_events.sample_events()),
        misp_events.rows_of(misp_events.sample_events()), ".json",
    ),
}
