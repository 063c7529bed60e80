"""``cibx demo``: the whole exchange at work on this machine, from nothing, in half a minute."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="demo")
@click.option("--meta", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR",
              help="Folder with Meta's published threat indicators; they are brought in as well.")
@click.option("--port", type=click.IntRange(0, 65_535), metavar="N",
              help="Port of the server; default: 8080 where that is free, else any.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Keep everything there; default: a temporary folder that goes at the end.")
@click.option("--once", is_flag=True, help="End after the story, instead of staying up.")
def command(*, meta: Path | None, port: int | None, folder: Path | None, once: bool) -> None:
    """Make an exchange with three members, share made-up indicators under a policy, pull and match them.

    It tells each step, explains one account's score, and then stays up with lines to paste. Needs no network,
    changes nothing outside its folder, and ends with Ctrl-C.
    """
    click.echo("cibx demo: members, policy, push, pull, match, explain; all of it on this machine.")
    from exchange.cli.demo.story import tell

    tell(meta=meta, port=port, folder=folder, once=once)
