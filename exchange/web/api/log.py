"""The log over HTTP: checkpoint and tiles (C2SP tlog-tiles) for members, receipts for their owners, cosignatures.

Hashes of all leaves are shown to every member: with the nonce in each leaf they tell nothing but how many there
are. What the leaves say is shown to auditors, and to each organisation of its own (P16).
"""

from __future__ import annotations

from flask import Blueprint, Response

from exchange.audit.fault import UnreadableError
from exchange.audit.tiles import read_tile_path
from exchange.errors import BadRequestError, ForbiddenError, NotFoundError, UnprocessableError
from exchange.web.api.exchange_json import caller_with, json_answer, json_body, one_argument
from exchange.web.caller import Caller, current_caller, current_exchange

routes = Blueprint("log", __name__)
tiles = Blueprint("log_tiles", __name__)
TILES_PREFIX = "/log"
_LONGEST_NOTE = 100_000


@tiles.get("/checkpoint")
def checkpoint() -> Response:
    """The newest checkpoint, signed by the log and by members."""
    _reader()
    return _resource(current_exchange().notary.checkpoint(), "text/plain; charset=utf-8")


@tiles.get("/tile/<path:path>")
def tile(path: str) -> Response:
    """A tile of hashes; a bundle of entries for auditors."""
    _reader()
    try:
        wanted = read_tile_path(path)
    except UnreadableError:
        raise NotFoundError("There is no such tile.") from None
    if wanted.level < 0:
        auditor = caller_with("audit")
        current_exchange().notary.note_read(auditor.credential.id, "entries", path)
    return _resource(current_exchange().notary.tile(wanted), "application/octet-stream")


@routes.get("/log/keys")
def keys() -> Response:
    """The verifier keys of the log, the one in use last, and of members that cosign."""
    _reader()
    found = current_exchange().notary.keys()
    return json_answer({"log": [str(key) for key in found.own], "handovers": list(found.handovers),
                        "members": [{"org": org, "key": key} for key, org in found.members.items()]})


@routes.get("/log/receipts/<event_id>")
def receipt(event_id: str) -> Response:
    """The receipt of an event, for the organisation it is about and for auditors."""
    caller = current_caller()
    org = None if "audit" in caller.credential.scopes else caller.organisation.id
    return json_answer(current_exchange().notary.receipt(event_id, org))


@routes.get("/log/entries")
def entries() -> Response:
    """The caller's own leaves after a place, a thousand at a time."""
    caller = current_caller()
    after = one_argument("after", "-1") or ""
    if not after.removeprefix("-").isdecimal() or not after.isascii() or len(after) > 18:
        raise BadRequestError("The parameter after is no place in the log.", fix="Give the last index you have.")
    found = current_exchange().notary.own_entries(caller.organisation.id, int(after))
    return json_answer({"entries": found})


@routes.post("/log/cosignatures")
def cosign() -> Response:
    """Take a member's signature under a checkpoint: {"note": "<checkpoint with the signature line>"}."""
    caller = _reader()
    note = json_body().get("note")
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        raise UnprocessableError("The body has no note.", fix='Send {"note": "<signed checkpoint>"}.')
    return json_answer({"size": current_exchange().notary.cosign(caller.organisation.id, note)}, 201)


def _reader() -> Caller:
    caller = current_caller()
    if not {"read", "audit"} & set(caller.credential.scopes):
        raise ForbiddenError("This credential doesn't have the scope 'read'.",
                             fix="Ask the operator of the exchange for one that has it.")
    return caller


def _resource(body: bytes, kind: str) -> Response:
    response = Response(body, content_type=kind)
    response.headers.update({
        "Cache-Control": "no-store", "Vary": "Authorization", "X-Content-Type-Options": "nosniff",
    })
    return response
