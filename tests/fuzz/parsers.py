"""Every reader of what comes from outside, as a function of bytes that may raise nothing but ExchangeError.

One list for two ways of asking: hypothesis in the test suite, and atheris by hand (``tests/bench/fuzz_parsers.py``).
Each has samples of what it reads, from which both begin. What a reader takes must also come back the same where there
is a way back; an AssertionError tells where it doesn't.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl

import zstandard
from flask import Request

from connectors.misp.connector import CONNECTOR as MISP
from connectors.stix_file import CONNECTOR as STIX_FILE
from connectors.table.connector import CONNECTOR as TABLE
from connectors.x_archive.connector import CONNECTOR as X_ARCHIVE
from exchange.ailab.check import checked
from exchange.ailab.convert import to_stix
from exchange.audit.note import read_note, read_verifier_key
from exchange.audit.receipt import read_receipt
from exchange.audit.tiles import read_bundle, read_tile_path
from exchange.cli.apply import example_text, read_document
from exchange.connect.contract import Connector
from exchange.connect.source import Source
from exchange.connect.sources_file import read_sources
from exchange.connect.sse import events
from exchange.errors import ExchangeError
from exchange.feed.cursor import open_cursor, sign_cursor
from exchange.feed.interest import read_interest
from exchange.feed.query import read_query
from exchange.intake.envelope import split_envelope
from exchange.model.description import read_description
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyring import read_ring
from exchange.model.identifiers.kinds import KINDS
from exchange.model.party import Directory
from exchange.policy.packfile import PackFile
from exchange.policy.packs import assemble
from exchange.policy.packtext import packs_of, texts_of
from exchange.stix import personal
from exchange.stix.behaviour import behaviours_in, fault_of_missing_behaviour
from exchange.stix.markings import read_terms
from exchange.stix.parse import parse_strict
from exchange.stix.pattern import comparisons, parse
from exchange.stix.pattern.write import write
from exchange.stix.redact import Original, derive
from exchange.stix.references import references
from exchange.stix.timestamp import microseconds, version_key
from exchange.stix.validate import check
from exchange.toml_text import read_toml
from exchange.web.auth.header import read_authorization
from exchange.web.body import read_body
from exchange.web.negotiation import check_accept, check_content_type
from tests.fakes.lab_reports import FULL, SMALL
from tests.fakes.one_member import MEMBERS

_SECRET = "a secret of this test"
_FILTERS = frozenset({"added_after", "limit", "next", "match[id]", "match[type]", "match[version]",
                      "match[spec_version]"})
_MOST = 100_000
_PACK = "tlp.toml"


@dataclass(frozen=True)
class Parser:
    """One reader; ``read`` raises nothing but ExchangeError, whatever the bytes."""

    read: Callable[[bytes], object]
    samples: tuple[bytes, ...]


def _text(data: bytes) -> str:
    """Text as JSON, TOML and decoded URLs can hold it."""
    return data.decode("utf-8", "replace")


def _pattern(data: bytes) -> None:
    tree = parse(_text(data))
    list(comparisons(tree))
    assert parse(write(tree)).expression == tree.expression


def _stix_object(data: bytes) -> None:
    obj = parse_strict(data)
    if check(obj) is not None:
        return
    check(obj, strict=True)
    personal.status(obj)
    held = personal.categories(obj)
    personal.holders(obj, held)
    behaviours_in([obj])
    fault_of_missing_behaviour(obj)
    read_terms(obj, lambda _refs: {})
    derive(Original(data, 1, 1, 0), [*held, "provider", "labels.[0]"], references(obj)[:1], _SECRET)


def _envelope(data: bytes) -> None:
    for raw in split_envelope(data, 50):
        with suppress(ExchangeError):
            _stix_object(raw)


def _filters(data: bytes) -> None:
    pairs = parse_qsl(_text(data), keep_blank_values=True, errors="replace")
    with suppress(ExchangeError):
        read_interest(pairs)
    read_query(pairs, allowed=_FILTERS, page_size=100)


def _cursor(data: bytes) -> None:
    context, _, token = _text(data).partition("\n")
    position = open_cursor(_SECRET, context, token)
    assert sign_cursor(_SECRET, context, position) == token


@cache
def _others() -> tuple[PackFile, ...]:
    return tuple(PackFile(name, read_toml(text)) for name, text in texts_of().items() if name != _PACK)


def _policy_pack(data: bytes) -> None:
    """Alone, for which an exchange has too little policy, then in the place of a shipped one."""
    with suppress(ExchangeError):
        packs_of({_PACK: _text(data)})
    with suppress(tomllib.TOMLDecodeError):
        assemble((*_others(), PackFile(_PACK, read_toml(_text(data)))))


def _timestamp(data: bytes) -> None:
    text = _text(data)
    with suppress(ValueError):  # their word for "no timestamp"; every caller says more
        version_key(text)
        microseconds(text)


def _identifier(data: bytes) -> None:
    for kind in KINDS.values():
        with suppress(IdentifierError):
            kind.normalise(_text(data))


def _description(path: Path) -> None:
    read_description(read_document(str(path)), Directory(0, {}, {}, {}, {}, {}), {}, source="a description")


def _form(data: bytes) -> None:
    to_stix(checked(parse_strict(data)))


def _log(data: bytes) -> None:
    for read in (read_note, read_receipt, read_bundle):
        with suppress(ExchangeError):
            read(data)
    for read_text in (read_verifier_key, read_tile_path):
        with suppress(ExchangeError):
            read_text(_text(data))


def _headers(data: bytes) -> None:
    text = data.decode("latin-1")
    for read in (check_accept, check_content_type, read_authorization):
        with suppress(ExchangeError):
            cast(Any, read)(text)


def _body(data: bytes) -> None:
    """The first byte chooses the encoding."""
    encoding = ("identity", "gzip", "zstd")[data[0] % 3] if data else ""
    stream = SimpleNamespace(read=iter([data[1:], b""]).__next__)
    request = SimpleNamespace(headers={"Content-Encoding": encoding}, content_length=None, environ={},
                              stream=SimpleNamespace(read=lambda _size: stream.read()))
    assert len(read_body(cast(Request, request), _MOST)) <= _MOST


def _sse(data: bytes) -> None:
    list(events(data.splitlines(keepends=True)))


def _file(connector: Connector, name: str, beside: Mapping[str, bytes] | None = None) -> Callable[[bytes], None]:
    """A connector over one file; every row has one outcome."""
    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(data)
            options = {key: option.default for key, option in connector.options.items()}
            source = Source(str(path), options, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
            for batch in connector.fetch(source, None):
                json.dumps(batch.checkpoint)
                for made in batch.upserts:
                    assert check(dict(made)) is None, made

    return read


def _in_a_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    def whole(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(data)
            read(path)

    return whole


INDICATOR = json.dumps({
    "type": "indicator", "spec_version": "2.1", "id": "indicator--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c03",
    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "pattern_type": "stix",
    "pattern": "[domain-name:value = 'lorem.example']", "valid_from": "2026-01-01T00:00:00Z", "lang": "en",
    "granular_markings": [{"marking_ref": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
                           "selectors": ["pattern", "labels.[0]"]}], "labels": ["lorem"],
    "extensions": {"extension-definition--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c09": {"extension_type": "property-extension"}},
}).encode()
_PERSON = (b'{"type":"user-account","spec_version":"2.1","id":"user-account--0d3a4c0e-7ad0-5b8b-9b1f-8a4d0f8a9c04",'
           b'"account_type":"x","account_login":"lorem","display_name":"Lorem I."}')
_RING = b'[[key]]\nid = "grp-2026-q1"\nsecret = "' + b"a5" * 32 + b'"\nsince = 2026-01-01\nuntil = 2026-06-01\n'

PARSERS: Mapping[str, Parser] = {
    "pattern": Parser(_pattern, (
        b"[domain-name:value = 'lorem.example' AND url:value MATCHES '^https?://.{1,5}'] FOLLOWEDBY [file:hashes.'SHA-256'"
        b" IN ('aa', 'bb')] WITHIN 300.5 SECONDS", b"([a:b[*].c_ref.d ISSUBSET '198.51.100.0/24'] OR [x:y >= -1.5])"
        b" REPEATS 5 TIMES START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
        b"[a:b NOT LIKE 'lo%' OR EXISTS a:b AND a:c = h'00ff' AND a:d = b'AAA=' AND a:e != true]")),
    "stix-object": Parser(_stix_object, (INDICATOR, _PERSON)),
    "envelope": Parser(_envelope, (b'{"objects":[' + INDICATOR + b"," + _PERSON + b'],"more":false}',)),
    "taxii-filters": Parser(_filters, (
        b"match[type]=indicator,malware&match[version]=last,2026-01-01T00:00:00Z&limit=5&added_after=2026-01-01T00:00:00.1Z",
        b"match[id]=indicator--0d3a4c0e&match[spec_version]=2.1&next=abc", b"match[platform]=x&match[class]=spam")),
    "cursor": Parser(_cursor, (b"objects|c|org|\n" + sign_cursor(_SECRET, "objects|c|org|", 1).encode(),)),
    "policy-pack": Parser(_policy_pack, (texts_of()[_PACK].encode(),)),
    "timestamp": Parser(_timestamp, (b"2026-01-31T12:00:00.000001Z", b"2016-12-31T23:59:60Z")),
    "identifier": Parser(_identifier, (b"hxxps://lorem[.]example/a?b=1#c", b"@lorem", b"+44 20 7946 0000", b"lorem@ipsum.example")),
    "description": Parser(_in_a_file("members.toml", _description), (MEMBERS.encode(), example_text().encode())),
    "ai-lab-form": Parser(_form, (json.dumps(SMALL).encode(), json.dumps(FULL).encode())),
    "log": Parser(_log, (b"origin\n5\nAAAA\n\n\xe2\x80\x94 key AAAAAAAA\n", b"tile/0/x001/067.p/5", b'{"leaf":"AA=="}',
                         b"\x00\x02ab")),
    "headers": Parser(_headers, (b"application/taxii+json;version=2.1, */*;q=0.5", b"Basic YTpi", b'Bearer a"b',
                                 b"text/html; charset*=utf-8''x")),
    "body": Parser(_body, (b"\0lorem", b"\1" + zlib.compress(b"lorem " * 50, wbits=31),
                           b"\2" + zstandard.ZstdCompressor().compress(b"lorem " * 50))),
    "events": Parser(_sse, (b"id: 1\nevent: object\ndata: {}\n\n:\nretry: 5\r\n\r\n",)),
    "stix-file": Parser(_file(STIX_FILE, "a.json"), (
        b'{"type":"bundle","id":"bundle--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c06","objects":[' + INDICATOR + b",7]}",
        b"[" + _PERSON + b"]", b"\xff\xfe{\x00}\x00")),
    "table-csv": Parser(_file(TABLE, "a.csv"), (
        b'domain,comment,date\nlorem.example,"a ""b"", c",2026-01-31\nipsum[.]example,=1+1,31.01.2026\n',
        b"account;platform\n@lorem;x\n")),
    "table-jsonl": Parser(_file(TABLE, "a.jsonl"), (b'{"url":"https://lorem.example/a","n":1}\n{"url":null}\n',)),
    "table-markdown": Parser(_file(TABLE, "a.md"), (b"| domain | seen |\n|---|---|\n| lorem[.]example | 2026-01-01 |\n",)),
    "x-archive": Parser(_file(X_ARCHIVE, "lorem_092019_users_csv_hashed.csv"), (
        b"userid,user_display_name,user_screen_name,account_creation_date\n1234,lorem,lorem,2019-01-01\n",)),
    "misp": Parser(_file(MISP, "a.json"), (
        b'{"Event":{"uuid":"0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c07","info":"lorem","date":"2026-01-01","timestamp":"1767225600",'
        b'"Orgc":{"uuid":"0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c08","name":"A"},"Tag":[{"name":"tlp:green"}],"Attribute":['
        b'{"uuid":"0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c10","type":"domain","category":"Network activity",'
        b'"value":"lorem.example","to_ids":true,"timestamp":"1767225600"}],"Object":[]}}',)),
    "key-ring": Parser(lambda data: read_ring(_text(data), {}), (_RING,)),
    "sources-file": Parser(_in_a_file("sources.toml", lambda path: read_sources(path, {})), (
        b'[[source]]\nname = "a"\nconnector = "stix-file"\nplace = "a.json"\npolicy = "demo"\nevery = "1h"\n',)),
}
