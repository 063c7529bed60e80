"""Identifiers that follow from content: observables by STIX 2.1 (2.9), the rest in a namespace of ours."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from exchange.stix.canonical import canonical

SCO_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of observables' ids (STIX 2.1, 2.9)."""
OUR_NAMESPACE = uuid.UUID("2f3d1ccd-829b-47de-ba65-3eeb6e271213")
"""Namespace of ids that connectors derive from a source's own keys."""

CONTRIBUTING: dict[str, tuple[str, ...]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": (
        "start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions",
    ),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}  # fmt: skip
"""ID contributing properties of each observable (part 6); ``process`` has none."""

_VERSION_DIGIT = -22
"""Where an id tells which kind of UUID it ends in; 5: derived from content."""
_NO_CONTENT = ("type", "id", "spec_version")
_HASH_ORDER = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def sco_id(type_name: str, properties: Mapping[str, Any]) -> str:
    """The id of an observable by its contributing properties; others may be given and don't count.

    Types outside of STIX 2.1, and processes, take all given properties except type, id and spec_version.
    Raises ValueError when nothing contributes: two different things would get one id.
    """
    names = CONTRIBUTING.get(type_name) or [key for key in properties if key not in _NO_CONTENT]
    parts = {name: properties[name] for name in names if name in properties}
    if isinstance(parts.get("hashes"), Mapping) and parts["hashes"]:
        parts["hashes"] = _one_hash(parts["hashes"])
    if not parts:
        needed = ", ".join(names) or "its properties"
        raise ValueError(f"a {type_name} without any of {needed} has no derived id")
    return f"{type_name}--{_uuid5(SCO_NAMESPACE, canonical(parts))}"


def claims_other_content(obj: Mapping[str, Any]) -> bool:
    """Whether a valid observable bears an id that doesn't follow from its content.

    STIX allows that (2.9: SHOULD), yet such an object may sit on the id of what another will report.
    """
    kind = obj["type"]
    if kind not in CONTRIBUTING:
        return False
    if obj["id"][_VERSION_DIGIT] != "5":
        return True
    try:
        return bool(sco_id(kind, obj) != obj["id"])
    except ValueError:
        return True


def derived_id(type_name: str, *keys: str) -> str:
    """The id of an object that a connector makes: the same keys always give the same id.

    Give the connector's name first, then the keys by which its source tells things apart.
    """
    return f"{type_name}--{_uuid5(OUR_NAMESPACE, canonical([type_name, *keys]))}"


def _uuid5(namespace: uuid.UUID, name: str) -> str:
    """The text of ``uuid.uuid5`` (RFC 9562, 5.5) in a third of its time: every object needs one."""
    digest = bytearray(hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _one_hash(hashes: Mapping[str, Any]) -> dict[str, Any]:
    """Only one digest contributes: the first of a fixed order, else the first by name (2.9)."""
    name = next((name for name in _HASH_ORDER if name in hashes), None) or min(hashes)
    return {name: hashes[name]}
