"""Which organisations count as one: those of one ownership group, and clients with the ones they are clients of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchange.model.party import Organisation


def ownership_groups(organisations: Iterable[Organisation]) -> Mapping[str, str]:
    """Organisation id to the name of its group: the least id among those that belong together.

    Two belong together when their facts name the same ``ownership_group``, when one is a client of the other, or
    both are clients of one or belong with a third: whoever speaks through several of them is heard once.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        """The name that stands for all that are joined with this one; paths are shortened on the way."""
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    known = sorted(organisations, key=lambda o: o.id)
    for organisation in known:
        stated = organisation.facts.get("ownership_group")
        others = [f"group:{stated}"] if stated else []
        for other in (*others, *organisation.client_of):
            parents[root(other)] = root(organisation.id)
    members: dict[str, list[str]] = {}
    for organisation in known:
        members.setdefault(root(organisation.id), []).append(organisation.id)
    return {name: min(group) for group in members.values() for name in group}


def is_public_authority(organisation: Organisation) -> bool:
    """Whether it gives tips only: a regulator, a government or another public authority."""
    return bool(organisation.kind in {"regulator", "government"} or organisation.facts.get("public_authority")
                or organisation.facts.get("government"))
