"""What a follower is told: an object, an object that is revoked, or a notice of what is owed for objects it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["object", "revoked", "notice"]


@dataclass(slots=True)
class Change:
    """One thing to take in; ids tell what was taken before, since a change may come again after a crash."""

    kind: Kind
    id: str
    """Of the object, or of the notice."""
    object: Mapping[str, Any] = field(default_factory=dict)
    """The STIX object as it is now; empty for a notice."""
    notice: Mapping[str, Any] = field(default_factory=dict)
    """The notice as ``GET /api/v1/notices`` gives it."""
    done: bool = True
    """Whether what a notice asks was done: whoever couldn't sets it False, with a ``statement``, before going on."""
    statement: str = ""

    @property
    def obligation(self) -> str:
        """What a notice asks: ``delete``, ``stop-using``, ``correct``…; empty for an object."""
        return str(self.notice.get("obligation", ""))

    @property
    def concerned(self) -> tuple[str, ...]:
        """Ids of the objects that a notice is about."""
        return tuple(str(one.get("id")) if isinstance(one, Mapping) else str(one)
                     for one in self.notice.get("objects") or ())

    def stated(self) -> dict[str, Any]:
        """As JSON values: ``change``, ``id``, and ``object`` or ``notice``."""
        said: dict[str, Any] = {"change": self.kind, "id": self.id}
        return said | ({"notice": self.notice} if self.kind == "notice" else {"object": self.object})


def of_object(item: Mapping[str, Any]) -> Change:
    """The change that a pulled object is."""
    return Change("revoked" if item.get("revoked") is True else "object", str(item.get("id", "")), item)


def of_notice(notice: Mapping[str, Any]) -> Change:
    """The change that a notice is."""
    return Change("notice", str(notice.get("id", "")), notice=notice)
