"""Where the nodes of a small graph stand: springs, the same on every machine and in every run."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 260
_GOLDEN = math.pi * (3 - math.sqrt(5))


def place(count: int, edges: list[tuple[int, int, float]], width: float, height: float, margin: float) -> Floats:
    """Positions (count x 2) within the frame; an edge is two nodes and a weight. Fruchterman and Reingold's springs,
    from a spiral instead of from chance."""
    if not count:
        return np.zeros((0, 2))
    turn = np.arange(count)
    radius = np.sqrt((turn + 0.5) / count)
    at = np.stack([radius * np.cos(turn * _GOLDEN), radius * np.sin(turn * _GOLDEN)], axis=1)
    length = 1.6 / math.sqrt(count)
    ends = np.array([(a, b) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
    pull = np.clip(np.array([weight for _, _, weight in edges], dtype=np.float64), 0.15, 3.0)
    for step in range(_STEPS):
        move = _forces(at, ends, pull, length)
        size = np.maximum(np.sqrt((move**2).sum(axis=1, keepdims=True)), 1e-9)
        at += move / size * np.minimum(size, 0.12 * (1 - step / _STEPS))
    return _fit(np.round(at, 6), width, height, margin)


def separate(at: Floats, radii: list[float], width: float, height: float, margin: float) -> Floats:
    """The same positions, with nodes that lie on each other pushed apart as far as the frame has room."""
    size = np.array(radii)
    at = at.copy()
    for _ in range(80 if len(at) > 1 else 0):
        apart = at[:, None, :] - at[None, :, :]
        distance = np.sqrt((apart**2).sum(axis=2)) + np.eye(len(at)) * 1e9
        overlap = np.maximum(0.0, size[:, None] + size[None, :] + 2 - distance)
        if not overlap.any():
            break
        at += 0.45 * (apart / np.maximum(distance, 1e-6)[:, :, None] * overlap[:, :, None]).sum(axis=1)
        at = np.clip(np.round(at, 6), [margin / 2, margin / 2], [width - margin / 2, height - margin / 2])
    return at


def _forces(at: Floats, ends: NDArray[np.int64], pull: Floats, length: float) -> Floats:
    apart = at[:, None, :] - at[None, :, :]
    square = np.maximum((apart**2).sum(axis=2), 1e-6)
    move: Floats = (apart * (length**2 / square)[:, :, None]).sum(axis=1) - 0.35 * at
    if len(ends):
        line = at[ends[:, 0]] - at[ends[:, 1]]
        drawn = line * (np.sqrt((line**2).sum(axis=1)) * pull / length)[:, None]
        np.subtract.at(move, ends[:, 0], drawn)
        np.add.at(move, ends[:, 1], drawn)
    return move


def _fit(at: Floats, width: float, height: float, margin: float) -> Floats:
    at = at - np.median(at, axis=0)
    far = np.sqrt((at**2).sum(axis=1, keepdims=True))
    usual = max(float(np.median(far)), 1e-9)
    at = at / np.maximum(far, 1e-9) * usual * np.sqrt(far / usual)  # opens the middle, draws in what lies far out
    low, high = at.min(axis=0), at.max(axis=0)
    room = np.array([width - 2 * margin, height - 2 * margin])
    span = np.where(high - low > 1e-9, high - low, 1.0)
    placed = margin + (at - low) / span * room
    return np.where(high - low > 1e-9, placed, np.array([width / 2, height / 2]))
