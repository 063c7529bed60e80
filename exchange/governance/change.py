"""How the policy is changed: each step is checked against what it would show, recorded, and taken back if need be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchange.errors import InputError, UnavailableError
from exchange.governance.difference import Changed, World, difference
from exchange.governance.in_force import PolicyInForce
from exchange.governance.parameters import shadow_period
from exchange.model.party import Directory
from exchange.model.policy_version import Stage, Step, Steps
from exchange.obligations import taken_back
from exchange.obligations.duties import duties_of
from exchange.obligations.notice import Affected, Notice
from exchange.obligations.send import send
from exchange.policy.check import run_cases
from exchange.policy.diff import widened_cases
from exchange.policy.narrowing import not_only_narrower
from exchange.policy.packs import Packs
from exchange.policy.packtext import packs_of
from exchange.policy.version import DAY, Wanted, advance, former_version, propose, roll_back
from exchange.store.directory import directory_version
from exchange.store.directory_changes import lock_directory
from exchange.store.emergencies import list_emergencies
from exchange.store.engine import read, write
from exchange.store.label_counts import versions_with
from exchange.store.ledger import Ledger
from exchange.store.versions import Count, add_counts, add_steps, add_version, last_counted, load_steps

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_ATTEMPTS = 3
_SHORTEST = 6
"""Fewest digits of a digest that name a version."""


@dataclass(frozen=True)
class Outcome:
    """What a step did."""

    digest: str
    steps: tuple[Step, ...]
    changes: tuple[Changed, ...] = ()
    """What it changes for whom."""
    cases: tuple[str, ...] = ()
    """Cases of the packs that it no longer denies."""
    recalled: int = 0
    """Organisations that were sent a recall."""


@dataclass
class PolicyChanges:
    """Steps of policy versions; ``directory`` is the present one, ``now`` the time (microseconds)."""

    engine: Engine
    policy: PolicyInForce
    directory: Directory
    now: int
    note: Callable[..., None] = lambda connection, *noted: None
    """Tells the list outside the database which version decides from now on."""

    def propose(self, texts: Mapping[str, str], by: str, why: str) -> Outcome:
        """Make packs a draft. Raises SettingError for packs that can't be read, InputError where their own cases
        are decided otherwise than they say, or where they are on their way already."""
        packs = packs_of(texts)
        wrong = [f"{case.file}: case {case.name!r}: {case.fault}" for case in run_cases(packs) if case.fault]
        if wrong:
            raise InputError(f"These packs don't decide what their own cases say: {wrong[0]}"
                             + (f" (and {len(wrong) - 1} more)." if wrong[1:] else "."),
                             fix="Mend the packs or the cases; cibx policy check --policies FOLDER names all.")
        shadow_period(packs, emergency=False)
        with write(self.engine) as connection:
            lock_directory(connection)
            steps = propose(load_steps(connection), Wanted(packs.digest, Stage.DRAFT, by, why, self.now))
            add_version(connection, packs.digest, texts)
            add_steps(connection, steps)
        return Outcome(packs.digest, tuple(steps))

    def advance(self, name: str, stage: Stage, by: str, why: str, organisations: tuple[str, ...] = ()) -> Outcome:
        """Take a version (by the beginning of its digest) to a stage. Raises InputError that says what is missing."""
        unknown = [org for org in organisations if org not in self.directory.organisations]
        if unknown:
            raise InputError(f"There is no organisation {unknown[0]!r}.", fix="cibx org list shows them.")
        digest = self.find(name)
        wanted = Wanted(digest, stage, by, why, self.now, organisations)
        candidate = self._packs(digest)
        for _ in range(_ATTEMPTS):
            with read(self.engine) as connection:
                version = directory_version(connection)
                steps = load_steps(connection)
                # A version in shadow is counted as if it decided for everybody.
                deciding = Stage.ACTIVE if stage is Stage.SHADOW else stage
                then = Steps((*steps.steps, Step(digest, deciding, self.now, by, why, organisations)))
                changes = self.compare(connection, then) if stage is not Stage.RETIRED else []
                cases = widened_cases(self.policy.active, candidate)
                emergency = _emergency(connection, self.now)
            shadow = max(shadow_period(packs, emergency=emergency) for packs in (self.policy.active, candidate))
            with write(self.engine) as connection:
                lock_directory(connection)
                if directory_version(connection) != version:
                    continue
                made = advance(steps, wanted, widens=_widens(changes, cases, self.policy.active, candidate),
                               shadow=shadow)
                add_counts(connection, digest, self.now, _counts(changes))
                add_steps(connection, made)
                if stage is Stage.ACTIVE:
                    self.note(connection, taken_back.policy(self.now, digest))
            return Outcome(digest, tuple(made), tuple(changes), tuple(cases))
        raise UnavailableError("The directory is being changed all the time.", fix="Try again.")

    def roll_back(self, by: str, why: str) -> Outcome:
        """Bring the former version back and recall what was pulled under the present one alone."""
        with read(self.engine) as connection:
            version, steps = directory_version(connection), load_steps(connection)
            former, active = former_version(steps), steps.at_stage(Stage.ACTIVE)
            changes: list[Changed] = []
            widens = ""
            if former is not None and active is not None:
                retired = Step(active.digest, Stage.RETIRED, self.now, by, why)
                back = Step(former, Stage.ACTIVE, self.now, by, why)
                changes = self.compare(connection, Steps((*steps.steps, retired, back)))
                back_to = self._packs(former)
                widens = _widens(changes, widened_cases(self.policy.active, back_to), self.policy.active, back_to)
        with write(self.engine) as connection:
            lock_directory(connection)
            if directory_version(connection) != version:
                raise UnavailableError("The directory changed meanwhile; nothing was rolled back.", fix="Try again.")
            made = roll_back(steps, by=by, why=why, at=self.now, widens=widens)
            add_steps(connection, made)
            self.note(connection, taken_back.policy(self.now, made[-1].digest))
            since = 0 if active is None else active.at
            notices = self._recalls(connection, changes, since, made[-1])
            sent = send(connection, notices, self.now)
        return Outcome(made[-1].digest, tuple(made), tuple(changes), recalled=len(sent))

    def count(self, name: str) -> Outcome:
        """Count, and record, what a version would change now; without effect."""
        digest = self.find(name)
        with read(self.engine) as connection:
            steps = load_steps(connection)
            then = Steps((*steps.steps, Step(digest, Stage.ACTIVE, self.now, "-", "-")))
            changes = self.compare(connection, then)
        with write(self.engine) as connection:
            add_counts(connection, digest, self.now, _counts(changes))
        return Outcome(digest, (), tuple(changes), tuple(widened_cases(self.policy.active, self._packs(digest))))

    def due(self) -> list[str]:
        """Versions that are in shadow, or decide for some, and weren't counted for a day: their digests."""
        with read(self.engine) as connection:
            steps = load_steps(connection)
            found = [step.digest for stage in (Stage.SHADOW, Stage.CANARY)
                     if (step := steps.at_stage(stage)) is not None]
            return [digest for digest in found
                    if not self.now - DAY < (last_counted(connection, digest) or 0) <= self.now]

    def compare(self, connection: Connection, then: Steps) -> list[Changed]:
        """What would change if these were the steps."""
        def decides(org: str) -> Packs:
            """The packs that would decide for an organisation."""
            digest = then.for_organisation(org)
            return self.policy.of(org) if digest is None else self._packs(digest)

        before = World(self.directory, self.policy.of)
        return difference(connection, before, World(self.directory, decides), self.now)

    def find(self, name: str) -> str:
        """The digest that begins so. Raises InputError where none or several do."""
        with read(self.engine) as connection:
            known = load_steps(connection).digests()
        found = [digest for digest in known if len(name) >= _SHORTEST and digest.startswith(name.lower())]
        if len(found) != 1:
            raise InputError(f"There is {'no' if not found else 'more than one'} policy version {name[:64]!r}.",
                             fix=f"Name one by its first {_SHORTEST} digits or more; cibx policy versions shows them.")
        return found[0]

    def _packs(self, digest: str) -> Packs:
        packs = self.policy.version(digest)
        if packs is None:
            raise InputError(f"There is no policy version {digest[:12]}.", fix="cibx policy versions shows them.")
        return packs

    def _recalls(self, connection: Connection, changes: list[Changed], since: int, step: Step) -> list[Notice]:
        """A notice for each organisation that received, since then, what the former version doesn't show it."""
        ledger, duties = Ledger(self.engine), duties_of(self.policy.active)
        affected: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for one in changes:
            for count in (*one.touched.get(-1, ()), *one.touched.get(0, ())):
                versions = {seq: (stix_id, text) for seq, stix_id, text in
                            versions_with(connection, count.feed, count.label)}
                for receipt in ledger.recipients(connection, count.feed, sorted(versions)):
                    if receipt.org == one.org and receipt.at >= since:
                        stix_id, text = versions[receipt.seq]
                        affected[one.org][stix_id].add(text)
        return [
            duties.notice(
                "recall", org,
                [Affected(stix_id, tuple(sorted(texts - {""}))) for stix_id, texts in sorted(objects.items())],
                reason=f"A change of the sharing policy was taken back; it showed you these objects ({step.why}).",
                reference=f"policy:{step.digest[:12]}:{step.at}", now=self.now,
            )
            for org, objects in sorted(affected.items())
        ]


def _widens(changes: list[Changed], cases: list[str], before: Packs, after: Packs) -> str:
    """How packs widen, as the end of a sentence; empty where all that they change is proven to narrow."""
    if cases or any(one.gained or _shows_more(one) for one in changes):
        return "shows somebody more than now"
    weaker = not_only_narrower(before, after)
    if not weaker:
        return ""
    others = f" and {len(weaker) - 1} more" if weaker[1:] else ""
    return f"changes {weaker[0]}{others}, which isn't only a narrowing"


def _shows_more(one: Changed) -> bool:
    """Parts that were left out would be shown: counted as a widening, in doubt."""
    return one.otherwise > 0


def _counts(changes: list[Changed]) -> list[Count]:
    total = Count("", sum(one.gained for one in changes), sum(one.lost for one in changes))
    return [total, *(Count(one.org, one.gained, one.lost, dict(one.reasons)) for one in changes)]


def _emergency(connection: Connection, now: int) -> bool:
    """Whether an emergency is declared for every collection."""
    return any(
        "*" in row["collections"] and row["since"] <= now < row["until"]
        and (row["ended_at"] is None or now < row["ended_at"])
        for row in list_emergencies(connection)
    )
