"""Which connectors there are: the modules of ``connectors`` and installed entry points.

Names are known without importing a connector: module ``stix_file`` holds the connector ``stix-file``. Third
parties install an entry point of the group ``cib_exchange.connectors`` that names their CONNECTOR object.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from exchange.connect.contract import Connector
from exchange.errors import InputError

PACKAGE = "connectors"
GROUP = "cib_exchange.connectors"


def names() -> tuple[str, ...]:
    """Every connector's name, sorted; imports none of them."""
    return tuple(sorted({*_modules(), *_installed()}))


def connector(name: str) -> Connector:
    """The connector of this name; raises InputError for an unknown or a broken one.

    A connector of ours wins over an installed one of the same name.
    """
    module = _modules().get(name)
    if module is not None:
        return _checked(name, getattr(importlib.import_module(module), "CONNECTOR", None))
    installed = _installed().get(name)
    if installed is None:
        raise InputError(f"There is no connector {name!r}.", fix=f"Known connectors: {', '.join(names())}.")
    try:
        found = installed.load()
    except Exception as error:  # foreign code: whatever it raises, the person needs its name
        raise InputError(
            f"The installed connector {name!r} can't be loaded.",
            why=f"{type(error).__name__}: {error}.",
            fix=f"Mend or remove the package that brings {installed.value}.",
        ) from error
    return _checked(name, found)


def _modules() -> dict[str, str]:
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = (module.name for module in pkgutil.iter_modules(folders))
    return {name.replace("_", "-"): f"{PACKAGE}.{name}" for name in found if not name.startswith("_")}


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _checked(name: str, found: Any) -> Connector:
    if getattr(found, "name", None) != name or not callable(getattr(found, "fetch", None)):
        raise InputError(
            f"The connector {name!r} doesn't keep the contract.",
            why="It needs a 'name' that equals its entry's name, a 'title' and a method 'fetch'.",
        )
    return found  # type: ignore[no-any-return]  # a Protocol with data members can't be checked at run time
