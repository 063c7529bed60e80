"""The settings of a running exchange: one frozen value, read once from CIBX_* environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path

from exchange.errors import SettingError
from exchange.secret_files import SUFFIX, WithFiles

_SHORTEST_SECRET = 32
_FEWEST_SIGNS = 8
"""Different characters of a secret: 32 random ones of any alphabet have more, and changemechangeme has seven."""
_MAY_BE_ZERO = frozenset({"proxies", "requests_per_minute", "bytes_per_minute", "objects_per_minute"})


@dataclass(frozen=True)
class Settings:
    """Everything an operator can set; each field is the variable CIBX_<NAME> in capitals."""

    database_url: str = field(default="sqlite:///cibx.db", repr=False)
    """SQLAlchemy URL of the store: sqlite:///FILE or postgresql://USER@HOST/DATABASE."""
    policies: str = ""
    """Folder of policy packs that replaces the shipped one; empty means the shipped packs."""
    secret_key: str = field(default="", repr=False)
    """Signs paging cursors, at least 32 random characters; former ones, separated by commas, go on verifying. Empty:
    keys kept in the database."""
    title: str = "CIB exchange"
    """Title in the TAXII discovery resource."""
    contact: str = ""
    """Contact in the TAXII discovery resource."""
    max_content_length: int = 10_000_000
    """Largest request body, in bytes; larger ones get 413."""
    max_objects: int = 10_000
    """Most objects in one pushed envelope."""
    requests_per_minute: int = 300_000
    """Requests of one credential that all workers and servers answer in a minute; 0: any number."""
    bytes_per_minute: int = 6_000_000_000
    """Bytes of bodies that all workers and servers take of one organisation in a minute; 0: any number."""
    objects_per_minute: int = 6_000_000
    """Objects that all workers and servers take of one organisation in a minute; 0: any number."""
    page_size: int = 1_000
    """Most objects in one page, whatever the client asks."""
    status_hours: int = 24
    """Hours that a status resource is kept."""
    proxies: int = 0
    """Reverse proxies in front, each of which appends to X-Forwarded-For; 0: clients come by themselves."""
    streams: int = 500
    """Event streams that one worker keeps open in all."""
    streams_of_one: int = 20
    """Event streams that all workers and servers keep open for one organisation."""
    oidc_networks: str = ""
    """Private networks in which members' identity providers may be asked for their keys, separated by commas."""
    tls_certificate: str = ""
    """File with the server's certificate and its chain (PEM): with tls_key, cibx serve answers HTTPS itself."""
    tls_key: str = ""
    """File with the private key of tls_certificate (PEM)."""
    tls_client_ca: str = ""
    """File with the authorities (PEM) whose client certificates prove members where cibx serve answers HTTPS."""
    certificate_proxies: str = ""
    """Networks, separated by commas, of proxies whose header Client-Cert is believed; empty: nobody's is, unless
    proxy_secret is set."""
    proxy_secret: str = field(default="", repr=False)
    """What a proxy says in CIBX-Proxy-Secret so that its header Client-Cert is believed; at least 32 characters."""
    webhook_networks: str = ""
    """Private networks that webhooks may reach, separated by commas, such as 10.1.0.0/16; http is allowed there."""
    public_url: str = ""
    """Base of the API-root URLs in discovery, such as https://exchange.example; empty: the request's host."""
    seal_key: str = ""
    """File with the key under which copies of held objects are sealed; empty: beside the SQLite file, else
    cibx.seal-key."""
    metrics: str = ""
    """HOST:PORT on which Prometheus finds /metrics, such as 127.0.0.1:9464; nothing else is answered there. Let nobody
    but it come near. Empty: nowhere."""
    traces: str = ""
    """URL to which OpenTelemetry's spans are sent (OTLP over HTTP), such as http://127.0.0.1:4318/v1/traces; the extra
    otel must be installed. Empty: nowhere."""
    logs: str = "json"
    """Form of the server's log on the standard error: json (a line each) or text."""
    erasures: str = ""
    """File with the list of erasures that a restored backup must honour, on a disk that all servers share; empty:
    beside the SQLite file, and none is kept on PostgreSQL."""
    log_key: str = ""
    """File with the private key that signs the log; empty: beside the SQLite file, else cibx.log-key."""
    log_seconds: int = 60
    """Seconds between two signed checkpoints of the log."""

    @property
    def shown_database(self) -> str:
        """The database URL without the password."""
        return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", self.database_url)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read CIBX_* variables; raises SettingError for a misspelt name or a number that isn't one."""
    given = WithFiles(os.environ if environment is None else environment)
    known = {one.name: one for one in fields(Settings)}
    values: dict[str, str | int] = {}
    for variable in given:
        if not variable.startswith("CIBX_"):
            continue
        name = variable.removeprefix("CIBX_").removesuffix(SUFFIX).lower()
        if name not in known:
            if not name.startswith("secret_of_"):  # of a connector, or one that a description refers to
                _refuse_misspelt(variable, name, known)
            continue
        text = given[f"CIBX_{name.upper()}"]
        values[name] = _number(variable, text, lowest=0 if name in _MAY_BE_ZERO else 1) if (
            known[name].type == "int"
        ) else text
    settings = Settings(**values)  # type: ignore[arg-type]
    _check_keys(settings)
    _check_networks(settings)
    if settings.logs not in {"json", "text"}:
        raise SettingError(f"CIBX_LOGS is {settings.logs!r}; it must be json or text.")
    if settings.traces and not re.fullmatch(r"https?://[^\s/]+/\S*", settings.traces):
        raise SettingError(f"CIBX_TRACES is {settings.traces!r}, which is no address of a collector.",
                           fix="For example http://127.0.0.1:4318/v1/traces.")
    if settings.public_url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", settings.public_url):
        raise SettingError(f"CIBX_PUBLIC_URL is {settings.public_url!r}, which is no URL.",
                           fix="For example https://exchange.example.")
    if settings.metrics and not re.fullmatch(r"[^\s/]+:[0-9]{1,5}", settings.metrics):
        raise SettingError(f"CIBX_METRICS is {settings.metrics!r}, which isn't HOST:PORT.",
                           fix="For example 127.0.0.1:9464.")
    if settings.policies and not Path(settings.policies).is_dir():
        raise SettingError(f"CIBX_POLICIES names {settings.policies!r}, which is no folder.",
                           fix="Name a folder of policy packs or leave it empty.")
    return settings


def _check_keys(settings: Settings) -> None:
    """Raise SettingError for what identifies callers or this server, where it would do less than it says."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise SettingError("Of CIBX_TLS_CERTIFICATE and CIBX_TLS_KEY one alone is set.", fix="Set both, or neither.")
    if settings.tls_client_ca and not settings.tls_certificate:
        raise SettingError("CIBX_TLS_CLIENT_CA is set, but this server doesn't answer HTTPS.",
                           fix="Set CIBX_TLS_CERTIFICATE and CIBX_TLS_KEY, or let the proxy verify clients.")
    keys = settings.secret_key.split(",") if settings.secret_key else []
    if any(not key or key != key.strip() for key in keys):  # the key after "new, " isn't the one before it was
        raise SettingError("CIBX_SECRET_KEY has a comma too many, or a space beside a key.",
                           fix="Write the keys with nothing but a comma between.")
    for key in keys:
        _check_secret("CIBX_SECRET_KEY", key)
    if settings.proxy_secret:
        _check_secret("CIBX_PROXY_SECRET", settings.proxy_secret)


def _check_secret(variable: str, secret: str) -> None:
    """Raise SettingError for one that can be guessed; nothing of it is shown."""
    what = ""
    if len(secret) < _SHORTEST_SECRET:
        what = f"has a key of {len(secret)} characters"
    elif len(set(secret)) < _FEWEST_SIGNS:
        what = f"has a key of {len(set(secret))} different characters"
    if what:
        raise SettingError(f"{variable} {what}: it can be guessed.",
                           fix=f"Use {_SHORTEST_SECRET} random ones or more, such as openssl rand -hex 32 makes.")


def _check_networks(settings: Settings) -> None:
    """Raise SettingError where a list of networks isn't one, rather than when the first request needs it."""
    for name in ("oidc_networks", "certificate_proxies", "webhook_networks"):
        for text in filter(None, map(str.strip, getattr(settings, name).split(","))):
            try:
                ip_network(text, strict=False)
            except ValueError:
                raise SettingError(f"CIBX_{name.upper()} has {text[:100]!r}, which is no network.",
                                   fix="Write it like 10.1.0.0/16 or fd00::/8.") from None


def _refuse_misspelt(variable: str, name: str, known: Iterable[str]) -> None:
    """Raise SettingError where the name is nearly a setting's: an operator would believe that it is set."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.75)
    if near:
        raise SettingError(f"The environment variable {variable} is not a setting.",
                           fix=f"Did you mean CIBX_{near[0].upper()}?")


def _number(variable: str, text: str, lowest: int) -> int:
    if not (text.isascii() and text.isdigit()) or not lowest <= int(text) < 10**12:
        raise SettingError(f"{variable} is {text!r}; it must be a whole number of at least {lowest}.")
    return int(text)
