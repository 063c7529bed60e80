"""Leaves, commitments and receipts: what they show, and that any change or damage to them is told."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit.checkpoint import Checkpoint
from exchange.audit.commitment import commit
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.leaf import LONGEST_DETAIL, Event, read_leaf
from exchange.audit.merkle import leaf_hash
from exchange.audit.note import new_signer_key
from exchange.audit.receipt import Receipt, read_receipt
from exchange.audit.tiles import LONGEST_ENTRY, TileTree
from exchange.stix.canonical import canonical

KEY = new_signer_key("log.example/one", b"\x07" * 32)
EVENT = Event("e" * 32, 1_800_000_000_000_000, "push", "org-älpha", '{"added":2,"codes":{}}', "0" * 32)
HASHES = [leaf_hash(EVENT.leaf), *(leaf_hash(bytes([n])) for n in range(6))]
TREE = TileTree(7, lambda _tile: b"".join(HASHES))
RECEIPT = Receipt(EVENT.leaf, 0, tuple(TREE.inclusion(0)), bytes(Checkpoint(KEY.name, 7, TREE.root()).signed(KEY)))


def test_a_leaf_is_canonical_json_and_read_back() -> None:
    value = read_leaf(EVENT.leaf)
    assert canonical(value).encode() == EVENT.leaf
    assert (value["org"], value["detail"], value["at"]) == ("org-älpha", {"added": 2, "codes": {}}, EVENT.at)


@given(st.text(), st.text(), st.dictionaries(st.text(max_size=5), st.integers(-(2**53), 2**53), max_size=4))
def test_every_event_makes_a_leaf_that_rfc_8785_would_write_so(kind: str, org: str, detail: dict[str, int]) -> None:
    leaf = Event("i", 1, kind, org, canonical(detail), "n").leaf
    assert leaf == canonical(json.loads(leaf)).encode()


def test_a_long_detail_is_in_the_leaf_by_its_digest() -> None:
    detail = canonical({"x": "é" * LONGEST_DETAIL})
    leaf = Event("i", 1, "k", "o", detail, "n").leaf
    assert read_leaf(leaf)["detail"] == {"sha256": sha256(detail.encode()).hexdigest()}
    assert len(Event("i", 1, "k", "o", canonical({"x": "y" * (LONGEST_DETAIL - 8)}), "n").leaf) < LONGEST_ENTRY


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"nul", b'{"at":1}', b"\xff", EVENT.leaf + b" ", b"[" * 100_000])
def test_what_is_no_leaf_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableError, match="not an event in canonical JSON"):
        read_leaf(raw)


def test_a_commitment_needs_a_whole_salt_and_follows_the_value() -> None:
    assert commit(b"s" * 32, b"value") == sha256(b"s" * 32 + b"value").hexdigest()
    assert commit(b"s" * 32, b"value") != commit(b"t" * 32, b"value")
    with pytest.raises(ValueError, match="32 bytes"):
        commit(b"", b"value")


def test_a_receipt_shows_its_event_under_the_public_key_alone() -> None:
    raw = json.dumps(RECEIPT.value()).encode()
    event, checkpoint = read_receipt(raw).verify([KEY.verifier])
    assert (event["id"], checkpoint.size) == (EVENT.id, 7)


CHANGES: list[tuple[str, Any]] = [
    ("leaf", EVENT.leaf.decode().replace('"added":2', '"added":3')), ("index", 1), ("proof", []),
    ("proof", RECEIPT.value()["proof"][::-1]),
    ("checkpoint", bytes(Checkpoint(KEY.name, 9, TREE.root()).signed(KEY)).decode()),
    ("checkpoint", bytes(Checkpoint(KEY.name, 7, b"\x00" * 32).signed(KEY)).decode()),
    ("checkpoint", RECEIPT.value()["checkpoint"].replace("\n7\n", "\n9\n")),
]


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_a_receipt_with_any_part_changed_is_an_alteration(name: str, value: Any) -> None:
    changed = read_receipt(json.dumps({**RECEIPT.value(), name: value}).encode())
    with pytest.raises(LogAlteredError) as told:
        changed.verify([KEY.verifier])
    assert told.value.exit_code == 1


@pytest.mark.parametrize(("raw", "said"), [
    (b"", "no JSON"), (b"{", "no JSON"), (b"[]", "no JSON object"), (b"{}", "'leaf' is missing"),
    (json.dumps({**RECEIPT.value(), "index": True}).encode(), "'index'"),
    (json.dumps({**RECEIPT.value(), "index": -1}).encode(), "index larger"),
    (json.dumps({**RECEIPT.value(), "proof": ["AAAA"]}).encode(), "32 bytes"),
    (json.dumps({**RECEIPT.value(), "proof": [1]}).encode(), "32 bytes"),
    (json.dumps({**RECEIPT.value(), "proof": RECEIPT.value()["proof"] * 40}).encode(), "longer"),
    (json.dumps({**RECEIPT.value(), "checkpoint": None}).encode(), "no checkpoint yet"),
    (json.dumps({**RECEIPT.value(), "leaf": "\ud800"}).encode(), "not Unicode"), (b"[" * 100_000, "no JSON"),
    (b" " * 1_000_001, "more than"),
])
def test_a_damaged_receipt_gets_a_sentence_and_exit_code_2(raw: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said) as told:
        read_receipt(raw)
    assert told.value.exit_code == 2


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3))


@given(st.dictionaries(st.sampled_from(["leaf", "index", "proof", "checkpoint", "x"]), JSON))
def test_any_json_is_a_receipt_that_fails_or_refused(value: dict[str, Any]) -> None:
    with pytest.raises((UnreadableError, LogAlteredError)):
        read_receipt(json.dumps(value).encode()).verify([KEY.verifier])


@given(st.data())
def test_a_receipt_with_any_byte_changed_never_shows_another_event(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(RECEIPT.value(), ensure_ascii=False).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with suppress(UnreadableError, LogAlteredError):
        event, _ = read_receipt(bytes(raw)).verify([KEY.verifier])
        assert event == read_leaf(EVENT.leaf)
