"""``cibx match review``, ``refit``, ``replay``, ``drift`` and ``canary``: the whole way from the command line."""

import json
import shutil

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.main import run
from exchange.matcher.explain import top_accounts
from exchange.matcher.world import make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), accounts=600, seed=3)


@pytest.fixture(scope="module")
def matched(world, tmp_path_factory):
    """Runs the matcher on the world; returns the folder of the results."""

    def match(*more):
        out = tmp_path_factory.mktemp("results")
        assert run(["match", "--feed", str(world.feed), "--entities", str(world.folder), "--out", str(out),
                    "--at", "2026-06-01T00:00:00Z", "--threads", "1", *map(str, more)]) == 0
        return out

    return match


@pytest.fixture(scope="module")
def results(matched):
    return matched()


@pytest.fixture(scope="module")
def top(results):
    return [account for account, _ in top_accounts(results, 10)]


def test_the_whole_way_from_a_review_to_a_version_that_knows_it(matched, results, top, tmp_path, capsys):
    book = str(tmp_path / "book")
    assert run(["match", "review", *top[:8], "--overturned", "--reason", "an agency", "--reviewer", "ann",
                "--out", str(results), "--reviews", book]) == 0
    assert "8 reviews are new" in capsys.readouterr().out
    assert run(["match", "refit", "--out", str(results), "--reviews", book, "--to", str(tmp_path / "v.toml")]) == 0
    assert "8 reviews of 1 reviewer(s)" in capsys.readouterr().out
    after = matched("--weights", tmp_path / "v.toml")
    assert not {account for account, score in top_accounts(after, 100) if score >= 0.5} & set(top[:8])
    for arguments, said in (
        (["replay", str(after)], "come out the same, to the last bit"),
        (["replay", "--reviews", book], "8 decisions"),
        (["drift", str(results), str(after)], "cleared"),
        (["canary", str(results), str(after), "--key", str(tmp_path / "key"), "--out", str(tmp_path / "mix")], "decides for"),
    ):
        capsys.readouterr()
        assert run(["match", *arguments]) == 0
        assert said in capsys.readouterr().out


def test_a_run_is_done_again_from_its_inputs(world, results, capsys):
    assert run(["match", "replay", str(results), "--again", "--threads", "1"]) == 0
    assert "are the same, to the last bit" in capsys.readouterr().out


def test_a_candidate_is_tried_on_the_inputs_of_a_past_run(world, results, tmp_path, capsys):
    assert run(["match", "replay", str(results), "--weights", "CANDIDATE", "--threads", "1"]) == 2
    assert "CANDIDATE can't be read" in capsys.readouterr().err
    from exchange.matcher.change.kept import read_kept
    from exchange.matcher.weights_file import write_table

    table = read_kept(results).weights.table
    write_table({**table, "version": "candidate", "prior": {"log_odds": -6.0}}, tmp_path / "c.toml")
    assert run(["match", "replay", str(results), "--weights", str(tmp_path / "c.toml"), "--to", str(tmp_path / "to"),
                "--threads", "1"]) == 0
    assert "to candidate (run" in capsys.readouterr().out
    (out,) = (tmp_path / "to").iterdir()
    assert read_kept(out).weights.version == "candidate"


def test_other_inputs_are_refused(world, results, tmp_path, capsys):
    feed = tmp_path / "feed.json"
    feed.write_text(json.dumps({"type": "bundle", "objects": [{"type": "identity", "id": "identity--x"}]}))
    assert run(["match", "replay", str(results), "--feed", str(feed), "--entities", str(world.folder)]) == 2
    assert "not that of the run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv"])
def test_reviews_come_from_a_file_and_wrong_lines_are_told(results, top, tmp_path, capsys, name):
    rows = [(top[0], "overturned", "p1"), (top[1], "confirmed", "p2"), ("nobody", "overturned", ""), (top[2], "maybe", "")]
    lines = [json.dumps({"account": a, "verdict": v, "reviewer": r, "reason": "x"}) for a, v, r in rows] + ["nonsense"]
    if name.endswith("csv"):
        lines = ["account,verdict,reviewer,reason", *(f"{a},{v},{r},x" for a, v, r in rows), ",,,"]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    arguments = ["match", "review", "--out", str(results), "--reviews", str(tmp_path / "book"), "--file", str(tmp_path / name)]
    assert run(arguments) == 3
    said = capsys.readouterr()
    assert "2 reviews are new" in said.out
    assert len(said.err.splitlines()) == 3
    assert "maybe" in said.err
    assert run(arguments) == 3
    assert "0 reviews are new, 2 stood already" in capsys.readouterr().out
    assert run(["match", "review", "--reviews", str(tmp_path / "book"), "--list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["account"], row["verdict"], row["reviewer"]) for row in listed] == [
        (top[0], "overturned", "p1"), (top[1], "confirmed", "p2")]
    assert run(["match", "review", "--reviews", str(tmp_path / "book"), "--withdraw", listed[0]["id"]]) == 0
    assert "1 review is withdrawn" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "said"), [
    (["review", "1"], "--reviews is missing"),
    (["review", "--out", "OUT"], "Name accounts"),
    (["review", "1", "--out", "OUT"], "--confirmed or --overturned"),
    (["review", "1", "--confirmed", "--overturned", "--out", "OUT"], "--confirmed or --overturned"),
    (["review", "1", "--confirmed", "--verdict", "overturned", "--out", "OUT"], "--confirmed or --overturned"),
    (["review", "nobody", "--overturned", "--out", "OUT"], "there is no account nobody"),
    (["review", "1", "--overturned", "--out", "NONE"], "keeps no run"),
    (["refit", "--out", "NONE"], "keeps no run"),
    (["refit", "--out", "OUT", "--at", "never"], "is no moment"),
    (["replay"], "Name results"),
    (["replay", "OUT", "--feed", __file__ + ".none"], "is no file that is still there"),
    (["drift", "OUT", "NONE"], "keeps no run"),
])
def test_what_is_wrong_is_one_sentence_and_exit_code_2(results, tmp_path, capsys, arguments, said):
    places = {"OUT": str(results), "NONE": str(tmp_path)}
    assert run(["match", *(places.get(one, one) for one in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_a_refit_without_reviews_writes_the_same_weights(results, tmp_path, capsys):
    assert run(["match", "refit", "--out", str(results), "--reviews", str(tmp_path), "--to", str(tmp_path / "v.toml")]) == 0
    assert "holds the same weights" in capsys.readouterr().out
    from exchange.matcher.change.kept import read_kept
    from exchange.matcher.weighing import load_weights

    assert load_weights(tmp_path / "v.toml") == read_kept(results).weights


@pytest.mark.parametrize(("file", "arguments"), [
    ("accounts.parquet", ["explain", "1", "--out", "OUT"]),
    ("accounts.parquet", ["drift", "OUT", "OUT"]),
    ("accounts.parquet", ["replay", "OUT"]),
    ("evidence.parquet", ["--out", "OUT", "--cases", "CASES"]),
    ("report.json", ["--out", "OUT", "--cases", "CASES"]),
])
def test_a_damaged_file_of_results_is_a_sentence(results, tmp_path, capsys, file, arguments):
    out = tmp_path / "out"
    shutil.copytree(results, out)
    (out / file).write_bytes((out / file).read_bytes()[:40])
    places = {"OUT": str(out), "CASES": str(tmp_path / "cases")}
    assert run(["match", *(places.get(one, one) for one in arguments)]) == 2
    told = capsys.readouterr().err
    assert "A file of the results can't be read" in told
    assert "again" in told
