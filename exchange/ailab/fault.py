"""One fault of a form: where it is, what it is and how it is mended, without a word of what stood there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exchange.errors import ExchangeError
from exchange.model.personal.scan import scan

VERSION = "version-unsupported"
PERSONAL = "personal-data"
UNKNOWN = "field-unknown"
MISSING = "field-missing"
INVALID = "field-invalid"
CONFLICT = "field-conflict"
Path = tuple[str | int, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,60}\Z")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class FormFault:
    """What is wrong at one place."""

    path: Path
    code: str
    sentence: str
    """Begins with a verb, to be read after the path: ``is missing; give …``."""

    @property
    def place(self) -> str:
        """The path for people: ``cluster.behaviours[0].note``; ``the report`` for all of it."""
        return place_of(self.path) or "the report"

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"

    def as_json(self) -> dict[str, str]:
        """For answers: path, code and sentence."""
        return {"path": place_of(self.path), "code": self.code, "sentence": self.sentence}


class FormRefusedError(ExchangeError):
    """A form that isn't taken, with every fault."""

    status = 422
    code = "form-invalid"
    exit_code = 2

    def __init__(self, faults: Sequence[FormFault]) -> None:
        more = f" And {len(faults) - _SHOWN} more." if len(faults) > _SHOWN else ""
        super().__init__(" ".join(map(str, faults[:_SHOWN])) + more)
        self.faults = tuple(faults)


def place_of(path: Path) -> str:
    """A path as text; a key that holds something about a person, or no plain name, is only described."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        name = step if _NAME.match(step) and not scan(step) else "(a name that isn't shown)"
        text += f".{name}" if text else name
    return text


def in_order(faults: Iterable[FormFault]) -> list[FormFault]:
    """Each fault once, by their places; the same faults always in the same order."""
    unique = {(fault.path, fault.code, fault.sentence): fault for fault in faults}
    return sorted(unique.values(), key=lambda fault: (
        [(isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in fault.path],
        fault.code, fault.sentence,
    ))
