"""The one refusal of whatever proves nobody: the same bytes always, and for the log alone what was wrong."""

from __future__ import annotations

from exchange.errors import UnauthorizedError
from exchange.model.credential import REFUSAL


class RefusedError(UnauthorizedError):
    """A credential that isn't valid here; ``reason`` is for the operator, and holds nothing that was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(REFUSAL)
        self.reason = reason
