"""What a follower's checkpoint says is taken is on the disk by then: a power cut takes nothing of it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from exchange.client.change import Change
from exchange.client.disk import sync_folder, write_whole
from exchange.client.follow_place import Place, PlaceFile
from exchange.client.taker import Folder, Lines
from exchange.errors import UnavailableError
from tests.fakes.watched_disk import watch_disk

FEED = "https://exchange.example/api/collections/lorem/"


def change(number: int, **more: str) -> Change:
    made = f"indicator--{number:08d}-0000-4000-8000-000000000000"
    return Change("object", made, {"type": "indicator", "id": made, **more})


def named(found: dict[Path, bytes]) -> set[str]:
    return {json.loads(content)["id"] for path, content in found.items() if path.suffix == ".json" and content.startswith(b'{"type')}


@pytest.mark.parametrize("count", [1, 40])
def test_a_batch_is_on_the_disk_before_it_counts_as_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    disk = watch_disk(monkeypatch, tmp_path)
    batch = [change(n, **({"modified": "2026-01-02T03:04:05.678Z"} if n % 2 else {})) for n in range(count)]
    place = tmp_path / "new" / "out"
    with PlaceFile(place / "follow.json", FEED) as file:
        Folder(place).take(batch)
        assert named(disk.kept(tmp_path)) == {one.id for one in batch}
        file.save(Place("", "2026-01-02T00:00:00Z", {"a"}))
    kept = disk.kept(tmp_path)
    assert json.loads(kept[place / "follow.json"])["taken"] == ["a"]
    assert [path for path in kept if path.suffix == ".new"] == []


def test_nothing_takes_its_name_before_its_content_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = watch_disk(monkeypatch, tmp_path)
    write_whole(tmp_path / "checkpoint", b"first")
    write_whole(tmp_path / "checkpoint", b"second")
    assert [path.name for path, _ in disk.renamed] == ["checkpoint"] * 2
    assert disk.renamed[1][1] == {tmp_path / "checkpoint": b"first"}
    assert disk.kept(tmp_path) == {tmp_path / "checkpoint": b"second"}


def test_what_a_notice_deletes_is_gone_from_the_disk_before_it_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, plain, versioned = watch_disk(monkeypatch, tmp_path), change(1), change(2, modified="2026-01-02T03:04:05Z")
    folder = Folder(tmp_path)
    folder.take([change(3)])
    erased = Change("notice", "n-1", notice={"obligation": "delete", "objects": [plain.id, {"id": versioned.id}]})
    folder.take([plain, versioned, erased])
    assert named(disk.kept(tmp_path)) == {change(3).id}
    assert erased.done


def test_lines_in_a_file_are_on_the_disk_before_they_count_as_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "out.jsonl", "w", encoding="utf-8", buffering=1) as file:
        sync_folder(tmp_path)
        disk = watch_disk(monkeypatch, tmp_path)
        sync_folder(tmp_path)
        Lines(lambda line: print(line, file=file), file.fileno()).take([change(1), change(2)])
        kept = disk.kept(tmp_path)[tmp_path / "out.jsonl"].splitlines()
        assert [json.loads(line)["id"] for line in kept] == [change(1).id, change(2).id]
    reading, writing = os.pipe()
    Lines(lambda line: None, writing).take([change(1)])  # of what isn't a file nothing can be asked
    for one in (reading, writing):
        os.close(one)


def test_lines_that_the_disk_did_not_take_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with open(tmp_path / "out", "wb") as file, pytest.raises(UnavailableError, match=r"No space left.*come again"):
        Lines(lambda line: None, file.fileno()).take([change(1)])
    with pytest.raises(UnavailableError, match="can't be written: No space left"):
        Folder(tmp_path / "in").take([change(1)])
    assert list((tmp_path / "in").rglob(".*")) == []


def test_a_file_system_that_cannot_force_folders_is_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_files_alone(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", of_files_alone)
    Folder(tmp_path / "out").take([change(1)])
    assert len(list(tmp_path.rglob("*.json"))) == 1
