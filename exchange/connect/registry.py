"""Which connectors and publishers there are: modules of ``connectors`` and ``connectors.out``, and entry points.

Names are known without importing one: module ``stix_file`` holds the connector ``stix-file``. Third parties install
an entry point of the group ``cib_exchange.connectors`` (or ``cib_exchange.publishers``) that names their CONNECTOR
(or PUBLISHER) object.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from exchange.connect.contract import Connector
from exchange.connect.outward import Publisher
from exchange.errors import InputError


@dataclass(frozen=True)
class _Shelf:
    """One kind of thing that is found by name."""

    kind: str
    package: str
    left_out: frozenset[str]
    group: str
    attribute: str
    method: str

    def modules(self) -> dict[str, str]:
        """Name to module of those in the package."""
        spec = find_spec(self.package)
        folders = list(spec.submodule_search_locations or []) if spec else []
        found = (module.name for module in pkgutil.iter_modules(folders))
        return {name.replace("_", "-"): f"{self.package}.{name}" for name in found
                if not name.startswith("_") and name not in self.left_out}

    def installed(self) -> dict[str, EntryPoint]:
        """Name to entry point of those in other distributions."""
        return {point.name: point for point in entry_points(group=self.group)}

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted({*self.modules(), *self.installed()}))

    def load(self, name: str) -> Any:
        """One by its name, checked. Raises InputError where there is none, or it is something else."""
        module = self.modules().get(name)
        if module is not None:
            return self._checked(name, getattr(importlib.import_module(module), self.attribute, None))
        installed = self.installed().get(name)
        if installed is None:
            raise InputError(f"There is no {self.kind} {name!r}.",
                             fix=f"Known {self.kind}s: {', '.join(self.names())}.")
        try:
            found = installed.load()
        except Exception as error:  # foreign code: whatever it raises, the person needs its name
            raise InputError(
                f"The installed {self.kind} {name!r} can't be loaded.",
                why=f"{type(error).__name__}: {error}.",
                fix=f"Mend or remove the package that brings {installed.value}.",
            ) from error
        return self._checked(name, found)

    def _checked(self, name: str, found: Any) -> Any:
        if getattr(found, "name", None) != name or not callable(getattr(found, self.method, None)):
            raise InputError(
                f"The {self.kind} {name!r} doesn't keep the contract.",
                why=f"It needs a 'name' that equals its entry's name, a 'title' and a method {self.method!r}.",
            )
        return found


_CONNECTORS = _Shelf("connector", "connectors", frozenset({"out"}), "cib_exchange.connectors", "CONNECTOR", "fetch")
_PUBLISHERS = _Shelf("publisher", "connectors.out", frozenset(), "cib_exchange.publishers", "PUBLISHER", "publish")


def names() -> tuple[str, ...]:
    """Every connector's name, sorted; imports none of them."""
    return _CONNECTORS.names()


def connector(name: str) -> Connector:
    """The connector of this name; raises InputError for an unknown or a broken one.

    A connector of ours wins over an installed one of the same name.
    """
    found: Connector = _CONNECTORS.load(name)
    return found


def publisher_names() -> tuple[str, ...]:
    """Every publisher's name, sorted; imports none of them."""
    return _PUBLISHERS.names()


def publisher(name: str) -> Publisher:
    """The publisher of this name; as ``connector``."""
    found: Publisher = _PUBLISHERS.load(name)
    return found
