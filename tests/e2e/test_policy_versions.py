"""The policy in stages on a serving exchange: what decides for whom, who may change it, what is taken back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import policies
from exchange.policy.check import run_cases
from exchange.policy.packs import load
from tests.e2e.cibx_here import cibx_here
from tests.e2e.members import SECRETS, environment_name
from tests.e2e.restarted_exchange import RestartedExchange
from tests.e2e.stix_objects import TLP, handling, indicator

SHIPPED = Path(policies.__file__).parent
BY_ANA, BY_BEN = ("--by", "Ana", "--why", "a test"), ("--by", "Ben", "--why", "a test")
LATER = """
import time
_real = time.time_ns
time.time_ns = lambda: _real() + {days} * 86_400_000_000_000
"""
"""Statements that set a process's clock on."""


def candidate(folder: Path, name: str, *changes: tuple[str, str, str]) -> Path:
    """The shipped packs with texts replaced: (file, old, new)."""
    made = folder / name
    shutil.copytree(SHIPPED, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file, old, new in changes:
        text = (made / file).read_text(encoding="utf-8")
        assert old in text, (file, old)
        (made / file).write_text(text.replace(old, new), encoding="utf-8")
    return made


def without_wrong_cases(folder: Path) -> Path:
    """Leave out the cases that the changed packs decide otherwise."""
    wrong = [(one.file, one.name) for one in run_cases(load(folder)) if one.fault]
    for file, name in wrong:
        head, *cases = (folder / file).read_text(encoding="utf-8").split("[[cases]]")
        kept = [case for case in cases if f'name = "{name}"' not in case]
        assert len(kept) == len(cases) - 1, (file, name)
        (folder / file).write_text("[[cases]]".join([head, *kept]), encoding="utf-8")
    return folder


def narrower(folder: Path) -> Path:
    """Legitimate interests need a record of consent too."""
    return without_wrong_cases(candidate(folder, "narrower", NARROW))


NARROW = ("lawful_bases/eu_gdpr.toml", 'evidence = ["lia"]', 'evidence = ["lia", "consent"]')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartedExchange]:
    folder = tmp_path_factory.mktemp("versions")
    exchange = RestartedExchange(folder, f"sqlite:///{folder / 'cibx.db'}", workers=2)
    exchange.describe_members()
    exchange.start()
    yield exchange
    exchange.kill()


def cibx(exchange: RestartedExchange, *arguments: str, days: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, on a day in the future where ``days`` says so."""
    environment = exchange.environment | {environment_name(key): secret for key, secret in SECRETS.items()}
    if not days:
        return cibx_here(arguments, environment, exchange.folder)
    return subprocess.run(
        [sys.executable, "-c", LATER.format(days=days) + "from exchange.cli.main import main; main()", *arguments],
        env=environment, cwd=exchange.folder, capture_output=True, text=True, check=False, timeout=90,
    )


def done(exchange: RestartedExchange, *arguments: str, days: int = 0) -> str:
    ran = cibx(exchange, *arguments, days=days)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def refused(exchange: RestartedExchange, *arguments: str, days: int = 0) -> str:
    ran = cibx(exchange, *arguments, days=days)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.startswith("cibx: ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def proposed(exchange: RestartedExchange, folder: Path, by: tuple[str, ...] = BY_ANA) -> str:
    return done(exchange, "policy", "propose", str(folder), *by).split()[1]


def active(exchange: RestartedExchange) -> str:
    rows = json.loads(done(exchange, "policy", "versions", "--json"))
    (found,) = [row["digest"] for row in rows if row["stage"] == "active"]
    return str(found)


def personal(word: str) -> list[dict[str, Any]]:
    """An indicator that holds personal data on the ground of legitimate interests."""
    marking = handling(word, data={"personal": "yes", "categories": ["Username"]})
    return [marking, indicator(word, object_marking_refs=[TLP["GREEN"], marking["id"]])]


def test_a_narrowing_comes_into_force_at_once_and_its_rollback_is_a_widening(
    served: RestartedExchange, tmp_path: Path
) -> None:
    first = active(served)
    objects = personal("narrowed")
    alpha, beta = served.caller("alpha"), served.caller("beta")
    pushed = alpha.push(served.lane + "objects/", objects)
    assert [f["message"] for f in pushed.json.get("failures", [])] == []
    path = f"{served.lane}objects/{objects[1]['id']}/"
    assert beta.get(path).status == 200
    folder = narrower(tmp_path)
    dry = cibx(served, "policy", "diff", str(folder), "--json")
    assert dry.returncode == 1, dry.stderr
    told = {one["org"]: one for one in json.loads(dry.stdout)["organisations"]}
    assert told["org-beta"]["lost"] >= 1
    assert told["org-beta"]["gained"] == 0
    assert objects[1]["id"] in told["org-beta"]["samples"]["lost"]
    assert "consent-record-missing" in told["org-beta"]["reasons"]
    assert beta.get(path).status == 200, "a dry run changes nothing"
    version = proposed(served, folder)
    assert beta.get(path).status == 200, "a draft decides nothing"
    done(served, "policy", "activate", version, *BY_ANA)
    assert beta.get(path).status == 404
    plain = indicator("pushed while it was narrow")
    alpha.push(served.lane + "objects/", [plain])
    beta_place, gamma_place = (served.caller(key).get(served.lane + "objects/").last for key in ("beta", "gamma"))
    assert beta_place == gamma_place == alpha.get(served.lane + "objects/").last
    assert active(served).startswith(version)
    refusal = served.caller("alpha").push(served.lane + "objects/", personal("refused"))
    assert "consent-record-missing" in refusal.json["failures"][0]["message"]
    assert "widening" in refused(served, "policy", "rollback", *BY_BEN)
    assert beta.get(path).status == 404
    # back: a widening of the narrowed version, by two people and after the shadow period
    done(served, "policy", "propose", *BY_ANA)
    assert "was not in shadow" in refused(served, "policy", "activate", first[:12], *BY_BEN)
    done(served, "policy", "shadow", first[:12], *BY_ANA)
    assert beta.get(path).status == 404, "a version in shadow decides nothing"
    assert "gained" in done(served, "policy", "show", first[:12])
    assert "another person" in refused(served, "policy", "activate", first[:12], "--by", " ANA ", "--why", "x", days=8)
    assert "to go" in refused(served, "policy", "activate", first[:12], *BY_BEN, days=6)
    assert "to go" in refused(served, "policy", "canary", first[:12], "--org", "org-beta", *BY_BEN, days=6)
    done(served, "policy", "canary", first[:12], "--org", "org-beta", *BY_BEN, days=8)
    assert beta.get(path).status == 200
    assert served.caller("gamma").get(path).status == 404
    came = beta.get(served.lane + "objects/", {"added_after": str(beta_place)})
    assert came.ids == [one["id"] for one in objects], "what a follower had passed comes now"
    done(served, "policy", "activate", first[:12], *BY_BEN, days=8)
    assert served.caller("gamma").get(path).status == 200
    assert active(served) == first
    assert served.caller("gamma").get(served.lane + "objects/", {"added_after": str(gamma_place)}).ids == came.ids
    assert beta.get(served.lane + "objects/", {"added_after": str(came.last)}).ids == [], "once"


def test_rolling_a_widening_back_recalls_what_was_pulled_in_between(tmp_path: Path) -> None:
    exchange = RestartedExchange(tmp_path, f"sqlite:///{tmp_path / 'cibx.db'}", settings={
        "CIBX_POLICIES": str(narrower(tmp_path))})
    exchange.describe_members()
    exchange.start()
    try:
        alpha, beta = exchange.caller("alpha"), exchange.caller("beta")
        plain = indicator("plain")
        alpha.push(exchange.lane + "objects/", [plain])
        wide = done(exchange, "policy", "propose", str(SHIPPED), *BY_ANA).split()[1]
        done(exchange, "policy", "shadow", wide, *BY_ANA)
        done(exchange, "policy", "activate", wide, *BY_BEN, days=8)
        objects = personal("recalled")
        pushed = alpha.push(exchange.lane + "objects/", objects)
        assert [f["message"] for f in pushed.json.get("failures", [])] == []
        assert objects[1]["id"] in beta.get(exchange.lane + "objects/").ids
        told = done(exchange, "policy", "rollback", *BY_ANA, days=9)
        assert "sent a recall" in told
        assert objects[1]["id"] not in beta.get(exchange.lane + "objects/").ids
        assert plain["id"] in beta.get(exchange.lane + "objects/").ids
    finally:
        exchange.kill()


BROKEN = {
    "no TOML": ("tlp.toml", "[pack]", "[pack"),
    "an empty list": ("purposes.toml", "[[purpose]]", "[[purposes]]"),
    "an unknown key": ("pap.toml", "[[pap]]", "[[pap]]\nfavourite = 1"),
    "nested too deeply": ("pap.toml", "[pack]", f"x = {'[' * 5_000}\n[pack]"),
    "a case that fails": ("tlp.toml", 'decision = "deny"', 'decision = "allow"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_candidate_gets_a_sentence_and_changes_nothing(
    served: RestartedExchange, tmp_path: Path, name: str
) -> None:
    before = done(served, "policy", "versions", "--json")
    folder = candidate(tmp_path, "broken", BROKEN[name])
    refused(served, "policy", "propose", str(folder), *BY_ANA)
    if name != "a case that fails":
        refused(served, "policy", "diff", str(folder))
    assert done(served, "policy", "versions", "--json") == before


def test_what_is_not_utf8_or_no_folder_is_refused(served: RestartedExchange, tmp_path: Path) -> None:
    folder = candidate(tmp_path, "latin")
    (folder / "tlp.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(served, "policy", "propose", str(folder), *BY_ANA)
    assert "no folder" in refused(served, "policy", "propose", str(tmp_path / "nowhere"), *BY_ANA)
    assert "no policy version" in refused(served, "policy", "shadow", "abcdef0123", *BY_ANA)


def test_a_folder_that_differs_is_told_at_the_start_and_decides_nothing(tmp_path: Path) -> None:
    exchange = RestartedExchange(tmp_path, f"sqlite:///{tmp_path / 'cibx.db'}")
    exchange.describe_members()
    exchange.start()
    exchange.kill()
    exchange.settings = {"CIBX_POLICIES": str(narrower(tmp_path))}
    exchange.start()
    try:
        assert "cibx policy propose" in exchange.log()
        objects = personal("unchanged")
        exchange.caller("alpha").push(exchange.lane + "objects/", objects)
        assert objects[1]["id"] in exchange.caller("beta").get(exchange.lane + "objects/").ids
    finally:
        exchange.kill()


def test_a_membership_is_tried_before_it_is_changed(served: RestartedExchange, tmp_path: Path) -> None:
    marking = handling("for inner", audience={"sharing_groups": ["inner"]})
    one = indicator("for inner", object_marking_refs=[TLP["AMBER"], marking["id"]])
    served.caller("alpha").push(served.lane + "objects/", [marking, one])
    described = tmp_path / "change.toml"
    described.write_text('[[membership]]\norg = "org-gamma"\ngroup = "inner"\n'
                         '[[membership]]\norg = "org-beta"\ngroup = "inner"\nstatus = "ended"\n')
    ran = cibx(served, "policy", "diff", "--directory", str(described), "--json")
    assert ran.returncode == 1, ran.stderr
    told = {row["org"]: row for row in json.loads(ran.stdout)["organisations"]}
    assert set(told) == {"org-beta", "org-gamma"}
    assert one["id"] in told["org-gamma"]["samples"]["gained"]
    assert one["id"] in told["org-beta"]["samples"]["lost"]
    assert "tlp-amber" in told["org-gamma"]["reasons"]
    nothing = tmp_path / "nothing.toml"
    nothing.write_text('[[membership]]\norg = "org-beta"\ngroup = "inner"\n')
    assert cibx(served, "policy", "diff", "--directory", str(nothing)).returncode == 0
    assert served.caller("gamma").get(f"{served.lane}objects/{one['id']}/").status == 404
