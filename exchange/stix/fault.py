"""A fault in one STIX object: a code, the property it is about and a sentence that says how to mend it.

The same value is returned by checks (``check`` gives the fault, the caller goes on with the next object) and
raised by parsers. Its text is what a pusher reads in the status resource's ``failures[]``.
"""

from __future__ import annotations

from exchange.errors import ExchangeError

JSON_INVALID = "json-invalid"
STIX_INVALID = "stix-invalid"
STIX_TYPE_UNKNOWN = "stix-type-unknown"
STIX_ID_INVALID = "stix-id-invalid"
STIX_VERSION_UNSUPPORTED = "stix-version-unsupported"
PATTERN_INVALID = "pattern-invalid"
MARKING_INVALID = "marking-invalid"
IEP_VERSION_UNSUPPORTED = "iep-version-unsupported"
GRANULAR_SELECTOR_INVALID = "granular-selector-invalid"
BEHAVIOUR_MISSING = "behaviour-missing"

_SHOWN = 60


class StixFault(ExchangeError):  # noqa: N818  (returned as a value as often as it is raised)
    """What is wrong with an object: ``code``, ``property`` (dotted path, empty: all of it), ``sentence``."""

    status = 422
    code = STIX_INVALID
    exit_code = 2

    def __init__(self, code: str, property: str, sentence: str) -> None:
        super().__init__(sentence, code=code)
        # A path made of hostile keys must still be printable and encodable.
        self.property = property[:200] if property.isprintable() else ascii(property[:200])[1:-1]
        self.sentence = sentence

    def __repr__(self) -> str:
        return f"StixFault({self.code!r}, {self.property!r}, {self.sentence!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StixFault):
            return NotImplemented
        return (self.code, self.property, self.sentence) == (other.code, other.property, other.sentence)

    def __hash__(self) -> int:
        return hash((self.code, self.property, self.sentence))


def shown(value: object) -> str:
    """A value as a sentence may quote it: JSON-like, printable ASCII, at most some 60 characters."""
    if isinstance(value, str):
        text = ascii(value[: _SHOWN + 1])
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, int | float):
        text = str(value) if abs(value) < 10**_SHOWN else "a very long number"
    elif isinstance(value, dict):
        text = "an object"
    else:
        text = "a list" if isinstance(value, list | tuple) else type(value).__name__
    return text if len(text) <= _SHOWN + 2 else text[:_SHOWN] + "…'"
