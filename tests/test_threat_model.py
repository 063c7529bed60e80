"""The threat model names tests that are there, and leaves none of the rooms of attack without one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / ".decisions" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TEXT)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_threat_model_names_exists(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert not function or function in found
    assert any(one.startswith("test_") for one in found)


def test_every_threat_has_a_test_and_every_actor_a_residual_risk() -> None:
    rows = [row for row in re.findall(r"^\|.+\|$", TEXT, re.MULTILINE) if not re.match(r"\|(?:-|.*shown by)", row)]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row] == []
    parts = [part for part in TEXT.split("\n## ") if "|---|" in part]
    assert len(parts) == 6
    assert [part.splitlines()[0] for part in parts if "\nStays: " not in part] == []
