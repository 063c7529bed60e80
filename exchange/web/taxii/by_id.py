"""Objects asked for by their ids one after the other on a connection, with the same fields: answered without Flask.

Who looks ids up asks thousands of times. What Flask found out for the one before holds for the next: the route, the
caller (judged anew: ``same_caller``), its collection, what it accepts. The page is made, decided upon and noted as any.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from flask import request

from exchange.errors import ExchangeError
from exchange.feed.page import Page, objects_page
from exchange.feed.query import Asked
from exchange.model.changed import changed
from exchange.model.party import Collection
from exchange.store.changes import Seen
from exchange.store.objects import Reader
from exchange.web.caller import Caller, current_request
from exchange.web.connection import ALIKE, REPEATED, Headers
from exchange.web.limits import COUNTED
from exchange.web.request_id import own_id
from exchange.web.respond import body_and_fields, takes_gzip
from exchange.web.same_caller import SameCaller, is_plain, same_caller
from exchange.web.secure_headers import TLS_STAYS
from exchange.web.taxii.page_answer import context_of, headers_of

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class ById:
    """Answers requests for objects of one collection (``connection.Answers``)."""

    same: SameCaller
    collection: Collection
    reader: Reader
    asked: Asked
    """Of the request before: no filter but its object's id."""
    prefix: str
    """The target up to the id."""
    gzip: bool
    behind: tuple[tuple[str, str], ...]
    """Headers that stand behind the page's."""

    def __call__(self, target: str, told: dict[str, Any]) -> tuple[Headers, bytes] | None:
        """The newest version of the object that the target names, where there is one that the caller may see."""
        object_id = self._named(target)
        if not object_id:
            return None
        exchange, elapsed = self.same.exchange, time.monotonic()
        now = exchange.clock()
        try:
            directory, seen = exchange.look()
            if directory is not self.same.directory or not self.same.may_ask(now, elapsed) or (
                    not self.same.counted(directory, now, elapsed)):
                return None
            told[COUNTED] = True
            page = self._page(object_id, now, seen)
        except ExchangeError:
            return None
        if not page.found:
            return None
        body, fields = body_and_fields(page.body, gzip=self.gzip)
        fields += headers_of(page).items()
        fields += self.behind
        self.same.note(elapsed)
        return fields, body

    def _page(self, object_id: str, now: int, seen: Seen) -> Page:
        asked = Asked(changed(self.asked.filter, ids=(object_id,)), None, "")
        context = context_of("object", self.collection, self.same.caller.organisation, object_id)
        return self.same.exchange.page(objects_page, self.collection, changed(self.reader, now=now), context, asked,
                                       seen=seen)

    def _named(self, target: str) -> str:
        """The id in a target that holds nothing else; empty where Flask is to read it."""
        start, end = len(self.prefix), len(target) - 1
        plain = target.startswith(self.prefix) and target[-1] == "/" and end - start <= _LONGEST
        object_id = target[start:end] if plain else ""
        return object_id if object_id.isascii() and object_id.replace("-", "").isalnum() else ""


def offer_by_id(caller: Caller, collection: Collection, reader: Reader, asked: Asked, object_id: str) -> None:
    """Let the connection ask for other objects of the collection as this request asked for one.

    Not where the request had a query, or an id of its own, which only its own answer tells.
    """
    sent = current_request()
    target, behind = sent.environ.get("RAW_URI", ""), f"{object_id}/"
    if not sent.environ.get(REPEATED) or not is_plain() or own_id() or "#" in target or (
            not target.endswith(f"/objects/{behind}")):
        return
    made = ById(same_caller(caller, reader.changes), collection, reader, asked, target.removesuffix(behind),
                takes_gzip(sent), (TLS_STAYS,) if sent.is_secure else ())
    request.environ[ALIKE] = made
