"""The Merkle tree of a log and its two proofs, as RFC 6962 (section 2.1) defines them, over SHA-256.

Verification follows the iterative steps of RFC 9162 (2.1.3.2 and 2.1.4.2); proofs are made from tiles
(``exchange.audit.tiles``) by the recursive definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from exchange.audit.fault import LogAlteredError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(hashes: Iterable[bytes]) -> bytes:
    """The root of a tree with these leaf hashes, in time linear in their number."""
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = one_level_up(level)
    return level[0]


def one_level_up(level: Sequence[bytes]) -> list[bytes]:
    """The nodes above these; an odd last one is carried up as it is."""
    above = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        above.append(level[-1])
    return above


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash ``leaf`` stands at ``index`` in the tree of ``size`` leaves.

    Raises LogAlteredError.
    """
    if not 0 <= index < size:
        raise LogAlteredError(f"The leaf's place {index} isn't in a log of {size} leaves.")
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise LogAlteredError("The proof of inclusion is longer than the tree is high.")
        if place % 2 or place == last:
            node = node_hash(sibling, node)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last or node != root:
        raise LogAlteredError(f"The leaf isn't in the log at place {index} of {size}: its proof leads to another root.")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of ``new`` leaves begins with the one of ``old`` leaves. Raises LogAlteredError."""
    if old > new:
        raise LogAlteredError(f"The log has shrunk from {old} leaves to {new}.")
    if old in (0, new):
        _trivial(old, new, proof, old_root, new_root)
        return
    steps = list(proof)
    if old & (old - 1) == 0:  # a whole subtree: its root is the first step
        steps.insert(0, old_root)
    if not steps:
        raise _inconsistent(old, new)
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise _inconsistent(old, new)
        if place % 2 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise _inconsistent(old, new)


def _trivial(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
        raise _inconsistent(old, new)


def _inconsistent(old: int, new: int) -> LogAlteredError:
    return LogAlteredError(f"The log of {new} leaves doesn't continue the log of {old} leaves that was signed before.")
