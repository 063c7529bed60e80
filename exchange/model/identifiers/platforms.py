"""The platforms that are known: names, hosts and path shapes, read from ``platforms.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

# First path segments that name no account on any platform.
_COMMON_RESERVED = frozenset(
    {
        "about",
        "login",
        "login.php",
        "share",
        "share.php",
        "sharer",
        "sharer.php",
        "intent",
        "hashtag",
        "signup",
        "register",
        "help",
        "privacy",
        "terms",
        "legal",
        "settings",
        "search",
        "index.php",
        "index.html",
        "favicon.ico",
        "robots.txt",
        "sitemap.xml",
        "contact",
        "jobs",
        "download",
        "downloads",
        "home",
    }
)
# Labels before a host of many tenants that are the host's own.
NOT_TENANTS = frozenset(
    {
        "www",
        "m",
        "mobile",
        "api",
        "blog",
        "help",
        "support",
        "about",
        "static",
        "cdn",
        "img",
        "news",
        "mail",
        "web",
        "amp",
        "touch",
        "old",
        "new",
        "dev",
        "status",
        "developer",
        "developers",
        "en",
        "accounts",
        "policy",
        "community",
    }
)
ANY_HANDLE = re.compile(r"[^\s/?#%:;,@\\\"'<>|{}()\[\]^`*=&$!+~]{1,100}")
"""What a handle may look like where a platform says nothing more; letters of all scripts."""
_CLIENT_LABELS = ("www.", "m.", "mobile.", "touch.", "amp.", "old.", "web.")


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of path: what it names and how that is written canonically."""

    path: re.Pattern[str]
    kind: str
    """profile, page, group, channel, blog or post."""
    host: str = ""
    """Only on this host, where not empty."""
    url: str = ""
    post: str = ""
    prefix: str = ""
    fold: bool = True
    is_id: bool = False
    query: str = ""
    form: re.Pattern[str] = re.compile(".+")
    """What the query parameter may look like."""
    as_post: bool = False
    """The query parameter is a post's id, not an account's."""
    pages: frozenset[str] = frozenset()
    """Values of the post group that are pages of the profile, not posts."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform's rules."""

    name: str
    hosts: tuple[str, ...]
    handle: re.Pattern[str]
    shapes: tuple[Shape, ...]
    bare: tuple[tuple[re.Pattern[str], str], ...]
    reserved: frozenset[str]
    tenant: bool = False
    not_tenants: frozenset[str] = frozenset()
    tenant_path: str = "/{}"
    site: bool = False
    """A tenant's host is a whole web site of its own."""
    dots: bool = True
    hyphen: str = ""
    """What a hyphen stands for in handles, where hosts can't hold it."""
    alike: frozenset[str] = frozenset()
    """Kinds of account whose addresses look the same."""


@dataclass(frozen=True, slots=True)
class Table:
    """All platforms by name (and other names) and by host."""

    by_name: Mapping[str, Platform]
    by_host: Mapping[str, Platform]

    def named(self, name: str) -> Platform | None:
        """The platform that goes by this name, in any case."""
        return self.by_name.get(" ".join(name.casefold().split()))

    def at(self, host: str) -> tuple[Platform, str] | None:
        """The platform of a lower-case host, and the tenant in it ("" where none); None for other hosts."""
        platform = self.by_host.get(host)
        if platform is not None:
            return platform, ""
        start = host.find(".") + 1
        while start and (platform := self.by_host.get(host[start:])) is None:
            dot = host.find(".", start)
            start = dot + 1
        if not start or platform is None:
            return None
        label = host[: start - 1].removeprefix("www.")
        if not platform.tenant or "." in label or label in NOT_TENANTS or label in platform.not_tenants:
            return platform, ""
        return platform, label


def client_host(host: str) -> str:
    """The host without the label that only picks a client: ``m.``, ``www.``, ``mobile.``."""
    for label in _CLIENT_LABELS:
        if host.startswith(label) and host.count(".") > 1:
            return host[len(label) :]
    return host


@lru_cache(maxsize=1)
def table() -> Table:
    """The platform table, read once from the package's data."""
    raw = tomllib.loads(files(__package__).joinpath("platforms.toml").read_text("utf-8"))
    by_name: dict[str, Platform] = {}
    by_host: dict[str, Platform] = {}
    for name, entry in raw.items():
        platform = _platform(name, entry)
        by_name.update(dict.fromkeys((name, *entry.get("names", ())), platform))
        by_host.update(dict.fromkeys(platform.hosts, platform))
    return Table(by_name, by_host)


def _platform(name: str, entry: Mapping[str, Any]) -> Platform:
    fold = entry.get("fold", True)
    return Platform(
        name=name,
        hosts=tuple(entry["hosts"]),
        handle=re.compile(entry["handle"]) if "handle" in entry else ANY_HANDLE,
        shapes=tuple(_shape(shape, fold) for shape in entry["shapes"]),
        bare=tuple((re.compile(pattern or ".*"), path) for pattern, path in entry.get("bare", [["", "/{}"]])),
        reserved=_COMMON_RESERVED | frozenset(entry.get("reserved", ())),
        tenant=entry.get("tenant", False),
        not_tenants=frozenset(entry.get("not_tenants", ())),
        tenant_path=entry.get("tenant_path", "/{}"),
        site=entry.get("site", False),
        dots=entry.get("dots", True),
        hyphen=entry.get("hyphen", ""),
        alike=frozenset(entry.get("alike", ())),
    )


def _shape(shape: Mapping[str, Any], fold: bool) -> Shape:
    return Shape(
        path=re.compile(shape["path"]),
        kind=shape["kind"],
        host=shape.get("host", ""),
        url=shape.get("url", ""),
        post="" if shape.get("keep") else shape.get("post", ""),
        prefix=shape.get("prefix", ""),
        fold=shape.get("fold", fold),
        is_id=shape.get("id", False),
        query=shape.get("query", ""),
        form=re.compile(shape.get("form", ".+")),
        as_post=shape.get("as_post", False),
        pages=frozenset(shape.get("pages", ())),
    )
