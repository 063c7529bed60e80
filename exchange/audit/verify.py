"""Whether a whole log is what was signed: its entries against its hashes, its hashes against its checkpoints.

Everything comes through ``fetch``, which gives what lies at a path of C2SP tlog-tiles (``checkpoint``,
``tile/0/000``, ``tile/entries/000``) of a folder, a server or a store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.fault import LogAlteredError
from exchange.audit.merkle import HASH_BYTES, leaf_hash, verify_consistency
from exchange.audit.note import VerifierKey
from exchange.audit.tiles import WIDTH, Tile, TileTree, full_tile_root, read_bundle, split, tiles_of

Fetch = Callable[[str], bytes]


def verify_log(
    fetch: Fetch, keys: Collection[VerifierKey], *, seen: Callable[[int, bytes], None] | None = None,
    entries: bool = True,
) -> tuple[Checkpoint, TileTree]:
    """Check a log against its newest checkpoint; ``seen`` is given each entry with its place.

    Without ``entries`` only the hashes are looked at. Raises LogAlteredError and UnreadableError.
    """
    checkpoint = open_checkpoint(fetch("checkpoint"), keys)
    held: dict[Tile, bytes] = {}
    for tile in tiles_of(checkpoint.size):
        hashes = fetch(f"tile/{tile.path}")
        if len(hashes) != tile.width * HASH_BYTES:
            raise LogAlteredError(f"The tile {tile.path} has {len(hashes)} bytes instead of {tile.width * HASH_BYTES}.")
        if tile.level:
            _check_above(tile, hashes, held)
        elif entries:
            _check_entries(fetch, tile, split(hashes), seen)
        held[tile] = hashes
    tree = TileTree(checkpoint.size, held.__getitem__)
    if tree.root() != checkpoint.root:
        raise LogAlteredError("The hashes of the log don't lead to the root that was signed:"
                              " leaves were changed, removed or reordered together with their hashes.")
    return checkpoint, tree


def _check_entries(
    fetch: Fetch, tile: Tile, hashes: Sequence[bytes], seen: Callable[[int, bytes], None] | None
) -> None:
    first = tile.index * WIDTH
    found = read_bundle(fetch(f"tile/{Tile(-1, tile.index, tile.width).path}"))
    for place, (entry, expected) in enumerate(zip(found, hashes, strict=False), first):
        actual = leaf_hash(entry)
        if actual != expected:
            if actual in hashes:
                raise LogAlteredError(f"Leaf {place} of the log was logged at another place: leaves were reordered.")
            raise LogAlteredError(f"Leaf {place} of the log was changed after it was logged.")
        if seen is not None:
            seen(place, entry)
    if len(found) != len(hashes):
        raise LogAlteredError(f"Leaf {first + min(len(found), len(hashes))} of the log is missing:"
                              " entries were removed or added.")


def _check_above(tile: Tile, hashes: bytes, held: dict[Tile, bytes]) -> None:
    """Each hash of a higher tile is the root of a full tile below it."""
    for at, root in enumerate(split(hashes), tile.index * WIDTH):
        below = Tile(tile.level - 1, at)
        if below not in held or full_tile_root(held[below]) != root:
            raise LogAlteredError(f"The hashes of the tiles {below.path} and {tile.path} don't fit each other.")


def verify_continues(earlier: Checkpoint, later: Checkpoint, tree: TileTree) -> None:
    """Check that the log of ``later``, whose tree this is, continues ``earlier``.

    The tree's tiles needn't be trusted. Raises LogAlteredError: the log was rolled back, or forked.
    """
    if earlier.origin != later.origin:
        raise LogAlteredError(f"These are two logs: {earlier.origin} and {later.origin}.")
    if earlier.size > later.size:
        raise LogAlteredError(f"The log was rolled back: it has {later.size} leaves, but a checkpoint of {earlier.size}"
                              " leaves was signed before.")
    proof = tree.consistency(earlier.size, later.size)
    try:
        verify_consistency(earlier.size, later.size, proof, earlier.root, later.root)
    except LogAlteredError:
        raise LogAlteredError(f"The log was forked: its {later.size} leaves don't begin with the {earlier.size} that"
                              " were signed before, so others were shown another history.") from None


def verify_earlier(notes: Iterable[bytes], keys: Collection[VerifierKey], later: Checkpoint, tree: TileTree) -> int:
    """Check that the log continues each of these signed checkpoints; gives how many there were."""
    count = 0
    for note in notes:
        verify_continues(open_checkpoint(note, keys), later, tree)
        count += 1
    return count
