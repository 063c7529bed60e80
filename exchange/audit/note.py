"""Signed notes (C2SP signed-note): a text under which Ed25519 keys have signed, and how those keys are written."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.audit.fault import LogAlteredError, UnreadableError

ED25519, COSIGNATURE = 1, 4
"""Signature types: a note's own, and a witness's with its time (C2SP tlog-cosignature)."""
_KINDS = (ED25519, COSIGNATURE)
_MOST_BYTES = 262_144
_MOST_SIGNATURES = 64
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")
_PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note, not yet verified."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """The line without its newline."""
        return f"— {self.name} {_b64(self.key_id + self.data)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        lines = "".join(f"{s.line}\n" for s in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def signed_by(self, keys: Collection[VerifierKey]) -> list[VerifierKey]:
        """The known keys that signed, in the note's order.

        Raises LogAlteredError where a known key's signature is wrong, or where none is by a known key.
        """
        known = {(key.name, key.key_id): key for key in keys}
        found = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is not None:
                if not key.fits(self.text, signature.data):
                    raise LogAlteredError(f"The signature of {signature.name} is wrong: the text was altered.")
                found.append(key)
        if not found:
            raise LogAlteredError("No signature is by a known key.",
                                  fix="Give the verifier key that the log's operator published.")
        return found


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under: ``<name>+<key id in hex>+<base64 of type and key>``."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key and its type."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes([self.kind]) + self.public)}"

    def fits(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` is this key's over the text: of a cosignature over its time too."""
        message = text.encode()
        if self.kind == COSIGNATURE:
            message = cosigned_message(text, int.from_bytes(signature[:8], "big"))
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: the bytes are no point of the curve
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key: ``PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>``; it doesn't show its seed."""

    name: str
    kind: int
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        return VerifierKey(self.name, self.kind, self._private.public_key().public_bytes_raw())

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, text: str) -> Signature:
        """The signature over a note's text."""
        return Signature(self.name, self.verifier.key_id, self._private.sign(text.encode()))

    def cosign(self, text: str, time: int) -> Signature:
        """A witness's signature over a checkpoint's text at ``time`` (seconds since the epoch)."""
        data = time.to_bytes(8, "big") + self._private.sign(cosigned_message(text, time))
        return Signature(self.name, self.verifier.key_id, data)

    def written(self) -> str:
        """The private key as text: for a file that nobody else may read, and for nothing else."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{_b64(bytes([self.kind]) + self.seed)}"


def cosigned_message(text: str, time: int) -> bytes:
    """What a cosignature v1 signs: two lines of its own before the checkpoint's text."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def read_note(raw: bytes) -> Note:
    """Read a signed note; nothing is verified yet. Raises UnreadableError."""
    if len(raw) > _MOST_BYTES:
        raise UnreadableError(f"The note has more than {_MOST_BYTES} bytes.")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("The note is not UTF-8.") from None
    if any(ord(c) < 32 and c != "\n" for c in whole):
        raise UnreadableError("The note has a control character in it.")
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise UnreadableError("The note has no signatures after an empty line.")
    signed = lines[:-1].split("\n")
    if len(signed) > _MOST_SIGNATURES:
        raise UnreadableError(f"The note has more than {_MOST_SIGNATURES} signatures.")
    return Note(text + "\n", tuple(map(read_signature, signed)))


def read_signature(line: str) -> Signature:
    """One signature line. Raises UnreadableError."""
    found = _LINE.fullmatch(line)
    data = _unb64(found[2]) if found else None
    if found is None or data is None or len(data) < 5:
        raise UnreadableError(f"This is no signature line of a note: {line[:60]!r}.")
    return Signature(found[1], data[:4], data[4:])


def read_verifier_key(text: str) -> VerifierKey:
    """A public key as text. Raises UnreadableError."""
    name, _, rest = [*text.strip().split("+", 2), "", ""][:3]
    data = _unb64(rest)
    if _NAME.fullmatch(name) and data is not None and len(data) == 33 and data[0] in _KINDS:
        key = VerifierKey(name, data[0], data[1:])
        if str(key) == text.strip():
            return key
    raise UnreadableError(f"{text[:60]!r} is no verifier key.", fix="It looks like example.com/log+1a2b3c4d+AaBb….")


def read_signer_key(text: str) -> SignerKey:
    """A private key as text. Raises UnreadableError without repeating any of it."""
    name, _, rest = text.strip().removeprefix(_PRIVATE).partition("+")
    data = _unb64(rest.partition("+")[2])
    if text.startswith(_PRIVATE) and _NAME.fullmatch(name) and data and len(data) == 33 and data[0] in _KINDS:
        key = SignerKey(name, data[0], data[1:])
        if key.written() == text.strip():
            return key
    raise UnreadableError("The file holds no private key of a log.", fix="cibx audit keys make writes one.")


def new_signer_key(name: str, seed: bytes, kind: int = ED25519) -> SignerKey:
    """A key out of 32 random bytes. Raises UnreadableError for a name that a signature line can't hold."""
    if not _NAME.fullmatch(name):
        raise UnreadableError(f"{name[:60]!r} can't be a key's name.",
                              fix="Use a name without spaces and plus signs, such as exchange.example/log.")
    return SignerKey(name, kind, seed)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes | None:
    """The bytes of canonical base 64; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _b64(data) == text else None
