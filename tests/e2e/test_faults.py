"""Kills, full disks, clocks set back, databases that go, lock or break: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from exchange.errors import SettingError
from exchange.settings import Settings
from exchange.wiring import prepare
from tests.e2e.exchange_process import new_database
from tests.e2e.followed_writers import Run, everything
from tests.e2e.http_caller import TAXII, Answer, assert_taxii_error, envelope, parsed, read_answer
from tests.e2e.lasting_consumers import SETTINGS, SHORT_LEASE, Consumers
from tests.e2e.ports import free_port
from tests.e2e.restarted_exchange import PostgresServer, RestartedExchange, own_postgres, postgres_programs
from tests.e2e.stix_objects import indicator
from tests.fakes.webhook_receiver import WebhookReceiver, receiving_webhooks

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
_CLOCK = """
import pathlib, time
real, step = time.time_ns, pathlib.Path({path!r})
time.time_ns = lambda: real() + int(step.read_text()) * 10**9
"""
_IMPATIENT = "import exchange.store.engine as engine\nengine.BUSY_SECONDS = 1\n"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RestartedExchange]:
    """An exchange with members on SQLite, not started."""
    exchange = RestartedExchange(tmp_path, f"sqlite:///{tmp_path / 'cibx.db'}")
    exchange.describe_members()
    yield exchange
    exchange.kill()


@pytest.fixture(params=BOTH)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RestartedExchange]:
    """An exchange with two workers on either engine, not started and without members."""
    url = f"sqlite:///{tmp_path / 'cibx.db'}"
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = new_database(server, f"faults_{random.getrandbits(60):x}")
    exchange = RestartedExchange(tmp_path, url, workers=2)
    yield exchange
    exchange.kill()


def push(exchange: RestartedExchange, key: str = "alpha", count: int = 1) -> Answer:
    """Push some new objects over a new connection."""
    caller = exchange.caller(key)
    answer = caller.push(exchange.lane + "objects/", [indicator() for _ in range(count)])
    caller.close()
    return answer


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving_webhooks() as one:
        yield one


def test_after_kills_all_that_was_acknowledged_is_there_once_and_followers_missed_nothing(
    pair: RestartedExchange, receiver: WebhookReceiver,
) -> None:
    pair.settings, pair.before = SETTINGS, SHORT_LEASE
    pair.describe_members()
    run, consumers = Run(pair, sizes=(1, 40, 300), rest=0.1), Consumers(pair, receiver)
    pair.start()
    try:
        consumers.begin()
        run.begin()
        for pause in (0.4, 0.9):
            time.sleep(pause)
            pair.kill()
            consumers.kill("out" if pause > 0.5 else "jsonl")
            pair.start()
        run.end()
        objects = run.check()
        assert run.check_statuses() > 0
        run.check_events(objects)
        consumers.check([one["id"] for one in everything(pair, "beta")])
    finally:
        consumers.stop()
    assert "is as it was signed" in pair.cibx("audit", "verify").stdout
    assert "Traceback" not in pair.log(), pair.log()[-3_000:]


def test_two_servers_that_start_at_once_on_a_new_database_share_one_order(pair: RestartedExchange) -> None:
    other = RestartedExchange(pair.folder, pair.database_url)
    try:
        for exchange in (pair, other):
            exchange.start(ready=False)
        for exchange in (pair, other):
            exchange.wait_until_ready()
        pair.describe_members()
        statuses = [push(exchange).status for exchange in (pair, other) * 3]
        assert statuses == [202] * 6
        assert everything(pair) == everything(other)
        assert len(everything(pair)) == 6
    finally:
        other.kill()
    assert "Traceback" not in pair.log(), pair.log()[-3_000:]


def test_a_disk_that_fills_gives_507_readers_go_on_and_it_recovers(made: RestartedExchange) -> None:
    made.start()
    assert push(made).status == 202
    assert len(everything(made)) == 1
    elsewhere = made.lane.replace("lane-000", "lane-001") + "objects/"
    made.caller("alpha").push(elsewhere, [indicator()])
    limit_file_size(made, (made.folder / "cibx.db-wal").stat().st_size)
    full = push(made, count=300)
    assert_taxii_error(full, 507)
    assert full.headers["retry-after"]
    assert str(made.folder) not in full.body.decode()
    assert len(everything(made)) == 1
    newcomer = made.caller("beta").get(made.lane + "objects/")
    assert_taxii_error(newcomer, 503)
    assert newcomer.headers["retry-after"]
    stranger = made.caller("gamma").get(elsewhere)  # it read another collection
    assert_taxii_error(stranger, 503)
    assert "new reader of the collection" in stranger.json["description"]
    assert made.caller("gamma").get(made.lane.replace("lane-000", "lane-002") + "objects/").json == {"more": False}
    limit_file_size(made, resource.RLIM_INFINITY)
    assert push(made, count=300).status == 202
    assert len(everything(made, "beta")) == 301


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MB: only root can make one."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=1777", "tmpfs", str(place)],
                          capture_output=True, check=False)
    if made.returncode:
        warnings.warn("No small file system can be mounted here: a disk that is full is only imitated.", stacklevel=1)
        pytest.skip("mount -t tmpfs needs root (CAP_SYS_ADMIN)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("kind", BOTH)
def test_a_disk_without_a_byte_left_gives_507_loses_nothing_and_is_used_again(
    small_disk: Path, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url, folder = f"sqlite:///{small_disk / 'cibx.db'}", small_disk
    if kind == "postgres":
        own = request.getfixturevalue("own_server")  # tables that vanish with the disk let no checkpoint succeed any more
        url, folder = on_small_disk(own.url(), small_disk), tmp_path
    exchange = RestartedExchange(folder, url)
    exchange.describe_members()
    exchange.start()
    run = Run(exchange, sizes=(1, 40), rest=0.1)
    try:
        run.begin()
        while not everything(exchange):  # who never read before can't begin on a full disk
            time.sleep(0.1)
        balloon = fill(small_disk)
        statuses = [push(exchange, count=200).status for _ in range(4)]
        assert 507 in statuses, statuses
        assert set(statuses) <= {202, 503, 507}
        assert len(everything(exchange)) > 0
        balloon.unlink()
        end = time.monotonic() + 60
        while push(exchange).status != 202:
            assert time.monotonic() < end, "it doesn't recover by itself"
        run.end()
        added = run.check()
        assert run.check_statuses() > 0
        run.check_events(added)
        assert "is as it was signed" in exchange.cibx("audit", "verify").stdout
    finally:
        run.stopping.set()
        exchange.kill()
    assert "Traceback" not in exchange.log(), exchange.log()[-3_000:]


def test_a_backup_onto_a_full_disk_says_so_and_leaves_nothing_there(made: RestartedExchange, small_disk: Path) -> None:
    balloon = fill(small_disk)
    told = made.cibx("backup", str(small_disk / "backup"))
    assert told.returncode != 0
    assert "disk" in told.stderr
    assert "full" in told.stderr
    assert "Traceback" not in told.stderr
    assert list(small_disk.iterdir()) == [balloon]


def on_small_disk(server: str, place: Path) -> str:
    """URL of a new database whose tables lie there; PostgreSQL's own log lies elsewhere, as it must never be full."""
    tables = place / "tables"
    tables.mkdir()
    if os.geteuid() == 0:
        shutil.chown(tables, "postgres", "postgres")
    for folder in (place, *place.parents):
        if folder.owner() == "root" and folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    name = f"small_{random.getrandbits(60):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{tables}'".encode())
        connection.execute(f"CREATE DATABASE {name} TABLESPACE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    balloon = place / "balloon"
    with balloon.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return balloon


def limit_file_size(exchange: RestartedExchange, size: int) -> None:
    """No worker may let a file grow beyond ``size``: to it, that is a disk without space."""
    assert exchange.process is not None
    server = exchange.process.pid
    for process in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        resource.prlimit(int(process), resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_clock_set_back_and_forth_keeps_order_cursors_and_statuses(pair: RestartedExchange) -> None:
    step = pair.folder / "step"
    step.write_text("0")
    pair.before = _CLOCK.format(path=str(step))
    pair.describe_members()
    pair.start()
    reader, statuses, dates = pair.caller("gamma"), [], []
    seen: list[str] = []
    last = "1970-01-01T00:00:00Z"
    for seconds in (0, -86_400, -1, -40 * 86_400, 3_000, -7_200, 0):
        step.write_text(str(seconds))
        statuses.append(push(pair, count=3).json)
        token = reader.get(pair.lane + "objects/", {"limit": "1", "added_after": last}).json["next"]
        assert push(pair).status == 202
        page = reader.get(pair.lane + "objects/", {"next": token})
        assert len(page.objects) == 3
        new = reader.get(pair.lane + "manifest/", {"added_after": last})
        assert new.ids[1:] == page.ids
        seen += new.ids
        dates += [record["date_added"] for record in new.objects]
        assert new.last is not None
        last = new.last
    assert dates == sorted(set(dates))
    assert seen == [one["id"] for one in everything(pair)]
    pusher = pair.caller("alpha")
    for status in statuses:
        assert pusher.get(f"/taxii2/lanes/status/{status['id']}/").json == status


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    programs = postgres_programs()
    if programs is None:
        warnings.warn("No PostgreSQL programs found: its faults aren't tested.", stacklevel=1)
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed (Debian: apt-get install postgresql)")
    with own_postgres(programs, options="-c fsync=off") as server:
        yield server


@pytest.mark.postgres
def test_a_database_that_goes_gives_503_and_is_used_again_when_it_is_back(
    own_server: PostgresServer, tmp_path: Path, receiver: WebhookReceiver
) -> None:
    exchange = RestartedExchange(tmp_path, own_server.url(), workers=2, settings=SETTINGS, before=SHORT_LEASE)
    exchange.describe_members()
    exchange.start()
    try:
        run = Run(exchange, sizes=(1, 40), rest=0.1)
        consumers = Consumers(exchange, receiver)
        consumers.begin()
        run.begin()
        for mode in ("fast", "immediate"):
            time.sleep(0.5)
            own_server.stop(mode)
            for _ in range(4):
                away = push(exchange)
                assert_taxii_error(away, 503)
                assert away.headers["retry-after"]
                assert str(own_server.folder) not in away.body.decode()
            assert exchange.ready() == 503
            own_server.start()
        time.sleep(0.5)
        run.end()
        objects = run.check()
        assert run.check_statuses() > 0
        run.check_events(objects)
        consumers.check([one["id"] for one in everything(exchange, "beta")])
    finally:
        consumers.stop()
        exchange.kill()


def test_a_lock_held_elsewhere_stops_writers_with_503_and_readers_not_at_all(pair: RestartedExchange) -> None:
    pair.workers, pair.before = 1, _IMPATIENT
    if not pair.database_url.startswith("sqlite"):
        pair.database_url += "&options=-c%20lock_timeout%3D1s"
    pair.describe_members()
    pair.start()
    assert push(pair).status == 202
    assert len(everything(pair)) == 1
    with held_lock(pair.database_url):
        answers: list[Answer] = []
        writers = [threading.Thread(target=lambda: answers.append(push(pair))) for _ in range(3)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            assert len(everything(pair)) == 1  # the only worker answers readers meanwhile
        for answer in answers:
            assert_taxii_error(answer, 503)
            assert answer.headers["retry-after"]
    assert push(pair).status == 202


def held_lock(url: str) -> psycopg.Connection | sqlite3.Connection:  # type: ignore[type-arg]
    """Another process's connection that holds the lock on which writers wait; leaving its block gives it back."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        return other
    server = psycopg.connect(url)
    server.execute("SELECT last_seq FROM feed FOR UPDATE")
    return server


def test_a_stop_answers_what_is_under_way_and_does_not_wait_for_idle_connections(made: RestartedExchange) -> None:
    made.workers = 2
    made.start()
    idle = made.caller("gamma")
    assert idle.get(made.lane + "objects/").status == 200
    body = envelope([indicator() for _ in range(50)])
    caller = made.caller("alpha")
    with socket.create_connection(("127.0.0.1", made.port), timeout=60) as link:
        link.sendall((
            f"POST {made.lane}objects/ HTTP/1.1\r\nHost: here\r\nAuthorization: {caller.authorization}\r\n"
            f"Accept: {TAXII}\r\nContent-Type: {TAXII}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body[:1000])
        time.sleep(0.3)  # the worker has begun to read
        assert made.process is not None
        made.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        link.sendall(body[1000:])
        assert parsed(read_answer(link)).status == 202
    assert made.process.wait(60) == 0
    assert "Traceback" not in made.log()
    assert "graceful timeout" not in made.log()  # what gunicorn says after waiting in vain
    made.start()
    assert len(everything(made)) == 50


def test_a_stop_tells_streams_to_come_back_and_gives_webhooks_to_others(made: RestartedExchange) -> None:
    made.settings = {"CIBX_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    made.before = "import exchange.web.deliveries as deliveries\ndeliveries._LAST = 0.5\n"
    made.start()
    with socket.create_server(("127.0.0.1", free_port())) as deaf:
        deaf.settimeout(60)
        body = {"collection": made.lane_id, "url": f"http://127.0.0.1:{deaf.getsockname()[1]}/"}
        caller = made.caller("beta")
        hook = caller.post("/api/v1/webhooks", json.dumps(body).encode(), content_type="application/json", accept=None)
        assert hook.status == 201, hook
        assert push(made).status == 202
        held, _ = deaf.accept()  # the message is under way, and nobody answers
        with held, socket.create_connection(("127.0.0.1", made.port), timeout=60) as link:
            link.sendall((f"GET /api/v1/collections/{made.lane_id}/stream HTTP/1.1\r\nHost: here\r\n"
                          f"Authorization: {caller.authorization}\r\n\r\n").encode())
            seen = b""
            while b"event: object" not in seen:
                seen += link.recv(65_536)
            assert made.process is not None
            made.process.send_signal(signal.SIGTERM)
            while part := link.recv(65_536):
                seen += part
            assert b"event: end" in seen
            assert b"come back" in seen
            assert made.process.wait(25) == 0
    with sqlite3.connect(made.folder / "cibx.db") as database:
        (next_at,) = database.execute("SELECT next_at FROM webhook").fetchone()
    assert next_at <= time.time_ns() // 1_000
    assert "Traceback" not in made.log()


def test_a_log_that_breaks_off_after_the_answer_loses_nothing_that_was_answered(
    made: RestartedExchange, tmp_path: Path
) -> None:
    made.start()
    log = tmp_path / "cibx.db-wal"
    whole = [indicator() for _ in range(5)]
    caller = made.caller("alpha")
    assert caller.push(made.lane + "objects/", whole).status == 202
    answered = log.stat().st_size
    assert caller.push(made.lane + "objects/", [indicator() for _ in range(200)]).status == 202
    made.kill()
    size = log.stat().st_size
    assert size > answered, "the log was folded into the file meanwhile"
    chance = random.Random(1)
    for cut in [answered, size, *(chance.randrange(answered, size) for _ in range(6))]:
        copy = tmp_path / f"cut-{cut}"
        copy.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "cibx.db", copy)
        (copy / "cibx.db-wal").write_bytes(log.read_bytes()[:cut])
        prepare(Settings(database_url=f"sqlite:///{copy / 'cibx.db'}"))
        with sqlite3.connect(copy / "cibx.db") as database:
            stored = {row[0] for row in database.execute("SELECT stix_id FROM object")}
            (pushes,) = database.execute("SELECT count(*) FROM event WHERE kind = 'push' AND detail LIKE ?",
                                         (f"%{made.lane_id}%",))  # fmt: skip
        assert {one["id"] for one in whole} <= stored
        others = len([one for one in stored if one.startswith("indicator")]) - len(whole)
        assert (others, pushes[0]) in {(0, 1), (200, 2)}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a database file that was closed cleanly."""
    file = tmp_path_factory.mktemp("sound") / "cibx.db"
    prepare(Settings(database_url=f"sqlite:///{file}"))
    return file.read_bytes()


@pytest.mark.parametrize(
    "breakage",
    [
        pytest.param(lambda content: b"\x07" * len(content), id="no database"),
        pytest.param(lambda content: content[:100], id="only the header"),
        pytest.param(lambda content: content[:8192], id="only the first page"),
        pytest.param(lambda content: content[: len(content) // 2], id="half of it"),
        pytest.param(lambda content: content[:-5000], id="cut within the last page"),
        pytest.param(lambda content: content[:16384] + b"\xff" * 8192 + content[24576:], id="an overwritten page"),
        pytest.param(lambda content: b"\xee" * 100 + content[100:], id="an overwritten header"),
    ],
)
def test_a_broken_file_is_refused_with_one_sentence_and_left_as_it_is(
    sound: bytes, tmp_path: Path, breakage: object
) -> None:
    assert callable(breakage)
    broken = breakage(sound)
    (tmp_path / "cibx.db").write_bytes(broken)
    with pytest.raises(SettingError, match="file is damaged") as refused:
        prepare(Settings(database_url=f"sqlite:///{tmp_path / 'cibx.db'}"))
    assert refused.value.fix
    assert "\n" not in str(refused.value)
    assert (tmp_path / "cibx.db").read_bytes() == broken


def test_a_sound_file_is_taken_and_nothing_is_written_where_nothing_is_new(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "cibx.db").write_bytes(sound)
    prepare(Settings(database_url=f"sqlite:///{tmp_path / 'cibx.db'}"))
    assert (tmp_path / "cibx.db").read_bytes() == sound
