"""Which policy version decides for whom: the active one, for organisations of a canary that one.

The versions stand in the database; a step of one makes a new directory version, at which every process reads
them anew. While the database has none (before the first start) the configured folder's packs decide.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from exchange.errors import SettingError
from exchange.model.policy_version import Stage, Step, Steps
from exchange.policy.check import run_cases
from exchange.policy.packs import Packs
from exchange.policy.packtext import packs_of
from exchange.store.directory_changes import lock_directory
from exchange.store.directory_history import keep_directory, keeps_directory
from exchange.store.engine import read, write
from exchange.store.versions import add_steps, add_version, load_steps, policy_texts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_MOST_KEPT = 16


class PolicyInForce:
    """The policy of one process; ``refresh`` it after each change of the directory's version."""

    def __init__(self, engine: Engine, texts: Mapping[str, str]) -> None:
        """``texts`` are the packs of the configured folder. Raises SettingError where they are no packs."""
        self._engine = engine
        self._texts = texts
        self.folder = packs_of(texts)
        """The packs of the configured folder."""
        self.steps = Steps()
        self._kept: OrderedDict[str, Packs] = OrderedDict()

    def refresh(self, connection: Connection) -> None:
        """Read which versions there are. Raises SettingError where one that decides can't be read."""
        self.steps = load_steps(connection)
        for stage in (Stage.ACTIVE, Stage.CANARY):
            step = self.steps.at_stage(stage)
            if step is not None:
                self._read(connection, step.digest)

    @property
    def active(self) -> Packs:
        """The version that decides where no canary does."""
        step = self.steps.at_stage(Stage.ACTIVE)
        return self.folder if step is None else self.version(step.digest) or self.folder

    def of(self, org: str) -> Packs:
        """The version that decides for an organisation."""
        digest = self.steps.for_organisation(org)
        return self.folder if digest is None else self.version(digest) or self.folder

    def at(self, org: str, moment: int) -> Packs | None:
        """The version that decided for an organisation at a time (microseconds); None: before the first."""
        digest = self.steps.until(moment).for_organisation(org)
        return None if digest is None else self.version(digest)

    def version(self, digest: str) -> Packs | None:
        """A version by its digest; None where there is none. Raises SettingError where it can't be read."""
        if digest == self.folder.digest:
            return self.folder
        kept = self._kept.get(digest)
        if kept is not None:
            return kept
        with read(self._engine) as connection:
            return self._read(connection, digest)

    def begin(self, now: int) -> str:
        """Make the folder's packs the first active version where there is none, and begin the history.

        Gives a sentence where the folder says something else than the version in force; empty otherwise.
        Raises SettingError where packs that would become active don't decide what their own cases say.
        """
        with write(self._engine) as connection:
            lock_directory(connection)
            if not keeps_directory(connection):
                keep_directory(connection, now)
            active = load_steps(connection).at_stage(Stage.ACTIVE)
            if active is None:
                self._prove_folder()
                add_version(connection, self.folder.digest, self._texts)
                add_steps(connection, [Step(self.folder.digest, Stage.ACTIVE, now, "cibx", "the first start")])
            self.refresh(connection)
        if active is None or active.digest == self.folder.digest:
            return ""
        return (f"The policy in force is version {active.digest[:12]}; the packs of the folder are another"
                f" ({self.folder.digest[:12]}) and decide nothing: propose them with"
                " cibx policy propose --by PERSON --why REASON.")

    def resume(self, digest: str, now: int, by: str, why: str) -> bool:
        """Let a version that was in force decide again, after a restore; False where its texts aren't known.

        It was approved when it came into force; nothing of that is asked again. Raises SettingError where it can't be
        read.
        """
        with write(self._engine) as connection:
            lock_directory(connection)
            if digest == self.folder.digest:
                add_version(connection, digest, self._texts)
            if policy_texts(connection, digest) is None:
                return False
            active = load_steps(connection).at_stage(Stage.ACTIVE)
            former = [] if active is None else [Step(active.digest, Stage.RETIRED, now, by, why)]
            add_steps(connection, [*former, Step(digest, Stage.ACTIVE, now, by, why)])
            self.refresh(connection)
        return True

    def _prove_folder(self) -> None:
        wrong = next((case for case in run_cases(self.folder) if case.fault), None)
        if wrong is not None:
            raise SettingError(
                f"The policy packs don't decide what their own cases say: {wrong.file}: case {wrong.name!r}:"
                f" {wrong.fault}.",
                fix="Mend the packs or the cases; cibx policy check names all.",
            )

    def _read(self, connection: Connection, digest: str) -> Packs | None:
        if digest == self.folder.digest:
            return self.folder
        kept = self._kept.get(digest)
        if kept is None:
            texts = policy_texts(connection, digest)
            if texts is None:
                return None
            try:
                kept = packs_of(texts)
            except SettingError as fault:
                raise SettingError(f"The policy version {digest[:12]} can't be read by this release.", why=str(fault),
                                   fix="Start the release that it was made with; activate packs there that this one"
                                       " reads.") from fault
            self._kept[digest] = kept
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return kept
