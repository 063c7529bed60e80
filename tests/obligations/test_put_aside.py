"""What is erased is wiped from rows that connectors put aside as well, wherever they lie on this machine."""

from __future__ import annotations

import gc
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.connect.journal import Journal
from exchange.connect.quarantine import Quarantine
from exchange.obligations.put_aside import FILE, remember_folder
from exchange.settings import read_settings
from exchange.store.engine import open_engine
from tests.fakes import one_member
from tests.fakes.served_exchange import served_exchange

LATER = "2026-02-01T00:00:00.000Z"
UNKNOWN = ["marking-definition--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9cff"]
SECRET = "lorem-person"


def tool(number: int, **more: Any) -> dict[str, Any]:
    """A tool; it may be refused in a later version, so that its row waits with what the earlier one said."""
    return {"type": "tool", "spec_version": "2.1", "id": f"tool--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{number:02x}",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": SECRET, **more}


class Here:
    """A member with a source whose rows 1 and 2 wait in quarantine, in a folder that it chose."""

    def __init__(self, folder: Path, way: tuple[str, ...] = ("--as", "org-alpha")) -> None:
        self.folder, self.state, self.way = folder, folder / "elsewhere", way
        self.bring(tool(1), tool(2))
        assert self.bring(tool(1, modified=LATER, object_marking_refs=UNKNOWN),
                          tool(2, modified=LATER, object_marking_refs=UNKNOWN)) == 3

    def bring(self, *objects: dict[str, Any], file: str = "source.json") -> int:
        """Run the connector on a file of these objects; gives the exit code."""
        source = self.folder / file
        source.write_text(json.dumps({"type": "bundle", "id": "bundle--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
                                      "objects": objects}))
        return cibx.run(["connector", "run", "stix-file", str(source), *self.way, "--policy", "demo",
                         "--name", "a", "--state", str(self.state)])

    def erase(self, number: int) -> None:
        """Erase an object as a person does."""
        assert cibx.run(["state", "erase", tool(number)["id"], "--by", "A. Lorem", "--reason", "Lorem."]) == 0

    def kept(self) -> list[tuple[int, int, str]]:
        """(row, objects, reason) of what waits."""
        with Journal(self.state, self.way[1]) as journal:
            return [(one.row, len(one.objects), one.reason) for one in Quarantine(journal).rows()]

    def spelled(self) -> int:
        """How often the erased word stands in the folder's files, whatever tables say."""
        return sum(file.read_bytes().count(SECRET.encode()) for file in self.state.iterdir())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    one_member.make(tmp_path, monkeypatch)
    return Here(tmp_path)


def test_an_erasure_wipes_the_row_of_its_object_at_once_and_no_other(here: Here) -> None:
    both = here.spelled()
    here.erase(1)
    (row, objects, reason), other = here.kept()
    assert (row, objects) == (1, 0)
    assert reason == f"Its content was erased, for what was made of it was: {tool(1)['id']}."
    assert other[:2] == (2, 1)
    assert 0 < here.spelled() <= both / 2
    here.erase(2)
    assert here.spelled() == 0


def test_what_was_erased_does_not_come_back_into_quarantine_with_a_later_run(here: Here) -> None:
    here.erase(1)
    here.erase(2)
    assert here.bring(tool(1, modified="2026-03-01T00:00:00.000Z"), tool(2)) == 3
    assert [(objects, "revoked-permanently" in reason) for _, objects, reason in here.kept()] == [(0, True), (0, True)]
    assert here.spelled() == 0


def test_a_file_that_was_set_back_is_wiped_by_the_next_run_and_by_a_restore(here: Here, tmp_path: Path) -> None:
    def set_back() -> None:
        with sqlite3.connect(here.state / FILE) as database:
            database.executescript(older)

    with sqlite3.connect(here.state / FILE) as database:
        older = "DROP TABLE quarantine; DROP TABLE quarantine_id; PRAGMA user_version = 0;" + "\n".join(
            line for line in database.iterdump() if "quarantine" in line.split("VALUES")[0]
            and "_id" not in line.split("VALUES")[0] and "sqlite_sequence" not in line)
    assert cibx.run(["backup", str(tmp_path / "backup")]) == 0
    here.erase(1)
    set_back()
    assert [row[1] for row in here.kept()] == [1, 1]
    assert here.bring(tool(9), file="other.json") == 0
    assert [row[1] for row in here.kept()] == [0, 1]
    set_back()
    gc.collect()  # what commands of this process left open is the process's end elsewhere
    assert cibx.run(["restore", str(tmp_path / "backup"), "--replace"]) == 0
    assert [row[1] for row in here.kept()] == [0, 1]


def test_a_file_that_cannot_be_read_hinders_no_erasure(here: Here, caplog: pytest.LogCaptureFixture) -> None:
    broken = here.folder / "broken"
    broken.mkdir()
    (broken / FILE).write_bytes(b"lorem " * 100)
    engine = open_engine(read_settings().database_url)
    remember_folder(engine, broken)
    remember_folder(engine, here.folder / "gone")
    engine.dispose()
    here.erase(1)
    assert [row[1] for row in here.kept()] == [0, 1]
    assert f"in {broken}: file is not a database" in caplog.text


def test_on_a_machine_with_only_a_token_the_notice_of_an_erasure_wipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_exchange(tmp_path, monkeypatch) as served:
        monkeypatch.setenv("CIBX_TOKEN", served.token)
        far = Here(tmp_path, ("--server", served.url))
        far.erase(1)
        assert [row[1] for row in far.kept()] == [1, 1]
        assert far.bring(tool(9), file="other.json") == 0
        assert [row[1] for row in far.kept()] == [0, 1]
