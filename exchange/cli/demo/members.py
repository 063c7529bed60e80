"""The demonstration's members: described in members.toml, made by the code of ``cibx apply``."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Mapping
from importlib.resources import files

from exchange.model.description import read_description
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import Change, apply, lock_directory
from exchange.store.engine import open_engine, write
from exchange.store.migrations import migrate

COMMUNITY, COLLECTION = "demo", "indicators"
DESK, PLATFORM, STRANGER = "sample-desk", "riverside", "adworks"
"""Who contributes, who pulls and matches, and whose purpose nothing is shared for; also their key ids."""


def make_members(settings: Settings) -> tuple[Mapping[str, str], list[Change]]:
    """Make the database with members, agreements and credentials: secrets by key id, and what changed.

    In a folder of an earlier demonstration only the secrets are new.
    """
    chosen = {who: secrets.token_urlsafe(24) for who in (DESK, PLATFORM, STRANGER)}
    environment = {f"CIBX_SECRET_OF_{who.replace('-', '_').upper()}": secret for who, secret in chosen.items()}
    document = tomllib.loads(files(__package__).joinpath("members.toml").read_text(encoding="utf-8"))
    engine = open_engine(settings.database_url)
    try:
        migrate(engine)
        with write(engine) as connection:
            lock_directory(connection)
            known = load_directory(connection)
            wanted = read_description(document, known, environment, source="members.toml")
            return chosen, apply(connection, wanted)
    finally:
        engine.dispose()
