"""Envelopes (TAXII 2.1, 3.7) split into the bytes of their objects, without parsing the objects."""

from __future__ import annotations

import json

import msgspec

from exchange.errors import BadRequestError, TooLargeError, UnprocessableError

_FIX = 'Send a TAXII envelope: {"objects": [ ... ]} with at least one STIX object.'
_ESCAPED_LETTERS = (b"\\u006", b"\\u007")
"""How a small letter begins that is spelt by its number."""


class _Envelope(msgspec.Struct):
    objects: list[msgspec.Raw]


_DECODER = msgspec.json.Decoder(_Envelope)


def split_envelope(body: bytes, most: int) -> list[bytes]:
    """The objects' bytes in their order, exactly as sent.

    Raises BadRequestError (not JSON in UTF-8), UnprocessableError (JSON, but no envelope with objects),
    TooLargeError (over ``most`` objects).
    """
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequestError(f"The body isn't UTF-8: byte {error.start} is wrong.", fix=_FIX) from None
    try:
        envelope = _DECODER.decode(body)
    except msgspec.ValidationError:
        raise UnprocessableError("The body is JSON but no TAXII envelope.", fix=_FIX) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequestError(f"The body isn't JSON: {str(error)[:200]}.", fix=_FIX) from None
    if not envelope.objects:
        raise UnprocessableError("The envelope holds no objects.", fix=_FIX)
    if len(envelope.objects) > most:
        raise TooLargeError(f"The envelope holds {len(envelope.objects)} objects; the most is {most}.",
                            fix="Send them in several envelopes.")
    if body.count(b'"objects"') > 1 or any(one in body for one in _ESCAPED_LETTERS):
        _refuse_second_list(body)
    return [bytes(raw) for raw in envelope.objects]


def _refuse_second_list(body: bytes) -> None:
    """Two lists named objects, however that is spelt, are ambiguous: one reader takes the first, another the last."""
    names: list[str] = []

    def note(pairs: list[tuple[str, None]]) -> None:
        """The outermost object is the last that is told."""
        names[:] = [name for name, _ in pairs]

    try:
        json.loads(body, object_pairs_hook=note, parse_int=len, parse_float=len)
    except RecursionError:
        raise BadRequestError("The body is nested too deeply.", fix=_FIX) from None
    if names.count("objects") > 1:
        raise UnprocessableError("The envelope has two lists named objects.", fix=_FIX)
