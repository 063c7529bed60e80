"""Disputes by STIX: what members push about each other's objects marks them, and unmarks them again (R13, P19)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from exchange.cases import effects
from exchange.cases.about import campaign_class, platform_name, platforms_of
from exchange.cases.dispute import Voice, is_confirmed, is_disputed
from exchange.cases.flag import disputed_note
from exchange.cases.office import Members, Office
from exchange.cases.ownership import is_public_authority
from exchange.cases.repeated import is_repeated
from exchange.model.party import Organisation
from exchange.model.state import State
from exchange.stix.statement import TYPES, Statement, statement
from exchange.store import contests as rows
from exchange.store import states as stored
from exchange.store import voices
from exchange.store.directory import meta_value
from exchange.store.events import record
from exchange.store.flags import put_beside
from exchange.store.objects import Filter, Reader
from exchange.store.records import add_verdict

_MOST_REFS = 100
"""Objects that one statement is heard on; it may name more, and they are stored."""
_AT_ONCE = 500


class Disputes:
    """What members say of each other's objects, in one exchange."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def hear(self, connection: Any, organisation: Organisation, said: Sequence[bytes], reader: Reader,
             feed_of: Callable[[str], int], now: int) -> bool:
        """Take in what a push says, inside its write transaction; whether any contributor's record changed.

        ``said`` are the bodies of the opinions, sightings and notes that were just added, ``reader`` the one who
        pushed: what it can't see it says nothing of, and it isn't told so (P16). ``feed_of`` gives the number of a
        collection.
        """
        objects = [orjson.loads(body) for body in said]
        changed = voices.end_voices(connection, organisation.id, [obj["id"] for obj in objects], now)
        spoken = [(obj, found) for obj, found in ((obj, statement(obj)) for obj in objects) if found.word != "none"]
        seen = self._seen(connection, [found for _, found in spoken], reader, feed_of)
        members = self._office.members()
        about = dict.fromkeys(changed)
        for obj, found in spoken:
            for stix_id in found.about[:_MOST_REFS]:
                for feed, producer in seen.get(stix_id, ()):
                    place = (feed, producer, stix_id)
                    if self._speak(connection, members, organisation, obj["id"], found, place, now):
                        about[place] = None
        return any([self._settle(connection, members, one, now) for one in about])

    def take_back(self, connection: Any, org: str, stix_id: str, now: int) -> bool:
        """The organisation withdrew an opinion, sighting or note; whether a contributor's record changed."""
        if stix_id.partition("--")[0] not in TYPES:
            return False
        ended = voices.end_voices(connection, org, [stix_id], now)
        members = self._office.members()
        return any([self._settle(connection, members, one, now) for one in dict.fromkeys(ended)])

    def settled(self, connection: Any, about: voices.Object, now: int) -> None:
        """A reviewer has decided on an object: what members said of it is settled, its mark goes."""
        feed, producer, stix_id = about
        voices.end_voices_about(connection, about, now)
        given = rows.given_objects(connection, stix_id, feed=feed, producer=producer)
        if given and voices.is_flagged(connection, about):
            self.unmark(connection, given[0], now, "A reviewer has decided.")
        self.follow(connection, stix_id, rows.organisation_of(connection, producer), now)

    def _seen(self, connection: Any, said: Sequence[Statement], reader: Reader, feed_of: Callable[[str], int]
              ) -> Mapping[str, list[tuple[int, int]]]:
        """Id to (feed, contributor) of each object that the reader sees under it."""
        ids = list(dict.fromkeys(stix_id for one in said for stix_id in one.about[:_MOST_REFS]))
        found: dict[str, list[tuple[int, int]]] = {}
        driver = connection.connection.driver_connection
        for collection in reader.collections if ids else ():
            feed = feed_of(collection)
            for first in range(0, len(ids) if feed else 0, _AT_ONCE):
                wanted = Filter(ids=tuple(ids[first : first + _AT_ONCE]), limit=_AT_ONCE)
                for row in self._office.queries.page(driver, feed, reader, wanted, ("stix_id", "contributor")):
                    found.setdefault(row[0], []).append((feed, row[1]))
        return found

    def _speak(self, connection: Any, members: Members, organisation: Organisation, said_by: str, found: Statement,
               about: voices.Object, now: int) -> bool:
        """Note one word on one object; nobody judges its own."""
        feed, producer, stix_id = about
        if members.group(rows.organisation_of(connection, producer)) == members.group(organisation.id):
            return False
        given = rows.given_objects(connection, stix_id, feed=feed, producer=producer)
        if not given:
            return False
        affected = found.word == "dispute" and _is_affected(organisation, orjson.loads(given[0].body))
        voices.add_voice(connection, about, statement=said_by, org=organisation.id, word=found.word,
                         affected=affected, at=now)
        return True

    def _settle(self, connection: Any, members: Members, about: voices.Object, now: int) -> bool:
        """Mark or unmark an object by what is said of it now; whether its contributor's record changed."""
        feed, producer, stix_id = about
        given = rows.given_objects(connection, stix_id, feed=feed, producer=producer)
        if not given:
            return False
        group = members.group(rows.organisation_of(connection, producer))
        said = voices.voices_about(connection, about)
        needed = self._office.parameters["independent-disputes", now]
        disputed = is_disputed(_voices(members, said, "dispute"), group, needed)
        flagged = voices.is_flagged(connection, about)
        if disputed and not flagged and given[0].state == State.ACTIVE:
            self.mark(connection, given[0], now)
        elif flagged and not disputed:
            self.unmark(connection, given[0], now, "The disputes were taken back.")
        backed = given[0].body and not disputed and is_confirmed(_voices(members, said, "back"), group, needed)
        return bool(backed) and add_verdict(
            connection, about=about, campaign_class=campaign_class(orjson.loads(given[0].body)), word="confirmed",
            cause="independent reports", at=now, repeated=is_repeated(self._office, connection, about))

    def follow(self, connection: Any, stix_id: str, org: str, now: int) -> None:
        """A person changed the state of an organisation's object: the note beside it comes and goes with the dispute.

        What is revoked or erased takes its notes along (P20).
        """
        for owned in stored.find_owned(connection, stix_id, org=org):
            history = stored.changes_of(connection, owned)
            if not history or history[-1]["at"] != now or history[-1]["after"] not in (State.DISPUTED, State.ACTIVE):
                continue
            given = rows.given_objects(connection, owned.stix_id, feed=owned.feed, producer=owned.contributor)[0]
            if history[-1]["after"] == State.DISPUTED:
                put_beside(connection, given, _note(connection, given, now, None), now)
                continue
            if voices.is_flagged(connection, (given.feed, given.producer, given.stix_id)):
                voices.lift_flag(connection, (given.feed, given.producer, given.stix_id), now)
            for since in _disputed_since(history):
                put_beside(connection, given, _note(connection, given, since, max(now, since + 1_000)), now)

    def mark(self, connection: Any, given: rows.Given, now: int) -> None:
        """Mark an object as disputed: its state, notices to who received it, and a note beside it."""
        about = (given.feed, given.producer, given.stix_id)
        voices.put_flag(connection, about, now)
        effects.change(connection, self._office, given, State.DISPUTED, now,
                       reason="Independent members, or a platform that it is about, dispute it.")
        put_beside(connection, given, _note(connection, given, now, None), now)
        record(connection, at=now, kind="dispute", org=rows.organisation_of(connection, given.producer),
               detail={"id": given.stix_id, "step": "marked"})

    def unmark(self, connection: Any, given: rows.Given, now: int, reason: str) -> None:
        """Take the mark away; the state goes back where the dispute alone had set it."""
        about = (given.feed, given.producer, given.stix_id)
        since = voices.flagged_at(connection, about)
        voices.lift_flag(connection, about, now)
        if given.state == State.DISPUTED:
            effects.change(connection, self._office, given, State.ACTIVE, now, reason=reason)
        if given.body:  # the note of what was wiped is seen by nobody any more (P20)
            put_beside(connection, given, _note(connection, given, since, max(now, since + 1_000)), now)
        record(connection, at=now, kind="dispute", org=rows.organisation_of(connection, given.producer),
               detail={"id": given.stix_id, "step": "lifted"})


def _disputed_since(history: Sequence[Mapping[str, Any]]) -> list[int]:
    """When an object that has just become active was marked since it was active before (microseconds)."""
    found: list[int] = []
    for row in history[-2::-1]:
        if row["after"] == State.ACTIVE:
            break
        if row["after"] == State.DISPUTED:
            found.append(row["at"])
    return found


def _voices(members: Members, said: Sequence[voices.StoredVoice], word: str) -> list[Voice]:
    """Voices of those who are members now, by their present ownership."""
    found = []
    for one in said:
        organisation = members.organisation(one.org)
        if one.word == word and organisation is not None:
            found.append(Voice(members.group(one.org), is_public_authority(organisation), one.affected))
    return found


def _is_affected(organisation: Organisation, obj: Mapping[str, Any]) -> bool:
    """Whether the object is about accounts of a platform that the organisation runs (its fact ``platforms``)."""
    own = {platform_name(name) for name in organisation.facts.get("platforms") or ()}
    return organisation.kind == "platform" and not own.isdisjoint(platforms_of(obj))


def _note(connection: Any, given: rows.Given, flagged: int, lifted: int | None) -> dict[str, Any]:
    identity = meta_value(connection, "exchange.identity")
    return disputed_note(orjson.loads(given.body), identity, f"{given.feed}|{given.producer}", flagged, lifted)

