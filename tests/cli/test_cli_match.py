"""``cibx match`` from the command line: results, explanation, and one sentence for what is wrong."""

import json
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.main import run
from exchange.matcher.explain import top_accounts
from exchange.matcher.world import make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), accounts=1_000, seed=3)


@pytest.fixture
def arguments(world, tmp_path):
    return [
        "match",
        "--feed",
        str(world.feed),
        "--entities",
        str(world.folder),
        "--out",
        str(tmp_path / "out"),
        "--at",
        "2026-06-01T00:00:00Z",
        "--threads",
        "1",
        "--memory",
        "500MB",
    ]


def test_a_run_writes_results_and_a_summary(arguments, tmp_path, capsys):
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert "1,000 accounts" in text
    assert "not used: " in text
    assert {
        "accounts.parquet", "actions.parquet", "classes.parquet", "clusters.parquet", "evidence.parquet", "kept",
        "members.duckdb", "memberships.parquet", "report.json", "seeds.parquet", "timeline.parquet",
    } == {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert json.loads((tmp_path / "out" / "report.json").read_bytes())["at"] == 1_780_272_000


def test_an_account_is_explained_afterwards(arguments, tmp_path, capsys):
    run(arguments)
    account, score = top_accounts(tmp_path / "out", 1)[0]
    for more in (
        ["match", "explain", account, "--out", str(tmp_path / "out")],
        ["match", "--explain", account, "--out", str(tmp_path / "out")],
    ):
        capsys.readouterr()
        assert run(more) == 0
        assert f"Account {account}: probability {score:.3f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--feed", "none.json", "The feed none.json can't be read."),
        ("--at", "soon", "--at 'soon' is no moment."),
        ("--entities", "no-folder", "The entities' folder no-folder is not there."),
        ("--memory", "much", "'much' is not a size of memory."),
        ("--weights", "mine", "The weights mine can't be read."),
        ("--mapping", "none.toml", "The mapping file none.toml can't be read."),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(
    arguments, option, value, sentence, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert run([*arguments, option, value]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("files", "code", "left_out"),
    [
        ({}, 0, []),
        ({"notes.csv": b"a,b\n"}, 0, []),
        ({"avatars.csv": b"account_id,picture\n1,x\n"}, 3, ["avatars"]),
        ({"avatars.parquet": b"PAR1 damaged"}, 3, ["avatars"]),
        ({"links.parquet": b"", "handles.parquet": b"x"}, 3, ["links", "handles"]),
    ],
)
def test_a_table_that_is_there_and_left_out_is_told_by_the_exit_code(tmp_path, capsys, files, code, left_out):
    folder = tmp_path / "entities"
    folder.mkdir()
    for name, content in {"accounts.csv": b"account_id,created\n1,0\n", **files}.items():
        (folder / name).write_bytes(content)
    (tmp_path / "feed.json").write_text('{"type": "bundle", "objects": []}')
    given = ["match", "--feed", str(tmp_path / "feed.json"), "--entities", str(folder), "--out", str(tmp_path / "out")]
    assert run(given) == code
    assert json.loads((tmp_path / "out" / "report.json").read_bytes())["tables_left_out"] == left_out
    assert capsys.readouterr().err.count("left out") >= len(left_out)


def test_sources_trusted_to_call_values_benign_are_named_on_the_command_line(arguments, capsys):
    assert run([*arguments, "--allow-from", "identity--x", "--allow-from", "identity--y"]) == 0
    error = capsys.readouterr().err
    assert "--allow-from identity--x: nothing in the feed" in error
    assert "--allow-from identity--y: nothing in the feed" in error


def test_the_help_tells_the_exit_codes(capsys):
    run(["match", "--help"])
    assert "3 done, but an entity table that is there was left out" in " ".join(capsys.readouterr().out.split())


def test_a_missing_option_is_named(capsys):
    assert run(["match", "--feed", "x"]) == 2
    assert "--entities is missing" in capsys.readouterr().err


def test_a_weights_file_of_ones_own_is_used(arguments, tmp_path):
    shipped = Path(__file__).parents[2] / "exchange" / "matcher" / "weights" / "made-5.toml"
    own = tmp_path / "own.toml"
    own.write_text(shipped.read_text().replace('version = "made-5"', 'version = "own-7"'))
    run([*arguments, "--weights", str(own)])
    assert json.loads((tmp_path / "out" / "report.json").read_bytes())["weights"] == "own-7"
