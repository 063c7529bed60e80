"""Proofs of the log's tree: the reference tree, every small tree, RFC 6962's own definition, another's verifier."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.merkle import EMPTY_ROOT, leaf_hash, tree_root, verify_consistency, verify_inclusion
from exchange.audit.tiles import (
    Tile,
    TileTree,
    bundle,
    grow,
    read_bundle,
    read_tile_path,
    tiles_of,
    width_in,
)
from tests.audit.vectors import CONSISTENCY_OF_2_AND_5, INCLUSION_OF_1_IN_5, LEAVES, ROOTS


def as_defined(entries: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 (2.1) writes it down."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + as_defined(entries[:k]) + as_defined(entries[k:])).digest()


def tree_of(entries: Sequence[bytes], parts: Sequence[int] = ()) -> TileTree:
    """The tree grown from nothing, in parts of these sizes and the rest."""
    tiles: dict[tuple[int, int], bytes] = {}
    size = 0
    for part in [*parts, len(entries)]:
        some = entries[size : size + part]
        edge = {level: tiles.get((level, (size >> 8 * level) // 256), b"") for level in range(4)}
        partial = {level: data for level, data in edge.items() if len(data) < 8192}
        tiles.update(grow(partial, size, [leaf_hash(e) for e in some]))
        size += len(some)
    return TileTree(size, lambda tile: tiles[tile.level, tile.index])


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_tree_has_its_roots(size: int) -> None:
    assert tree_root([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]
    assert tree_of(LEAVES[:size]).root().hex() == ROOTS[size - 1]


def test_the_reference_tree_has_its_proofs() -> None:
    tree = tree_of(LEAVES[:5])
    assert tree.inclusion(1) == [base64.b64decode(step) for step in INCLUSION_OF_1_IN_5]
    assert tree.consistency(2) == [base64.b64decode(step) for step in CONSISTENCY_OF_2_AND_5]
    assert tree.root(0) == EMPTY_ROOT


@given(st.integers(1, 900), st.data())
def test_every_proof_of_every_tree_verifies_and_no_changed_one_does(size: int, data: st.DataObject) -> None:
    entries = [n.to_bytes(2, "big") for n in range(size)]
    parts = data.draw(st.lists(st.integers(0, 300), max_size=4))
    tree = tree_of(entries, parts)
    then = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, then - 1))
    root, leaf, proof = tree.root(then), leaf_hash(entries[index]), tree.inclusion(index, then)
    assert root == as_defined(entries[:then])
    verify_inclusion(index, then, leaf, proof, root)
    steps = tree.consistency(then)
    verify_consistency(then, size, steps, root, tree.root())
    for changed in [*altered(proof, data), [*proof, leaf]]:
        with pytest.raises(LogAlteredError):
            verify_inclusion(index, then, leaf, changed, root)
    with pytest.raises(LogAlteredError):
        verify_inclusion(index, then, flipped(leaf, data), proof, root)
    for changed in [*altered(steps, data), [*steps, leaf]]:
        with pytest.raises(LogAlteredError):
            verify_consistency(then, size, changed, root, tree.root())
    with pytest.raises(LogAlteredError):
        verify_consistency(then, size, steps, flipped(root, data), tree.root())
    if then < size:
        with pytest.raises(LogAlteredError):
            verify_consistency(size, then, steps, tree.root(), root)


def altered(proof: Sequence[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The proof with one step changed, and without one."""
    if not proof:
        return []
    at = data.draw(st.integers(0, len(proof) - 1))
    return [[*proof[:at], flipped(proof[at], data), *proof[at + 1 :]], [*proof[:at], *proof[at + 1 :]]]


def flipped(value: bytes, data: st.DataObject) -> bytes:
    """One bit of it turned."""
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


@given(st.integers(-3, 12), st.integers(-3, 12), st.lists(st.binary(min_size=32, max_size=32), max_size=6))
def test_made_up_proofs_end_in_a_sentence(first: int, second: int, proof: list[bytes]) -> None:
    with pytest.raises(LogAlteredError):
        verify_inclusion(first, second, b"\x01" * 32, proof, b"\x02" * 32)
    if first != second:
        with pytest.raises(LogAlteredError):
            verify_consistency(first, second, proof, b"\x01" * 32, b"\x02" * 32)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 255, 256, 257, 511, 700])
def test_an_independent_verifier_accepts_our_proofs_of_inclusion(size: int) -> None:
    merkle = pytest.importorskip("sigstore._internal.merkle", reason="sigstore is a development dependency")
    from sigstore.errors import VerificationError

    entries = [str(n).encode() for n in range(size)]
    tree = tree_of(entries)
    for index in {0, 1 % size, size // 2, size - 1}:
        entry = _rekor_entry(entries[index], index, size, tree.inclusion(index), tree.root())
        merkle.verify_merkle_inclusion(entry)
        entry._inner.inclusion_proof.root_hash = tree_root([leaf_hash(b"another")] * 2)
        with pytest.raises(VerificationError):
            merkle.verify_merkle_inclusion(entry)


def _rekor_entry(entry: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> Any:
    """What sigstore's verifier looks at of an entry of its own log."""
    inclusion = SimpleNamespace(log_index=index, tree_size=size, hashes=proof, root_hash=root)
    return SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=inclusion, canonicalized_body=entry))


@pytest.mark.parametrize(("tile", "path"), [
    (Tile(0, 0), "0/000"), (Tile(0, 1234067), "0/x001/x234/067"), (Tile(2, 999, 5), "2/999.p/5"),
    (Tile(1, 1000, 255), "1/x001/000.p/255"), (Tile(-1, 273, 112), "entries/273.p/112"),
])
def test_paths_of_tiles_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert read_tile_path(path) == tile


@pytest.mark.parametrize("path", [
    "", "0", "0/0", "00/000", "64/000", "0/x000/000", "0/000.p/0", "0/000.p/256", "0/000.p/05", "0/1234067",
    "0/x001/x234/067/", "../0/000", "0/000.p/", "0/０００", "entries/x1/000", "-1/000", "0/" + "x001/" * 40 + "000",
])
def test_other_spellings_of_paths_are_refused(path: str) -> None:
    with pytest.raises(UnreadableError, match="no path of a tile"):
        read_tile_path(path)


def test_a_log_of_70000_leaves_has_the_tiles_of_the_specifications_example() -> None:
    tiles = list(tiles_of(70_000))
    assert [sum(t.level == n and t.width == 256 for t in tiles) for n in range(3)] == [273, 1, 0]
    assert [(t.level, t.width) for t in tiles if t.width < 256] == [(0, 112), (1, 17), (2, 1)]
    assert [(t.level, t.width) for t in tiles_of(256)] == [(0, 256), (1, 1)]
    assert [width_in(70_000, 0, n) for n in (0, 273, 274)] == [256, 112, -144]


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert read_bundle(bundle(entries)) == entries


@given(st.binary(max_size=50))
def test_any_bytes_are_a_bundle_or_refused(data: bytes) -> None:
    with suppress(UnreadableError):
        assert bundle(read_bundle(data)) == data


def test_growing_a_log_whose_edge_is_missing_is_refused() -> None:
    with pytest.raises(LogAlteredError, match="doesn't fit"):
        grow({0: b"\x00" * 32}, 2, [b"\x00" * 32])
