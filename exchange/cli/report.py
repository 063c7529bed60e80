"""``cibx report ai-lab``: look at AI-lab cluster reports without a server: their faults, their STIX, their schema.

Exit codes: 0 every report is right, 3 some have faults, 2 the file can't be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from exchange.connect.contract import Row

EXIT_SOME_LEFT_OUT = 3


@click.group(name="report")
def command() -> None:
    """Reports in a form of their own, before they are sent."""


@command.group(name="ai-lab")
def ai_lab() -> None:
    """The abuse-cluster report of an AI provider."""


@ai_lab.command()
@click.argument("source", type=click.Path(path_type=Path))
def check(source: Path) -> int:
    """Tell every fault of the reports of SOURCE (a file or folder): where it is, what it is, how to mend it."""
    _, rows = _read(source)
    for row in rows:
        said = "has faults" if row.outcome == "quarantined" else row.reason or "is right"
        click.echo(f"{row.file}, report {row.row}: {said}{'' if said == row.reason else '.'}")
        if row.outcome == "quarantined":
            click.echo(f"  {row.reason}", err=True)
    return EXIT_SOME_LEFT_OUT if any(row.outcome == "quarantined" for row in rows) else 0


@ai_lab.command()
@click.argument("source", type=click.Path(path_type=Path))
def stix(source: Path) -> int:
    """Print the reports of SOURCE as a STIX bundle, for `cibx push` or any TAXII client; nothing where one has faults.

    The exchange understands what is pushed so as it does the form itself.
    """
    import uuid

    objects, rows = _read(source)
    wrong = [row for row in rows if row.outcome == "quarantined"]
    for row in wrong:
        click.echo(f"{row.file}, report {row.row}: {row.reason}", err=True)
    if wrong:
        return EXIT_SOME_LEFT_OUT
    unique = {(one["id"], one.get("modified")): one for one in objects}
    text = json.dumps(list(unique.values()), indent=1, ensure_ascii=False)
    click.echo(f'{{"type": "bundle", "id": "bundle--{uuid.uuid5(uuid.NAMESPACE_OID, text)}", "objects": {text}}}')
    return 0


@ai_lab.command()
def schema() -> None:
    """Print the JSON Schema of the newest version."""
    from exchange.ailab.form import NAME, VERSIONS
    from exchange.ailab.published import schema as published

    click.echo(json.dumps(published(NAME, VERSIONS[0]), indent=1, ensure_ascii=False))


def _read(source: Path) -> tuple[list[Mapping[str, Any]], list[Row]]:
    from connectors.ai_lab_report import CONNECTOR
    from exchange.connect.source import Source

    objects: list[Mapping[str, Any]] = []
    rows: list[Row] = []
    for batch in CONNECTOR.fetch(Source(str(source)), None):
        objects += batch.upserts
        rows += batch.rows
    return objects, rows
