"""Where a connector reads from: a path or address, the person's options, secrets, and a careful way into the web."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exchange.errors import InputError

if TYPE_CHECKING:
    from exchange.outbound.web import Web


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a connector, given with ``--option NAME=VALUE`` or in its schedule."""

    help: str
    default: str = ""
    needed: bool = False


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a run. Secrets never stand in ``place``, in checkpoints, in rows or in logs."""

    place: str
    """A path, or an http(s) URL, as the person named it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Checked by the runner against the connector's ``options``; defaults filled in."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    outside: Web | None = field(default=None, repr=False)
    now: Callable[[], datetime] = _now
    """The clock, in UTC."""

    @property
    def is_url(self) -> bool:
        """Whether the place is a web address."""
        return self.place[:8].lower().startswith(("http://", "https://"))

    @property
    def path(self) -> Path:
        """The place as a path; raises InputError for a web address."""
        if self.is_url:
            raise InputError("This connector reads files, not web addresses.", fix="Download the file and name it.")
        return Path(self.place)

    @property
    def url(self) -> str:
        """The place as an address without a slash at its end; raises InputError for a path."""
        if not self.is_url:
            raise InputError("This connector reads from a server.", fix="Name its URL: https://…")
        return self.place.rstrip("/")

    @property
    def web(self) -> Web:
        """The way into the web; raises InputError where a run has none."""
        if self.outside is None:
            raise InputError("This run has no way into the web.")
        return self.outside

    def option(self, name: str) -> str:
        """The value of an option; empty where none was given and there is no default."""
        return self.options.get(name, "")

    def secret(self, name: str) -> str:
        """A secret by name; raises InputError that says how to give it."""
        value = self.secrets.get(name, "")
        if not value:
            raise InputError(f"The secret {name!r} is missing.",
                             fix=f"Give it by --secret {name}=@FILE or the environment variable"
                                 f" CIBX_SECRET_OF_{name.upper().replace('-', '_')}.")
        return value

    @property
    def key(self) -> str:
        """What names the source in checkpoints: the address, or the absolute path."""
        return self.url if self.is_url else str(Path(self.place).resolve())
