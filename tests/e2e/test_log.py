"""The log of a serving exchange: receipts, tiles, who may see what of it, and members who watch each other's view."""

from __future__ import annotations

import json
import shutil
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from exchange.audit.checkpoint import open_checkpoint
from exchange.audit.fault import LogAlteredError
from exchange.audit.note import COSIGNATURE, VerifierKey, new_signer_key, read_note, read_verifier_key
from exchange.audit.receipt import read_receipt
from exchange.audit.tiles import tiles_of
from exchange.audit.verify import verify_log
from exchange.client.taxii import Client
from tests.e2e.exchange_process import ExchangeProcess, serving
from tests.e2e.http_caller import Answer, HttpCaller, assert_taxii_error
from tests.e2e.members import SECRETS
from tests.e2e.outsider import SECRETS as HIDDEN
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import indicator

SETTINGS = {"CIBX_LOG_SECONDS": "1"}
WORKERS = 2
_PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def auditor(exchange: ExchangeProcess) -> HttpCaller:
    """A person of beta's who audits and does nothing else."""
    said = exchange.cibx("credential", "issue", "org-beta", "--id", "beta-auditor", "--scope", "audit")
    token = next(word for word in said.split() if word.startswith("cibx_"))
    caller = exchange.caller()
    caller.authorization = f"Bearer {token}"
    return caller


def ask(caller: HttpCaller, path: str) -> Answer:
    return caller.ask("GET", path, accept=None)


def log_keys(caller: HttpCaller) -> list[VerifierKey]:
    return [read_verifier_key(key) for key in ask(caller, "/api/v1/log/keys").json["log"]]


def signed_receipt(caller: HttpCaller, event_id: str) -> dict[str, Any]:
    """The receipt, once the log's clock has struck."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = ask(caller, f"/api/v1/log/receipts/{event_id}")
        assert answer.status in {200, 404}, answer.body  # a pull's is made when the log takes the ledger
        if answer.json.get("checkpoint") is not None:
            found: dict[str, Any] = answer.json
            return found
        time.sleep(0.1)
    raise AssertionError("no checkpoint was signed")


def pushed(caller: HttpCaller, lane: str) -> str:
    answer = caller.push(lane + "objects/", [indicator()])
    assert answer.status == 202
    assert answer.headers["cibx-receipt"] == answer.json["id"]
    return answer.headers["cibx-receipt"]


def test_a_pushs_receipt_shows_it_under_the_public_key_alone(alpha: HttpCaller, lane: str) -> None:
    objects = [indicator("one"), {"type": "indicator", "id": "indicator--x"}]
    answer = alpha.push(lane + "objects/", objects)
    receipt = signed_receipt(alpha, answer.headers["cibx-receipt"])
    event, checkpoint = read_receipt(json.dumps(receipt).encode()).verify(log_keys(alpha))
    assert (event["kind"], event["org"]) == ("push", "org-alpha")
    assert checkpoint.origin.endswith("/log")
    assert (event["detail"]["added"], event["detail"]["refused"]) == (1, 1)
    assert sum(event["detail"]["codes"].values()) == 1


def test_anothers_receipt_is_the_same_as_none(alpha: HttpCaller, beta: HttpCaller, auditor: HttpCaller, lane: str) -> None:
    receipt = pushed(alpha, lane)
    other, unknown = ask(beta, f"/api/v1/log/receipts/{receipt}"), ask(beta, "/api/v1/log/receipts/none")
    assert_taxii_error(other, 404)
    assert (other.status, other.body) == (unknown.status, unknown.body)
    assert signed_receipt(auditor, receipt) == ask(alpha, f"/api/v1/log/receipts/{receipt}").json


def test_a_pulls_receipt_says_what_left_and_for_which_purpose(alpha: HttpCaller, beta: HttpCaller, lane: str) -> None:
    pushed(alpha, lane)
    page = beta.get(lane + "objects/")
    receipt = signed_receipt(beta, page.headers["cibx-receipt"])
    event, _ = read_receipt(json.dumps(receipt).encode()).verify(log_keys(beta))
    detail = event["detail"]
    assert (event["kind"], event["org"], detail["count"]) == ("pull", "org-beta", 1)
    assert (detail["credential"], len(detail["policy"])) == ("beta", 64)
    assert detail["digest"] == sha256(page.body).hexdigest()
    assert ask(alpha, f"/api/v1/log/receipts/{page.headers['cibx-receipt']}").status == 404


def test_tiles_lead_to_the_checkpoint_and_entries_are_the_auditors(
    alpha: HttpCaller, auditor: HttpCaller, nobody: HttpCaller, lane: str
) -> None:
    signed_receipt(alpha, pushed(alpha, lane))
    taken: dict[str, bytes] = {"checkpoint": ask(auditor, "/log/checkpoint").body}
    checkpoint = open_checkpoint(taken["checkpoint"], log_keys(alpha))
    seen: list[int] = []

    def fetch(path: str) -> bytes:
        if path not in taken:
            answer = ask(auditor, f"/log/{path}")
            assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream"), path
            taken[path] = answer.body
        return taken[path]

    verify_log(fetch, log_keys(alpha), seen=lambda place, _: seen.append(place))
    assert seen == list(range(checkpoint.size))
    tile = next(tiles_of(checkpoint.size))
    assert ask(alpha, f"/log/tile/{tile.path}").body == fetch(f"tile/{tile.path}")
    assert_taxii_error(ask(alpha, "/log/tile/entries/000.p/1"), 403)
    assert_taxii_error(ask(nobody, "/log/checkpoint"), 401)
    for path in ("tile/0/999", "tile/0/000.p/0", "tile/x", "tile/64/000", "tile/0/000.p/255x", "tile/"):
        assert_taxii_error(ask(alpha, f"/log/{path}"), 404)


def test_an_auditors_reading_is_an_event_itself(
    auditor: HttpCaller, alpha: HttpCaller, lane: str, exchange: ExchangeProcess
) -> None:
    receipt = pushed(alpha, lane)
    ask(auditor, "/log/tile/entries/000.p/1")
    ask(auditor, f"/api/v1/log/receipts/{receipt}")
    told = ""
    for _ in range(20):  # the reads of a second become one event
        told = exchange.cibx("audit", "verify", "--object", "beta-auditor")
        if receipt in told:
            break
    reads = [line for line in told.splitlines() if "audit-read" in line]
    assert any("000.p/1" in line for line in reads)
    assert any(receipt in line and "log.receipt" in line for line in reads)


def test_a_secret_object_changes_nothing_of_the_log_but_its_size_and_hashes(
    exchange: ExchangeProcess, lane: str, alpha: HttpCaller
) -> None:
    """The exemption of .decisions/0007: a log that grows is seen to grow, at the strokes of a clock only."""
    gamma = exchange.caller("gamma")
    paths = ["/api/v1/log/entries", "/api/v1/log/entries?after=3", "/api/v1/log/receipts/none", "/api/v1/log/keys"]
    signed_receipt(alpha, pushed(alpha, lane))
    before, first = [ask(gamma, path).body for path in paths], read_note(ask(gamma, "/log/checkpoint").body)
    bring(exchange, lane, HIDDEN["amber for another organisation"])
    signed_receipt(alpha, pushed(alpha, lane))
    after, second = [ask(gamma, path).body for path in paths], read_note(ask(gamma, "/log/checkpoint").body)
    assert before == after
    assert first.text.splitlines()[0] == second.text.splitlines()[0]
    assert first.text != second.text


def test_a_member_reads_its_own_leaves(exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, lane: str) -> None:
    first = signed_receipt(beta, pushed(beta, lane))
    entries = ask(beta, f"/api/v1/log/entries?after={first['index'] - 1}").json["entries"]
    assert {"index": first["index"], "leaf": first["leaf"]} in entries
    everything = ask(beta, "/api/v1/log/entries").json["entries"]
    assert {json.loads(entry["leaf"])["org"] for entry in everything} == {"org-beta"}
    for wrong in ("x", "", "1e3", "9" * 30, "--1", "٣"):
        assert ask(alpha, f"/api/v1/log/entries?after={wrong.encode().hex() if wrong == '٣' else wrong}").status in {200, 400}


def test_a_member_cosigns_a_checkpoint(exchange: ExchangeProcess, beta: HttpCaller, lane: str) -> None:
    witness = new_signer_key("beta.example/witness", b"\x03" * 32, COSIGNATURE)
    exchange.cibx("audit", "keys", "register", "org-beta", str(witness.verifier))
    signed_receipt(beta, pushed(beta, lane))
    text = read_note(ask(beta, "/log/checkpoint").body).text
    note = f"{text}\n{witness.cosign(text, 1_800_000_000).line}\n"
    answer = post_note(beta, note)
    assert answer.status == 201, answer.body
    assert_taxii_error(post_note(exchange.caller("alpha"), note), 422)
    for broken in ("", "x", note.replace("\n\n", "\n"), note.replace("beta.example", "eve.example")):
        assert_taxii_error(post_note(beta, broken), 422)
    assert_taxii_error(beta.post("/api/v1/log/cosignatures", b'{"note":1}', "application/json"), 422)


def post_note(caller: HttpCaller, note: str) -> Answer:
    return caller.post("/api/v1/log/cosignatures", json.dumps({"note": note}).encode(), "application/json")


def client_of(exchange: ExchangeProcess, view: Path) -> Client:
    return Client(f"{exchange.url}/taxii2/", "beta", SECRETS["beta"], log_view=view)


def test_the_client_follows_a_log_through_a_change_of_keys(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, tmp_path: Path
) -> None:
    signed_receipt(alpha, pushed(alpha, lane))
    view = tmp_path / "view"
    first = client_of(exchange, view).check_log()
    exchange.cibx("audit", "keys", "rotate")
    signed_receipt(alpha, pushed(alpha, lane))
    signed_receipt(alpha, pushed(alpha, lane))
    second = client_of(exchange, view).check_log()
    assert first is not None
    assert second is not None
    assert second.size > first.size
    assert view.read_text().count("key ") == 2
    collection = lane.split("/")[-2]
    assert len(list(client_of(exchange, view).objects(collection))) == 3


def test_the_whole_log_is_verified_over_the_network(exchange: ExchangeProcess, alpha: HttpCaller, auditor: HttpCaller) -> None:
    exchange.environment = {**exchange.environment, "CIBX_SECRET_OF_LOG": (auditor.authorization or "").split()[1]}
    key = str(log_keys(alpha)[-1])
    assert "is as it was signed" in exchange.cibx("audit", "verify", "--log", exchange.url, "--key", key)


def test_the_private_key_is_in_no_output(exchange: ExchangeProcess) -> None:
    seed = (exchange.folder / "cibx.db.log-key").read_text().split("+", 4)[4].strip()
    assert seed not in exchange.log()
    assert "Traceback" not in exchange.log()


def test_a_rolled_back_and_a_forked_log_are_refused_by_the_client(tmp_path: Path) -> None:
    view, forked = tmp_path / "view", tmp_path / "forked-view"
    folder = tmp_path / "exchange"
    folder.mkdir()
    with serving(folder, settings=SETTINGS) as exchange:
        alpha, lane = exchange.caller("alpha"), exchange.next_lane()
        signed_receipt(alpha, pushed(alpha, lane))
        exchange.stop()
        for path in folder.glob("cibx.db*"):
            shutil.copy(path, tmp_path / f"older-{path.name}")
        exchange.start()
        alpha = exchange.caller("alpha")
        signed_receipt(alpha, pushed(alpha, lane))
        seen = client_of(exchange, view).check_log()
        assert seen is not None
        exchange.kill()
        for path in folder.glob("cibx.db*"):
            path.unlink()
        for path in tmp_path.glob("older-*"):
            shutil.copy(path, folder / path.name.removeprefix("older-"))
        exchange.start()
        client = client_of(exchange, view)
        with pytest.raises(LogAlteredError, match="rolled back"):
            list(client.pages(lane.split("/")[-2]))
        client_of(exchange, forked).check_log()
        alpha = exchange.caller("alpha")
        for _ in range(3):
            signed_receipt(alpha, pushed(alpha, lane))
        with pytest.raises(LogAlteredError, match="forked"):
            list(client.pages(lane.split("/")[-2]))
        assert client_of(exchange, forked).check_log() is not None


def test_killed_while_pushes_come_it_verifies_after_the_restart(tmp_path: Path) -> None:
    with serving(tmp_path, settings=SETTINGS, workers=2) as exchange:
        receipts = []
        for _ in range(2):
            alpha, lane = exchange.caller("alpha"), exchange.next_lane()
            receipts += [pushed(alpha, lane) for _ in range(20)]
            exchange.kill()
            exchange.start()
        assert "is as it was signed" in exchange.cibx("audit", "verify")
        alpha = exchange.caller("alpha")
        indices = {signed_receipt(alpha, receipt)["index"] for receipt in receipts}
        assert len(indices) == len(receipts)
