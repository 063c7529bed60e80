"""Writes a MISP feed or event file, or sends events to a MISP server.

Objects are gathered first, on disk, because an event is told as a whole: each report with what it names, then what no
report names as one event per producer. A feed's folder gets UUID.json files, hashes.csv (MD5 of each value, and the
event's UUID) and, last, manifest.json; files of events that are no more are removed.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import msgspec

from connectors.out.misp.event import written
from exchange.connect.contract import StixObject
from exchange.connect.outward import Publisher, Sent, Target
from exchange.connect.source import Option
from exchange.errors import ForbiddenError, InputError, UnavailableError
from exchange.model.misp.words import NAME

Json = dict[str, Any]
_HEADS = ("info", "date", "timestamp", "analysis", "threat_level_id", "Orgc", "Tag")
_EVERYWHERE = frozenset({"marking-definition", "identity"})
_FIX = "Name a folder for a feed, a .json file for one event, or the URL of a MISP server."


class MispPublisher(Publisher):
    """The way out to MISP."""

    name = NAME
    title = "MISP: a feed's folder, an event file (.json), or a server by REST"
    options: ClassVar[Mapping[str, Option]] = {
        "community": Option("same: the MISP it goes to is in the community that its sources' levels meant", "other"),
    }
    secrets: ClassVar[Mapping[str, str]] = {"key": "Authorization key of the MISP server"}
    whole = True

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Tell everything as events; one ``Sent`` per object. Raises InputError, and as ``Web.request``."""
        if target.option("community") not in ("", "same", "other"):
            raise InputError("The option community is same or other.")
        home = target.option("community") == "same"
        with _Heap(objects) as heap:
            fates: dict[str, Sent] = {}
            outlet = _Server(target) if target.is_url else _Folder(target.path)
            with outlet:
                for members in heap.groups():
                    event, made = written(members, home=home)
                    state, reason = outlet.put(event)
                    for key, why in made.items():
                        sent = Sent(key, "left-out", why) if why and state == "sent" else Sent(key, state, reason)
                        if key not in fates or fates[key].state == "left-out":
                            fates[key] = sent
            yield from (fates.get(key, Sent(key, "left-out", "No event needs it.")) for key in heap.ids)


PUBLISHER = MispPublisher()


class _Heap:
    """Objects on disk, found by id; only ids and ends of relationships are held in memory."""

    def __init__(self, objects: Iterable[StixObject]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the heap
        self.ids: dict[str, tuple[int, int]] = {}
        self._versions: dict[str, str] = {}
        self._reports: dict[str, list[str]] = {}
        self._producers: dict[str, str] = {}
        self._ends: dict[str, tuple[str, str]] = {}
        self._links: dict[str, dict[str, None]] = {}
        for one in objects:
            self._add(one)

    def _add(self, one: StixObject) -> None:
        key, version = str(one["id"]), str(one.get("modified", ""))
        if version < self._versions.get(key, ""):
            return
        data = msgspec.json.encode(one)
        self.ids[key] = (self._file.seek(0, 2), len(data))
        self._versions[key] = version
        self._file.write(data)
        self._producers[key] = str(one.get("created_by_ref", ""))
        if one.get("type") == "report":
            self._reports[key] = [str(ref) for ref in one.get("object_refs") or ()]
        if one.get("type") == "relationship":
            self._ends[key] = str(one.get("source_ref")), str(one.get("target_ref"))
            for end in self._ends[key]:
                self._links.setdefault(end, {})[key] = None

    def read(self, key: str) -> StixObject:
        """An object by its id."""
        place, size = self.ids[key]
        self._file.seek(place)
        found: StixObject = msgspec.json.decode(self._file.read(size))
        return found

    def groups(self) -> Iterator[list[StixObject]]:
        """The objects of each event: a report with what it names, then what is left of each producer."""
        shared = {key for key in self.ids if key.partition("--")[0] in _EVERYWHERE}
        common = [self.read(key) for key in self.ids if key in shared]
        left = dict.fromkeys(key for key in self.ids if key not in shared)
        for report, refs in sorted(self._reports.items()):
            members = dict.fromkeys([report, *(ref for ref in refs if ref in self.ids)])
            for key in list(members):
                members |= dict.fromkeys(link for link in self._links.get(key, ())
                                         if all(end in members for end in self._ends[link]))
            for key in members:
                left.pop(key, None)
            yield [*common, *(self.read(key) for key in members if key not in shared)]
        producers: dict[str, list[str]] = {}
        for key in left:
            producers.setdefault(self._producers[key], []).append(key)
        loose = producers.pop("", [])
        for _, keys in sorted(producers.items()):
            yield [*common, *(self.read(key) for key in keys)]
        if loose:
            yield [*common, *(self.read(key) for key in loose)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Folder:
    """A feed's folder, or one .json file for one event."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._single = place.suffix.lower() == ".json"
        self._manifest: dict[str, Json] = {}
        self._hashes: list[str] = []

    def put(self, event: Json) -> tuple[Any, str]:
        """Write one event; raises InputError where it can't be written."""
        item = event["Event"]
        if not item["Attribute"] and not item["Object"]:
            return "left-out", "There is nothing in it for MISP."
        if self._single and self._manifest:
            raise InputError(f"There are several events, and {self._place} is one file.", fix=_FIX)
        live = {**item, "Attribute": _live(item["Attribute"]),
                "Object": [{**one, "Attribute": _live(one["Attribute"])} for one in _live(item["Object"])]}
        self._manifest[item["uuid"]] = {name: item[name] for name in _HEADS if name in item}
        self._hashes += [f"{digest},{item['uuid']}\n" for digest in _digests(live)]
        path = self._place if self._single else self._place / f"{item['uuid']}.json"
        _write(path, msgspec.json.format(msgspec.json.encode({"Event": live}), indent=1))
        return "sent", ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or self._single:
            return
        before = self._before()
        _write(self._place / "hashes.csv", "".join(dict.fromkeys(self._hashes)).encode())
        _write(self._place / "manifest.json", msgspec.json.encode(dict(sorted(self._manifest.items()))))
        for gone in before - self._manifest.keys():
            (self._place / f"{gone}.json").unlink(missing_ok=True)

    def _before(self) -> set[str]:
        """UUIDs of the events that the folder's manifest names now."""
        try:
            found = msgspec.json.decode((self._place / "manifest.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            return set()
        return {key for key in found if _is_uuid(key)} if isinstance(found, dict) else set()


class _Server:
    """A MISP server: an event that it has is edited, another one added."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._headers = {"Authorization": target.secret("key"), "Accept": "application/json"}

    def put(self, event: Json) -> tuple[Any, str]:
        """Send one event; raises UnauthorizedError, ForbiddenError and UnavailableError for the server as a whole."""
        item = event["Event"]
        if not item["Attribute"] and not item["Object"]:
            return "left-out", "There is nothing in it for MISP."
        held = self._held(item["uuid"])
        if held and int(held) >= int(item["timestamp"]):
            return "unchanged", "The server has this version."
        path = f"/events/edit/{item['uuid']}" if held else "/events/add"
        try:
            reply = self._ask(path, event)
        except ForbiddenError as error:
            return "refused", str(error)
        except UnavailableError as error:
            return "failed", str(error)
        if reply.status < 300:
            return "sent", ""
        state = "failed" if reply.status >= 500 else "refused"
        return state, f"{reply.url} answered {reply.status}."

    def _held(self, key: str) -> str:
        """The timestamp of the server's own version; empty where it has none."""
        reply = self._ask("/events/restSearch", {"returnFormat": "json", "eventid": key, "metadata": True})
        if reply.status == 404:
            return ""
        if reply.status != 200:
            raise InputError(f"{reply.url} answered {reply.status}.", fix="Check the address and what the key may do.")
        document = reply.json()
        inner = document.get("response") if isinstance(document, dict) else document
        for one in inner if isinstance(inner, list) else ():
            found = one.get("Event", {}) if isinstance(one, dict) else {}
            if str(found.get("uuid", "")).lower() == key:
                return str(found.get("timestamp") or "0")
        return ""

    def _ask(self, path: str, body: Json) -> Any:
        return self._target.web.request("POST", f"{self._target.url}{path}", headers=self._headers, json=body,
                                        repeatable=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _live(found: list[Json]) -> list[Json]:
    """What wasn't taken back: a feed has no deleted attributes."""
    return [one for one in found if not one.get("deleted")]


def _digests(item: Json) -> Iterator[str]:
    """MD5 of each value and of each part of one: what MISP looks up in a feed."""
    for one in (*item["Attribute"], *(part for thing in item["Object"] for part in thing["Attribute"])):
        for value in one["value"].split("|") if "|" in one["type"] else [one["value"]]:
            yield hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it stands under its name only when it is whole; raises InputError."""
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise InputError(f"{path} can't be written.", why=f"{error.strerror}.", fix=_FIX) from error


def _is_uuid(key: object) -> bool:
    try:
        return str(uuid.UUID(str(key))) == key
    except ValueError:
        return False
