"""Envelopes (TAXII 2.1, 3.7) split into the bytes of their objects, without parsing the objects."""

from __future__ import annotations

import msgspec

from exchange.errors import BadRequestError, TooLargeError, UnprocessableError

_FIX = 'Send a TAXII envelope: {"objects": [ ... ]} with at least one STIX object.'


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
    if body.count(b'"objects"') > 1:
        _refuse_second_list(body)
    return [bytes(raw) for raw in envelope.objects]


def _refuse_second_list(body: bytes) -> None:
    """Two lists named objects are ambiguous: one reader takes the first, another the last."""
    seen = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    rest = len(body) - sum(len(value) for value in seen.values())
    if body.count(b'"objects"') - sum(bytes(v).count(b'"objects"') for v in seen.values()) > 1 or rest < 0:
        raise UnprocessableError("The envelope has two lists named objects.", fix=_FIX)
