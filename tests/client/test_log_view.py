"""A member remembers the log it saw: a rollback, a fork, another log and unknown keys are refused, and then nothing is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.audit.checkpoint import Checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.merkle import leaf_hash, tree_root
from exchange.audit.note import SignerKey, new_signer_key
from exchange.client.log_view import Offered, open_view
from exchange.client.taxii import Client
from exchange.errors import InputError
from tests.fakes.watched_disk import watch_disk
from tests.fakes.web_peer import Answer, WebPeer

NAME = "log.example/one"
FIRST, SECOND, THIRD = (new_signer_key(NAME, bytes([n]) * 32) for n in range(3))


class Log:
    """A log of fewer than 256 leaves, signed by ``keys``."""

    def __init__(self, leaves: Sequence[bytes], *keys: SignerKey, name: str = NAME) -> None:
        self._hashes = [leaf_hash(leaf) for leaf in leaves]
        self.raw = bytes(Checkpoint(name, len(leaves), tree_root(self._hashes)).signed(*(keys or (FIRST,))))

    def __call__(self, path: str) -> bytes:
        if path == "checkpoint":
            return self.raw
        assert path == f"tile/0/000.p/{len(self._hashes)}", path
        return b"".join(self._hashes)


def offered(*keys: SignerKey, handovers: Sequence[bytes] = ()) -> Offered:
    return Offered(tuple(key.verifier for key in keys), tuple(handovers))


ONE = offered(FIRST)
ABC = [b"a", b"b", b"c"]


def test_a_log_that_grows_is_followed_and_remembered(tmp_path: Path) -> None:
    view = tmp_path / "view"
    for size in (1, 2, 2, 3):
        assert open_view(view).follow(Log(ABC[:size]), ONE).size == size
    assert open_view(view).last == Log(ABC).raw
    assert view.read_bytes() == f"key {FIRST.verifier}\n".encode() + Log(ABC).raw
    assert [path.name for path in tmp_path.iterdir()] == ["view"]


def test_what_is_remembered_of_a_log_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = watch_disk(monkeypatch, tmp_path)
    open_view(tmp_path / "view").follow(Log(ABC), ONE)
    assert disk.kept(tmp_path)[tmp_path / "view"].endswith(Log(ABC).raw)


@settings(max_examples=30)
@given(before=st.lists(st.sampled_from([b"a", b"b"]), max_size=5), after=st.lists(st.sampled_from([b"a", b"b"]), max_size=5))
def test_exactly_the_logs_that_begin_with_what_was_seen_are_followed(
    tmp_path_factory: pytest.TempPathFactory, before: list[bytes], after: list[bytes]
) -> None:
    view = tmp_path_factory.mktemp("views") / "view"
    open_view(view).follow(Log(before), ONE)
    if after[: len(before)] == before:
        assert open_view(view).follow(Log(after), ONE).size == len(after)
    else:
        with pytest.raises(LogAlteredError, match=r"rolled back|forked"):
            open_view(view).follow(Log(after), ONE)
        assert open_view(view).last == Log(before).raw


def test_a_log_of_another_name_is_told_with_both_names_and_what_to_keep(tmp_path: Path) -> None:
    view = tmp_path / "view"
    open_view(view).follow(Log(ABC), ONE)
    other = new_signer_key("log.example/two", bytes(32))
    with pytest.raises(LogAlteredError, match=r"another log, 'log.example/two'; this member followed 'log.example/one'.*keep .*view as evidence"):
        open_view(view).follow(Log(ABC, other, name="log.example/two"), offered(FIRST, other))
    assert open_view(view).last == Log(ABC).raw


HANDOVER = Log(ABC[:2], FIRST, SECOND).raw
UNVOUCHED = Log(ABC[:2], SECOND).raw


@pytest.mark.parametrize(("signer", "said", "followed"), [
    ([SECOND], offered(FIRST, SECOND, handovers=[HANDOVER]), True),
    ([FIRST, SECOND], offered(FIRST, SECOND, handovers=[HANDOVER]), True),
    ([SECOND], offered(FIRST, SECOND), False),
    ([SECOND], offered(FIRST, SECOND, handovers=[UNVOUCHED]), False),
    ([SECOND], offered(FIRST, handovers=[HANDOVER]), False),
    ([THIRD], offered(FIRST, SECOND, THIRD, handovers=[HANDOVER]), False),
    ([THIRD], offered(FIRST, SECOND, THIRD, handovers=[HANDOVER, Log(ABC, SECOND, THIRD).raw]), True),
    ([THIRD], offered(FIRST, SECOND, THIRD, handovers=[Log(ABC, SECOND, THIRD).raw, HANDOVER]), False),
], ids=["vouched for", "both sign", "no handover", "signed by the new one alone", "not offered", "another than vouched for",
        "two handovers", "in the wrong order"])
def test_a_new_key_is_trusted_when_a_trusted_one_vouched_for_it(
    tmp_path: Path, signer: list[SignerKey], said: Offered, followed: bool
) -> None:
    view = tmp_path / "view"
    open_view(view).follow(Log(ABC[:1]), ONE)
    newest = Log(ABC, *signer)
    if followed:
        assert open_view(view).follow(newest, said).size == 3
        assert open_view(view).follow(newest, ONE).size == 3
        assert len(set(open_view(view).keys)) == len(open_view(view).keys)
    else:
        with pytest.raises(LogAlteredError, match="No signature is by a known key"):
            open_view(view).follow(newest, said)
        assert open_view(view).keys == (FIRST.verifier,)


def test_a_checkpoint_that_cannot_be_read_is_an_altered_log(tmp_path: Path) -> None:
    view = tmp_path / "view"
    open_view(view).follow(Log(ABC), ONE)
    log = Log(ABC)
    log.raw = NAME.encode() + b"\nlorem\n"
    with pytest.raises(LogAlteredError, match="checkpoint can't be read"):
        open_view(view).follow(log, ONE)


@pytest.mark.parametrize("content", [b"", b"lorem", f"key {FIRST.verifier}\n".encode(), Log(ABC).raw])
def test_a_view_that_lost_its_keys_or_its_checkpoint_does_not_begin_to_trust_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "view").write_bytes(content)
    with pytest.raises(UnreadableError, match="holds no remembered checkpoint"):
        open_view(tmp_path / "view")


def test_a_view_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't be read: Is a directory"):
        open_view(tmp_path)
    with pytest.raises(InputError, match=r"view can't be written: No such file"):
        open_view(tmp_path / "none" / "view").follow(Log(ABC), ONE)


@pytest.fixture(scope="module")
def peer() -> Iterator[WebPeer]:
    with WebPeer() as running:
        yield running


def serve(peer: WebPeer, log: Log, keys: object = None) -> None:
    said = keys if keys is not None else {"log": [str(FIRST.verifier)], "handovers": []}
    peer.routes = {"/api/v1/log/keys": lambda _: Answer(200, json.dumps(said).encode()),
                   "/log/checkpoint": lambda _: Answer(200, log("checkpoint")),
                   "/log/tile/0/000.p/3": lambda _: Answer(200, log("tile/0/000.p/3"))}


def test_the_client_checks_the_log_over_http_and_notices_that_it_is_gone(peer: WebPeer, tmp_path: Path) -> None:
    client = Client(peer.url("/c/collections/1/"), token="t", log_view=tmp_path / "view")
    peer.routes = {}
    assert client.check_log() is None
    serve(peer, Log(ABC[:2]))
    assert (found := client.check_log()) is not None
    assert found.size == 2
    serve(peer, Log(ABC))
    assert (found := client.check_log()) is not None
    assert found.size == 3
    serve(peer, Log([b"a", b"x", b"y"]))
    with pytest.raises(LogAlteredError, match="forked"):
        list(client.pages())
    with pytest.raises(LogAlteredError, match="forked"):
        client.page(peer.url("/c/collections/1/objects/"), {})
    peer.routes = {}
    with pytest.raises(LogAlteredError, match="doesn't show its log any more"):
        client.check_log()
    assert Client(peer.url("/")).check_log() is None


@pytest.mark.parametrize("keys", [[], {}, {"log": ["x"], "handovers": []}, {"log": [], "handovers": [7]}, {"log": 7, "handovers": []}])
def test_a_list_of_keys_that_cannot_be_read_is_an_altered_log(peer: WebPeer, tmp_path: Path, keys: object) -> None:
    serve(peer, Log(ABC), keys)
    with pytest.raises((LogAlteredError, UnreadableError)):
        Client(peer.url("/c/"), token="t", log_view=tmp_path / "view").check_log()
    assert not (tmp_path / "view").exists()
