"""Why a text is not the identifier it was taken for."""

from __future__ import annotations


class IdentifierError(ValueError):
    """A text that isn't an identifier of the kind asked for; the message is one sentence for people."""
