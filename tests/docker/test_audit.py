"""What ``.ci/audit`` makes of the tools' reports: nothing that wasn't looked up counts as clean."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_SCRIPT = Path(__file__).parents[2] / ".ci" / "audit"
_BUG = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    loader = SourceFileLoader("audit_script", str(_SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(("packages", "expected"), [
    ([{"name": "lorem", "version": "1", "vulns": []}], (1, 0, [])),
    ([{"name": "lorem", "version": "1", "vulns": [_BUG]}], (1, 0, ["lorem 1: PYSEC-2026-1, mended in 2.0"])),
    ([{"name": "lorem", "skip_reason": "not found"}], (0, 1, [])),
    ([{"name": "lorem", "skip_reason": "not found"}, {"name": "ipsum", "version": "2", "vulns": []}], (1, 1, [])),
    ([], (0, 0, [])),
])
def test_packages_that_were_not_looked_up_are_counted_apart(
    audit: ModuleType, packages: list[dict[str, Any]], expected: tuple[int, int, list[str]]
) -> None:
    assert expected == audit.verdict({"dependencies": packages})


@pytest.mark.parametrize(("answers", "clean", "said"), [
    ({}, True, "This is no pass"),
    ({"pypi": [{"name": "lorem", "skip_reason": "x"}]}, True, "This is no pass"),
    ({"osv": [{"name": "lorem", "version": "1", "vulns": []}]}, True, "(osv): 0 in 1 packages; 0 NOT CHECKED"),
    ({"pypi": [{"name": "lorem", "version": "1", "vulns": [_BUG]}]}, False, "PYSEC-2026-1"),
])
def test_a_service_that_cannot_be_asked_is_no_pass(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answers: dict[str, Any], clean: bool, said: str,
) -> None:
    monkeypatch.setattr(audit, "asked", lambda _tools, service: {"dependencies": answers.get(service, [])})
    assert audit.check_vulnerabilities(Path()) is clean
    assert said in capsys.readouterr().out


def test_sql_counts_everywhere_but_in_the_matcher(audit: ModuleType) -> None:
    found = [{"filename": name, "line_number": 1, "test_id": test, "issue_text": "x"} for name, test in (
        ("exchange/matcher/a.py", "B608"), ("exchange/matcher/a.py", "B301"), ("exchange/store/a.py", "B608"))]
    assert audit.unsafe(found) == ["exchange/matcher/a.py:1 B301 x", "exchange/store/a.py:1 B608 x"]
