"""What takers do with changes: files under their ids and nowhere else, lines, a program's input; and the place a follower keeps."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from exchange.client.change import Change, of_notice, of_object
from exchange.client.follow_place import Place, PlaceFile, digest
from exchange.client.taker import Folder, Lines, Program
from exchange.errors import ExchangeError, InputError, UnavailableError

UUID = "00000000-0000-4000-8000-000000000001"
NAME = f"indicator--{UUID}"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("more", "name"), [
    ({"modified": "2026-01-02T03:04:05.678Z"}, f"{NAME}/20260102030405678.json"),
    ({"modified": "2026-01-02T03:04:05Z"}, f"{NAME}/20260102030405.json"),
    ({}, f"{NAME}.json"),
    ({"modified": ""}, f"{NAME}.json"),
    ({"modified": "../../lorem"}, f"{NAME}.json"),
])
def test_an_object_is_kept_where_stix2_looks_for_it(tmp_path: Path, more: dict[str, Any], name: str) -> None:
    item = {"type": "indicator", "id": NAME, **more}
    Folder(tmp_path).take([of_object(item)])
    assert files(tmp_path) == [f"indicator/{name}"]
    assert json.loads((tmp_path / "indicator" / name).read_bytes()) == item


@pytest.mark.parametrize("name", [
    "", "lorem", "../indicator--" + UUID, "a/b--" + UUID, "Indicator--" + UUID, NAME + "\n", NAME[:-1], "i--" + UUID,
    f"{'a' * 251}--{UUID}", "indicator--" + UUID.replace("-", ""), "-indicator--" + UUID,
])
def test_an_object_under_no_stix_id_is_left_out_and_told(tmp_path: Path, name: str) -> None:
    told: list[str] = []
    Folder(tmp_path, told.append).take([of_object({"id": name}), of_object({"id": NAME})])
    assert files(tmp_path) == [f"indicator/{NAME}.json"]
    assert told == [f"An object with the id {name[:100]!r} was left out: it is no STIX id."]


def notice(obligation: str, *objects: Any, name: str = "n-1") -> Change:
    return of_notice({"id": name, "obligation": obligation, "objects": list(objects)})


def held_folder(place: Path) -> Folder:
    """Two versions of one object, another without versions, and a third that no notice is about."""
    folder = Folder(place)
    folder.take([of_object({"id": NAME, "modified": f"2026-01-0{n}T00:00:00Z"}) for n in (1, 2)]
                + [of_object({"id": f"domain-name--{UUID}"}), of_object({"id": f"url--{UUID}"})])
    return folder


@pytest.mark.parametrize(("obligation", "left"), [
    ("delete", [f"url/url--{UUID}.json"]),
    ("stop-using", [f"domain-name/domain-name--{UUID}.json", f"indicator/{NAME}/20260101000000.json",
                    f"indicator/{NAME}/20260102000000.json", f"url/url--{UUID}.json"]),
])
def test_only_a_notice_to_delete_deletes_and_every_version(tmp_path: Path, obligation: str, left: list[str]) -> None:
    change = notice(obligation, {"id": NAME}, f"domain-name--{UUID}", "../lorem", "indicator--x")
    held_folder(tmp_path).take([change])
    assert files(tmp_path) == sorted([*left, "notices/n-1.json"])
    assert change.done
    assert json.loads((tmp_path / "notices" / "n-1.json").read_bytes()) == change.notice


def test_what_a_notice_asks_to_delete_and_comes_again_later_is_kept(tmp_path: Path) -> None:
    Folder(tmp_path).take([of_object({"id": NAME}), notice("delete", NAME), of_object({"id": NAME, "name": "anew"})])
    assert json.loads((tmp_path / "indicator" / f"{NAME}.json").read_bytes())["name"] == "anew"


def test_a_deletion_that_others_reported_as_undone_stays_undone(tmp_path: Path) -> None:
    change = notice("delete", NAME)
    change.done = False
    held_folder(tmp_path).take([change])
    assert not change.done


@pytest.mark.parametrize("name", ["../n", "a/b", "", ".hidden", "n\n", "-n", "n" * 301])
def test_a_notice_under_a_name_that_is_no_file_name_is_heeded_and_not_kept(tmp_path: Path, name: str) -> None:
    held_folder(tmp_path / "in").take([notice("delete", NAME, name=name)])
    assert files(tmp_path) == [f"in/domain-name/domain-name--{UUID}.json", f"in/url/url--{UUID}.json"]


def test_a_folder_that_cannot_be_written_is_told_and_nothing_half_is_left(tmp_path: Path) -> None:
    (tmp_path / "indicator").touch()
    with pytest.raises(UnavailableError, match=r"can't be written: .*Make room"):
        Folder(tmp_path).take([of_object({"id": f"url--{UUID}"}), of_object({"id": NAME})])
    assert files(tmp_path) == ["indicator"]


CHANGES = [of_object({"id": "a--1", "revoked": True}), of_object({"id": "b--2"}), notice("delete", name="n")]
STATED = [
    {"change": "revoked", "id": "a--1", "object": {"id": "a--1", "revoked": True}},
    {"change": "object", "id": "b--2", "object": {"id": "b--2"}},
    {"change": "notice", "id": "n", "notice": {"id": "n", "obligation": "delete", "objects": []}},
]


def test_a_line_states_each_change() -> None:
    lines: list[str] = []
    Lines(lines.append).take(CHANGES)
    assert [json.loads(line) for line in lines] == STATED


def test_a_program_gets_a_line_for_each_change(tmp_path: Path) -> None:
    Program(["tee", str(tmp_path / "got")]).take(CHANGES)
    assert [json.loads(line) for line in (tmp_path / "got").read_text().splitlines()] == STATED


def test_a_program_that_fails_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"false ended with 1\. .*given again"):
        Program(["false"]).take(CHANGES)
    (tmp_path / "none").write_text("#!/no/such/interpreter\n")
    (tmp_path / "none").chmod(0o700)
    with pytest.raises(ExchangeError, match=r"none can't be run: No such file"):
        Program([str(tmp_path / "none")]).take(CHANGES)


@pytest.mark.parametrize("arguments", [[], ["no-such-program-lorem"], [sys.prefix]])
def test_a_program_that_is_not_there_is_refused_at_once(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="There is no program"):
        Program(arguments)


def test_a_date_that_two_pages_share_is_asked_for_again_and_what_it_had_is_known() -> None:
    place = Place()
    one, two, three, four = ({"id": f"a--{n}"} for n in range(4))
    place.step([one, two], "2026-01-01")
    assert (place.after, place.last) == ("", "2026-01-01")
    place.step([three], "2026-01-01")
    assert (place.after, place.last, len(place.taken)) == ("", "2026-01-01", 3)
    place.step([four], "2026-01-02")
    assert (place.after, place.last) == ("2026-01-01", "2026-01-02")
    assert [place.is_taken(item) for item in (one, two, three, four)] == [False, False, False, True]


@pytest.mark.parametrize(("first", "second", "same"), [
    ({"id": "a", "modified": "1"}, {"id": "a", "modified": "1", "name": "x"}, True),
    ({"id": "a", "modified": "1"}, {"id": "a", "modified": "2"}, False),
    ({"id": "a", "created": "1"}, {"id": "a", "created": "2"}, False),
    ({"id": "a", "created": "1", "modified": "3"}, {"id": "a", "created": "2", "modified": "3"}, True),
    ({"id": "a"}, {"id": "b"}, False),
    ({"id": "a"}, {"id": "a", "created": ""}, True),
])
def test_what_tells_versions_apart(first: dict[str, str], second: dict[str, str], same: bool) -> None:
    assert (digest(first) == digest(second)) is same


def test_a_place_is_read_as_it_was_kept(tmp_path: Path) -> None:
    place = Place("2026-01-01", "2026-01-02", {"b", "a"})
    with PlaceFile(tmp_path / "new" / "place", "feed") as file:
        assert file.load() == Place()
        file.save(place)
        assert file.load() == place
    with PlaceFile(tmp_path / "new" / "place", "feed") as file:
        assert file.load() == place


GOOD = {"format": 1, "feed": "feed", "after": "a", "last": "b", "taken": ["c"]}


@pytest.mark.parametrize("record", [
    b"", b"[]", b"7", b"{", *(json.dumps({**GOOD, **change}).encode() for change in (
        {"format": 2}, {"after": None}, {"last": 7}, {"feed": 7}, {"taken": 7})),
    *(json.dumps({name: value for name, value in GOOD.items() if name != left}).encode() for left in GOOD),
])
def test_a_file_that_is_no_checkpoint_is_told(tmp_path: Path, record: bytes) -> None:
    (tmp_path / "place").write_bytes(record)
    with PlaceFile(tmp_path / "place", "feed") as file, pytest.raises(InputError, match="place is no checkpoint of a follower"):
        file.load()


def test_a_checkpoint_of_another_collection_is_told(tmp_path: Path) -> None:
    (tmp_path / "place").write_text(json.dumps(GOOD))
    with PlaceFile(tmp_path / "place", "else") as file, pytest.raises(InputError, match="place is of feed"):
        file.load()


def test_a_full_disk_is_no_fault_of_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with PlaceFile(tmp_path / "place", "feed") as file:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError, match=r"place can't be written: No space left .*nothing is lost"):
            file.save(Place())


def test_one_follower_at_a_time_holds_a_checkpoint(tmp_path: Path) -> None:
    with PlaceFile(tmp_path / "place", "feed"):
        with pytest.raises(InputError, match="Another follower uses the checkpoint"), PlaceFile(tmp_path / "place", "feed"):
            pass
        with PlaceFile(tmp_path / "other", "feed"):
            pass
    with PlaceFile(tmp_path / "place", "feed"):
        pass


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"can't be written: (Not a directory|File exists)"), PlaceFile(tmp_path / "file" / "place", "feed"):
        pass
    with PlaceFile(tmp_path / "place", "feed") as file:
        (tmp_path / "place").mkdir()
        with pytest.raises(InputError, match=r"can't be written: .*nothing is lost"):
            file.save(Place())
