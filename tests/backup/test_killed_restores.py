"""A restore or a backup that is killed leaves the old state, or one that a server refuses; run again it comes through."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from exchange.backup.restore import Wanted, restore
from exchange.backup.take import take
from exchange.errors import SettingError
from exchange.model.state import State
from exchange.notary.check import verify_store
from exchange.settings import Settings
from exchange.wiring import prepare
from tests.backup.restored_site import LATER, Site
from tests.fakes.apart import apart
from tests.obligations.five_members import NOW, indicator


def _restore_and_die(settings: Settings, file: Path, name: str, number: int) -> None:
    """Restore, and be killed at the n-th time that the process syncs a file or puts one in its place."""
    left, real = iter(range(number)), getattr(os, name)

    def step(*given: object, **more: object) -> object:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **more)

    setattr(os, name, step)
    restore(settings, Wanted(file, replace=True), LATER)


def test_a_restore_that_is_killed_half_way_is_refused_by_a_server_and_comes_through_when_run_again(site: Site) -> None:
    """On SQLite between its two files, on PostgreSQL when the tables are replaced and nothing is erased again."""
    name, number = ("replace", 1) if site.settings.database_url.startswith("sqlite") else ("fsync", 0)
    kept, erased, late = indicator(), indicator(), indicator()
    site.members.push("alpha", kept, erased)
    file, _ = site.take()
    site.members.change(erased["id"], State.ERASED)
    site.members.push("alpha", late)
    site.close()
    process = apart().Process(
        target=_restore_and_die, args=(site.settings, file, name, number))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with pytest.raises(SettingError, match="Run cibx restore again"):
        prepare(site.settings)
    done = site.restore(file)
    assert site.ids() == {kept["id"]}
    assert done.listed == 1
    prepare(site.settings)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_backup_that_is_killed_leaves_no_file_of_its_name(site: Site) -> None:
    site.members.push("alpha", indicator())
    process = apart().Process(target=_back_up_and_die, args=(site.settings, site.folder))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (site.folder / "killed").exists()
    file, taken = site.take("killed")
    assert file.exists()
    assert taken.manifest.objects > 0


def _back_up_and_die(settings: Settings, folder: Path) -> None:
    os.link = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    take(settings, folder / "killed", NOW, with_keys=False)


def test_a_backup_taken_while_members_push_is_whole_and_its_log_verifies(site: Site) -> None:
    notary, ended, pushed = site.members.exchange.notary, threading.Event(), []
    notary.run()

    def keep_pushing() -> None:
        while not ended.is_set():
            pushed.append(objects := [indicator() for _ in range(3)])
            site.members.push("alpha", *objects)
            notary.run()

    writer = threading.Thread(target=keep_pushing)
    writer.start()
    try:
        while len(pushed) < 3:
            time.sleep(0.01)
        file, taken = site.take()
    finally:
        ended.set()
        writer.join()
    Path(f"{site.settings.log_key}.head").unlink()  # what was signed since isn't in the backup, and that is told
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    site.restore(file)
    there = site.ids()
    assert len(there) % 3 == 0
    assert [{one["id"] for one in objects} <= there for objects in pushed if {one["id"] for one in objects} & there] == (
        [True] * (len(there) // 3))
    checked = verify_store(site.members.exchange.engine, site.members.exchange.notary.key_file)
    assert checked.checkpoint.size <= taken.manifest.log_size
