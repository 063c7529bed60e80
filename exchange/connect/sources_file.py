"""The file that names several sources with their schedules, in TOML; it names secrets and holds none.

    server = "https://exchange.example"     # or: org = "org-alpha", for the database of this machine
    token = { file = "token" }              # with a server
    collection = "indicators"
    policy = "government-published"         # for sources that name none
    state = "state"                         # folder, beside this file
    metrics = "connectors.prom"             # written after each run, for Prometheus' text-file collector

    [[source]]
    name = "ministry"
    connector = "misp"
    place = "https://misp.example"
    every = "15m"
    options = { published = "yes" }
    secrets = { key = { file = "misp.key" } }   # or { env = "VARIABLE" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.connect.job import Job
from exchange.errors import InputError
from exchange.toml_text import TomlError, read_toml

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_TOP = {"server", "org", "token", "collection", "policy", "state", "metrics", "source"}
_OF_SOURCE = {"name", "connector", "place", "policy", "every", "stale_after", "options", "secrets", "per_second",
              "allow_networks", "plain_http", "ca_file"}  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What the file says."""

    jobs: tuple[Job, ...]
    server: str = ""
    org: str = ""
    token: str = ""
    collection: str | None = None
    state: Path | None = None
    metrics: Path | None = None


def read_sources(path: Path, environment: Mapping[str, str]) -> Sources:
    """Read the file; raises InputError that names what is wrong in it."""
    try:
        found = read_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.", fix="Name a TOML file of sources.") from None
    except (TomlError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}.") from None
    reader = _Reader(path, environment)
    reader.refuse_unknown(found, _TOP, "the file")
    sources = found.get("source")
    if not isinstance(sources, list) or not sources or not all(isinstance(one, dict) for one in sources):
        raise InputError(f"{path} names no sources.", fix="Each is a table [[source]].")
    jobs = tuple(reader.job(one, reader.text(found, "policy", "")) for one in sources)
    names = [job.name for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: two sources are called {twice[0]!r}.", fix="Give each a name of its own.")
    return Sources(
        jobs, reader.text(found, "server", ""), reader.text(found, "org", ""),
        reader.secret("token", found["token"]) if "token" in found else "",
        reader.text(found, "collection", "") or None, reader.path(found, "state"), reader.path(found, "metrics"))


def seconds(text: str) -> float:
    """A duration such as ``90s``, ``15m``, ``6h`` or ``1d`` in seconds; raises InputError."""
    match = re.fullmatch(r"([0-9]{1,6})\s*([smhd])", text.strip())
    if match is None or int(match[1]) == 0:
        raise InputError(f"{text[:40]!r} is no duration.", fix="Write it like 90s, 15m, 6h or 1d.")
    return float(int(match[1]) * _UNITS[match[2]])


def secret_from(name: str, text: str, beside: Path) -> str:
    """A secret of ``@FILE``, without the line break at its end; raises InputError, also for one in clear."""
    if not text.startswith("@"):
        raise InputError(f"The secret {name!r} is given in clear.", why="Every user of this machine could read it.",
                         fix=f"Put it into a file and give --secret {name}=@FILE, or into the environment variable"
                             f" {variable_of(name)}.")
    try:
        value = (beside / text[1:]).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file of the secret {name!r}, {text[1:]}, can't be read: {error}.") from None
    if not value:
        raise InputError(f"The file of the secret {name!r}, {text[1:]}, is empty.")
    return value


def variable_of(name: str) -> str:
    """The environment variable that a secret is looked for in where no other is named."""
    return f"CIBX_SECRET_OF_{name.upper().replace('-', '_')}"


class _Reader:
    """Reads values of one file, and names the place of what is wrong."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path, self._environment = path, environment

    def job(self, found: Mapping[str, Any], policy: str) -> Job:
        """One source. Raises InputError for the first entry that is missing, unknown or of another kind."""
        name = self.text(found, "name", "")
        if not name:
            raise InputError(f"{self._path}: a source has no name.", fix='Give each name = "…".')
        self.refuse_unknown(found, _OF_SOURCE, f"the source {name!r}")
        place = self.text(found, "place", "")
        if "://" not in place and place:
            place = str(self._path.parent / place)
        secrets = self.table(found, "secrets")
        job = Job(
            name, self.text(found, "connector", ""), place,
            {key: str(value) for key, value in self.table(found, "options").items()},
            {key: self.secret(key, value) for key, value in secrets.items()},
            self.text(found, "policy", policy),
            every=self._duration(found, name, "every"),
            stale=self._duration(found, name, "stale_after"),
            per_second=self._rate(found), allow=self._texts(found, "allow_networks"),
            plain_http=found.get("plain_http") is True, ca_file=self.path(found, "ca_file"),
        )
        for wanted, value in (("connector", job.connector), ("place", job.place), ("policy", job.policy)):
            if not value:
                raise InputError(f"{self._path}: the source {name!r} names no {wanted}.",
                                 fix="Nothing enters the exchange without a policy." if wanted == "policy" else "")
        return job

    def _duration(self, found: Mapping[str, Any], source: str, name: str) -> float | None:
        """An entry that is a duration, in seconds; None where there is none. Raises InputError for anything else."""
        try:
            return seconds(self.text(found, name, "")) if name in found else None
        except InputError as error:
            raise InputError(f"{self._path}: the source {source!r}: {name}: {error.what}", fix=error.fix) from None

    def _texts(self, found: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """An entry that is a list of texts; empty where there is none. Raises InputError for another kind."""
        value = found.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InputError(f"{self._path}: {name} must be a list of texts in quotes.")
        return tuple(value)

    def refuse_unknown(self, found: Mapping[str, Any], known: set[str], where: str) -> None:
        """Raise InputError for an entry that nobody reads: it would be believed to count."""
        unknown = sorted(found.keys() - known)
        if unknown:
            raise InputError(f"{self._path}: {where} has an unknown entry {unknown[0]!r}.",
                             fix=f"Known: {', '.join(sorted(known))}.")

    def text(self, found: Mapping[str, Any], name: str, default: str) -> str:
        """An entry that is text. Raises InputError for another kind."""
        value = found.get(name, default)
        if not isinstance(value, str):
            raise InputError(f"{self._path}: {name} must be text in quotes.")
        return value

    def table(self, found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """An entry that is a table; empty where there is none. Raises InputError for another kind."""
        value = found.get(name, {})
        if not isinstance(value, dict):
            raise InputError(f"{self._path}: {name} must be a table.", fix=f"Write [source.{name}], a line for each.")
        return value

    def path(self, found: Mapping[str, Any], name: str) -> Path | None:
        """An entry that names a file, beside the sources' own; None where there is none."""
        value = self.text(found, name, "")
        return self._path.parent / value if value else None

    def secret(self, name: str, value: Any) -> str:
        """A secret out of a file or variable, never out of the text itself. Raises InputError."""
        if isinstance(value, dict) and len(value) == 1:
            (kind, said), = value.items()
            if kind == "file":
                return secret_from(name, f"@{said}", self._path.parent)
            if kind == "env" and self._environment.get(str(said)):
                return self._environment[str(said)]
            if kind == "env":
                raise InputError(f"The environment variable {said} of the secret {name!r} is empty.")
        raise InputError(f"{self._path}: the secret {name!r} isn't named by a file or an environment variable.",
                         why="Secrets don't stand in this file.", fix='Write { file = "…" } or { env = "…" }.')

    def _rate(self, found: Mapping[str, Any]) -> float | None:
        rate = found.get("per_second")
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0):
            raise InputError(f"{self._path}: per_second must be a number above 0.")
        return rate


def secrets_in(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Those of a connector's secrets that the environment holds under their usual variables."""
    return {name: environment[variable_of(name)] for name in names if environment.get(variable_of(name))}
