"""What a member does with its webhooks: make, look at, stop, resume, replay, drop."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from exchange.errors import InputError, NotFoundError, UnprocessableError
from exchange.feed.interest import Interest, interest
from exchange.model.party import Collection, Credential
from exchange.model.webhook import kept_secrets, new_secret
from exchange.obligations.seal import read_seal, seal_path
from exchange.stix.timestamp import from_microseconds
from exchange.store import webhooks as stored
from exchange.store.engine import read, write
from exchange.webhooks.target import check_target, operators_networks
from exchange.wiring import Exchange

MOST_OF_ONE = 20
"""Webhooks of one organisation."""
_HOUR = 3_600_000_000


class WebhookDesk:
    """The webhooks of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def make(
        self, credential: Credential, collection: Collection, url: str, given: Mapping[str, Sequence[str]], after: int
    ) -> dict[str, Any]:
        """A new webhook with its secret, which is shown this once; ``after`` is a date of adding in microseconds.

        What leaves is decided by the credential's purpose. Raises UnprocessableError for an address that nothing can
        be sent to, and where the organisation has too many.
        """
        check_target(url, operators_networks(self._exchange.settings.webhook_networks))
        secret, name, now = new_secret(os.urandom), uuid4().hex, self._exchange.clock()
        seal = read_seal(seal_path(self._exchange.settings))
        row = {
            "id": name, "org": credential.org, "credential": credential.id, "collection": collection.id, "url": url,
            "secret": seal.close(secret.encode(), f"webhook {name}"), "state": "active", "why": "",
            "interest": json.dumps({key: sorted(values) for key, values in given.items()}), "place": after,
            "failures": 0, "next_at": now, "created_at": now, "delivered": 0,
        }
        with write(self._exchange.engine) as connection:
            if len(stored.webhooks_of(connection, credential.org)) >= MOST_OF_ONE:
                raise UnprocessableError(f"The organisation has {MOST_OF_ONE} webhooks already.", fix="Drop one first.")
            stored.add_webhook(connection, row)
        return {**shown(row | {"delivered_at": None}), "secret": secret}

    def every(self, org: str) -> list[dict[str, Any]]:
        """An organisation's webhooks."""
        with read(self._exchange.engine) as connection:
            return [shown(row) for row in stored.webhooks_of(connection, org)]

    def show(self, org: str, name: str) -> dict[str, Any]:
        """One with its dead letters. Raises NotFoundError."""
        with read(self._exchange.engine) as connection:
            row = self._one(connection, org, name)
            letters = stored.dead_letters(connection, name)
        return {**shown(row), "dead_letters": [
            {"number": one["number"], "at": from_microseconds(one["at"]), "after": place_text(one["after"]),
             "until": place_text(one["until"]), "tries": one["tries"], "why": one["why"]} for one in letters]}

    def stop(self, org: str, name: str) -> dict[str, Any]:
        """Send nothing more until it is resumed."""
        with write(self._exchange.engine) as connection:
            self._one(connection, org, name)
            stored.change_webhook(connection, name, state="stopped", why="Stopped by its owner.")
        return self.show(org, name)

    def resume(self, org: str, name: str, credential: Credential, after: int | None) -> dict[str, Any]:
        """Go on, with the key that asks, from where it stood or from ``after``: what lies behind comes again."""
        values: dict[str, Any] = {"state": "active", "why": "", "failures": 0, "next_at": self._exchange.clock(),
                                  "credential": credential.id}
        if after is not None:
            values["place"] = after
        with write(self._exchange.engine) as connection:
            row = self._one(connection, org, name)
            if after is not None or row["credential"] != credential.id:
                values["until"] = None  # another message, not another try: the key may be given other objects
            stored.change_webhook(connection, name, **values)
        return self.show(org, name)

    def new_secret(self, org: str, name: str, hours: int) -> dict[str, Any]:
        """Let a new secret sign, which is shown this once; the one before it signs too for some hours. Raises
        NotFoundError."""
        secret, seal, about = new_secret(os.urandom), read_seal(seal_path(self._exchange.settings)), f"webhook {name}"
        until = self._exchange.clock() + hours * _HOUR
        with write(self._exchange.engine) as connection:
            held = seal.open(self._one(connection, org, name)["secret"], about).decode()
            kept = kept_secrets(secret, held, until)
            stored.change_webhook(connection, name, secret=seal.close(kept.encode(), about))
        return {**self.show(org, name), "secret": secret, "former_until": from_microseconds(until)}

    def replay(self, org: str, name: str, number: int) -> dict[str, Any]:
        """Send a dead letter again, under its id and before anything newer.

        Order is per subscriber: the webhook goes back to where the letter begins, and what came after comes again.
        """
        with write(self._exchange.engine) as connection:
            row = self._one(connection, org, name)
            letters = stored.dead_letters(connection, name, number)
            if not letters:
                raise NotFoundError("There is no such dead letter.")
            stored.drop_dead_letter(connection, number)
            back = letters[0]["after"] <= row["place"]  # else it comes on the way
            begins = {"place": letters[0]["after"], "until": letters[0]["until"]} if back else {}
            stored.change_webhook(connection, name, **begins, state="active", failures=0,
                                  next_at=self._exchange.clock(), why="")
        return self.show(org, name)

    def drop(self, org: str, name: str) -> None:
        """Forget one. Raises NotFoundError."""
        with write(self._exchange.engine) as connection:
            self._one(connection, org, name)
            stored.drop_webhook(connection, name)

    def _one(self, connection: Any, org: str, name: str) -> stored.Row:
        found = stored.webhooks_of(connection, org, name)
        if not found:
            raise NotFoundError("There is no such webhook.")
        return found[0]


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A webhook without its secret, for its owner."""
    given: dict[str, Any] = {key: row[key] for key in (
        "id", "collection", "url", "credential", "state", "why", "failures", "delivered")}
    return {**given, "match": json.loads(row["interest"]), "after": place_text(row["place"]),
            "created": from_microseconds(row["created_at"]), "next": from_microseconds(row["next_at"]),
            "last_delivered": from_microseconds(row["delivered_at"]) if row["delivered_at"] else None}


def place_text(place: int) -> str | None:
    """A date of adding as text; None before everything."""
    return None if place < 0 else from_microseconds(place)


def wanted(row: Mapping[str, Any]) -> Interest:
    """What a webhook wants. Raises InputError for a row that a newer release wrote."""
    given = json.loads(row["interest"])
    if not isinstance(given, dict):
        raise InputError("The webhook's filter can't be read.")
    return interest(given)
