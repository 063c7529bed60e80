"""The way out: what a publisher is handed, what is remembered between runs, and that the policy holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.connect.contract import StixObject
from exchange.connect.gates import LocalGate, local_gate
from exchange.connect.local_sink import local_sink
from exchange.connect.outward import Account, Publisher, Released, Sent, State, Target, send
from exchange.errors import InputError, UnavailableError
from exchange.settings import read_settings
from exchange.stix.ids import sco_id
from tests.e2e.members import SECRETS, description, environment_name
from tests.fakes.memory_sink import MemorySink

TARGET = Target("drop")


def domain(number: int) -> dict[str, Any]:
    value = f"d{number}.example.com"
    return {"type": "domain-name", "spec_version": "2.1", "id": sco_id("domain-name", {"value": value}), "value": value}


class Kept(Publisher):
    """Keeps what it is handed; ``states`` says what it answers for an id, ``breaks_after`` so many objects it fails."""

    name = "kept"
    title = "Kept"

    def __init__(self, whole: bool = False) -> None:
        self.whole_run = whole
        self.got: list[str] = []
        self.states: dict[str, State] = {}
        self.breaks_after: int | None = None

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return self.whole_run

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        for item in objects:
            if self.breaks_after is not None and len(self.got) >= self.breaks_after:
                raise UnavailableError("It went away.")
            self.got.append(str(item["id"]))
            yield Sent(str(item["id"]), self.states.get(str(item["id"]), "sent"), "because")


class Pages:
    """A gate of numbered objects, in pages of ten."""

    key = "pages"

    def __init__(self, count: int, withheld: Sequence[int] = ()) -> None:
        self.count = count
        self.withheld = set(withheld)

    def released(self, after: str) -> Iterator[Released]:
        for begin in range(int(after or 0), self.count, 10):
            end = min(begin + 10, self.count)
            yield Released(tuple(domain(n) for n in range(begin, end) if n not in self.withheld), str(end))

    def named(self, ids: Sequence[str]) -> Iterator[StixObject]:
        yield from (domain(n) for n in range(self.count) if domain(n)["id"] in ids and n not in self.withheld)


def test_a_second_run_sends_only_what_is_new() -> None:
    memory, publisher = MemorySink(), Kept()
    assert send(publisher, TARGET, Pages(25), memory).states == {"sent": 25}
    assert send(publisher, TARGET, Pages(25), memory).states == {}
    assert send(publisher, TARGET, Pages(27), memory).states == {"sent": 2}
    assert publisher.got == [domain(n)["id"] for n in range(27)]


def test_a_publisher_of_files_gets_everything_each_time() -> None:
    memory, publisher = MemorySink(), Kept(whole=True)
    send(publisher, TARGET, Pages(25), memory)
    assert send(publisher, TARGET, Pages(25), memory).states == {"sent": 25}
    assert memory.checkpoints == {}


def test_a_run_that_breaks_off_goes_on_at_its_last_page() -> None:
    memory, publisher = MemorySink(), Kept()
    publisher.breaks_after = 13
    with pytest.raises(UnavailableError):
        send(publisher, TARGET, Pages(25), memory)
    publisher.breaks_after = None
    send(publisher, TARGET, Pages(25), memory)
    assert publisher.got == [domain(n)["id"] for n in (*range(13), *range(10, 25))]


def test_what_failed_is_tried_again_and_what_was_refused_is_not() -> None:
    memory, publisher = MemorySink(), Kept()
    publisher.states = {domain(3)["id"]: "failed", domain(4)["id"]: "refused", domain(5)["id"]: "left-out"}
    first = send(publisher, TARGET, Pages(10), memory)
    assert (dict(first.states), first.all_sent) == ({"sent": 7, "failed": 1, "refused": 1, "left-out": 1}, False)
    assert len(first.aside) == 2
    publisher.got, publisher.states = [], {}
    second = send(publisher, TARGET, Pages(10), memory)
    assert (publisher.got, second.all_sent) == ([domain(3)["id"]], True)
    assert send(publisher, TARGET, Pages(10), memory).states == {}


def test_what_failed_and_may_not_be_had_any_more_is_forgotten() -> None:
    memory, publisher = MemorySink(), Kept()
    publisher.states = {domain(3)["id"]: "failed"}
    send(publisher, TARGET, Pages(10), memory)
    publisher.got = []
    send(publisher, TARGET, Pages(10, withheld=[3]), memory)
    assert publisher.got == []
    send(publisher, TARGET, Pages(10), memory)
    assert publisher.got == []


@pytest.mark.parametrize("record", [None, {}, {"format": 2, "place": "10"}, {"format": 1, "place": 7}])
def test_a_checkpoint_that_means_nothing_begins_anew(record: Mapping[str, Any] | None) -> None:
    memory, publisher = MemorySink(), Kept()
    memory.save_checkpoint("kept", f"out to {TARGET.key} from pages", record)
    assert send(publisher, TARGET, Pages(5), memory).states == {"sent": 5}


def test_watchers_see_the_tallies_grow() -> None:
    seen: list[int] = []

    def watch(account: Account) -> None:
        seen.append(account.states["sent"])

    send(Kept(), TARGET, Pages(25), MemorySink(), watch=watch)
    assert seen == [10, 20, 25]


@pytest.fixture
def members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with the members of the end-to-end tests; alpha pushed two domains, the second for itself alone."""
    for key, secret in SECRETS.items():
        monkeypatch.setenv(environment_name(key), secret)
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    (tmp_path / "members.toml").write_text(description(lanes=0))
    assert cibx.run(["apply", str(tmp_path / "members.toml")]) == 0
    sink = local_sink(read_settings(), org="org-alpha", collection="indicators", terms={})
    red = {"type": "note", "spec_version": "2.1", "id": "note--11111111-1111-4111-8111-111111111111",
           "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "content": "lorem",
           "object_refs": [domain(1)["id"]],
           "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}
    answers = sink.push([json.dumps(one).encode() for one in (domain(1), red)], terms={})
    assert [answer.state for answer in answers] == ["added", "added"], answers
    return tmp_path / "cibx.db"


def gate(org: str, **more: str) -> LocalGate:
    return local_gate(read_settings(), org=org, **{"collection": "indicators", **more})


def test_only_what_the_policy_releases_reaches_a_publisher_and_its_delivery_is_in_the_ledger(members: Path) -> None:
    publisher = Kept()
    send(publisher, TARGET, gate("org-beta"), MemorySink())
    assert publisher.got == [domain(1)["id"]]
    with sqlite3.connect(f"{members}-ledger") as database:
        (count,) = database.execute("SELECT sum(count) FROM delivery").fetchone()
    assert count == 1


def test_a_run_on_a_real_database_goes_on_where_the_last_one_ended(members: Path) -> None:
    memory, publisher = MemorySink(), Kept()
    send(publisher, TARGET, gate("org-beta"), memory)
    sink = local_sink(read_settings(), org="org-alpha", collection="indicators", terms={})
    sink.push([json.dumps(domain(2)).encode()], terms={})
    send(publisher, TARGET, gate("org-beta"), memory)
    assert publisher.got == [domain(1)["id"], domain(2)["id"]]
    assert [one["value"] for one in gate("org-beta").named([domain(2)["id"]])] == ["d2.example.com"]


@pytest.mark.usefixtures("members")
@pytest.mark.parametrize(("org", "more", "words"), [
    ("org-nobody", {}, "no active organisation 'org-nobody'"),
    ("org-beta", {"collection": "alpha-only"}, "can't read a collection 'alpha-only'"),
    ("org-beta", {"credential": "gamma"}, "doesn't have a credential 'gamma'"),
    ("org-gamma", {}, r"exactly one credential .*--credential: gamma \(cib-detection\)"),
    ("org-gamma", {"credential": "writer"}, "doesn't have a credential 'writer'"),
    ("org-gamma", {"credential": "revoked"}, "doesn't have a credential 'revoked'"),
])
def test_who_may_not_read_gets_no_gate(org: str, more: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        gate(org, **more)
