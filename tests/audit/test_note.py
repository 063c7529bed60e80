"""Signed notes, checkpoints and cosignatures: the vectors of the specifications, and what hostile ones get."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.note import (
    COSIGNATURE,
    Note,
    cosigned_message,
    new_signer_key,
    read_note,
    read_signature,
    read_signer_key,
    read_verifier_key,
)
from tests.audit.vectors import (
    C2SP_CHECKPOINT,
    C2SP_NOTE,
    C2SP_POEM,
    C2SP_VERIFIER,
    GO_NOTE,
    GO_PRIVATE,
    GO_VERIFIER,
)

KEY = new_signer_key("log.example/one", b"\x07" * 32)
CHECKPOINT = Checkpoint("log.example/one", 5, b"\x05" * 32)


@pytest.mark.parametrize(("note", "key"), [(GO_NOTE, GO_VERIFIER), (C2SP_NOTE, C2SP_VERIFIER)])
def test_published_notes_verify_under_their_published_keys(note: str, key: str) -> None:
    verifier = read_verifier_key(key)
    assert read_note(note.encode()).signed_by([verifier]) == [verifier]
    assert str(verifier) == key
    altered = note.replace("is", "was", 1)
    with pytest.raises(LogAlteredError, match="was altered"):
        read_note(altered.encode()).signed_by([verifier])


def test_signing_with_the_published_private_key_gives_the_published_note() -> None:
    key = read_signer_key(GO_PRIVATE)
    text = GO_NOTE.rpartition("\n\n")[0] + "\n"
    assert bytes(Note(text, (key.sign(text),))) == GO_NOTE.encode()
    assert str(key.verifier) == GO_VERIFIER
    assert "AYEKFA" not in repr(key)


@pytest.mark.parametrize("note", [GO_NOTE, C2SP_NOTE, C2SP_POEM, C2SP_CHECKPOINT])
def test_printing_is_the_inverse_of_reading(note: str) -> None:
    assert bytes(read_note(note.encode())) == note.encode()


def test_the_specifications_checkpoint_is_read_with_its_cosignature() -> None:
    note = read_note(C2SP_CHECKPOINT.encode())
    checkpoint = read_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == note.text
    assert int.from_bytes(note.signatures[1].data[:8], "big") == 1679315147
    assert cosigned_message(note.text, 1679315147).startswith(b"cosignature/v1\ntime 1679315147\nexample.com/")


def test_a_cosignature_is_over_the_checkpoint_and_its_time() -> None:
    witness = new_signer_key("member.example/witness", b"\x09" * 32, COSIGNATURE)
    note = Note(CHECKPOINT.text, (KEY.sign(CHECKPOINT.text), witness.cosign(CHECKPOINT.text, 1_800_000_000)))
    assert read_note(bytes(note)).signed_by([KEY.verifier, witness.verifier]) == [KEY.verifier, witness.verifier]
    line = note.signatures[1]
    later = type(line)(line.name, line.key_id, (1_800_000_001).to_bytes(8, "big") + line.data[8:])
    with pytest.raises(LogAlteredError):
        Note(CHECKPOINT.text, (later,)).signed_by([witness.verifier])
    with pytest.raises(LogAlteredError, match="not signed by that log"):
        open_checkpoint(bytes(Note(CHECKPOINT.text, (line,))), [witness.verifier])


def test_signatures_by_unknown_keys_are_ignored_and_never_enough() -> None:
    other = new_signer_key("log.example/one", b"\x08" * 32)
    both = CHECKPOINT.signed(other, KEY)
    assert open_checkpoint(bytes(both), [KEY.verifier]) == CHECKPOINT
    with pytest.raises(LogAlteredError, match="No signature is by a known key"):
        open_checkpoint(bytes(CHECKPOINT.signed(other)), [KEY.verifier])


def test_a_key_of_another_log_signs_no_checkpoint_of_this_one() -> None:
    other = new_signer_key("another.example/log", b"\x08" * 32)
    with pytest.raises(LogAlteredError, match="not signed by that log"):
        open_checkpoint(bytes(CHECKPOINT.signed(other)), [other.verifier])


@pytest.mark.parametrize(("raw", "said"), [
    (b"", "no signatures"), (b"text\n", "no signatures"), (b"text\n\n", "no signatures"),
    (b"text\n\n\xe2\x80\x94 name AAAA\n", "no signature line"), (b"text\n\n- name AAAAAAAA\n", "no signature line"),
    (b"text\n\n\xe2\x80\x94 name AAAAAAAA", "no signatures"), (b"te\x00xt\n\n\xe2\x80\x94 name AAAAAAAA\n", "control"),
    (b"\xff\n\n", "UTF-8"), (b"text\r\n\n\xe2\x80\x94 name AAAAAAAA\n", "control"), (b"x" * 300_000, "more than"),
    (b"text\n\n" + b"\xe2\x80\x94 name AAAAAAAA\n" * 65, "more than 64"),
    (b"text\n\n\xe2\x80\x94 na+me AAAAAAAA\n", "no signature line"), (b"t\n\n\xe2\x80\x94 name AAAAAAAB=\n", "no signature"),
])
def test_a_broken_note_gets_a_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read_note(raw)


@pytest.mark.parametrize("text", [
    "", "a\n1\n", "a\n01\n" + "A" * 43 + "=\n", "a\n-1\n" + "A" * 43 + "=\n", "\n1\n" + "A" * 43 + "=\n",
    "a\n1\nAAAA\n", "a\n1\n" + "A" * 43 + "=\nmore\n", "a\n1\n" + "A" * 42 + "B=\n", "a\n9" + "9" * 30 + "\n" + "A" * 43 + "=\n",
])
def test_what_is_not_exactly_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="no checkpoint"):
        read_checkpoint(text)


@pytest.mark.parametrize("text", [
    "", "name", "name+00000000+AAAA", GO_VERIFIER.replace("c74f20a3", "c74f20a4"), GO_VERIFIER[:-4],
    GO_VERIFIER.replace("Peter", "Pe ter"), GO_PRIVATE, "+" + GO_VERIFIER,
])
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="no verifier key"):
        read_verifier_key(text)


@pytest.mark.parametrize("text", ["", GO_VERIFIER, GO_PRIVATE[:-2], GO_PRIVATE.replace("AYEK", "BYEK")])
def test_a_broken_private_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UnreadableError, match="no private key") as refused:
        read_signer_key(text)
    assert "FALVFGyN" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_name_that_a_line_cannot_hold_gets_no_key(name: str) -> None:
    with pytest.raises(UnreadableError, match="can't be a key's name"):
        new_signer_key(name, b"\x00" * 32)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_any_bytes_are_a_note_that_prints_the_same_or_refused(raw: bytes) -> None:
    with suppress(UnreadableError):
        assert bytes(read_note(raw)) == raw


@given(st.data())
def test_a_note_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    raw = bytearray(GO_NOTE.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((UnreadableError, LogAlteredError)):
        read_note(bytes(raw)).signed_by([read_verifier_key(GO_VERIFIER)])


@given(st.text(max_size=120))
def test_any_line_is_a_signature_that_prints_the_same_or_refused(line: str) -> None:
    with suppress(UnreadableError):
        assert read_signature(line).line == line
