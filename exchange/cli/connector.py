"""``cibx connector``: what there is, whether it works, runs, ways out, how sources stand, what was put aside."""

from __future__ import annotations

import json
from typing import Any

import click

from exchange.cli.connector_quarantine import quarantine
from exchange.cli.connector_run import check, run
from exchange.cli.connector_send import send
from exchange.cli.connector_status import status


@click.group(name="connector")
def command() -> None:
    """Bring sources in through connectors, here or to a server with a token; keep them fresh."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the connectors: what each takes, and which ways out there are."""
    from exchange.connect import registry

    inward = [_described(registry.connector(name)) for name in registry.names()]
    outward = [_described(registry.publisher(name)) for name in registry.publisher_names()]
    if as_json:
        click.echo(json.dumps({"in": inward, "out": outward}, indent=2, ensure_ascii=False))
        return
    for heading, found in (("In", inward), ("Out", outward)):
        click.echo(heading)
        for one in found:
            click.echo(f"  {one['name']}: {one['title']}")
            for name, option in one["options"].items():
                default = f" (default: {option['default']})" if option["default"] else ""
                more = " (needed)" if option["needed"] else default
                click.echo(f"      --option {name}=…  {option['help']}{more}")
            for name, help_text in one["secrets"].items():
                click.echo(f"      --secret {name}=@FILE  {help_text}")


def _described(found: Any) -> dict[str, Any]:
    return {
        "name": found.name, "title": found.title,
        "options": {name: {"help": option.help, "default": option.default, "needed": option.needed}
                    for name, option in found.options.items()},
        "secrets": dict(found.secrets), "lasting": bool(getattr(found, "lasting", False)),
    }


for _one in (check, run, send, status, quarantine):
    command.add_command(_one)
