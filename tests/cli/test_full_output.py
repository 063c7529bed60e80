"""Where the disk behind the output, the log or a follower's folder is full: a sentence, nothing half, and on it goes."""

from __future__ import annotations

import io
import json
import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exchange.client.change import Change
from exchange.client.taker import Folder
from exchange.errors import UnavailableError
from exchange.web.logs import JsonLines
from tests.fakes import one_member


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Files of this process take so many bytes and no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_command_whose_output_is_full_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_member.make(tmp_path, monkeypatch)
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", "from exchange.cli.main import main; main()", "org", "list"],
                              stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.stderr == ("cibx: What this command writes can't be written: No space left on device."
                               " Make room and run it again.\n")
        assert done.returncode == 1


def test_a_server_starts_where_its_output_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    from exchange.cli.serve import _tell

    with io.TextIOWrapper(open("/dev/full", "wb", buffering=0), write_through=True) as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(OSError, match="No space"):
            print("lorem")
        _tell("Serving.")


@pytest.mark.parametrize(("width", "size"), [(10, 500), (300, 5_000), (1_500, 8_192)])
def test_the_log_on_a_full_disk_has_whole_lines_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, size: int
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    said = logging.Logger("exchange.web")
    with io.TextIOWrapper(open(tmp_path / "log", "ab"), line_buffering=True) as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(JsonLines())
        said.addHandler(handler)
        with full_after(size):
            for at in range(60):
                said.warning("%d %s", at, "x" * width)
        said.warning("There is room again.")
    lines = [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()]
    assert lines[-1] == "There is room again."
    assert lines[:-1] == [f"{at} {'x' * width}" for at in range(len(lines) - 1)]
    assert len(lines) < 61 or width == 10


def test_a_followers_folder_on_a_full_disk_has_whole_files_alone_and_takes_the_batch_again(tmp_path: Path) -> None:
    def change(word: str, size: int) -> Change:
        made = f"indicator--{word * 8}-{word * 4}-4{word * 3}-8{word * 3}-{word * 12}"
        return Change("object", made, {"type": "indicator", "id": made, "name": "x" * size})

    batch, folder = [change("a", 10), change("b", 5_000)], Folder(tmp_path / "out")
    with full_after(1_000), pytest.raises(UnavailableError, match="can't be written"):
        folder.take(batch)
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert found == []
    folder.take(batch)
    assert len([path for path in (tmp_path / "out").rglob("*.json") if path.is_file()]) == 2
