"""Arithmetic of groups: who is with whom by weight, which groups are one, and where one that is too large comes apart.

Everything is whole columns: no loop goes over pairs of groups or of accounts, so a hundred thousand candidates take
seconds. Equal weights are decided by the smaller number, so the same ties give the same groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.scorecard import Floats

Ints = NDArray[np.int64]
_CROWD = 64
"""Groups at one value beyond which only the heaviest are compared: the others hold next to nothing of each other."""
_TURNS = 60
"""Steps of the power iteration that finds where a group comes apart."""


@dataclass(frozen=True)
class Ties:
    """What ties candidates together: edges between accounts and values, heaviest kinds first."""

    accounts: NDArray[Any]
    account: Ints
    """Number of the account of each edge."""
    value: Ints
    weight: Floats
    names: list[str]
    """Of each value: kind and key, or campaign."""


def heaviest(node: Ints, label: Ints, weight: Floats, count: int) -> Ints:
    """Per node the label with most weight; of equals the smallest."""
    order = np.lexsort((label, node))
    node, label, weight = node[order], label[order], weight[order]
    start = np.flatnonzero(np.r_[True, (node[1:] != node[:-1]) | (label[1:] != label[:-1])])
    total = np.add.reduceat(weight, start)
    node, label = node[start], label[start]
    best = np.lexsort((label, -np.round(total, 9), node))
    firsts = best[np.r_[True, node[best][1:] != node[best][:-1]]]
    found = np.full(count, -1, dtype=np.int64)
    found[node[firsts]] = label[firsts]
    return found


def shares(ties: Ties, labels: Ints) -> tuple[Ints, Ints, Floats]:
    """What each group holds of each value: columns value, group and weight, by value and group."""
    own = labels[ties.account]
    order = np.lexsort((own, ties.value))
    value, group, weight = ties.value[order], own[order], ties.weight[order]
    start = np.flatnonzero(np.r_[True, (value[1:] != value[:-1]) | (group[1:] != group[:-1])])
    return value[start], group[start], np.add.reduceat(weight, start)


def merged(ties: Ties, labels: Ints, merge_from: float, largest: int) -> Ints:
    """Join groups while two have a share of ties in common, most alike first, none growing beyond ``largest``; of two
    the one with less to tie it goes into the other."""
    count = len(labels)
    value, group, total = shares(ties, labels)
    while True:
        whole = np.bincount(labels[ties.account], ties.weight, minlength=count).astype(np.float64)
        alike, left, right = _alike(value, group, total, whole)
        wanted = alike >= merge_from
        less = np.where(np.round(whole[left] - whole[right], 9) < 0, left, right)[wanted]
        target = _joined(less, (left + right)[wanted] - less, np.bincount(labels, minlength=count), largest)
        if np.array_equal(target, np.arange(count)):
            return labels
        labels = target[labels]
        value, group, total = _summed(value, target[group], total)


def _joined(small: Ints, large: Ints, sizes: Ints, largest: int) -> Ints:
    """Where each group goes in one round; pairs stand most alike first, and no group both takes up and goes."""
    target = np.arange(len(sizes))
    hosts: set[int] = set()
    for one, other in zip(small.tolist(), large.tolist(), strict=True):
        if target[one] == one and target[other] == other and one not in hosts and (
                sizes[one] + sizes[other] <= largest):
            target[one] = other
            sizes[other] += sizes[one]
            hosts.add(other)
    return target


def _summed(value: Ints, group: Ints, total: Floats) -> tuple[Ints, Ints, Floats]:
    """The same with one row for each value and group, without values that only one group holds."""
    order = np.lexsort((group, value))
    value, group, total = value[order], group[order], total[order]
    start = np.flatnonzero(np.r_[True, (value[1:] != value[:-1]) | (group[1:] != group[:-1])])
    value, group, total = value[start], group[start], np.add.reduceat(total, start)
    several = np.bincount(value)[value] > 1
    return value[several], group[several], total[several]


def _alike(value: Ints, group: Ints, total: Floats, whole: Floats) -> tuple[Floats, Ints, Ints]:
    """Pairs of groups with a value in common: the part of the smaller one's ties that the other takes part in, most
    alike first. ``value`` rises, and ``group`` within it."""
    count = len(whole)
    if not len(value):
        return np.zeros(0), value, group
    of_value = np.bincount(value, total)
    order = np.lexsort((group, -np.round(total, 9), value))
    opens = np.r_[True, value[1:] != value[:-1]]
    place = np.arange(len(order)) - np.flatnonzero(opens)[np.cumsum(opens) - 1]
    kept = np.sort(order[place < _CROWD])
    value, group, total = value[kept], group[kept], total[kept]
    after = np.searchsorted(value, value, "right") - np.arange(len(value)) - 1
    one = np.repeat(np.arange(len(value)), after)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(after) - after, after)
    both = 2 * total[one] * total[other] / of_value[value[one]]
    cells, cell = np.unique(group[one] * count + group[other], return_inverse=True)
    left, right = np.divmod(cells, count)
    alike = np.round(np.bincount(cell, both, minlength=len(cells)) / np.minimum(whole[left], whole[right]), 9)
    order = np.lexsort((right, left, -alike))
    return alike[order], left[order], right[order]


def cut_down(ties: Ties, labels: Ints, largest: int) -> Ints:
    """Cut groups of more than ``largest`` accounts in two, where least holds them together, until none is left.

    Afterwards a label is the number of the first account of its group.
    """
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    labels = first[group]
    while len(large := np.flatnonzero(np.bincount(labels) > largest)):
        for label in large:
            members = np.flatnonzero(labels == label)
            far = _far_side(ties, members, largest)
            labels[members[far]] = members[far][0]
            labels[members[~far]] = members[~far][0]
    return labels


def _far_side(ties: Ties, members: Ints, largest: int) -> NDArray[np.bool_]:
    """Which of the members lie on the other side of the thinnest cut: the second vector of the normalised ties between
    accounts and values orders them, and the cut is where least weight crosses it, not too far from the middle."""
    inside = np.isin(ties.account, members)
    account = np.searchsorted(members, ties.account[inside])
    _, value = np.unique(ties.value[inside], return_inverse=True)
    weight, count = ties.weight[inside], len(members)
    of_account = np.bincount(account, weight, minlength=count)
    of_value = np.bincount(value, weight)
    x = np.cos(np.arange(count) * 2.399963)  # a fixed start without symmetry
    for _ in range(_TURNS):
        x -= np.average(x, weights=np.maximum(of_account, 1e-12))
        x /= np.sqrt((x**2 * np.maximum(of_account, 1e-12)).sum())
        mean = np.bincount(value, weight * x[account]) / of_value
        x = np.bincount(account, weight * mean[value], minlength=count) / np.maximum(of_account, 1e-12)
    order = np.lexsort((np.arange(count), np.round(x, 9)))
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    first = np.full(len(of_value), count)
    np.minimum.at(first, value, place[account])
    last = np.zeros(len(of_value), dtype=np.int64)
    np.maximum.at(last, value, place[account])
    crossing = np.zeros(count + 1)
    np.add.at(crossing, first + 1, of_value)
    np.add.at(crossing, last + 1, -of_value)
    crossing = np.cumsum(crossing)[1:count]
    least = max(1, min(count - largest, count // 4)) if count <= 2 * largest else max(1, count // 4)
    cut = least + int(np.argmin(np.round(crossing[least - 1 : count - least], 9)))
    return place >= cut
