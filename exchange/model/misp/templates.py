"""MISP object templates: which of their attributes name an account, and whom others speak of (``templates.toml``).

Names, UUIDs and object relations are those of misp-objects; what each means here is this project's own table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from exchange.model.identifiers.platforms import table

_ENDINGS = {"-account": "profile", "-user": "profile", "-channel": "channel", "-group": "group", "-page": "page"}
_HANDLES, _IDS, _URLS = ("account-name", "username", "name"), ("account-id", "id"), ("url", "link")


@dataclass(frozen=True, slots=True)
class Named:
    """An account that an object's attributes together name."""

    kind: str
    relation: str = "operated"
    """Of our relationship extension; ``operated`` as far as the source flags it, ``unknown`` where it doesn't say."""
    handles: tuple[str, ...] = ()
    """Object relations, the first that can be read names the account."""
    ids: tuple[str, ...] = ()
    """Object relations of ids that the platform gave."""
    urls: tuple[str, ...] = ()

    @property
    def relations(self) -> tuple[str, ...]:
        """All object relations that name it, addresses first: they say most."""
        return tuple(dict.fromkeys((*self.urls, *self.handles, *self.ids)))


@dataclass(frozen=True, slots=True)
class Template:
    """How objects of one template are read, and written."""

    name: str
    uuid: str = ""
    version: str = ""
    platform: str = ""
    platform_from: str = ""
    """Object relation that says the platform."""
    prefix: str = ""
    """What handles lack."""
    id_prefix: str = ""
    """What ids lack, in the account's canonical key."""
    accounts: tuple[Named, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    """Object relation to the relation of our extension."""
    everybody: str = ""
    """The relation of everything in it, where it isn't the network's."""
    guarded: bool = False
    refused: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    """Object relations that hold a telephone number as text."""
    themes: frozenset[str] = frozenset()
    out: Mapping[str, str] = field(default_factory=dict)


def template(name: str) -> Template:
    """The template of an object's name; one that isn't in the table by its ending, such as ``vk-account``."""
    known = _templates().get(name)
    if known is not None:
        return known
    for ending, kind in _ENDINGS.items():
        platform = table().named(name.removesuffix(ending)) if name.endswith(ending) else None
        if platform is not None:
            return Template(name, platform=platform.name, accounts=(Named(kind, "operated", _HANDLES, _IDS, _URLS),))
    return Template(name)


@lru_cache(maxsize=1)
def out_templates() -> Mapping[tuple[str, str], Template]:
    """Templates to write accounts with, by (platform, kind of account); user-account and social-media-group for the
    platforms without one, under the platform ``""``.
    """
    return {(one.platform, one.accounts[0].kind): one for one in _templates().values() if one.out}


@lru_cache(maxsize=1)
def _templates() -> dict[str, Template]:
    raw = tomllib.loads(files(__package__).joinpath("templates.toml").read_text("utf-8"))
    return {name: _template(name, entry) for name, entry in raw.items()}


def _template(name: str, entry: Mapping[str, Any]) -> Template:
    roles = {relation: role for role, relations in entry.get("roles", {}).items() for relation in relations}
    return Template(
        name, entry.get("uuid", ""), str(entry.get("version", "")), entry.get("platform", ""),
        entry.get("platform_from", ""), entry.get("prefix", ""), entry.get("id_prefix", ""),
        tuple(_named(one) for one in entry.get("accounts", ())), roles, entry.get("everybody", ""),
        entry.get("guarded", False), frozenset(entry.get("refused", ())), frozenset(entry.get("phones", ())),
        frozenset(entry.get("themes", ())), entry.get("out", {}),
    )  # fmt: skip


def _named(entry: Mapping[str, Any]) -> Named:
    return Named(entry["kind"], entry.get("relation", "operated"), tuple(entry.get("handles", ())),
                 tuple(entry.get("ids", ())), tuple(entry.get("urls", ())))
