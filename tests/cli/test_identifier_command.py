"""``cibx identifier``: one form, keyed hashes that never show the value, keys that overlap."""

from __future__ import annotations

import hmac
import json
from pathlib import Path

import pytest

from exchange.cli.main import run

KEYS = """
[[key]]
id = "grp-old"
secret = "{old}"
since = 2020-01-01
until = 2999-01-01
[[key]]
id = "grp-new"
secret = "{new}"
since = 2021-01-01
until = 2999-01-01
"""


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.toml"
    path.write_text(KEYS.format(old="ab" * 32, new="cd" * 32), encoding="utf-8")
    return path


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_text_is_read_as_every_kind_that_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identifier", "read", "hxxps://t[.]me/s/Lorem_1"]) == 0
    found = {one["kind"]: one for one in lines(capsys.readouterr().out)}
    assert found["channel"]["canonical"] == "telegram:lorem_1"
    assert found["url"]["pattern"] == "[url:value = 'https://t.me/s/Lorem_1']"
    assert found["url"]["defanged"] == "hxxps[://]t[.]me/s/Lorem_1"


def test_a_host_that_many_share_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identifier", "read", "--kind", "domain", "bit[.]ly"]) == 0
    assert "many unrelated people" in str(lines(capsys.readouterr().out)[0]["nobody"])


def test_what_is_none_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identifier", "read", "--kind", "phone", "030 1234"]) == 1
    assert "country" in capsys.readouterr().err


def test_lines_are_hashed_under_the_newest_key_and_never_shown(
    ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "mail.txt"
    source.write_text("Info[at]Lorem.org\n\nnone of yours\n", encoding="utf-8")
    assert run(["identifier", "hash", "email", str(source), "--keys", str(ring)]) == 3
    shown = capsys.readouterr()
    expected = hmac.digest(bytes.fromhex("cd" * 32), b"cib-norm-1\nemail\nInfo@lorem.org", "sha256").hex()
    assert lines(shown.out) == [
        {"line": 1, "of": "email", "alg": "hmac-sha256", "key_id": "grp-new", "norm": "cib-norm-1", "value": expected},
        {"line": 3, "fault": "no e-mail address"},
    ]
    assert "lorem" not in (shown.out + shown.err).lower()
    assert "yours" not in shown.out + shown.err


def test_to_look_up_all_valid_keys_are_used(ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "phones.txt"
    source.write_text("+44 20 7946 0958\n", encoding="utf-8")
    assert run(["identifier", "hash", "phone", str(source), "--keys", str(ring), "--all-keys"]) == 0
    assert [one["key_id"] for one in lines(capsys.readouterr().out)] == ["grp-new", "grp-old"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hash", "domain"], "no keyed hash stands for"),
        (["hash", "phone", "--fold", "gmail-fold-1"], "no normalisation"),
        (["hash", "lorem"], "no kind of identifier 'lorem'"),
        (["new-key", "a:b"], "key id"),
    ],
)
def test_wrong_arguments_are_told(
    arguments: list[str], told: str, ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()
    more = [str(tmp_path / "empty"), "--keys", str(ring)] if arguments[0] == "hash" else []
    assert run(["identifier", *arguments, *more]) == 2
    assert told in capsys.readouterr().err


def test_a_new_key_makes_a_ring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identifier", "new-key", "grp-2026-q4"]) == 0
    path, source = tmp_path / "ring.toml", tmp_path / "one"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    source.write_text("@lorem\n", encoding="utf-8")
    assert run(["identifier", "hash", "handle", str(source), "--keys", str(path)]) == 0
    assert lines(capsys.readouterr().out)[0]["key_id"] == "grp-2026-q4"


def test_kinds_and_vectors_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identifier", "kinds"]) == 0
    assert "payment-card" in capsys.readouterr().out
    assert run(["identifier", "vectors"]) == 0
    assert len(json.loads(capsys.readouterr().out)["vectors"]) >= 20


def test_a_ring_that_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").touch()
    assert run(["identifier", "hash", "email", str(tmp_path / "empty"), "--keys", str(tmp_path / "none.toml")]) == 2
    assert "can't be read" in capsys.readouterr().err
