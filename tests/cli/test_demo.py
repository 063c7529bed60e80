"""``cibx demo`` as a person runs it: the story, the lines to paste, Ctrl-C; nothing is left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from exchange.cli.demo.members import PLATFORM, STRANGER
from exchange.cli.demo.server import HOST

PROGRAM = [sys.executable, "-c", "from exchange.cli.main import main; main()", "demo"]
PATIENCE_SECONDS = 120


@dataclass
class Demo:
    """A demonstration that stays up, and what it said."""

    process: subprocess.Popen[str]
    said: str
    home: Path
    """Where it lays what it needs for a while."""

    def line_after(self, comment: str) -> str:
        found = re.search(rf"^# {re.escape(comment)}\n(.+)$", self.said, re.MULTILINE)
        assert found is not None, self.said
        return found[1]

    def paste(self, comment: str) -> str:
        done = subprocess.run(["bash", "-c", self.line_after(comment)], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def environment(home: Path) -> dict[str, str]:
    """Of a person who has settings of an exchange of their own, which the demonstration must leave alone."""
    return {**os.environ, "TMPDIR": str(home), "PYTHONUNBUFFERED": "1",
            "CIBX_DATABASE_URL": f"sqlite:///{home / 'of-another-exchange.db'}"}


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


META = Path(__file__).parents[3] / "shared" / "data" / "meta-threat-research"
"""Meta's published indicators, in the folder shared/ beside the project."""


@contextmanager
def staying_up(home: Path, *options: str) -> Iterator[Demo]:
    process = subprocess.Popen([*PROGRAM, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, env=environment(home))
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C ends"):
                break
        yield Demo(process, "".join(said), home)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The last test of those that have it ends it."""
    with staying_up(tmp_path_factory.mktemp("demo")) as up:
        yield up


@pytest.fixture(scope="module")
def with_meta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Another, with Meta's indicators where they are there; its last test ends it, too."""
    with staying_up(tmp_path_factory.mktemp("meta"), *(("--meta", str(META)) if META.is_dir() else ())) as up:
        yield up


def test_story_names_every_step_in_order(demo: Demo) -> None:
    steps = re.findall(r"^\[ *[\d.]+ s\] ([A-Z][a-z]+)", demo.said, re.MULTILINE)
    assert steps == ["Members", "Platform", "Indicators", "Server", "Policy", "Pull", "Policy", "Match", "Why", "That"]


def test_indicators_are_said_to_be_made_up_and_all_go_in(demo: Demo) -> None:
    assert re.search(r"Indicators \(made up\): .* 0 refused, 0 rows put aside\.", demo.said)


def test_policy_refuses_the_push_and_hides_everything_from_the_stranger(demo: Demo) -> None:
    assert "it is refused: marking-missing, basis-missing" in demo.said
    assert f"{STRANGER} (purpose: advertising) gets 0 " in demo.said


def test_story_explains_an_account_for_and_against(demo: Demo) -> None:
    assert re.search(r"Account \d+: probability [\d.]+ .*\n.*before any evidence\n +For:\n( +\+.*\n)+ +Against:",
                     demo.said)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("comment", "holds"), [
    ("The first two objects, as a member", '"objects":['),
    ("The same as a member for whose purpose nothing is shared", '{"more":false}'),
])
def test_curl_line_works_when_pasted(demo: Demo, comment: str, holds: str) -> None:
    assert holds in demo.paste(comment).replace(" ", "")


def test_taxii2_client_line_gets_as_many_objects_as_the_story_told(demo: Demo) -> None:
    told = re.search(rf"{PLATFORM} \(purpose: cib-detection\) gets ([\d,]+) objects", demo.said)
    assert told is not None
    said = demo.paste("All of them with the stock client taxii2-client")
    assert re.search(rf"^Indicators of the demonstration {told[1].replace(',', '')}$", said, re.MULTILINE)


def test_match_line_works_when_pasted(demo: Demo) -> None:
    assert "more likely than not" in demo.paste("Pull and match again, as the platform would")


def assert_ends(up: Demo, number: signal.Signals) -> None:
    """At once, with its server, and nothing is left behind."""
    served = children(up.process.pid)
    assert served
    up.process.send_signal(number)
    rest, _ = up.process.communicate(timeout=PATIENCE_SECONDS)
    assert (up.process.returncode, rest.strip()) == (0, "Stopped; the server has ended.")
    assert [pid for pid in served if Path(f"/proc/{pid}").exists()] == []
    assert list(up.home.iterdir()) == []


def test_ctrl_c_ends_it_clean_and_leaves_nothing(demo: Demo) -> None:
    assert_ends(demo, signal.SIGINT)


@pytest.mark.skipif(not META.is_dir(), reason="NOT RUN: Meta's indicators are not in ../shared/data/meta-threat-research")
def test_indicators_of_meta_go_in_beside_the_made_up_ones(with_meta: Demo) -> None:
    counts = re.search(r"through meta-threat-research, .*: ([\d,]+) objects added, [\d,]+ were there, 0 refused",
                       with_meta.said)
    assert counts is not None, with_meta.said
    assert int(counts[1].replace(",", "")) > 10_000


def test_being_told_to_end_it_ends_clean_and_leaves_nothing(with_meta: Demo) -> None:
    assert_ends(with_meta, signal.SIGTERM)


def test_ctrl_c_in_the_middle_of_the_story_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=environment(tmp_path))
    assert process.stdout is not None
    for line in process.stdout:
        if "] Server:" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.strip().endswith("cibx: Stopped.")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_kept_is_gone_on_with(tmp_path: Path) -> None:
    arguments = [*PROGRAM, "--once", "--port", "0", "--folder", str(tmp_path / "kept")]
    first, second = (subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
                                    env=environment(tmp_path)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert ": 0 objects added" not in first.stdout
    assert ": 0 objects added" in second.stdout


def test_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run([*PROGRAM, "--once", "--port", str(port)], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False, env=environment(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip() == (f"cibx: Port {port} is in use or not allowed. "
                                   "Choose another with --port, or leave it out.")
    assert list(tmp_path.iterdir()) == []
