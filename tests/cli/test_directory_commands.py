"""``cibx apply`` and the single steps, as a person meets them: what they print, leave behind, and refuse."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exchange.cli import apply as apply_command
from exchange.errors import InputError
from exchange.model.credential import verify
from exchange.model.description_tables import TABLES
from exchange.model.party import Directory
from exchange.store.directory import load_directory
from exchange.store.engine import open_engine, read, write

NOW = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture
def cibx(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run one command on an empty database; gives what it printed."""
    monkeypatch.setenv("CIBX_DATABASE_URL", database_url)

    def run(*arguments: str) -> str:
        module = importlib.import_module(f"exchange.cli.{arguments[0]}")
        module.command.main(list(arguments[1:]), standalone_mode=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def example(tmp_path: Path) -> str:
    """The example file."""
    path = tmp_path / "members.toml"
    path.write_text(apply_command.example_text(), encoding="utf-8")
    return str(path)


def directory(url: str) -> Directory:
    engine = open_engine(url)
    with read(engine) as connection:
        loaded = load_directory(connection)
    engine.dispose()
    return loaded


def test_the_example_prints_itself(cibx: Any) -> None:
    assert cibx("apply", "--example") == apply_command.example_text()


def test_the_example_applies_once(cibx: Any, example: str, database_url: str) -> None:
    told = cibx("apply", example)
    assert len(re.findall(r"^\+ ", told, re.M)) == 14
    assert cibx("apply", example) == "Nothing to change.\n"
    assert cibx("apply", example, "--prune") == "Nothing to change.\n"
    assert directory(database_url).version == 2


def test_a_new_secret_is_shown_once_and_works(cibx: Any, example: str, database_url: str) -> None:
    told = cibx("apply", example)
    [token] = re.findall(r"token: (cibx_alpha-feed_\w+)", told)
    [password] = re.findall(r"user: alpha-feed  password: (\w+)", told)
    loaded = directory(database_url)
    assert verify(loaded, None, token, NOW) == verify(loaded, "alpha-feed", password, NOW)
    for command in (
        ("apply", example),
        ("credential", "list"),
        ("credential", "list", "--json"),
        ("org", "show", "org-alpha"),
    ):
        shown = cibx(*command)
        assert password not in shown
        assert loaded.credentials["alpha-feed"].digest not in shown


def test_a_dry_run_prints_and_changes_nothing(cibx: Any, example: str, database_url: str, tmp_path: Path) -> None:
    told = cibx("apply", example, "--dry-run")
    assert told.count("\n+ ") == 13
    assert told.endswith("Dry run: nothing was changed.\n")
    assert "token: " not in told
    assert not list(tmp_path.glob("cibx.db*"))
    cibx("apply", example)
    changed = Path(example).read_text(encoding="utf-8").replace("Alpha Social", "Alpha")
    Path(example).write_text(changed, encoding="utf-8")
    assert cibx("apply", example, "--dry-run").splitlines()[0] == "~ organisation org-alpha: name Alpha Social -> Alpha"
    assert directory(database_url).organisations["org-alpha"].name == "Alpha Social"


def test_a_dry_run_does_not_migrate(cibx: Any, example: str, database_url: str) -> None:
    cibx("apply", example)
    engine = open_engine(database_url)
    with write(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(InputError, match=r"schema 0000.*doesn't migrate"):
        cibx("apply", example, "--dry-run")
    engine.dispose()


def test_two_that_apply_at_once_to_a_new_database_make_one_set_of_secrets(example: str, database_url: str) -> None:
    program = "import sys; from exchange.cli.apply import command; command.main(sys.argv[1:])"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, example],
            env={**os.environ, "CIBX_DATABASE_URL": database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = sorted((process.communicate()[0] for process in both), key=len)
    assert [process.returncode for process in both] == [0, 0]
    assert told[0] == "Nothing to change.\n"
    [token] = re.findall(r"token: (cibx_beta-ana_\w+)", told[1])
    assert verify(directory(database_url), None, token, NOW).id == "beta-ana"


GIVEN = 'purposes = ["cib-detection"]\n'


@pytest.mark.parametrize(
    ("organisation", "agreement", "credential", "warned"),
    [
        ("", GIVEN, "", False),
        ("", None, "", True),
        ("", "", "", True),
        ("", 'purposes = ["account-integrity"]\n', "", True),
        ("", GIVEN + 'status = "suspended"\n', "", True),
        ("", GIVEN + "until = 2020-01-01\n", "", True),
        ("", GIVEN + "since = 9000-01-01\n", "", True),
        ("", None, "revoked = true\n", False),
        ("", None, "until = 2020-01-01\n", False),
        ("", None, 'scopes = ["write"]\n', False),
        ("active = false\n", None, "", False),
    ],
)
def test_a_credential_that_will_see_nothing_of_others_is_named(
    cibx: Any, tmp_path: Path, organisation: str, agreement: str | None, credential: str, warned: bool
) -> None:
    path = tmp_path / "members.toml"
    path.write_text(
        '[[organisation]]\nid = "org-b"\nname = "B"\nkind = "platform"\njurisdiction = "IE"\n' + organisation
        + ("" if agreement is None else f'[[organisation.agreement]]\nid = "base"\n{agreement}')
        + f'[[organisation.credential]]\nid = "b-feed"\npurpose = "cib-detection"\n{credential}'
    )  # fmt: skip
    for more in ((), ("--dry-run",)):
        told = [line for line in cibx("apply", str(path), *more).splitlines() if line.startswith("! ")]
        assert told == [
            "! org-b has a credential (b-feed) for cib-detection but no agreement in force that gives it: it will see"
            " only its own objects and nothing of others."
        ] * warned


def test_a_faulty_file_changes_nothing(cibx: Any, example: str, database_url: str) -> None:
    with open(example, "a", encoding="utf-8") as file:
        file.write('\n[[group]]\nid = "a b"\n[[grup]]\n')
    with pytest.raises(InputError, match="2 faults; nothing was changed"):
        cibx("apply", example)
    assert directory(database_url).version == 1


def test_a_file_from_standard_input_with_a_secret_of_the_environment(
    cibx: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = apply_command.example_text().replace(
        'id = "alpha-feed"', 'id = "alpha-feed"\nsecret_env = "CIBX_SECRET_OF_ALPHA"'
    )
    monkeypatch.setenv("CIBX_SECRET_OF_ALPHA", "a secret of a container")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(described.encode())))
    cibx("apply", "-")
    assert verify(directory(database_url), "alpha-feed", "a secret of a container", NOW).org == "org-alpha"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "can't be read: No such file"),
        (b"id = [", "is not TOML"),
        (b"a = 1\na = 2\n", "is not TOML: Cannot overwrite a value"),
        (b"a = 1\nb = '\xff'", r"is not UTF-8 \(line 2\)"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
    ],
)
def test_an_unreadable_file_is_told(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        apply_command.read_document(str(path))


def test_a_file_that_an_editor_began_with_a_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "members.toml"
    file.write_bytes(b'\xef\xbb\xbf[[group]]\nid = "g"\n')
    assert apply_command.read_document(str(file)) == {"group": [{"id": "g"}]}


@pytest.mark.parametrize("text", ["", "# nothing\n", "organisation = []\n"])
def test_nothing_described_prunes_nothing(text: str, cibx: Any, example: str, database_url: str, tmp_path: Path) -> None:
    cibx("apply", example)
    before = directory(database_url)
    empty = tmp_path / "empty.toml"
    empty.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="describes nothing, and --prune would remove everything"):
        cibx("apply", str(empty), "--prune")
    assert directory(database_url) == before


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        apply_command.read_document(str(tmp_path))


def test_apply_needs_a_file(cibx: Any) -> None:
    with pytest.raises(InputError, match="No file was named"):
        cibx("apply")


def test_the_documentation_names_every_table_and_key() -> None:
    documented = apply_command.__doc__ or ""
    for name, table in TABLES.items():
        [line] = re.findall(rf"\[\[{name}\]\](.*(?:\n {{20,}}.*)*)", documented)
        assert [key for key in table.keys if not re.search(rf"\b{key}\b", line)] == [], name


def test_an_organisation_step_by_step(cibx: Any, database_url: str) -> None:
    assert (
        cibx("org", "add", "org-a", "--name", "A", "--kind", "platform", "--jurisdiction", "IE")
        == "+ organisation org-a: A\n"
    )
    assert cibx("org", "join", "org-a", "desk", "--title", "Desk") == "+ group desk: Desk\n+ membership org-a/desk\n"
    assert cibx("org", "suspend", "org-a") == "~ organisation org-a: active yes -> no\n"
    assert cibx("org", "suspend", "org-a") == "Nothing to change.\n"
    assert cibx("org", "reinstate", "org-a") == "~ organisation org-a: active no -> yes\n"
    assert cibx("org", "leave", "org-a", "desk") == "~ membership org-a/desk: status active -> ended\n"
    assert cibx("org", "join", "org-a", "desk", "--since", "2026-07-01") == (
        "~ membership org-a/desk: since (none) -> 2026-07-01T00:00:00Z, status ended -> active\n"
    )
    assert cibx("agreement", "add", "org-a", "base", "--version", "2", "--purpose", "cib-detection") == "+ agreement org-a/base\n"
    assert cibx("agreement", "end", "org-a", "base", "--until", "2026-12-01") == (
        "~ agreement org-a/base: until (none) -> 2026-12-01T00:00:00Z\n"
    )
    assert cibx("agreement", "end", "org-a", "base") == "~ agreement org-a/base: status active -> ended\n"
    assert json.loads(cibx("agreement", "list", "--org", "org-a", "--json"))[0]["status"] == "ended"
    assert [row["id"] for row in json.loads(cibx("org", "list", "--json"))] == ["org-a"]
    assert json.loads(cibx("org", "show", "org-a"))["memberships"][0]["group"] == "desk"


def test_a_suspension_keeps_what_else_is_known_of_the_organisation(cibx: Any, example: str, database_url: str) -> None:
    cibx("apply", example)
    before = directory(database_url).organisations["org-beta"]
    cibx("org", "suspend", "org-beta")
    cibx("org", "reinstate", "org-beta")
    assert directory(database_url).organisations["org-beta"] == before


def test_a_credential_step_by_step(cibx: Any, database_url: str) -> None:
    cibx("org", "add", "org-a", "--name", "A", "--kind", "platform", "--jurisdiction", "IE")
    tokens = [re.findall(r"token: (\S+)", cibx("credential", "issue", "org-a", "--purpose", "cib-detection"))[0] for _ in range(2)]
    assert [verify(directory(database_url), None, token, NOW).id for token in tokens] == [
        "org-a-1",
        "org-a-2",
    ]
    assert cibx("credential", "revoke", "org-a-1") == "~ credential org-a-1: revoked no -> yes\n"
    assert [row["revoked"] for row in json.loads(cibx("credential", "list", "--json"))] == [True, False]
    with pytest.raises(InputError, match="'org-a-1' already"):
        cibx("credential", "issue", "org-a", "--id", "org-a-1", "--purpose", "cib-detection")


def test_a_collection_step_by_step(cibx: Any) -> None:
    made = cibx(
        "collection",
        "add",
        "c",
        "x",
        "--title",
        "X",
        "--group",
        "g",
        "--reader",
        "g",
        "--writer",
        "*",
        "--default-terms",
        'tlp = "TLP:GREEN"',
    )
    assert made.splitlines()[:2] == ["+ group g: g", "+ community c: c"]
    [row] = json.loads(cibx("collection", "list", "--json"))
    assert (row["alias"], row["readers"], row["writers"], row["default_terms"]) == (
        "x",
        ["g"],
        ["*"],
        {"tlp": "TLP:GREEN"},
    )
    assert cibx("collection", "communities").splitlines()[1].split() == ["c", "c", "g"]
    assert cibx("collection", "list").splitlines()[1].split()[1:] == ["c", "x", "X", "g", "*"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("org", "show", "nobody"), "no organisation 'nobody'.*cibx org list"),
        (("org", "suspend", "nobody"), "no organisation 'nobody'"),
        (("org", "add", "a", "--name", "A", "--kind", "x", "--jurisdiction", "IE"), "'x' is not known here"),
        (("org", "leave", "nobody", "g"), "no organisation 'nobody'"),
        (("agreement", "list", "--org", "nobody"), "no organisation 'nobody'"),
        (("agreement", "end", "nobody", "base"), "no organisation 'nobody'"),
        (("credential", "revoke", "nothing"), "no credential 'nothing'.*cibx credential list"),
        (("credential", "issue", "nobody", "--purpose", "cib-detection"), "no organisation 'nobody'"),
        (("collection", "add", "c", "x", "--title", "X"), "no community 'c'"),
        (
            ("collection", "add", "c", "x", "--title", "X", "--default-terms", "tlp ="),
            "--default-terms is not TOML",
        ),
    ],
)
def test_a_wrong_step_is_refused(cibx: Any, arguments: tuple[str, ...], sentence: str) -> None:
    cibx("org", "add", "org-a", "--name", "A", "--kind", "platform", "--jurisdiction", "IE")
    with pytest.raises(InputError, match=sentence):
        cibx(*arguments)
