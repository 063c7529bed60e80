"""Whether an object's newer terms of sharing are narrower than the older ones: then holders of the old are told."""

from __future__ import annotations

import json
from collections.abc import Iterator

from exchange.policy import tlp
from exchange.policy.case import Subject, read_subject

_PAP = ("PAP:CLEAR", "PAP:WHITE", "PAP:GREEN", "PAP:AMBER", "PAP:RED")


def narrowings(older: str, newer: str) -> list[str]:
    """What is narrower, in words; empty where nothing is. Both are the canonical facts of labels."""
    before, after = (read_subject(json.loads(text)["object"]) for text in (older, newer))
    return list(_narrowed(before, after))


def _narrowed(before: Subject, after: Subject) -> Iterator[str]:
    levels = [tlp.RED if subject.level is None else subject.level for subject in (before, after)]
    if levels[1] > levels[0]:
        yield f"{tlp.NAMES[levels[0]]} became {tlp.NAMES[levels[1]]}"
    if _pap(after) > _pap(before):
        yield f"{_PAP[_pap(after)]} was added"
    audience_before, audience_after = before.groups | before.orgs, after.groups | after.orgs
    if audience_after and (not audience_before or not audience_before <= audience_after):
        yield "the audience became smaller"
    if after.excluded - before.excluded or after.kinds_denied - before.kinds_denied:
        yield "somebody was excluded"
    if before.purposes - after.purposes:
        yield "a purpose was taken back"
    if len(after.ieps) > len(before.ieps):
        yield "an IEP policy was added"


def _pap(subject: Subject) -> int:
    return max((_PAP.index(word) for word in subject.paps if word in _PAP), default=0)
