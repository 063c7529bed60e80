"""What a description of members and collections means: tables in, wanted rows or all faults out.

The tables are those of ``cibx apply`` (documented there). Only keys that were stated are in a wanted row:
what a description doesn't say stays as it is, or takes its default when the thing is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from exchange.errors import InputError
from exchange.model.credential import DEFAULT_SCOPES, digest_of_chosen
from exchange.model.description_tables import KEYS, TABLES
from exchange.model.description_values import WrongValueError, like
from exchange.model.party import Credential, Directory
from exchange.model.proofs import clashes
from exchange.words import counted

Row = dict[str, Any]
Wanted = dict[str, dict[tuple[str, ...], Row]]
"""Wanted rows by table and key (``KEYS``); a row holds its key and the stated columns."""

COLLECTION_IDS = UUID("8f0f6d0c-3a3b-5a0e-9c0e-3f6a2f1f5b64")
"""Namespace of derived collection ids: UUIDv5 of community/alias."""
_EEA = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
))
_STATE_KINDS = ("regulator", "government")

class DescriptionError(InputError):
    """Everything that is wrong in a description, one sentence or two a fault; nothing of it was applied."""

    def __init__(self, source: str, faults: list[str]) -> None:
        count = counted(len(faults), "fault")
        super().__init__(f"{source} has {count}; nothing was changed.")
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """The faults, one a line, below a first line that counts them."""
        return "\n".join([self.what, *self.faults])


def read_description(
    document: Mapping[str, Any],
    known: Directory,
    environment: Mapping[str, str],
    *,
    source: str,
    alone: bool = False,
) -> Wanted:
    """The rows that ``document`` asks for. Raises DescriptionError with every fault found.

    References are looked up in the document and, unless it stands ``alone``, in ``known``; ``secret_env`` in
    ``environment``; ``source`` is the name of the file for messages.
    """
    reading = _Reading(source, known, environment, alone)
    reading.read_tables(document)
    reading.check_references()
    if reading.faults:
        raise DescriptionError(source, reading.faults)
    return reading.wanted


@dataclass
class _Reading:
    source: str
    known: Directory
    environment: Mapping[str, str]
    alone: bool
    wanted: Wanted = field(default_factory=lambda: {name: {} for name in TABLES})
    faults: list[str] = field(default_factory=list)
    places: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    """Where each row stands, for messages that come later."""
    described: dict[str, set[Any]] = field(default_factory=lambda: {name: set() for name in TABLES})
    """Ids of all rows, faulty ones too: a reference to a faulty row isn't a second fault."""

    def read_tables(self, document: Mapping[str, Any]) -> None:
        """Read every table of the document; one that there is not is a fault with the nearest name."""
        for name, rows in document.items():
            if name not in TABLES:
                self.fault(f"[[{name}]]", "", "There is no such table." + like(name, tuple(TABLES)),
                           f"Tables: {', '.join(TABLES)}.")
            else:
                self.read_rows(name, rows, f"[[{name}]]", {})

    def read_rows(self, name: str, rows: Any, header: str, parent: Row) -> None:
        """Read the rows of one table. ``header`` is how people write it, ``parent`` the keys that a nested row
        inherits."""
        if not isinstance(rows, list):
            self.fault(header, "", "It is no list of tables.", f"Begin each {name} with {header}.")
            return
        for number, given in enumerate(rows, start=1):
            if not isinstance(given, dict):
                place = f"{header} no. {number}"
                self.fault(place, "", "It is no table.", f"Begin each {name} with {header}.")
                continue
            label = given.get("id", given.get("alias"))
            place = f"{header} {label!r}" if isinstance(label, str) else f"{header} no. {number}"
            self.read_row(name, {**parent, **given}, place)

    def read_row(self, name: str, given: Row, place: str) -> None:
        """Read one row with the reader of each key; nothing is taken of a row with a fault."""
        table = TABLES[name]
        row: Row = {}
        if isinstance(given.get("id"), str):
            self.described[name].add(given["id"])
        faults_before = len(self.faults)
        for key, value in given.items():
            if key in table.nested:
                header = f"{place} > [[{name}.{key}]]"
                self.read_rows(key, value, header, {table.parent_key: given.get("id")})
                continue
            reader = table.keys.get(key)
            if reader is None:
                allowed = (*table.keys, *table.nested)
                self.fault(place, key, "There is no such key." + like(key, allowed),
                           f"Keys: {', '.join(allowed)}.")
                continue
            try:
                row[key] = reader(value)
            except WrongValueError as error:
                self.fault(place, key, error.why, error.fix)
        for key in table.required:
            if key not in given:
                self.fault(place, key, "It is missing.", "Add it.")
        completed = len(self.faults) == faults_before and self.complete(name, row, place)
        if completed:
            self.take(name, row, place)

    def complete(self, name: str, row: Row, place: str) -> bool:
        """Add what follows from what was stated; False when that shows a fault."""
        before = len(self.faults)
        _COMPLETE.get(name, _nothing)(self, row, place)
        since, until = row.get("since"), row.get("until")
        if since and until and _moment_order(until) <= _moment_order(since):
            self.fault(place, "until", f"{until} is not after since ({since}).", "Correct one of the two.")
        return len(self.faults) == before

    def take(self, name: str, row: Row, place: str) -> None:
        """Keep a complete row under its key; a second one with the same key is a fault."""
        key = tuple(row[column] for column in KEYS[name])
        if key in self.wanted[name]:
            self.fault(place, KEYS[name][-1], f"{place_key(key)} is described twice.", "Remove one.")
            return
        self.wanted[name][key] = row
        self.places[name, key] = place

    def fault(self, place: str, key: str, why: str, fix: str) -> None:
        """Note what is wrong in a sentence: file, place, key, why, and how to mend it."""
        where = f"{self.source}: {place}" + (f", key {key!r}" if key and ", key " not in place else "")
        self.faults.append(f"{where}: {why} {fix}".rstrip())

    # -- references ------------------------------------------------------------------------------------------
    def check_references(self) -> None:
        """Every id that a row names must be described, or known already unless the file stands alone."""
        organisations, groups, communities = (
            self.described[name] | (set() if self.alone else set(present))
            for name, present in (("organisation", self.known.organisations), ("group", self.known.groups),
                                  ("community", self.known.communities))
        )
        names = {"organisation": organisations, "group": groups, "community": communities,
                 "organisation or group": organisations | groups | {"*"}}
        for name, rows in self.wanted.items():
            for key, row in rows.items():
                for column, kind, target in _references(name, row):
                    if target not in names[kind]:
                        near = like(target, tuple(names[kind]))
                        self.fault(self.places[name, key], column, f"There is no {kind} {target!r}.{near}",
                                   "Describe it too, or correct the name.")
        for both in sorted(organisations & groups):
            place = f"organisation and group {both!r}"
            self.fault(place, "id", "Both have the same id.", "Rename the group.")
        self.check_aliases()
        self.check_proofs()

    def check_proofs(self) -> None:
        """No two credentials that hold at one time may be proven by the same certificate or the same tokens."""
        rows = {key: row for (key,), row in self.wanted["credential"].items()}
        for key, column, other in clashes(rows, self.known.credentials, alone=self.alone):
            self.fault(self.places["credential", (key,)], column,
                       f"It also proves the credential {other!r}, so neither would open anything.",
                       "Name it in one of them, or let one end before the other begins.")

    def check_aliases(self) -> None:
        """Within a community no two collections may have one alias, those that are known already included."""
        taken = {(c.community, c.alias): c.id for c in self.known.collections.values()
                 if c.alias and (c.id,) not in self.wanted["collection"]}
        for (key,), row in self.wanted["collection"].items():
            alias = row.get("alias")
            owner = taken.setdefault((row["community"], alias), key) if alias else key
            if owner != key:
                self.fault(self.places["collection", (key,)], "alias",
                           f"{alias!r} is the alias of collection {owner} already.", "Choose another.")


def _complete_organisation(reading: _Reading, row: Row, place: str) -> None:
    """A class of jurisdiction, the facts of a public authority, and a membership per listed group."""
    country = row["jurisdiction"]
    row.setdefault("jurisdiction_class", "EEA" if country in _EEA else "UK" if country == "GB" else "third")
    if row["kind"] in _STATE_KINDS:
        row["facts"] = {"government": True, "public_authority": True, **row.get("facts", {})}
    for group in row.pop("groups", ()):
        reading.take("membership", {"org": row["id"], "group": group}, f"{place}, key 'groups'")


def _complete_collection(reading: _Reading, row: Row, place: str) -> None:
    """An id from community and alias: the one that they have already, else a UUIDv5."""
    if "id" in row:
        return
    if "alias" not in row:
        reading.fault(place, "id", "It has neither id nor alias.", "Give it an alias (or a UUID as id).")
        return
    name = (row["community"], row["alias"])
    present = [c.id for c in reading.known.collections.values() if (c.community, c.alias) == name]
    row["id"] = present[0] if present else str(uuid5(COLLECTION_IDS, "/".join(name)))


def _complete_credential(reading: _Reading, row: Row, place: str) -> None:
    """The digest of a secret from the environment; a purpose for every credential that reads (P13)."""
    present = reading.known.credentials.get(row["id"])
    if present is not None and present.org != row["org"]:
        reading.fault(place, "org", f"The key {row['id']!r} is of {present.org!r}.", "Choose another id.")
    if present is not None and present.revoked and row.get("revoked") is False:
        reading.fault(place, "revoked", "It was revoked, which is final.", "Make a new key with another id.")
    scopes = row.get("scopes", present.scopes if present else DEFAULT_SCOPES)
    if "read" in scopes and not row.get("purpose", present.purpose if present else None):
        reading.fault(place, "purpose", "A credential that reads needs a purpose.",
                      "Give one of the agreement's purposes, or scopes = [\"write\"].")
    _check_proof(reading, row, present, place)
    if "secret_env" not in row:
        return
    variable = row.pop("secret_env")
    secret = reading.environment.get(variable, "")
    if not secret:
        reading.fault(place, "secret_env", f"The environment variable {variable} is not set.",
                      "Set it, or leave secret_env out and a secret is made.")
        return
    try:
        row["digest"] = digest_of_chosen(row["id"], secret)
    except InputError as error:
        reading.fault(place, "secret_env", f"The secret in {variable} can't be used: {error.what}.",
                      error.fix)


def _check_proof(reading: _Reading, row: Row, present: Credential | None, place: str) -> None:
    """One credential is proven in one way, for as long as it is there."""
    stated = [key for key in ("secret_env", "oidc", "certificates") if row.get(key)]
    before = [] if present is None else [key for key, value in (
        ("secret_env", present.digest), ("oidc", present.oidc), ("certificates", present.certificates)) if value]
    if len({*stated, *before}) > 1:
        words = {"secret_env": "a secret", "oidc": "tokens", "certificates": "certificates"}
        ways = " and by ".join(words[key] for key in dict.fromkeys((*before, *stated)))
        reading.fault(place, stated[-1], f"It would be proven by {ways}.", "Make a credential of its own for each.")
    oidc = row.get("oidc") or {}
    if oidc and ("keys" in oidc) == ("keys_file" in oidc):
        reading.fault(place, "oidc", "It has both keys and keys_file, or neither.",
                      "Give keys, the https address of the issuer's JWKS, or keys_file, a file with it.")
    if oidc and not (oidc.get("subject") or oidc.get("claims")):
        reading.fault(place, "oidc", "Every token of the issuer would prove it.", "Give subject or claims.")


def _nothing(_reading: _Reading, _row: Row, _place: str) -> None:
    pass


_COMPLETE: Mapping[str, Callable[[_Reading, Row, str], None]] = {
    "organisation": _complete_organisation,
    "collection": _complete_collection,
    "credential": _complete_credential,
}


def _references(name: str, row: Row) -> Iterator[tuple[str, str, str]]:
    """Column, kind of thing and id of everything that a row refers to."""
    if name in ("membership", "agreement", "credential"):
        yield "org", "organisation", row["org"]
    if name in ("membership", "community"):
        yield "group", "group", row["group"]
    if name == "collection":
        yield "community", "community", row["community"]
    for column, kind in _REFERENCE_LISTS:
        for target in row.get(column, ()):
            yield column, kind, target
    terms = row.get("default_terms") or {}
    for column, kind in _REFERENCES_OF_TERMS:
        for target in terms.get(column, ()):
            yield f"default_terms.{column}", kind, target


_REFERENCES_OF_TERMS = (
    ("sharing_groups", "group"), ("named_orgs", "organisation"), ("exclude_orgs", "organisation"),
)
_REFERENCE_LISTS = (
    ("client_of", "organisation"), ("readers", "organisation or group"), ("writers", "organisation or group"),
)


def place_key(key: tuple[str, ...]) -> str:
    """A row's key for people: its parts with a slash between."""
    return "/".join(part for part in key if part)


def _moment_order(moment: str) -> str:
    """A time as it sorts: without its Z, a fraction comes after the whole second."""
    return moment.removesuffix("Z")
