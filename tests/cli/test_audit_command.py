"""``cibx audit`` on a real database file: what was altered, rolled back or forked is told in a sentence, exit code 1."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from exchange.audit.merkle import leaf_hash, tree_root
from exchange.audit.note import new_signer_key
from exchange.cli.main import run
from exchange.notary.keys import write_new
from exchange.notary.sequencer import leaf_of
from exchange.store import log
from exchange.store.engine import open_engine, read, write
from exchange.store.events import record
from exchange.store.ledger import Delivery, Ledger, Receiver
from tests.fakes.empty_store import lay_empty

NOW = 1_800_000_000_000_000
OBJECT = "indicator--11111111-1111-4111-8111-111111111111"
BODIES = [b'{"type":"indicator","n":1}', b'{"type":"indicator","n":2}']
DIGEST = sha256(b"".join(sha256(body).digest() for body in BODIES)).hexdigest()
POLICY = "ab" * 32


class Command:
    """``cibx`` in one folder with one database."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.database = folder / "cibx.db"
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{self.database}")

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        self._capsys.readouterr()
        code = run(["audit", *words])
        said = self._capsys.readouterr()
        return code, said.out + said.err

    def good(self, *words: str) -> str:
        code, said = self(*words)
        assert code == 0, said
        return said

    def sql(self, *statements: str) -> None:
        """Change the database behind the exchange's back."""
        with sqlite3.connect(self.database) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def note(self, kind: str, org: str, **detail: object) -> str:
        engine = open_engine(f"sqlite:///{self.database}")
        with write(engine) as connection:
            made = record(connection, at=NOW, kind=kind, org=org, detail=detail)
        engine.dispose()
        return made


@pytest.fixture
def audit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A log of eight leaves, signed."""
    made = Command(tmp_path, capsys, monkeypatch)
    lay_empty(made.database)
    made.good("keys", "make", "--name", "exchange.example/log")
    made.note("push", "org-alpha", added=2, digest=DIGEST, policy=POLICY)
    made.note("push", "org-beta", added=1, digest="00", policy=POLICY)
    made.note("pull", "org-beta", collection="indicators", purpose="cib-detection", policy=POLICY, count=2)
    made.note("erasure", "org-alpha", objects=[OBJECT], reason="A17")
    made.note("notice", "org-beta", objects=[OBJECT], obligation="delete", deadline="2027-02-01T00:00:00Z")
    made.note("acknowledgement", "org-beta", objects=[OBJECT])
    made.note("hold", "org-alpha", object="indicator--2")
    assert made.good("sequence").startswith("8 events placed, checkpoint of 8 leaves signed")
    return made


def test_an_untouched_log_verifies(audit: Command) -> None:
    assert "is as it was signed: 8 leaves" in audit.good("verify")
    audit.note("push", "org-alpha", added=1)
    assert "is as it was signed: 9 leaves" in audit.good("verify")


def place(number: int) -> str:
    return f"number = {number + 1}"


TAMPERINGS: dict[str, tuple[list[str], str]] = {
    "a detail changed": ([f"UPDATE event SET detail = replace(detail, 'A17', 'A18') WHERE {place(4)}"], "Leaf 4 of the log was changed"),
    "a time changed": ([f"UPDATE event SET at = at + 1 WHERE {place(2)}"], "Leaf 2 of the log was changed"),
    "another organisation": ([f"UPDATE event SET org = 'org-eve' WHERE {place(3)}"], "Leaf 3 of the log was changed"),
    "a nonce changed": ([f"UPDATE event SET nonce = '00' WHERE {place(0)}"], "Leaf 0 of the log was changed"),
    "a row removed": ([f"DELETE FROM event WHERE {place(5)}"], "Leaf 5 of the log is missing"),
    "the last row removed": ([f"DELETE FROM event WHERE {place(7)}"], "Leaf 7 of the log is missing"),
    "two rows exchanged": ([f"UPDATE event SET number = 99 WHERE {place(4)}", f"UPDATE event SET number = 5 WHERE {place(6)}",
                            "UPDATE event SET number = 7 WHERE number = 99"], "leaves were reordered"),
    "a row removed and the rest moved up": ([f"DELETE FROM event WHERE {place(4)}", *(f"UPDATE event SET number = {n} WHERE number = {n + 1}" for n in (5, 6, 7))], "Leaf 7 of the log is missing"),
    "a row put in": ([f"INSERT INTO event (at, kind, org, detail, id, nonce) VALUES ({NOW}, 'push', 'x', '{{}}', 'x', 'x')"], "The event x has no place in the log and waits for none"),
    "a run lengthened": (["UPDATE log_span SET count = 9"], "Events claim 9 places in a log of 8 leaves"),
    "a run taken away": (["DELETE FROM log_span"], "Leaf 0 of the log is missing"),
    "an event removed before it was placed": (["INSERT INTO event_pending VALUES (99)"], "removed before it got its place"),
    "a hash changed": (["UPDATE log_tile SET hashes = zeroblob(256) WHERE level = 0"], "Leaf 0 of the log was changed"),
    "hashes cut off": (["UPDATE log_tile SET hashes = zeroblob(32) WHERE level = 0"], "has 32 bytes instead of 256"),
    "checkpoints removed": (["DELETE FROM log_checkpoint"], "the store has none"),
    "a root changed": (["UPDATE log_checkpoint SET note = replace(note, char(10) || '8' || char(10), char(10) || '7' || char(10))"], "The signature of exchange.example/log is wrong"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_altered_is_told_with_its_place(audit: Command, name: str) -> None:
    statements, said = TAMPERINGS[name]
    audit.sql(*statements)
    if name == "checkpoints removed":  # nothing but the signer's memory speaks of them now
        audit.sql("DELETE FROM event", "DELETE FROM log_tile", "UPDATE log_cursor SET value = 0")
    code, told = audit("verify")
    assert code == 1, told
    assert said in told
    assert "bug" not in told


def test_a_row_changed_together_with_its_hashes_is_told(audit: Command) -> None:
    audit.sql(f"UPDATE event SET org = 'org-eve' WHERE {place(2)}")
    engine = open_engine(f"sqlite:///{audit.database}")
    with write(engine) as connection:
        hashes = [leaf_hash(leaf_of(event)) for event in log.placed_events(connection, 0, 8)]
        log.save_tiles(connection, {(0, 0): b"".join(hashes)})
    engine.dispose()
    code, said = audit("verify")
    assert (code, "don't lead to the root that was signed" in said) == (1, True)
    assert tree_root(hashes)


def test_an_older_copy_of_the_database_is_told_as_a_rollback(audit: Command) -> None:
    for suffix in ("", "-wal"):
        if Path(f"{audit.database}{suffix}").exists():
            shutil.copy(f"{audit.database}{suffix}", audit.folder / f"older{suffix}")
    audit.note("push", "org-alpha", added=1)
    audit.good("sequence")
    for path in audit.folder.glob("cibx.db*"):
        if path.name in {"cibx.db", "cibx.db-wal", "cibx.db-shm"}:
            path.unlink()
    for path in audit.folder.glob("older*"):
        shutil.copy(path, audit.folder / path.name.replace("older", "cibx.db"))
    code, said = audit("verify")
    assert (code, "rolled back: it has 8 leaves, but one of 9" in said) == (1, True), said
    audit.note("push", "org-beta", added=7)
    code, said = audit("verify")
    assert (code, "forked" in said) == (1, True), said


def test_a_copy_is_verified_elsewhere_with_the_public_key_alone(audit: Command) -> None:
    key = audit.good("keys", "list").split()[1]
    assert "receipts" in audit.good("export", "copy", "--org", "org-beta")
    receipts = sorted((audit.folder / "copy" / "receipts").iterdir())
    assert len(receipts) == 4
    for path in audit.folder.glob("cibx.db*"):
        path.unlink()
    assert "9 leaves" in audit.good("verify", "--log", "copy", "--key", key)
    assert "compare them" in audit.good("verify", "--log", "copy")
    for path in receipts:
        assert "leaf" in audit.good("verify", "--receipt", str(path), "--key", key)
    assert not list(audit.folder.glob("cibx.db"))


def altered_copies(folder: Path) -> dict[str, tuple[Path, Callable[[bytes], bytes]]]:
    return {
        "was changed": (folder / "tile/entries/000.p/9", lambda raw: raw.replace(b"org-alpha", b"org-alphb", 1)),
        "is missing": (folder / "tile/entries/000.p/9", lambda raw: raw[: 2 + int.from_bytes(raw[:2], "big")]),
        "cut short": (folder / "tile/entries/000.p/9", lambda raw: raw[:-1]),
        "bytes instead of": (folder / "tile/0/000.p/9", lambda raw: raw[:-32]),
        "signature of": (folder / "checkpoint", lambda raw: raw.replace(b"\n9\n", b"\n8\n")),
    }


@pytest.mark.parametrize("said", list(altered_copies(Path())))
def test_an_altered_copy_is_told(audit: Command, said: str) -> None:
    audit.good("export", "copy")
    path, change = altered_copies(audit.folder / "copy")[said]
    path.write_bytes(change(path.read_bytes()))
    code, told = audit("verify", "--log", "copy")
    assert code == (2 if said == "cut short" else 1), told
    assert said in told


def test_a_file_removed_from_a_copy_is_told(audit: Command) -> None:
    audit.good("export", "copy")
    (audit.folder / "copy/tile/0/000.p/9").unlink()
    code, told = audit("verify", "--log", "copy")
    assert (code, "is missing from the copy" in told) == (1, True)
    code, told = audit("verify", "--log", "nothing", "--key", audit.good("keys", "list").split()[1])
    assert (code, "no copy of a log" in told) == (2, True)


def test_two_logs_shown_to_two_members_are_told(audit: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator signs two histories with one key: each alone is whole, together they are not."""
    other = audit.folder / "other"
    other.mkdir()
    for path in audit.folder.glob("cibx.db*"):
        shutil.copy(path, other / path.name)
    audit.note("push", "org-alpha", added=1)
    audit.good("export", "shown-to-alpha")
    first = audit.database
    audit.database = other / "cibx.db"
    audit.note("push", "org-eve", added=1)
    (other / "cibx.db.log-key.head").unlink()
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{audit.database}")
    audit.good("export", "shown-to-beta")
    audit.database = first
    audit.good("verify", "--log", "shown-to-alpha")
    audit.good("verify", "--log", "shown-to-beta")
    code, said = audit("verify", "--log", "shown-to-beta", "--earlier", "shown-to-alpha/checkpoint")
    assert (code, "The log was forked: its 10 leaves don't begin with the 10" in said) == (1, True), said


def test_a_push_is_proved_by_its_receipt_and_the_envelope(audit: Command) -> None:
    made = audit.note("push", "org-alpha", added=2, digest=DIGEST, policy=POLICY)
    pending = json.loads(audit.good("receipt", made))
    assert pending["checkpoint"] is None
    (audit.folder / "early.json").write_text(json.dumps(pending))
    code, said = audit("verify", "--receipt", "early.json")
    assert (code, "no checkpoint yet" in said) == (2, True)
    audit.good("sequence")
    (audit.folder / "receipt.json").write_text(audit.good("receipt", made))
    (audit.folder / "sent.json").write_bytes(b'{"objects":[' + b",".join(BODIES) + b"]}")
    (audit.folder / "other.json").write_bytes(b'{"objects":[' + BODIES[0] + b"]}")
    said = audit.good("verify", "--receipt", "receipt.json", "--objects", "sent.json")
    assert "exactly the 2 objects" in said
    code, said = audit("verify", "--receipt", "receipt.json", "--objects", "other.json")
    assert (code, "isn't of what other.json holds" in said) == (1, True)
    changed = (audit.folder / "receipt.json").read_text().replace("org-alpha", "org-eve")
    (audit.folder / "changed.json").write_text(changed)
    assert audit("verify", "--receipt", "changed.json")[0] == 1
    audit.note("push", "org-alpha", added=1)
    assert "is as it was signed" in audit.good("verify", "--earlier", "receipt.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b"[]", b'{"leaf": 1}', b"[" * 50_000])
def test_a_damaged_receipt_file_gets_exit_code_2(audit: Command, content: bytes) -> None:
    (audit.folder / "bad.json").write_bytes(content)
    code, said = audit("verify", "--receipt", "bad.json")
    assert code == 2
    assert "receipt" in said
    assert "bug" not in said
    assert audit("verify", "--receipt", "none.json")[0] == 2


def test_the_log_answers_what_happened_to_an_object_and_who_was_told(audit: Command) -> None:
    said = audit.good("verify", "--object", OBJECT)
    kinds = [line.split("  ")[2:4] for line in said.splitlines() if OBJECT in line]
    assert kinds == [["erasure", "org-alpha"], ["notice", "org-beta"], ["acknowledgement", "org-beta"]]
    assert "2027-02-01T00:00:00Z" in said
    code, said = audit("verify", "--object", "indicator--none")
    assert (code, "says nothing of" in said) == (2, True)


def test_the_log_answers_what_was_pulled_under_which_basis(audit: Command) -> None:
    said = audit.good("verify", "--pulls", "org-beta")
    assert "org-beta pulled 1 page." in said
    assert f"purpose=cib-detection  policy={POLICY}" not in said  # members stand in the order of RFC 8785
    assert f"policy={POLICY}  purpose=cib-detection" in said


def test_the_log_answers_whether_a_policy_text_was_in_force(audit: Command) -> None:
    assert "This policy text" in audit.good("verify", "--policy", POLICY)
    code, said = audit("verify", "--policy", "cd" * 32)
    assert (code, f"Another policy text was in force: {POLICY}" in said) == (1, True)
    code, said = audit("verify", "--policy", POLICY, "--at", "2020-01-01T00:00:00Z")
    assert (code, "no decision at or before" in said) == (2, True)
    assert audit("verify", "--policy", "nothing")[0] == 2
    assert audit("verify", "--policy", POLICY, "--at", "tomorrow")[0] == 2


def test_a_version_made_active_is_in_force_and_a_canary_only_where_it_is_tried(audit: Command) -> None:
    tried, now = "12" * 32, "34" * 32
    audit.note("policy", "", policy=tried, stage="canary", organisations=["org-beta"])
    audit.note("pull", "org-beta", policy=tried)
    assert "This policy text" in audit.good("verify", "--policy", POLICY)
    audit.note("policy", "", policy=now, stage="active", organisations=[])
    assert "This policy text" in audit.good("verify", "--policy", now)
    assert audit("verify", "--policy", tried)[0] == 1


def test_keys_rotate_and_members_keys_are_registered(audit: Command) -> None:
    old = audit.good("keys", "list").split()[1]
    new = audit.good("keys", "rotate").strip()
    assert audit.good("keys", "list").split() == ["log", old, "log", new]
    audit.note("push", "org-alpha", added=1)
    assert "is as it was signed" in audit.good("verify")
    assert "is as it was signed" in audit.good("verify", "--key", new)
    assert audit("verify", "--key", old)[0] == 1
    seed = (audit.folder / "cibx.db.log-key").read_text().split("+", 4)[4].strip()
    with sqlite3.connect(audit.database) as connection:
        assert seed not in "".join(connection.iterdump())
    connection.close()
    assert audit("keys", "register", "org-none", new)[0] == 2
    assert audit("verify", "--key", "nonsense")[0] == 2


def test_a_database_without_a_log_gets_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Command(tmp_path, capsys, monkeypatch)
    engine = open_engine(lay_empty(empty.database))
    for words in (["verify"], ["export", "copy"], ["receipt", "x"], ["checkpoint"], ["verify", "--receipt", "x"]):
        code, said = empty(*words)
        assert code in {1, 2}
        assert "bug" not in said
    with read(engine) as connection:
        assert log.log_keys(connection) == []
    engine.dispose()


def deliver(audit: Command, count: int) -> None:
    """Pages of one collection, long ago, in the ledger beside the database."""
    engine = open_engine(f"sqlite:///{audit.database}")
    ledger = Ledger(engine)
    for n in range(count):
        ledger.note(Receiver(1, "key", "cib-detection", 1, POLICY), Delivery(1, 1, n, n, 1, b"\0\0", b"d" * 32))
    engine.dispose()


def emptied(ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("DELETE FROM delivery")
    connection.close()


def cut(ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("DELETE FROM delivery WHERE number = 3")
    connection.close()


def deleted(ledger: Path) -> None:
    for path in ledger.parent.glob(f"{ledger.name}*"):
        path.unlink()


@pytest.mark.parametrize(("harm", "last"), [(emptied, 0), (cut, 2), (deleted, 0)])
def test_a_ledger_that_lacks_what_the_log_took_is_noticed(
    audit: Command, harm: Callable[[Path], None], last: int
) -> None:
    deliver(audit, 3)
    assert "11 leaves" in audit.good("verify"), "three pulls more"
    harm(audit.folder / "cibx.db-ledger")
    code, said = audit("verify")
    assert code == 1, said
    assert f"The ledger of deliveries was deleted or cut: the log has its pulls up to row 3, and it ends at row {last}" \
        in said


RESTART = ("restart", "--by", "Ana", "--reason", "Lorem.", "--name", "exchange.example/log-2")


def test_a_log_that_could_go_on_is_not_replaced_by_another_unless_that_is_said(audit: Command) -> None:
    before = audit.good("checkpoint")
    audit.note("push", "org-alpha", added=1)  # waits for its place
    code, said = audit(*RESTART)
    assert (code, "is as it was signed and goes on" in said, "--although-sound" in said) == (2, True, True)
    assert audit.good("checkpoint") == before
    assert list(audit.folder.glob("*former*")) == []
    audit.good(*RESTART, "--although-sound")
    assert audit.good("checkpoint").startswith("exchange.example/log-2\n")


def forget_the_key(audit: Command) -> None:
    (audit.folder / "cibx.db.log-key").unlink()


def another_key(audit: Command) -> None:
    forget_the_key(audit)
    write_new(audit.folder / "cibx.db.log-key", new_signer_key("exchange.example/log", b"k" * 32).written() + "\n")


def forget_the_head(audit: Command) -> None:
    (audit.folder / "cibx.db.log-key.head").unlink()


def alter(audit: Command) -> None:
    audit.sql(f"UPDATE event SET at = at + 1 WHERE {place(2)}")


def damage(audit: Command) -> None:
    audit.sql("UPDATE log_checkpoint SET note = 'lorem'")


@pytest.mark.parametrize("harm", [forget_the_key, another_key, forget_the_head, alter, damage])
def test_a_log_that_can_not_go_on_or_is_not_known_to_is_replaced(audit: Command, harm: Callable[[Command], None]) -> None:
    harm(audit)
    code, said = audit(*RESTART)
    assert (code, "exchange.example/log-2" in said) == (0, True), said


def test_another_ledger_in_its_place_is_noticed_and_a_restart_takes_its_deliveries(audit: Command) -> None:
    deliver(audit, 3)
    audit.good("verify")
    deleted(audit.folder / "cibx.db-ledger")
    deliver(audit, 3)
    code, said = audit("verify")
    assert (code, "The ledger of deliveries was replaced: the log has no pull of its row 3" in said) == (1, True), said
    audit.good("restart", "--by", "Ana", "--reason", "the ledger was lost", "--name", "exchange.example/log-2")
    audit.good("sequence")
    assert "is as it was signed" in audit.good("verify")
    with sqlite3.connect(audit.database) as connection:
        (pulls,) = connection.execute("SELECT COUNT(*) FROM event WHERE kind = 'pull'").fetchone()
    connection.close()
    assert pulls == 1 + 3 + 3, "none is lost and none twice"
