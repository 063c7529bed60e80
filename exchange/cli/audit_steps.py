"""The steps of ``cibx audit verify``: where a log is read from, what is said of it, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.leaf import read_leaf
from exchange.audit.note import VerifierKey, read_verifier_key
from exchange.audit.questions import Leaf, about_object, names_of, policy_at, pulls_of, push_digest
from exchange.audit.receipt import read_receipt
from exchange.audit.tiles import TileTree
from exchange.audit.verify import verify_continues, verify_earlier, verify_log
from exchange.errors import ExchangeError, ForbiddenError, InputError
from exchange.secret_files import environment
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.words import counted

_NOW = 1 << 62
_ANSWERS = {"acknowledgement", "notice-overdue"}
"""Kinds of event that name a notice and not its objects."""
_LARGEST_FILE = 100_000_000


@dataclass(frozen=True)
class Wanted:
    """Which leaves the questions are about; of a large log the others needn't be kept in memory."""

    names: frozenset[str]
    """How leaves name the object that is asked about; empty: none is."""
    org: str | None
    policy: bool

    def has(self, leaf: Leaf) -> bool:
        """Whether a question is about this leaf, or may be."""
        return (
            (self.policy and "policy" in leaf[1]["detail"])
            or (bool(self.names) and (leaf[1]["kind"] in _ANSWERS or bool(about_object([leaf], self.names))))
            or (self.org is not None and bool(pulls_of([leaf], self.org)))
        )


@dataclass
class Verified:
    """A log that is as it was signed."""

    checkpoint: Checkpoint
    leaves: list[Leaf] = field(default_factory=list)


def read_keys(verifiers: Sequence[str], source: str | None) -> list[VerifierKey]:
    """The keys to trust: those given; else those that lie in the copy, with a word about that."""
    if verifiers:
        return [read_verifier_key(text) for text in verifiers]
    if source is None or _is_url(source):
        return []
    path = Path(source) / "keys.txt"
    keys = [read_verifier_key(line) for line in _read(path).decode("utf-8", "replace").splitlines()]
    click.echo(f"! The keys are those of the copy itself ({path}): compare them with those published, or give --key.",
               err=True)
    return keys


def local_keys() -> list[VerifierKey]:
    """The keys of the log in the local database."""
    from exchange.store import log
    from exchange.store.engine import read

    exchange = _opened()
    with read(exchange.engine) as connection:
        keys = [read_verifier_key(key.verifier) for key in log.log_keys(connection) if not key.org]
    if not keys:
        raise InputError("There is no key to verify with.", fix="Give the log's verifier key with --key.")
    return keys


def verify_receipt(path: Path, objects: Path | None, keys: Sequence[VerifierKey]) -> None:
    """Verify a receipt and say what it shows. Raises LogAlteredError and UnreadableError."""
    receipt = read_receipt(_read(path))
    event, checkpoint = receipt.verify(keys)
    click.echo(f"{path}: leaf {receipt.index} of {checkpoint.size} in the log {checkpoint.origin}.")
    click.echo(_line((receipt.index, event)))
    if objects is None:
        return
    from exchange.intake.envelope import split_envelope

    try:
        bodies = split_envelope(_read(objects), 1_000_000)
    except ExchangeError as fault:
        raise InputError(f"{objects}: {fault}") from None
    if event["kind"] != "push" or event["detail"].get("digest") != push_digest(bodies):
        raise LogAlteredError(f"The receipt isn't of what {objects} holds: its digest is another.")
    click.echo(f"It is of exactly the {counted(len(bodies), 'object')} of {objects}.")


def verified(
    source: str | None, keys: Sequence[VerifierKey], earlier: Path | None, user: str | None, password_env: str,
    wanted: Wanted,
) -> Verified:
    """Verify a whole log and say so; keeps the wanted leaves. Raises LogAlteredError with what was altered."""
    found: list[Leaf] = []

    def seen(place: int, entry: bytes) -> None:
        """Keep an entry of the log that is asked for; ``place`` is its index."""
        leaf = place, read_leaf(entry)
        if wanted.has(leaf):
            found.append(leaf)

    if source is None:
        checkpoint = _verify_local(keys, seen, earlier)
    else:
        fetch, known = (_server if _is_url(source) else _copy)(source, user, password_env)
        checkpoint = _verify_elsewhere(source, fetch, list(keys) or known(), seen, earlier)
    click.echo(f"The log {checkpoint.origin} is as it was signed: {counted(checkpoint.size, 'leaf', 'leaves')}.")
    return Verified(checkpoint, found)


def _verify_local(keys: Sequence[VerifierKey], seen: Callable[[int, bytes], None], earlier: Path | None) -> Checkpoint:
    from exchange.notary.check import verify_store
    from exchange.notary.deliveries import LedgerDeliveries
    from exchange.notary.sequencer import stored_tree
    from exchange.store.engine import read

    exchange = _opened()
    exchange.notary.run()
    checked = verify_store(exchange.engine, exchange.notary.key_file, keys, seen, LedgerDeliveries(exchange.ledger))
    if earlier is not None:
        with read(exchange.engine) as connection:
            tree = stored_tree(connection, checked.checkpoint.size)
            verify_continues(_earlier(earlier, list(keys) or local_keys()), checked.checkpoint, tree)
    return checked.checkpoint


def _verify_elsewhere(
    source: str, fetch: Callable[[str], bytes], keys: Sequence[VerifierKey],
    seen: Callable[[int, bytes], None], earlier: Path | None,
) -> Checkpoint:
    try:
        checkpoint, tree = verify_log(fetch, keys, seen=seen)
    except ForbiddenError:
        click.echo("! What the leaves say is for auditors: only hashes and signatures are verified.", err=True)
        checkpoint, tree = verify_log(fetch, keys, entries=False)
    if not _is_url(source):
        past = sorted((Path(source) / "checkpoints").glob("*"))
        verify_earlier((_read(path) for path in past), keys, checkpoint, tree)
    if earlier is not None:
        _continues(earlier, keys, checkpoint, tree)
    return checkpoint


def _continues(earlier: Path, keys: Sequence[VerifierKey], checkpoint: Checkpoint, tree: TileTree) -> None:
    verify_continues(_earlier(earlier, keys), checkpoint, tree)


def _earlier(path: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a file that holds one, or a receipt."""
    raw = _read(path)
    if raw.lstrip().startswith(b"{"):
        return read_receipt(raw).verify(keys)[1]
    return open_checkpoint(raw, keys)


Known = Callable[[], list[VerifierKey]]


def _copy(source: str, _user: str | None, _password_env: str) -> tuple[Callable[[str], bytes], Known]:
    folder = Path(source)

    def fetch(path: str) -> bytes:
        """A file of the copy. Raises InputError where the folder holds no log, or not this part of it."""
        try:
            return (folder / path).read_bytes()
        except OSError as error:
            if path == "checkpoint":
                raise InputError(f"{folder} holds no copy of a log: {error.strerror}.",
                                 fix="cibx audit export DIR makes one.") from None
            raise LogAlteredError(f"{path} is missing from the copy of the log: {error.strerror}.") from None

    return fetch, list


def _server(source: str, user: str | None, password_env: str) -> tuple[Callable[[str], bytes], Known]:
    from exchange.client.taxii import Client

    secret = environment().get(password_env, "")
    client = Client(source, user, secret) if user or not secret else Client(source, token=secret)

    def known() -> list[VerifierKey]:
        """The keys that the server offers, with a warning: nobody else vouches for them."""
        click.echo("! The keys are those that the server says it has: give --key to trust others.", err=True)
        return list(client.offered_keys().keys)

    return client.of_log, known


def names_in_log(stix_id: str | None, salts: Sequence[str], source: str | None) -> frozenset[str]:
    """How the log names an object: by the salts given, and those of the local database where its log is asked.

    Raises InputError for a salt that is none.
    """
    if stix_id is None:
        return frozenset()
    try:
        given = [bytes.fromhex(salt) for salt in salts]
        return names_of(stix_id, [*given, *(local_salts(stix_id) if source is None else [])])
    except ValueError:
        raise InputError("A salt is 64 hexadecimal digits.", fix=f"cibx audit salt {stix_id} prints it.") from None


def local_salts(stix_id: str) -> list[bytes]:
    """The salts that open an object's names in the log, while the local database has them."""
    from exchange.store.engine import read
    from exchange.store.salts import salts_of_name

    with read(_opened().engine) as connection:
        return salts_of_name(connection, stix_id)


def tell_object(leaves: Sequence[Leaf], stix_id: str, names: frozenset[str]) -> None:
    """What happened to an object: withdrawn, erased, who was told and when. Raises InputError for none."""
    found = about_object(leaves, names)
    if not found:
        raise InputError(
            f"The log says nothing of {stix_id}.",
            why="It names objects by salted commitments: the salt of an erased one is destroyed in time, and a push"
                " names its objects by their digest only.",
            fix="For a copy or a server give the salt with --salt (cibx audit salt ID); else verify the receipts of"
                " the notices, or of the push with --objects.")
    for leaf in found:
        line = _line(leaf)
        for name in names:
            line = line.replace(name, stix_id)
        click.echo(line)


def tell_pulls(leaves: Sequence[Leaf], org: str) -> None:
    """What an organisation pulled, for which purpose, under which policy and lawful bases."""
    found = pulls_of(leaves, org)
    click.echo(f"{org} pulled {counted(len(found), 'page')}.")
    for place, event in found:
        detail = dict(event["detail"])
        bases = detail.pop("basis", None)
        click.echo(_line((place, {**event, "detail": detail})))
        for said in bases if isinstance(bases, list) else ():
            click.echo(f"      {_basis(said)}")
        if bases is None:
            click.echo("      the leaf is of before lawful bases were noted in it")


def _basis(said: Any) -> str:
    """One entry of a pull's bases on one line."""
    if not isinstance(said, dict):
        return _shown(said)
    many = f"{_shown(said.get('count'))} under"
    if said.get("known") is False:
        return f"{many} what isn't known any more"
    if said.get("others"):
        return f"{many} other bases, too many to name"
    lists = [said.get(name) for name in ("legal_basis", "special_basis")]
    words = [_shown(word) for words in lists if isinstance(words, list) for word in words]
    regime = _shown(said["regime"]) if "regime" in said else "no regime"
    personal = {"yes": "personal data", "no": "no personal data"}.get(
        str(said.get("personal")), "perhaps personal data")
    return f"{many} {', '.join(words) or 'no lawful basis'} ({regime}; {personal})"


def tell_policy(leaves: Sequence[Leaf], policy: str, at: str | None) -> None:
    """Whether a policy text decided at a moment. Raises LogAlteredError where another did, InputError for none."""
    digest = _policy_digest(policy)
    try:
        moment = _NOW if at is None else microseconds(at)
    except ValueError:
        raise InputError(f"--at {at!r} is no time.", fix="Write such as 2026-06-01T00:00:00Z.") from None
    found = policy_at(leaves, moment)
    if found is None:
        raise InputError("The log has no decision at or before that time.")
    if found.digest != digest:
        raise LogAlteredError(f"Another policy text was in force: {found.digest}, not {digest}.")
    click.echo(f"This policy text ({digest}) decided from {from_microseconds(found.since)}"
               f" to {from_microseconds(found.until)} at least.")


def _policy_digest(policy: str) -> str:
    if len(policy) == 64 and set(policy) <= set("0123456789abcdef"):
        return policy
    if not Path(policy).is_dir():
        raise InputError(f"--policy {policy!r} is neither a folder of policy packs nor a digest.")
    from exchange.policy.packs import load

    return load(Path(policy)).digest


def _line(leaf: Leaf) -> str:
    """One event on one line."""
    place, event = leaf
    detail: dict[str, Any] = event["detail"]
    said = "  ".join(f"{_shown(name)}={_shown(value)}" for name, value in detail.items())
    return (f"{place}  {from_microseconds(event['at'])}  {_shown(event['kind'])}  {_shown(event['org'] or '-')}"
            f"  {said}").rstrip()


def _shown(value: Any) -> str:
    """A value without anything that a terminal would obey."""
    if isinstance(value, str) and value.isprintable():
        return value
    return json.dumps(value)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UnreadableError(f"{path} has more than {_LARGEST_FILE} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from None


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _opened() -> Any:
    from exchange.cli.audit import opened

    return opened()
