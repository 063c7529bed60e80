"""Keyed hashes among the indicators, and the hashes of an event's value that may be among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from exchange.matcher.hashed import kinds_hashed_as
from exchange.matcher.probes import Probe
from exchange.matcher.values import HASHED, address, hashed_token, key, read_token
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyed import NORM, Key, token


class Hashes:
    """Under which keys the indicators' hashes are; without keys of a group nothing is hashed."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: Mapping[str, Key] = {one.id: one for one in keys}
        self._wanted: dict[str, Counter[tuple[str, str, str]]] = {}
        """Kind of link to how many probes stand under what was hashed, key id and normalisation."""

    def add(self, probe: Probe) -> None:
        """Count a probe, if it is a keyed hash under a key that is held."""
        one = probe.hashed
        if one is not None and one.key_id in self._keys and one.norm.partition("+")[0] == NORM:
            self._wanted.setdefault(probe.kind, Counter())[one.of, one.key_id, one.norm] += 1

    def remove(self, probe: Probe) -> None:
        """Forget a probe that was counted."""
        one, counted = probe.hashed, self._wanted.get(probe.kind)
        if one is None or counted is None:
            return
        counted -= Counter([(one.of, one.key_id, one.norm)])
        if not counted:
            del self._wanted[probe.kind]

    def of(self, kind: str, value: str | int) -> Iterator[int]:
        """The numbers under which the hashes of a value in the clear are looked up."""
        wanted = self._wanted.get(kind)
        if not wanted:
            return
        if kind == "ip4":
            number = address(value)
            value = "" if number is None else str(IPv4Address(number))
        if isinstance(value, int) or value.startswith(HASHED) or read_token(value) is not None:
            return
        for of, key_id, norm in wanted:
            for each in kinds_hashed_as(of):
                try:
                    made = token(each, value, self._keys[key_id], norm.removeprefix(NORM).removeprefix("+"))
                except IdentifierError:
                    continue
                yield key(kind, hashed_token(made.value))
