"""A backup comes back on both engines: what was in it is there, what was erased since isn't, dates don't go back."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from exchange.backup.archive import peek, read_archive
from exchange.backup.restore import Wanted, restore
from exchange.backup.take import DUMP, LEDGER, take
from exchange.cli.main import run
from exchange.errors import InputError, SettingError
from exchange.model.state import State
from exchange.notary.check import verify_store
from exchange.obligations.erasure_list import read_erasures
from exchange.settings import Settings
from exchange.store import migrations
from exchange.store.dumps import is_unfinished, load
from exchange.store.engine import open_engine, read, write
from exchange.store.whole import last_date
from exchange.wiring import prepare
from tests.backup.restored_site import LATER, Site
from tests.obligations.five_members import NOW, indicator


def test_what_was_erased_after_the_backup_does_not_come_back(site: Site) -> None:
    kept, erased = indicator(), indicator(name="Lorem of a person")
    site.members.push("alpha", kept, erased)
    site.members.receive("beta", erased["id"])
    file, _ = site.take()
    later = indicator()
    site.members.push("alpha", later)
    site.members.change(erased["id"], State.ERASED)
    done = site.restore(file)
    assert site.ids() == {kept["id"]}
    assert (done.erased, done.listed, done.read_old) == (1, 1, True)
    assert len(site.members.mailbox("beta")) == 1  # told again: what it was told before isn't in the backup
    assert site.members.push("alpha", erased) == [("refused", "revoked-permanently")]
    assert site.members.push("alpha", later) == [("added", "")]


def test_a_backup_where_the_log_key_is_not_says_so(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.members.exchange.notary.run()
    for setting, value in (("DATABASE_URL", site.settings.database_url), ("LOG_KEY", str(tmp_path / "elsewhere"))):
        monkeypatch.setenv(f"CIBX_{setting}", value)
    assert [run(["backup", str(tmp_path / name), *more]) for name, more in (("a", []), ("b", ["--with-keys"]))] == [0, 3]
    assert capsys.readouterr().err.count(f"Not found: the log key ({tmp_path / 'elsewhere'})") == 2
    monkeypatch.setenv("CIBX_LOG_KEY", site.settings.log_key)
    assert run(["backup", str(tmp_path / "c"), "--with-keys"]) == 0
    assert "Not found" not in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told(site: Site) -> None:
    with pytest.raises(InputError, match=r"can't be written: .*Name a file in a folder where you may write"):
        site.take("b" * 250)  # the scratch folder's name is longer
    assert not [left for left in site.folder.iterdir() if "bbb" in left.name]
    if site.settings.database_url.startswith("sqlite"):
        file, _ = site.take()
        far = Settings(database_url=f"sqlite:///{site.folder / ('c' * 250)}", erasures=str(site.folder / "erasures"))
        with pytest.raises(InputError, match="can't be written"):
            restore(far, Wanted(file, False, True, None), 0)


def test_the_list_alone_is_enough_where_the_old_database_is_gone(site: Site, tmp_path: Path) -> None:
    kept, erased = indicator(), indicator()
    site.members.push("alpha", kept, erased)
    file, _ = site.take()
    site.members.change(erased["id"], State.ERASED)
    if site.settings.database_url.startswith("sqlite"):
        (tmp_path / "new").mkdir()
        elsewhere = replace(site.settings, database_url=f"sqlite:///{tmp_path / 'new' / 'cibx.db'}")
    else:
        site.close()
        engine = open_engine(site.settings.database_url)
        with write(engine) as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        elsewhere = site.settings
    done = site.restore(file, settings=elsewhere, replace=False)
    assert site.ids() == {kept["id"]}
    assert (done.erased, done.read_old) == (1, None)


def test_without_the_list_it_goes_on_only_where_that_is_said(site: Site) -> None:
    one = indicator()
    site.members.push("alpha", one)
    file, _ = site.take()
    site.close()
    bare = replace(site.settings, erasures=str(site.folder / "no-list"))
    with pytest.raises(InputError, match=r"list of erasures is missing.*--without-erasures"):
        restore(bare, Wanted(file, replace=True), LATER)
    assert restore(bare, Wanted(file, replace=True, without_erasures=True), LATER).listed is None


def test_a_list_of_another_exchange_is_refused(site: Site) -> None:
    file, _ = site.take()
    Path(site.settings.erasures).write_text('{"cibx-erasures": 1, "exchange": "identity--other"}\n')
    site.close()
    with pytest.raises(InputError, match="of another exchange"):
        restore(site.settings, Wanted(file, replace=True), LATER)


def test_a_database_with_something_in_it_is_kept_unless_replace_is_said(site: Site) -> None:
    file, _ = site.take()
    one = indicator()
    site.members.push("alpha", one)
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    site.close()
    with pytest.raises(InputError, match=r"isn't empty.*--replace"):
        restore(site.settings, Wanted(file), LATER)
    assert site.ids() == {one["id"]}


def test_a_database_in_use_is_not_replaced(site: Site) -> None:
    one = indicator()
    file, _ = site.take()
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    site.members.push("alpha", one)
    with read(site.members.exchange.engine) as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(InputError, match="is in use"):
            restore(site.settings, Wanted(file, replace=True), LATER)
    assert site.ids() == {one["id"]}


@pytest.mark.parametrize("clock", [LATER, NOW - 10**12])
def test_dates_go_on_after_the_last_that_was_given_out(site: Site, clock: int) -> None:
    first, later, again = indicator(), indicator(), indicator()
    site.members.push("alpha", first)
    file, _ = site.take()
    site.members.now += 60_000_000
    site.members.push("alpha", later)
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    with read(site.members.exchange.engine) as connection:
        given = last_date(connection)
    site.close()
    restore(site.settings, Wanted(file, replace=True), clock)
    site.members.now = clock  # a clock that was set back too
    site.members.push("alpha", again)
    with read(site.members.exchange.engine) as connection:
        dates = connection.execute(text("SELECT seq FROM object WHERE stix_id = :id"), {"id": again["id"]}).scalars().all()
    assert min(dates) > given


def test_the_log_that_was_signed_further_is_told_and_one_that_was_not_goes_on(site: Site) -> None:
    notary = site.members.exchange.notary
    site.members.push("alpha", indicator())
    signed = notary.run().signed
    file, _ = site.take()
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    same = site.restore(file)
    assert same.signed == same.log_size == signed
    site.members.push("alpha", indicator())
    further = site.members.exchange.notary.run().signed
    done = site.restore(file)
    assert (done.signed, done.log_size) == (further, signed)
    site.members.exchange.notary.restart("Dana", "A backup was restored.", "exchange.example/log-2")
    verify_store(site.members.exchange.engine, site.members.exchange.notary.key_file)


def test_deliveries_come_back_with_the_database(site: Site) -> None:
    one = indicator()
    site.members.push("alpha", one)
    site.members.receive("beta", one["id"])
    file, _ = site.take()
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    site.restore(file)
    site.members.change(one["id"], State.ERASED)
    assert len(site.members.mailbox("beta")) == 1  # who received it is still known


@pytest.mark.parametrize("with_keys", [True, False])
def test_keys_are_in_it_only_where_asked_and_never_overwrite(site: Site, tmp_path: Path, with_keys: bool) -> None:
    site.members.push("alpha", indicator())
    site.members.exchange.notary.run()
    file, taken = site.take(with_keys=with_keys)
    key = Path(site.settings.log_key).read_bytes()
    assert (key in file.read_bytes()) == with_keys
    assert bool(taken.left_out) != with_keys
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    elsewhere = tmp_path / "keys" / "log-key"
    elsewhere.parent.mkdir()
    done = site.restore(file, settings=replace(site.settings, log_key=str(elsewhere)))
    assert elsewhere.exists() == with_keys
    assert ("the log key", elsewhere) in done.keys.missing or with_keys
    if with_keys:
        assert elsewhere.read_bytes() == key
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
        elsewhere.write_bytes(b"mine")
        site.close()
        assert restore(site.settings, Wanted(file, replace=True), LATER).keys.put == ()
        assert elsewhere.read_bytes() == b"mine"


def test_a_backup_is_private_and_never_overwrites(site: Site) -> None:
    file, _ = site.take()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(InputError, match="already"):
        site.take()
    assert file.read_bytes() == before
    assert {p.name for p in site.folder.iterdir() if "backup" in p.name} == {"backup"}  # and leaves nothing beside it


def test_a_backup_of_a_newer_schema_is_refused_and_changes_nothing(site: Site) -> None:
    one = indicator()
    site.members.push("alpha", one)
    with write(site.members.exchange.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    file, _ = site.take()
    with write(site.members.exchange.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": migrations.HEAD})
    site.close()
    with pytest.raises(SettingError, match="9999"):
        restore(site.settings, Wanted(file, replace=True), LATER)
    assert site.ids() == {one["id"]}


@pytest.mark.parametrize("harm", ["cut", "changed", "other", "empty"])
def test_a_file_that_is_no_whole_backup_is_refused_and_changes_nothing(site: Site, harm: str) -> None:
    one = indicator()
    site.members.push("alpha", one)
    file, _ = site.take()
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    raw = bytearray(file.read_bytes())
    if harm == "changed":
        raw[-len(raw) // 3] ^= 0xFF
    file.write_bytes({"cut": bytes(raw[: len(raw) // 2]), "changed": bytes(raw), "other": b"x" * 5_000, "empty": b""}[harm])
    site.close()
    with pytest.raises(InputError, match=r"no backup|damaged"):
        restore(site.settings, Wanted(file, replace=True), LATER)
    assert site.ids() == {one["id"]}


def test_members_of_an_archive_do_not_leave_the_folder(site: Site) -> None:
    file, _ = site.take()
    with tarfile.open(file) as whole:
        manifest = json.loads(whole.extractfile("manifest.json").read())  # type: ignore[union-attr]
    manifest["members"] = {"../planted": "0" * 64}
    with tarfile.open(site.folder / "evil", "w") as archive:
        for name, content in (("manifest.json", json.dumps(manifest).encode()), ("../planted", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    site.close()
    with pytest.raises(InputError, match="no backup"):
        restore(site.settings, Wanted(site.folder / "evil", replace=True), LATER)
    assert not (site.folder / "planted").exists()


def test_a_server_does_not_start_on_a_restore_that_was_broken_off(site: Site) -> None:
    with write(site.members.exchange.engine) as connection:
        connection.execute(text("INSERT INTO meta (key, value) VALUES ('restore.unfinished', '1')"))
        assert is_unfinished(connection)
    site.close()
    with pytest.raises(SettingError, match="Run cibx restore again"):
        prepare(site.settings)


def test_the_manifest_says_what_is_in_it(site: Site) -> None:
    site.members.push("alpha", indicator(), indicator())
    file, taken = site.take()
    assert peek(file) == taken.manifest
    assert taken.manifest.made_at == NOW
    assert (LEDGER in taken.manifest.members) == site.settings.database_url.startswith("sqlite")


@pytest.mark.parametrize("revision", ["0001", "0005", "0007"])
def test_a_backup_of_an_older_schema_is_migrated(database_url: str, tmp_path: Path, revision: str) -> None:
    engine = open_engine(database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    settings = Settings(database_url=database_url, erasures=str(tmp_path / "erasures"), log_key=str(tmp_path / "log-key"))
    taken = take(settings, tmp_path / "old", NOW, with_keys=False)
    assert taken.manifest.schema == revision
    restore(settings, Wanted(tmp_path / "old", replace=True, without_erasures=True), LATER)
    with read(engine) as connection:
        assert migrations.current_revision(connection) == migrations.HEAD
        assert not is_unfinished(connection)
    engine.dispose()


@pytest.mark.postgres
def test_tables_that_were_replaced_are_marked_until_the_rest_is_done(postgres_url: str, tmp_path: Path) -> None:
    site = Site(postgres_url, tmp_path)
    one = indicator()
    site.members.push("alpha", one)
    file, _ = site.take()
    site.close()
    (tmp_path / "out").mkdir()
    read_archive(file, tmp_path / "out")
    engine = open_engine(postgres_url)
    load(engine, tmp_path / "out" / DUMP, tmp_path)
    engine.dispose()
    with pytest.raises(SettingError, match="Run cibx restore again"):
        prepare(site.settings)
    site.restore(file, without_erasures=True)
    assert site.ids() == {one["id"]}
    prepare(site.settings)


def test_many_erasures_are_repeated_each_time_and_none_is_forgotten(site: Site) -> None:
    objects = [indicator() for _ in range(30)]
    site.members.push("alpha", *objects)
    site.members.exchange.erasures.begin(site.members.exchange.engine)
    file, _ = site.take()
    for one in objects[::2]:
        site.members.change(one["id"], State.ERASED)
    assert site.restore(file).erased == 15
    assert site.ids() == {one["id"] for one in objects[1::2]}
    assert site.restore(file).erased == 15  # the list stays as it is
    assert len(read_erasures(Path(site.settings.erasures)).erased) == 15
