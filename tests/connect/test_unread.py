"""Formats that no connector reads are told apart by their first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.meta_threat_research import CONNECTOR as META
from connectors.stix_file import CONNECTOR as STIX
from exchange.connect.source import Source
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "meta-threat-research"

STIX1 = '<?xml version="1.0"?>\n<!-- lorem -->\n<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" version="1.2"/>'
KNOWN = [
    (STIX1.encode(), "STIX 1.x", "stix2-elevator"),
    (b"\xef\xbb\xbf" + STIX1.encode(), "STIX 1.x", "stix2-elevator"),
    (STIX1.encode("utf-16"), "STIX 1.x", "stix2-elevator"),
    (b"<STIX_Package version='1.1.1'>", "STIX 1.x", "stix2-elevator"),
    (b'<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="1">', "OpenIOC", "CSV"),
    (b'<?xml version="1.0"?><OpenIOC xmlns="http://openioc.org/schemas/OpenIOC_1.1">', "OpenIOC", "CSV"),
    (b"\n<!DOCTYPE html><html>", "web page", "Download"),
    (b"<rss version='2'>", "XML", "CSV"),
    (b"PK\x03\x04\x14", "ZIP", "CSV"),
    (b"%PDF-1.7", "PDF", "CSV"),
    (b"\x1f\x8b\x08", "gzip", "Unpack"),
]
READABLE = [b"", b"{}", b"indicator,comment\nlorem.example,", b"a < b, c", b"<3 lorem,ipsum", b"\xff\xfe", b"# <b>title</b>"]


@pytest.mark.parametrize(("start", "what", "remedy"), KNOWN)
def test_each_is_named_with_a_remedy(start: bytes, what: str, remedy: str) -> None:
    found = why_unread(start)
    assert found is not None
    assert what in found[0]
    assert remedy in found[1]


@pytest.mark.parametrize("start", READABLE)
def test_what_may_be_a_table_or_json_is_left_to_its_reader(start: bytes) -> None:
    assert why_unread(start) is None


@pytest.mark.parametrize(("start", "what", "_remedy"), KNOWN)
def test_file_connectors_refuse_them_with_a_sentence(tmp_path: Path, start: bytes, what: str, _remedy: str) -> None:
    (tmp_path / "lorem.json").write_bytes(start)
    with pytest.raises(InputError, match=what):
        list(STIX.fetch(Source(str(tmp_path / "lorem.json")), None))
    rows = [row for batch in META.fetch(Source(str(tmp_path)), None) for row in batch.rows]
    assert [row.outcome for row in rows] == ["quarantined"]
    assert what in rows[0].reason


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data isn't beside the project: no STIX 1.x file to try")
def test_the_published_stix_1_file_is_known() -> None:
    files = [path for path in REAL.rglob("*.xml") if path.is_file()]
    assert files
    for path in files:
        found = why_unread(path.read_bytes()[:HEAD])
        assert found is not None
        assert found[0] == "STIX 1.x in XML"
