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

from exchange.model.identifiers.platforms import NOT_TENANTS, client_host, table

Sharing = Literal["platform", "tenants", "everybody", "publisher", "shortener"]

_WORDS: dict[str, Sharing] = {
    "top_sites": "everybody",
    "privacy_services": "everybody",
    "everybody": "everybody",
    "publishers": "publisher",
    "shorteners": "shortener",
    "tenants": "tenants",
}


_WHY: dict[Sharing, str] = {
    "platform": "{} is the host of a platform that many people use",
    "tenants": "{} lets many unrelated people have sites under it",
    "everybody": "{} is used by everybody",
    "publisher": "{} belongs to a publisher: impersonated, copied or quoted, not operated",
    "shortener": "{} shortens the links of many unrelated people",
}


@lru_cache(maxsize=1)
def _data() -> dict[str, list[str]]:
    return tomllib.loads(files(__package__).joinpath("shared_hosts.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _lists() -> dict[str, Sharing]:
    return {host: sharing for name, sharing in _WORDS.items() for host in _data()[name]}


def shared(host: str) -> Sharing | None:
    """How the lower-case host is shared; None where it is somebody's own (a tenant's host is the tenant's
    own).

    Subdomains of publishers and of everybody's hosts are shared too; of site builders they are tenants, but for
    the builder's own (``static.tilda.ws``).
    """
    host = client_host(host)
    located = table().at(host)
    if located is not None:
        return None if located[1] else "platform"
    lists = _lists()
    found = lists.get(host)
    if found is not None:
        return found
    parent = tenant_parent(host)
    if parent:
        return "tenants" if host.removesuffix("." + parent) in NOT_TENANTS else None
    start = host.find(".") + 1
    while start:
        found = lists.get(host[start:])
        if found is not None:
            return found
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


def why_shared(host: str) -> str:
    """Why the lower-case host stands for nobody in particular; empty where it is somebody's own."""
    found = shared(host)
    return _WHY[found].format(host) if found else ""


def is_privacy_service(host: str) -> bool:
    """Whether mail to the lower-case host is forwarded to registrants who keep their names back."""
    return any(host == one or host.endswith("." + one) for one in _data()["privacy_services"])
