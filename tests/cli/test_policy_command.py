"""cibx policy: one facts object or a list, from a file or standard input; bad input is one sentence and exit 2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exchange.cli import main as cibx
from exchange.policy.check import case_facts
from exchange.policy.packs import load


def _facts(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(case_facts(load().base_case, {"set": changes}, "test"))


def _cibx(*arguments: str, text: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one call."""
    with CliRunner().isolation(input=text) as (out, err, _):
        code = cibx.run(["policy", *arguments])
        return code, out.getvalue().decode(), err.getvalue().decode()


def _run(text: str) -> tuple[int, str, str]:
    return _cibx("decide", "--facts", "-", text=text)


def test_one_object_gives_one_decision() -> None:
    code, out, _ = _run(json.dumps(_facts()))
    given = json.loads(out)
    assert (code, given["decision"], given["reasons"], given["redact"]) == (0, "allow", [], [])
    assert given["policy_version"] == load().digest


def test_a_denial_is_explained_and_no_failure() -> None:
    code, out, _ = _run(json.dumps(_facts(actor={"org": "org-x"})))
    given = json.loads(out)
    assert (code, given["decision"], given["visible_error"]) == (0, "deny", "absent")
    assert {"rule", "title", "code", "citation", "found", "needed"} == set(given["explain"][0])


def test_a_list_gives_a_list_in_order(tmp_path: Path) -> None:
    source = tmp_path / "facts.json"
    source.write_text(json.dumps([_facts(), _facts(actor={"org": "org-x"})]))
    _, out, _ = _cibx("decide", "--facts", str(source))
    assert [given["decision"] for given in json.loads(out)] == ["allow", "deny"]


def test_a_bad_entry_of_a_list_is_named_and_the_others_are_decided() -> None:
    code, out, err = _run(json.dumps([_facts(), {"at": "noon"}]))
    assert code == 2
    assert [given["decision"] for given in json.loads(out)] == ["allow", "deny"]
    assert err.startswith("cibx: Entry 2 of 2: ")


UNREADABLE = [
    ("{", "is not JSON"), ("[" * 100_000, "nested too deeply"), ('{"at": "x", "at": "y"}', "given twice"),
]
BAD = [
    (json.dumps({}), "at is missing"),
    (json.dumps(_facts(action="steal")), "action: 'steal' is not one of pull"),
    (json.dumps(_facts(at="tomorrow")), "at: 'tomorrow' is not a time"),
    (json.dumps(_facts(**{"object.lifee": {}})), "object.lifee is not a known fact"),
    (json.dumps(_facts(**{"actor.groups": "circle"})), "actor.groups: 'circle' is not a list"),
    (json.dumps(_facts(**{"object.life.revoked": "no"})), "object.life.revoked: 'no' is not true or false"),
    (json.dumps(_facts(action="act", **{"request.act": "explode"})), "request.act: 'explode' is not one of passive"),
    (json.dumps(_facts(**{"object.counts": {"accounts": float("nan")}})), "object.counts.accounts: nan is not a number"),
    (json.dumps(_facts(**{"object.retention_max_days": float("inf")})), "retention_max_days: inf is not a number"),
    (json.dumps(_facts(**{"request.purpose": "\ud800"})), "request.purpose: '\\ud800' is not a text of Unicode"),
    ("3", "The facts: 3 is not a table"),
]


@pytest.mark.parametrize(("text", "words"), [*UNREADABLE, *BAD], ids=[words for _, words in [*UNREADABLE, *BAD]])
def test_bad_facts_are_one_sentence(text: str, words: str) -> None:
    code, _, err = _run(text)
    assert code == 2
    assert words in err
    assert err.startswith("cibx: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("text", [text for text, _ in BAD], ids=[words for _, words in BAD])
def test_bad_facts_are_denied(text: str) -> None:
    decision = json.loads(_run(text)[1])
    assert (decision["decision"], decision["reasons"]) == ("deny", ["facts-invalid"])


@pytest.mark.parametrize("text", [text for text, _ in UNREADABLE], ids=[words for _, words in UNREADABLE])
def test_what_is_no_json_has_no_decision(text: str) -> None:
    assert _run(text)[1] == ""


def test_a_missing_file_is_one_sentence() -> None:
    code, out, err = _cibx("decide", "--facts", "no-such-file")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("cibx: no-such-file can't be read")


def test_check_runs_the_cases_of_all_packs() -> None:
    code, out, _ = _cibx("check")
    assert code == 0
    assert "0 wrong" in out


def test_a_broken_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text("x = [")
    code, _, err = _cibx("check", "--policies", str(tmp_path))
    assert code == 2
    assert err.startswith("cibx: ")
    assert "odd.toml" in err


def test_the_example_is_decided_as_it_stands(tmp_path: Path) -> None:
    code, printed, _ = _cibx("decide", "--example")
    file = tmp_path / "facts.json"
    file.write_text(printed, encoding="utf-8")
    decided, out, err = _cibx("decide", "--facts", str(file))
    assert (code, decided, json.loads(out)["decision"], err) == (0, 0, "allow", "")


def test_no_facts_are_asked_for() -> None:
    code, _, err = _cibx("decide")
    assert (code, err.strip()) == (2, "cibx: No facts were given. Name a file with --facts, or print one with --example.")
