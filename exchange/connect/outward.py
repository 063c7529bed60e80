"""The way out to another party: what a publisher is, and how it is given what the policy released, and no more.

A publisher knows the other side's format and protocol. It acts for one member: it is handed what the exchange
releases to that member (``exchange.connect.gates``), by the same decisions, with the same receipts as when the
member pulls, and its target is a system of that member. An object that the policy withholds never reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from exchange.connect.contract import StixObject
from exchange.connect.source import Option, Source
from exchange.errors import ExchangeError

State = Literal["sent", "unchanged", "left-out", "refused", "failed"]
FORMAT = 1
MAX_FAILED = 10_000
"""Failed ids that are remembered and tried again, the latest ones."""
_STEP = 100
"""Ids that are asked for at once when they are tried again."""


class Target(Source):
    """Where a publisher sends to: place, options, secrets, clock and a way into the web, as of a ``Source``."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one object on the way out.

    ``left-out``: the other side has no place for it, or may not have it; ``refused``: it said no for good;
    ``failed``: it may take it later, so that it is tried again with the next run.
    """

    id: str
    state: State
    reason: str = ""


class Publisher(Protocol):
    """One outside party or format; a file in ``connectors/out/`` with a ``PUBLISHER`` of this kind. Subclass it."""

    name: ClassVar[str]
    """As typed on the command line."""
    title: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}
    secrets: ClassVar[Mapping[str, str]] = {}
    whole: ClassVar[bool] = False
    """Whether each run gets everything anew, as a file that is written does; else it gets what is new, step by
    step."""

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Send objects, each version in the order in which the exchange added it; one ``Sent`` for each id.

        A revoked object takes back what was sent of it. Raises UnavailableError when the target as a whole may be
        reached later, UnauthorizedError or ForbiddenError for its credential, InputError where it can't be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class Released:
    """A step of what a member is entitled to, and the place after it."""

    objects: tuple[StixObject, ...]
    place: str
    """To go on from: an RFC 3339 date of adding."""


class Gate(Protocol):
    """The policy's way out for one member and one collection."""

    key: str
    """Names member and collection in checkpoints."""

    def released(self, after: str) -> Iterator[Released]:
        """What was added after a place, in the order of adding; from the start where it is empty."""
        ...

    def named(self, ids: Sequence[str]) -> Iterator[StixObject]:
        """The last versions of these objects, as far as the member may have them now; at most 100 ids."""
        ...


class Memory(Protocol):
    """Where a way out is remembered between runs (a ``Sink`` is one)."""

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """What was saved last for the pair."""
        ...

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Keep JSON values for the pair, durably."""
        ...


@dataclass
class Account:
    """What a run came to: objects by state, and the first reasons."""

    states: Counter[str] = field(default_factory=Counter)
    aside: list[str] = field(default_factory=list)
    """The first objects that weren't sent, a sentence each."""

    @property
    def all_sent(self) -> bool:
        """Whether nothing was refused and nothing failed."""
        return not self.states["refused"] and not self.states["failed"]

    def count(self, sent: Sent) -> None:
        """Add one."""
        self.states[sent.state] += 1
        if sent.state in ("refused", "failed") and len(self.aside) < 20:
            self.aside.append(f"{sent.id}: {sent.state}: {sent.reason}")


@dataclass
class _Standing:
    place: str = ""
    failed: dict[str, None] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """What is kept between runs, as JSON."""
        return {"format": FORMAT, "place": self.place, "failed": list(self.failed)[-MAX_FAILED:]}


def send(
    publisher: Publisher, target: Target, gate: Gate, memory: Memory, *,
    watch: Callable[[Account], None] = lambda account: None,
) -> Account:
    """Send what is new since the last run, and what failed in it.

    The place is kept after each step, so that a crash repeats at most one: at least once, and each object's id
    tells the other side what it has. Raises what the publisher and the gate raise; what was sent until then is
    remembered.
    """
    account = Account()
    key = f"out to {target.key} from {gate.key}"
    if publisher.whole:
        for sent in publisher.publish(_every(gate), target):
            account.count(sent)
        watch(account)
        return account
    standing = _read(memory.load_checkpoint(publisher.name, key))

    def keep(sents: Iterable[Sent]) -> None:
        """Count what was sent; what failed is tried again in the next run."""
        for sent in sents:
            account.count(sent)
            standing.failed.pop(sent.id, None)
            if sent.state == "failed":
                standing.failed[sent.id] = None

    again = list(standing.failed)
    for begin in range(0, len(again), _STEP):
        ids = again[begin : begin + _STEP]
        for gone in ids:
            standing.failed.pop(gone)  # the member may not have it any more, or it is told of anew
        keep(publisher.publish(gate.named(ids), target))
        memory.save_checkpoint(publisher.name, key, standing.record())
    for step in gate.released(standing.place):
        keep(publisher.publish(step.objects, target))
        if standing.place == step.place:
            raise ExchangeError("The exchange released the same page twice.",
                                fix="Run again; report it if it comes back.")
        standing.place = step.place
        memory.save_checkpoint(publisher.name, key, standing.record())
        watch(account)
    return account


def _every(gate: Gate) -> Iterator[StixObject]:
    for step in gate.released(""):
        yield from step.objects


def _read(record: Mapping[str, Any] | None) -> _Standing:
    if not record or record.get("format") != FORMAT or not isinstance(record.get("place"), str):
        return _Standing()
    failed = record.get("failed")
    return _Standing(record["place"], {str(one): None for one in failed} if isinstance(failed, list) else {})
