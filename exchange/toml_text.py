"""TOML from outside: one error for whatever is wrong with the text."""

from __future__ import annotations

import tomllib
from typing import Any

TomlError = tomllib.TOMLDecodeError
"""What is wrong with a text; its message ends with the place in parentheses."""


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text, which editors may have begun with U+FEFF.

    Raises TomlError, also for what tomllib itself raises otherwise: a number of more digits than
    Python takes (ValueError), and nesting that the stack doesn't hold (RecursionError).
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except TomlError:
        raise
    except ValueError:
        raise TomlError("Too many digits (at a number of over 4,300)") from None
    except RecursionError:
        raise TomlError("Nested too deeply (at the deepest place)") from None
