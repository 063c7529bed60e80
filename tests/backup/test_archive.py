"""A backup's file by itself: what was written comes out, and no file that isn't one ends in anything but a sentence."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from exchange.backup.archive import Manifest, peek, read_archive, write_archive
from exchange.errors import InputError

SAID: dict[str, Any] = {"engine": "sqlite", "schema": "0011", "release": "1", "exchange": "identity--1", "made_at": 1,
                        "objects": 2, "erasures": 0, "last_date": 3, "log_size": 4, "log_head": ""}
DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
"""SHA-256 of ``hello``."""


def packed(path: Path, manifest: object, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    """A tar file with that manifest (bytes, or JSON values) and those members after it."""
    raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in (("manifest.json", raw), *members):
            member = tarfile.TarInfo(name)
            member.type = tarfile.REGTYPE if name == "manifest.json" else kind
            member.linkname = "/etc/hostname" if member.type != tarfile.REGTYPE else ""
            member.size = len(content) if member.type == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(content))
    return path


def test_what_was_written_comes_out_with_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "database").write_bytes(b"hello")
    (tmp_path / "empty").touch()
    members = {"database": tmp_path / "database", "empty": tmp_path / "empty"}
    written = write_archive(tmp_path / "a.cibx", Manifest(**SAID), members)
    (tmp_path / "out").mkdir()
    assert read_archive(tmp_path / "a.cibx", tmp_path / "out") == written == peek(tmp_path / "a.cibx")
    assert written.members["database"] == DIGEST
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"database": b"hello", "empty": b""}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


NONE_OF_OURS = "is no backup of cib-exchange, or not whole"


@pytest.mark.parametrize(("manifest", "sentence"), [
    ([], NONE_OF_OURS),
    (7, NONE_OF_OURS),
    (None, NONE_OF_OURS),
    ({}, NONE_OF_OURS),
    (b"", NONE_OF_OURS),
    (b"{", NONE_OF_OURS),
    (b'{"engine": "\xff"}', NONE_OF_OURS),
    (b"[" * 100_000, NONE_OF_OURS),
    (b'{"a":' * 100_000, NONE_OF_OURS),
    (b" " * 1_000_001, NONE_OF_OURS),
    (SAID | {"objects": "2"}, NONE_OF_OURS),
    (SAID | {"lorem": 1}, NONE_OF_OURS),
    (SAID | {"cibx_backup": "1"}, NONE_OF_OURS),
    (SAID | {"cibx_backup": 2, "lorem": 1}, "is of a newer release"),
], ids=["list", "number", "null", "nothing in it", "empty", "cut", "not utf-8", "deep lists", "deep objects", "large",
        "wrong kind", "unknown field", "version of another kind", "newer"])
def test_a_manifest_that_is_none_is_a_sentence(tmp_path: Path, manifest: object, sentence: str) -> None:
    path = packed(tmp_path / "a.cibx", manifest)
    (tmp_path / "out").mkdir()
    for look in (peek, lambda it: read_archive(it, tmp_path / "out")):
        with pytest.raises(InputError, match=sentence):
            look(path)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("told", "there", "sentence"), [
    ("database", (), NONE_OF_OURS),
    ("database", (("other", b"hello"),), NONE_OF_OURS),
    ("database", (("database", b"hullo"),), "is damaged: its part database isn't what was written"),
    ("../database", (("../database", b"hello"),), NONE_OF_OURS),
    ("/tmp/database", (("/tmp/database", b"hello"),), NONE_OF_OURS),
    (".profile", ((".profile", b"hello"),), NONE_OF_OURS),
    ("ä\0b", (("ä\0b", b"hello"),), NONE_OF_OURS),
    ("x" * 300, (("x" * 300, b"hello"),), "can't be read: File name too long"),
], ids=["missing", "another", "changed", "above the folder", "elsewhere", "hidden", "zero byte", "too long"])
def test_a_member_that_is_not_what_the_manifest_says_is_a_sentence(
    tmp_path: Path, told: str, there: tuple[tuple[str, bytes], ...], sentence: str
) -> None:
    path = packed(tmp_path / "a.cibx", SAID | {"members": {told: DIGEST}}, *there)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=sentence):
        read_archive(path, tmp_path / "out")
    assert sorted(found.name for found in tmp_path.rglob("*") if found.is_file()) in (["a.cibx"], ["a.cibx", "database"])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_nothing_but_files_is_taken_out(tmp_path: Path, kind: bytes) -> None:
    path = packed(tmp_path / "a.cibx", SAID | {"members": {"database": DIGEST}}, ("database", b""), kind=kind)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=NONE_OF_OURS):
        read_archive(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"lorem ipsum", b"\x1f\x8b\x08\x00", b"\0" * 20_000])
def test_a_file_that_is_no_archive_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.cibx").write_bytes(content)
    with pytest.raises(InputError, match=NONE_OF_OURS):
        peek(tmp_path / "a.cibx")


def test_a_backup_that_is_cut_anywhere_is_a_sentence(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.cibx", SAID | {"members": {"database": DIGEST}}, ("database", b"hello")).read_bytes()
    ends = whole.index(b"hello") + 5
    for size in range(0, ends, 61):
        (tmp_path / "cut").write_bytes(whole[:size])
        (tmp_path / f"out{size}").mkdir()
        with pytest.raises(InputError, match=r"no backup|damaged"):
            read_archive(tmp_path / "cut", tmp_path / f"out{size}")
