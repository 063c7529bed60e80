"""The status resource of a push (TAXII 2.1, 4.3.1): what became of each object.

The message of an object that was there already begins with ``unchanged``; else only failures have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from exchange.model.pushed import PushOutcome


class Told(NamedTuple):
    """One object's outcome with the version that the status names."""

    outcome: PushOutcome
    version: str


def status_resource(status_id: str, requested: str, told: Sequence[Told]) -> bytes:
    """The resource as JSON; every count is there, lists only where they hold something."""
    good = [_detail(t) for t in told if t.outcome.state != "refused"]
    bad = [_detail(t) for t in told if t.outcome.state == "refused"]
    status: dict[str, object] = {
        "id": status_id, "status": "complete", "request_timestamp": requested, "total_count": len(told),
        "success_count": len(good), "failure_count": len(bad), "pending_count": 0,
    }
    if good:
        status["successes"] = good
    if bad:
        status["failures"] = bad
    return orjson.dumps(status)


def _detail(told: Told) -> dict[str, str]:
    outcome = told.outcome
    if outcome.state == "added":
        return {"id": outcome.id, "version": told.version}
    detail = {"id": outcome.id or "unknown", "version": told.version}
    word = outcome.code or ("unchanged" if outcome.state == "unchanged" else "")
    message = ": ".join(part for part in (word, outcome.sentence) if part)
    if message:
        detail["message"] = message
    return detail
