"""How long a policy version that widens stands in shadow: read from the pack ``versions.toml``."""

from __future__ import annotations

from exchange.errors import SettingError
from exchange.policy.packs import Packs

HOUR = 3_600_000_000
_ROOM = "versions"
_DEFAULTS = {"days": 7, "emergency_hours": 24}
_LONGEST = 3_650


def shadow_period(packs: Packs, *, emergency: bool) -> int:
    """Microseconds that the version in force demands; ``emergency``: one is declared for every collection.

    Raises SettingError where the pack gives no whole number, or an unknown one.
    """
    file = packs.rooms.get(_ROOM)
    stated = {} if file is None else file.content.get("shadow", {})
    if not isinstance(stated, dict) or not set(stated) <= set(_DEFAULTS):
        raise SettingError(f"The policy pack of the room {_ROOM!r} has an unknown table or key.",
                           fix=f"Its table [shadow] has {', '.join(_DEFAULTS)}.")
    values: dict[str, int] = {**_DEFAULTS, **stated}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST:
            raise SettingError(f"The policy pack of the room {_ROOM!r}: shadow.{name} is {value!r}.",
                               fix=f"Give a whole number from 0 to {_LONGEST}.")
    usual: int = values["days"] * 24 * HOUR
    shorter: int = values["emergency_hours"] * HOUR
    return min(usual, shorter) if emergency else usual
