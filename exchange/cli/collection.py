"""``cibx collection``: list and add collections (and the community that a collection belongs to)."""

from __future__ import annotations

import click

from exchange.cli import directory_steps as steps
from exchange.errors import InputError
from exchange.model.party import Directory
from exchange.toml_text import TomlError, read_toml


@click.group()
def command() -> None:
    """TAXII collections and their communities."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")
def list_collections(as_json: bool) -> None:
    """List the collections."""
    collections = steps.present_directory().collections.values()
    steps.print_rows(map(steps.plain, collections),
                     ("id", "community", "alias", "title", "readers", "writers"), as_json)


@command.command("communities")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")
def list_communities(as_json: bool) -> None:
    """List the communities (API roots)."""
    communities = steps.present_directory().communities.values()
    steps.print_rows(map(steps.plain, communities), ("id", "title", "group"), as_json)


@command.command()
@click.argument("community")
@click.argument("alias")
@click.option("--title", required=True, help="Title of the collection.")
@click.option("--id", "collection_id", help="UUID; default: derived from community and alias.")
@click.option("--description")
@click.option("--reader", "readers", multiple=True, help="Organisation or group that reads, or *.")
@click.option("--writer", "writers", multiple=True, help="Organisation or group that writes, or *.")
@click.option("--strictness", help="standard or strict.")
@click.option("--default-terms", "terms", help="Terms of objects without any, TOML: 'tlp = \"TLP:GREEN\"'.")
@click.option("--group", help="The members' group of a community that is new.")
def add(
    community: str,
    alias: str,
    collection_id: str | None,
    terms: str | None,
    group: str | None,
    **options: str | tuple[str, ...] | None,
) -> None:
    """Add a collection to a community, or change the one with this alias; --group makes a new community."""
    row = steps.stated(community=community, alias=alias, id=collection_id, **options)
    if terms is not None:
        try:
            row["default_terms"] = read_toml(terms)
        except TomlError as error:
            raise InputError(f"--default-terms is not TOML: {error}.", fix="Write key = value.") from None

    def describe(directory: Directory) -> steps.Document:
        """The collection, with its community and group where they aren't there."""
        if group is None or community in directory.communities:
            return {"collection": [row]}
        return {
            "collection": [row],
            "community": [{"id": community, "title": community, "group": group}],
            "group": [] if group in directory.groups else [{"id": group}],
        }

    steps.change_directory(describe, {}, source="cibx collection add", begins=True)
