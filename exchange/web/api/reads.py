"""Reading what is others' is an event of the log too: whoever audits, runs or judges leaves a trace (issue 3, 5)."""

from __future__ import annotations

from flask import Response, g, request

from exchange.web.api import NOUNS
from exchange.web.caller import Caller, current_exchange

SEES_OTHERS = frozenset({"audit", "operate", "protect", "review"})
"""Scopes with which a credential is shown what isn't its organisation's own."""
_OPEN = frozenset({"log.keys"})
"""Endpoints that show everybody the same."""


def note_reading(response: Response) -> Response:
    """Note an answer to such a credential: which kind, and of which object, case, receipt or notice."""
    caller: Caller | None = g.get("caller")
    if caller is None or SEES_OTHERS.isdisjoint(caller.credential.scopes):
        return response
    if (
        request.method == "GET" and request.blueprint in NOUNS and response.status_code == 200
        and request.endpoint not in _OPEN
    ):
        of = next(iter((request.view_args or {}).values()), None) or request.args.get("object", "")
        current_exchange().notary.note_read(caller.credential.id, str(request.endpoint), str(of)[:200])
    return response
