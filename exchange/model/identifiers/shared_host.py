"""Hosts that many unrelated people share: platforms, site builders, shorteners, mail, publishers.

A shared host is never an indicator by itself (rule (b) of the STIX profile); a full URL on it, or a
tenant's host under it, may be. The lists are package data (``shared_hosts.toml``); the platforms come from
the platform table.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from exchange.model.identifiers.platforms import client_host, table

Sharing = Literal["platform", "tenants", "everybody", "publisher", "shortener"]

_WORDS: dict[str, Sharing] = {
    "publishers": "publisher",
    "everybody": "everybody",
    "shorteners": "shortener",
    "tenants": "tenants",
}


@lru_cache(maxsize=1)
def _lists() -> dict[str, Sharing]:
    raw = tomllib.loads(files(__package__).joinpath("shared_hosts.toml").read_text("utf-8"))
    return {host: sharing for name, sharing in _WORDS.items() for host in raw[name]}


def shared(host: str) -> Sharing | None:
    """How the lower-case host is shared; None where it is somebody's own (a tenant's host is the tenant's
    own).

    Subdomains of publishers and of everybody's hosts are shared too; of site builders they are tenants.
    """
    host = client_host(host)
    located = table().at(host)
    if located is not None:
        return None if located[1] else "platform"
    lists = _lists()
    found = lists.get(host)
    if found is not None:
        return found
    start = host.find(".") + 1
    while start:
        found = lists.get(host[start:])
        if found is not None:
            return None if found == "tenants" else found
        start = host.find(".", start) + 1
    return None


def tenant_parent(host: str) -> str:
    """The site builder that the lower-case host is a tenant of; empty for other hosts."""
    lists = _lists()
    start = host.find(".") + 1
    while start:
        if lists.get(host[start:]) == "tenants":
            return host[start:]
        start = host.find(".", start) + 1
    return ""
