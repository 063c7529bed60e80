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
from pathlib import Path
from typing import Any

from exchange.connect.source import Source
from tests.fakes import misp_events


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


SAMPLES: Mapping[str, Sample] = {
    "stix-file": Sample(
        _stix_folder,
        frozenset([("a.json", row) for row in range(1, 1_202)] + [("b.json", row) for row in range(1, 300)]),
        ".json",
    ),
    "meta-threat-research": Sample(_meta_folder, _meta_rows(), ".csv"),
    "misp": Sample(
        lambda folder: misp_events.write_feed(folder / "misp", misp_events.sample_events()),
        misp_events.rows_of(misp_events.sample_events()), ".json",
    ),
}
