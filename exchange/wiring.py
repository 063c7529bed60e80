"""The only place that joins the parts: one ``Exchange`` per process, made from settings."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Some
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from exchange.cases import shelf
from exchange.cases.docket import Docket, Pushed
from exchange.cases.office import Known
from exchange.errors import (
    ExchangeError,
    ForbiddenError,
    NotFoundError,
    SettingError,
    StorageFullError,
    UnavailableError,
)
from exchange.feed.current import CurrentPages
from exchange.feed.leaving import Leaving, WrongGrantError
from exchange.feed.narrowed import Wants
from exchange.feed.page import Page, PageMaker, Place, is_there
from exchange.feed.query import Asked
from exchange.feed.readers import Readers
from exchange.governance.change import PolicyChanges
from exchange.governance.explanation import Explanations
from exchange.governance.in_force import PolicyInForce
from exchange.governance.preview import Audience, PreviewLabels, denied_whole
from exchange.intake import published
from exchange.intake.envelope import split_envelope
from exchange.intake.outcome import push_detail, told_of
from exchange.intake.push import Checked, Intake, Pusher, identities_of_others
from exchange.intake.status import Told, status_resource
from exchange.model import mailbox
from exchange.model.access import holds, may_read
from exchange.model.party import Collection, Community, Credential, Directory, Organisation
from exchange.model.pushed import PushOutcome
from exchange.notary.bases import Bases
from exchange.notary.deliveries import LedgerDeliveries
from exchange.notary.notary import Notary
from exchange.obligations import taken_back
from exchange.obligations.desk import Desk
from exchange.obligations.erasure_list import ErasureList, erasures_path
from exchange.obligations.mailboxes import key_to_mailbox, with_mailboxes
from exchange.obligations.news import Added
from exchange.obligations.seal import read_seal, seal_path
from exchange.policy.label import policy_of, release
from exchange.policy.packs import Packs
from exchange.policy.packtext import texts_of
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds
from exchange.store.arrivals import Arrivals
from exchange.store.changes import Changes, Seen
from exchange.store.directory import cursor_keys, load_directory, meta_value
from exchange.store.dumps import is_unfinished
from exchange.store.engine import check_at_start, crossing, open_engine, raw, read, write
from exchange.store.events import record
from exchange.store.labels import Labels, Numbers
from exchange.store.ledger import Ledger
from exchange.store.migrations import migrate
from exchange.store.objects import NOBODY, Filter, ObjectQueries, Reader, Versions
from exchange.store.pushes import (
    add_objects,
    find_markings,
    foretell,
    has_contributed,
    holds_bodies,
    last_versions,
    withdraw,
)
from exchange.store.statuses import drop_expired_statuses, find_status, save_status

_LOG = logging.getLogger("exchange.wiring")
_HOUR = 3_600_000_000
_KEPT_PAGES = 24_000_000
"""Bytes of settled pages that a process keeps."""
_FEW, _LITTLE = 20, 40_000
"""Objects, and their bytes, of a push that is stored in one turn."""
_EVERY_VERSION = Versions(frozenset({"all"}))


def system_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


class Exchange:
    """One process's exchange; ``clock`` gives microseconds since the epoch.

    ``pause`` is called every few objects of a push: a server with one thread lets others have their turn.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], int] = system_clock, pause: Callable[[], None] = lambda: None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = open_engine(settings.database_url)
        self.policy = PolicyInForce(self.engine, texts_of(Path(settings.policies) if settings.policies else None))
        self.ledger = Ledger(self.engine)
        self.notary = Notary(self.engine, settings, clock, pause=pause,
                             deliveries=LedgerDeliveries(self.ledger, Bases(self.engine)))
        self.erasures = ErasureList(erasures_path(settings))
        self.obligations = Desk(self.engine, lambda: self.packs, self.directory, self.ledger.recipients,
                                self.ledger.forms_of, lambda: read_seal(seal_path(settings)),
                                lambda connection, changed, now: self.cases.disputes.follow(
                                    connection, changed.stix_id, changed.org, now),
                                note=self.erasures.note)
        self._queries = ObjectQueries(self.engine.dialect)
        self._labels = Labels(self.engine, self._granted)
        self._numbers = Numbers(self.engine)
        self._changes = Changes(self.engine)
        self._pages = CurrentPages(self.ledger, self._queries, Arrivals(self.engine, pause), self._changes, _KEPT_PAGES)
        self._leaving = Leaving(self._granted, self.ledger, lambda: self._redaction_secret)
        self.cases = Docket(self.engine, self._queries, lambda: self.packs, self.directory,
                            lambda: self.obligations.means, self._numbers.feed_if_any, self._made_of)
        self._readers = Readers(self._labels, self._numbers, self.policy.of)
        self._pause = pause
        self._intake = Intake(self._labels, pause)
        self._directory: Directory | None = None
        self._secret = settings.secret_key
        self._redaction_secret = ""
        self._identity = ""
        self._swept = 0
        self.observers: list[Callable[[Organisation, Sequence[Told]], None]] = []
        """Each is told what became of objects that an organisation sent, once that is committed."""
        self.ending = False
        """Set when the process is told to stop: whoever is served for long ends, and says that it comes back."""

    # -- who takes part

    def directory(self) -> Directory:
        """The directory as it is now: whether it changed is asked each time, and it is read when it did."""
        return self.look()[0]

    def look(self) -> tuple[Directory, Seen]:
        """The directory as it is now, and how the database was just before."""
        seen = self._changes.look()
        if self._directory is None or self._directory.version != seen.directory_version:
            with read(self.engine) as connection:
                self.policy.refresh(connection)
                self._directory = shelf.with_records(
                    with_mailboxes(published.with_published(load_directory(connection))))
                self._secret = self.settings.secret_key or cursor_keys(connection)
                self._redaction_secret = meta_value(connection, "redaction.secret")
                self._identity = meta_value(connection, "exchange.identity")
        return self._directory, seen

    def is_as(self, seen: Seen) -> bool:
        """Whether nothing was committed since that ``look``."""
        return self._changes.is_as(seen)

    @property
    def packs(self) -> Packs:
        """The policy version in force, but for organisations of a canary (``policy.of``)."""
        self.directory()
        return self.policy.active

    def _granted(self, profile: str, label: str) -> tuple[str, ...] | None:
        """What the profile's own policy version leaves out; None: not released. A version that is gone releases
        nothing."""
        packs = self.policy.version(policy_of(profile))
        if packs is None:
            return None
        word, parts = release(profile, label, packs)
        return None if word == "deny" else parts

    def explanations(self, now: int) -> Explanations:
        """Why who may see what, for questions asked at ``now``."""
        return Explanations(self.engine, self.policy, self.directory(), now)

    def policy_changes(self) -> PolicyChanges:
        """Steps of policy versions, taken now."""
        return PolicyChanges(self.engine, self.policy, self.directory(), self.clock(), self.erasures.note)

    def communities(self, directory: Directory) -> list[Community]:
        """API roots in the order of discovery: the built-in ones last."""
        built_in = {published.COMMUNITY.id, mailbox.COMMUNITY, shelf.COMMUNITY.id}
        return sorted(directory.communities.values(), key=lambda c: (c.id in built_in, c.id))

    def moment(self, now: int) -> datetime:
        """Microseconds as an aware time."""
        return datetime.fromtimestamp(now / 1e6, UTC)

    # -- the way out

    def reader(
        self, directory: Directory, organisation: Organisation, credential: Credential,
        narrower: str | None, now: int, *, encrypted: bool = True,
    ) -> Reader:
        """Who reads, for the queries of one request.

        A reader that never asked before is noted in the store; raises UnavailableError where its disk is full.
        """
        try:
            return self._readers.reader(directory, organisation, credential, narrower, now, encrypted=encrypted)
        except StorageFullError as full:
            raise UnavailableError("The store can't take in a new reader now.", why=full.what,
                                   fix="Free some space.") from full

    def mailbox_reader(self, directory: Directory, organisation: Organisation, credential: Credential,
                       now: int) -> Reader:
        """Who reads its own notices: any credential, whatever its purpose and the channel."""
        return self.reader(directory, organisation, key_to_mailbox(credential, self.packs), None, now)

    def page(self, make: PageMaker, collection: Collection, reader: Reader, context: str, asked: Asked, *,
             leaves: bool = True, wants: Wants | None = None, seen: Seen | None = None) -> Page:
        """One page of a collection: of objects, manifest or versions, as ``make`` says.

        Where only its headers leave (HEAD) nothing is delivered, so nothing is noted. ``wants`` leaves out what a
        subscriber of objects doesn't want; ``seen`` spares the page's first look. Raises UnavailableError where
        a grant isn't what the policy says: an alarm is recorded, nothing leaves.
        """
        place = self._place(collection, reader, context, seen)
        try:
            return self._pages.page(make, place, asked, leaves=leaves, wants=wants)
        except WrongGrantError as wrong:
            raise self._alarm(wrong, collection.id, reader) from wrong

    def empty_until(self, collection: Collection, reader: Reader, asked: Asked) -> tuple[bool, int | None]:
        """Whether a page that is empty now stays so while ``look`` sees the same, and until when (microseconds)."""
        return self._pages.empty_until(self._place(collection, reader), asked)

    def _place(self, collection: Collection, reader: Reader, context: str = "", seen: Seen | None = None) -> Place:
        feed = self._numbers.feed_if_any(collection.id)
        return Place(feed, reader, context, self._secret, self._leaving, seen)

    def _made_of(self, feed: int, reader: Reader, ids: Some[str]) -> Mapping[str, Known]:
        """What the reader gets derived forms of under these ids (P21)."""
        try:
            with raw(self.engine) as connection:
                found = self._leaving.made_of(self._queries, connection, feed, reader, ids)
        except WrongGrantError as wrong:
            raise self._alarm(wrong, "", reader) from wrong
        return {one.derived.id: Known(one.stix_id, one.contributor, one.derived.body) for one in found}

    def _alarm(self, wrong: WrongGrantError, collection: str, reader: Reader) -> UnavailableError:
        _LOG.error("a page was refused, since a grant isn't what the policy says: %s", wrong)
        detail = {"collection": collection, "credential": reader.credential, "profile": reader.profile,
                  "label": wrong.label, "what": str(wrong)}
        with contextlib.suppress(ExchangeError), write(self.engine) as connection:
            record(connection, at=reader.now, kind="alarm", org="", detail=detail)
        return UnavailableError("The page can't be given out: its policy is being looked at.",
                                why="A stored grant differs from the policy.", fix="See the log of the server.")

    def exists(self, collection: Collection, reader: Reader, stix_id: str) -> bool:
        """Whether the reader may see any version of the object."""
        wanted = Filter(ids=(stix_id,), versions=_EVERY_VERSION)
        with raw(self.engine) as connection:
            return is_there(self._queries, connection, self._place(collection, reader), wanted)

    # -- the way in

    def push(
        self, organisation: Organisation, credential: Credential, collection: Collection, body: bytes, now: int, *,
        directory: Directory | None = None,
    ) -> tuple[str, bytes]:
        """Take an envelope; gives the id of its status, which its receipt in the log has too, and the status
        resource, which is stored with the objects in one transaction. ``directory`` is one that was just looked up."""
        raws = split_envelope(body, self.settings.max_objects)
        status_id, said = str(uuid4()), b""

        def status(told: Sequence[Told]) -> bytes:
            """The status resource (TAXII 2.1, 4.3.1)."""
            nonlocal said
            said = status_resource(status_id, from_microseconds(now), told)
            return said

        self.add(organisation, credential, collection, raws, now, status_id=status_id, status=status,
                 directory=directory)
        return status_id, said

    def add(
        self, organisation: Organisation, credential: Credential, collection: Collection,
        raws: Sequence[bytes], now: int, *, terms: Mapping[str, Any] | None = None,
        status_id: str = "", status: Callable[[Sequence[Told]], bytes] | None = None, whole: bool = False,
        directory: Directory | None = None,
    ) -> list[Told]:
        """Check and store objects in one transaction, with their status and event; ``whole``: all of them, or where
        the checks refuse any, none, and the refused are told."""
        directory = directory or self.directory()
        reader = self._knower(directory, organisation, credential, collection, now)
        feed, contributor = self._numbers.feed(collection.id), self._numbers.contributor(organisation.id)
        pusher = self._pusher(directory, organisation, collection, reader, terms)
        onlooker = reader if reader.profile != NOBODY else self._readers.reader(
            directory, organisation, credential, None, now)
        little = len(raws) <= _FEW and sum(map(len, raws)) <= _LITTLE
        pause = _no_pause if little else self._pause
        checked = self._without_derived(self._intake.check(pusher, raws))
        fresh = [c.new for c in checked if c.new is not None]
        if whole and len(fresh) < len(checked):
            return [Told(c.refusal, c.version or from_microseconds(now)) for c in checked if c.refusal is not None]

        def stored_with_all(turns: frozenset[int]) -> tuple[list[Told], bool]:
            """The push's transaction; gives what is told, and whether records changed. Raises CrossedError."""
            with write(self.engine, apart=not little) as connection:
                stored = add_objects(connection, feed=feed, contributor=contributor, reader=reader, objects=fresh,
                                     pause=pause, onlooker=onlooker, turns=turns)
                pause()
                fates = iter(stored)
                told = [
                    Told(c.refusal, c.version or from_microseconds(now)) if c.refusal is not None
                    else told_of(c.id, c.version, next(fates), now)
                    for c in checked
                ]
                pause()
                added = [(new, one) for new, one in zip(fresh, stored, strict=True) if one.seq is not None]
                taken = self.cases.pushed(connection, organisation, contributor, feed, [
                    Pushed(new.stix_id, new.type, one.seq or 0, new.body) for new, one in added
                ], reader)
                if not taken.held:
                    self.obligations.pushed(connection, organisation.id, credential.id, collection.id, [
                        Added(new.stix_id, one.seq or 0, new.body, one.follows) for new, one in added
                    ], now)
                pause()
                if status is not None:
                    self._sweep(connection, now)
                    since = max([now, *(s.seq for s in stored if s.seq)])  # the clock may have been set back meanwhile
                    save_status(connection, status_id=status_id, community=collection.community, org=organisation.id,
                                expires=since + self.settings.status_hours * _HOUR,
                                body=status(told))
                    pause()
                record(connection, at=now, kind="push", org=organisation.id, event_id=status_id,
                       detail=push_detail(collection, credential, told, raws, pusher.packs.digest))
            return told, taken.records_changed

        told, records_changed = crossing(stored_with_all)
        if records_changed:
            self.publish_records()
        for observe in self.observers:
            observe(organisation, told)
        return told

    def end_hold(self, number: int, *, release: bool, person: str) -> int:
        """Release or retract what waits for a person's review; gives the number of objects."""
        now, directory = self.clock(), self.directory()
        at = from_microseconds(now)

        def reader_of(organisation: Organisation) -> Reader | None:
            """How the organisation reads by one of its service keys; None where it has none."""
            keys = [c for c in directory.credentials.values() if c.org == organisation.id and c.person is None
                    and "read" in c.scopes and c.purpose and not c.revoked and holds(c.since, c.until, at)]
            return self._readers.reader(directory, organisation, keys[0], None, now) if keys else None

        count = self.cases.end_hold(number, reader_of, release=release, person=person, now=now)
        self.publish_records()
        return count

    @property
    def identity(self) -> str:
        """Id of the STIX identity that stands for the exchange itself."""
        self.directory()
        return self._identity

    def preview(
        self, organisation: Organisation, credential: Credential, collection: Collection, body: bytes, now: int
    ) -> dict[str, Any]:
        """What would become of an envelope, and who would get it; the checks of a push, and nothing is stored."""
        raws = split_envelope(body, self.settings.max_objects)
        directory, labels = self.directory(), PreviewLabels()
        reader = self._knower(directory, organisation, credential, collection, now)
        pusher = self._pusher(directory, organisation, collection, reader, None)
        checked = self._without_derived(Intake(labels, self._pause).check(pusher, raws))
        fresh = [c.new for c in checked if c.new is not None]
        with read(self.engine) as connection:
            fates = iter(foretell(connection, feed=self._numbers.feed(collection.id), reader=reader, objects=fresh,
                                  contributor=self._numbers.contributor(organisation.id)))
        told = [
            Told(c.refusal, c.version or from_microseconds(now)) if c.refusal is not None
            else told_of(c.id, c.version, next(fates), now)
            for c in checked
        ]
        audiences = Audience(directory, collection, organisation, now, self.policy.of).of(labels.texts)
        return {
            "collection": collection.id, "policy_version": pusher.packs.digest,
            "objects": [_foreseen(t, c, audiences) for t, c in zip(told, checked, strict=True)],
            "audiences": audiences,
        }

    def _without_derived(self, checked: Sequence[Checked]) -> list[Checked]:
        """Nobody gives the id of a derived object other content (P21): such ids are made by the exchange alone."""
        asked = [c.id for c in checked if c.new is not None and len(c.id) > 36 and c.id[-22] == "5"
                 and (c.new.version or c.new.late_claim)]  # an observable's own id is of that kind too
        if not asked or not self.ledger.made_of(asked):
            return list(checked)
        taken = {stix_id for stix_id in asked if self.ledger.made_of([stix_id])}
        refused = "id: the exchange made this id for a form of another object. Use an id of your own."
        return [c if c.id not in taken else c._replace(
            new=None, refusal=PushOutcome(c.id, "refused", "not-object-creator", refused)) for c in checked]

    def _pusher(
        self, directory: Directory, organisation: Organisation, collection: Collection, reader: Reader,
        terms: Mapping[str, Any] | None,
    ) -> Pusher:
        """Who pushes, and what fills in where an object says nothing: the run's terms before the contributor's
        agreement before the collection."""
        feed, contributor = self._numbers.feed(collection.id), self._numbers.contributor(organisation.id)
        agreed = _agreed_terms(organisation, from_microseconds(reader.now))

        def resolve(refs: Some[str]) -> Mapping[str, Mapping[str, Any]]:
            """Markings by their ids, as the contributor may use them."""
            with read(self.engine) as connection:
                found = find_markings(connection, refs, feed=feed, contributor=contributor, reader=reader)
            return {ref: dict(json.loads(body)) for ref, body in found.items()}

        return Pusher(
            organisation=organisation, community=directory.communities[collection.community].group,
            now=reader.now, resolve=resolve, strict=collection.strictness == "strict",
            defaults={**(collection.default_terms or {}), **agreed, **(terms or {})},
            scope=_scope(directory, reader, collection) if terms is None else None,
            identities={
                **identities_of_others(directory.organisations.values(), organisation.id),
                self._identity: mailbox.EXCHANGE,
            },
            packs=self.policy.of(organisation.id),
        )

    def withdraw(
        self, organisation: Organisation, credential: Credential, collection: Collection, stix_id: str,
        wanted: Filter, now: int,
    ) -> None:
        """Delete the organisation's own versions of an object.

        Raises NotFoundError where it may see none, ForbiddenError where what it sees is another's.
        """
        reader = self._knower(self.directory(), organisation, credential, collection, now)
        feed, contributor = self._numbers.feed(collection.id), self._numbers.contributor(organisation.id)
        with write(self.engine) as connection:
            self.obligations.refuse_held(connection, stix_id, organisation.id, now)
            gone = withdraw(connection, feed=feed, contributor=contributor, stix_id=stix_id,
                            versions=wanted.versions, spec_versions=wanted.spec_versions, at=now)
            if gone:
                record(connection, at=now, kind="withdraw", org=organisation.id, detail={
                    "collection": collection.id, "credential": credential.id, "id": stix_id, "versions": gone,
                })
                self.cases.withdrawn(connection, organisation.id, stix_id, now)
                self.erasures.note(connection, taken_back.withdrawn(now, organisation.id, collection.id, stix_id, gone))
            own = bool(gone) or has_contributed(connection, feed=feed, contributor=contributor, stix_id=stix_id)
        if not gone:
            if not own and self.exists(collection, reader, stix_id):
                raise ForbiddenError("Only its contributor withdraws an object.")
            raise NotFoundError("There is no such object, or no such version of it.")

    def own_versions(self, organisation: Organisation, collection: Collection, ids: Sequence[str]) -> dict[str, bytes]:
        """The last version of each object that the organisation contributed; not of what is revoked or erased."""
        feed, contributor = self._numbers.feed(collection.id), self._numbers.contributor(organisation.id)
        with read(self.engine) as connection:
            return last_versions(connection, feed=feed, contributor=contributor, ids=ids)

    def _knower(
        self, directory: Directory, organisation: Organisation, credential: Credential,
        collection: Collection, now: int,
    ) -> Reader:
        """What a writer may be told of: what it may read, and nothing where it may only write (P16)."""
        if "read" in credential.scopes and may_read(collection, organisation, from_microseconds(now)):
            return self._readers.reader(directory, organisation, credential, None, now)
        return Reader(profile=NOBODY, now=now)

    def status(
        self, status_id: str, community: Community, organisation: Organisation, now: int
    ) -> bytes | None:
        """The status resource of a push, for the organisation that pushed."""
        with read(self.engine) as connection:
            return find_status(connection, status_id=status_id, community=community.id,
                               org=organisation.id, now=now)

    def publish(self) -> None:
        """Put the definitions of our extensions into their collection; nothing is done where they are."""
        now, objects = self.clock(), published.published_objects()
        with read(self.engine) as connection:
            if holds_bodies(connection, self._numbers.feed_if_any(published.COLLECTION.id), objects):
                return  # so that a server starts where the disk is full
        self._publish(published.COLLECTION, objects, now)

    def publish_records(self) -> None:
        """Bring the notes on contributors' records up to date; those that are so stay as they are."""
        now, directory = self.clock(), self.directory()
        objects = [body for one in self.cases.records.published(now) for body in shelf.record_objects(one, directory)]
        with read(self.engine) as connection:
            there = holds_bodies(connection, self._numbers.feed_if_any(shelf.COLLECTION.id), objects)
        if not there:
            self._publish(shelf.COLLECTION, objects, now)

    def _publish(self, collection: Collection, objects: Sequence[bytes], now: int) -> None:
        packs = self.packs
        credential = Credential(id="built-in", org=published.PUBLISHER.id, digest="", purpose=min(packs.purposes))
        self.add(published.PUBLISHER, credential, collection, objects, now, terms=published.published_terms(packs))

    def _sweep(self, connection: Any, now: int) -> None:
        """Expired statuses go with the first push of each hour."""
        if abs(now - self._swept) > _HOUR:  # also when the clock was set back
            self._swept = now
            drop_expired_statuses(connection, now)


def _no_pause() -> None:
    """What a push of few objects does between its steps."""




def prepare(settings: Settings) -> str:
    """Look for damage, bring the database up to date, publish the extensions; before workers are started.

    Gives a sentence where the policy in force isn't that of the configured folder; empty otherwise.
    Raises SettingError for a file that is damaged or that a newer release made.
    """
    exchange = Exchange(settings)
    try:
        return _prepared(exchange)
    finally:
        exchange.engine.dispose()  # no connection is carried over a fork


def _prepared(exchange: Exchange) -> str:
    check_at_start(exchange.engine)
    migrate(exchange.engine)
    with read(exchange.engine) as connection:
        if is_unfinished(connection):
            raise SettingError("A restore of this database wasn't brought to its end.",
                               why="What was erased since the backup may be in it.", fix="Run cibx restore again.")
    differs = exchange.policy.begin(exchange.clock())
    exchange.publish()
    exchange.publish_records()
    exchange.notary.establish()
    exchange.erasures.begin(exchange.engine)
    return differs


def packs_in_force(settings: Settings, org: str) -> Packs:
    """The policy version that decides for an organisation in this machine's database, whatever the folder says."""
    exchange = Exchange(settings)
    migrate(exchange.engine, may_make=False)
    exchange.directory()
    return exchange.policy.of(org)


def _scope(directory: Directory, reader: Reader, collection: Collection) -> object:
    """What decisions on equal statements depend on besides them; the profile folds the member's agreements."""
    return None if reader.profile == NOBODY else (directory.version, reader.profile, collection.id)


def _agreed_terms(organisation: Organisation, at: str) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for agreement in organisation.agreements:
        in_force = agreement.status == "active" and holds(agreement.since, agreement.until, at)
        if in_force and agreement.default_terms:
            merged.update(agreement.default_terms)
    return merged


def _foreseen(told: Told, checked: Checked, audiences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One object of a preview; ``audience`` is an index of the preview's audiences."""
    outcome = told.outcome
    row: dict[str, Any] = {"id": outcome.id, "version": told.version, "outcome": outcome.state}
    if outcome.code or outcome.sentence:
        row |= {"code": outcome.code, "sentence": outcome.sentence}
    if checked.new is not None and outcome.state != "refused":
        row["audience"] = checked.new.label
        nothing = denied_whole(checked.new.body, audiences[checked.new.label])
        row |= {"denied_whole": nothing} if nothing else {}
        row |= {name: from_microseconds(at) for name, at in (
            ("not_before", checked.new.visible_from), ("until", checked.new.visible_until)) if at is not None}
    return row
