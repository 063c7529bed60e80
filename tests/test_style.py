"""House style over all files: sizes, words that give away a machine, settings that nobody explained."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from exchange.settings import Settings

PROJECT = Path(__file__).parents[1]
MOST_LINES_IN_FILE = 600
MOST_LINES_IN_FUNCTION = 80
MOST_BROAD_EXCEPTS = 5
SOURCE_ROOMS = ("exchange", "connectors", "policies")
# Written in halves, so that this file holds none of them.
GIVEAWAYS = re.compile("|".join((
    "pythonho" r"sted\.org", "py" r"pi\.org/simple", r"registry\.np" "mjs", r"deb\.deb" "ian",
    "/wo" r"rk/(main|shared|steering|\.lib)", "/fa" "rm/", "/ro" r"ot/\.pyenv", "/tm" "p/venv",
)))
IMAGE_SUFFIXES = {".png", ".jpg", ".parquet"}


def project_files() -> list[Path]:
    """Every file of the project: those git knows, else (an unpacked archive) those that are there."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False)
    if found.returncode == 0 and found.stdout:
        named = [PROJECT / name for name in found.stdout.decode().split("\0") if name]
        return [path for path in named if path.is_file()]
    skipped = {".git", ".venv", "build", "__pycache__"}
    return [path for path in PROJECT.rglob("*")
            if path.is_file() and not skipped & set(path.relative_to(PROJECT).parts[:-1])
            and not any(part.endswith(("_cache", ".egg-info")) for part in path.parts)]


def python_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py"]


def source_files() -> list[Path]:
    return [path for path in python_files() if path.relative_to(PROJECT).parts[0] in SOURCE_ROOMS]


def shown(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length_without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documentation = ast.get_docstring(node, clean=False) or ""
    return (node.end_lineno or node.lineno) - node.lineno + 1 - documentation.count("\n")


def test_no_file_is_longer_than_600_lines() -> None:
    lengths = {shown(path): path.read_text(encoding="utf-8").count("\n") for path in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_IN_FILE} == {}


def test_no_function_is_longer_than_80_lines() -> None:
    lengths = {f"{shown(path)}:{node.lineno} {node.name}": length_without_docstring(node)
               for path in python_files() for node in functions(path)}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_IN_FUNCTION} == {}


def test_every_module_says_what_it_knows() -> None:
    silent = [shown(path) for path in source_files()
              if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
              and "versions" not in path.parts]
    assert silent == []


def test_broad_excepts_are_few_and_give_a_reason() -> None:
    broad = [f"{shown(path)}:{number}" for path in source_files()
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
             if re.match(r"\s*except( \(?(Base)?Exception\b.*)?:", line)]
    unexplained = [place for place in broad if not has_reason(place)]
    assert unexplained == []
    assert len(broad) <= MOST_BROAD_EXCEPTS, broad


def has_reason(place: str) -> bool:
    name, _, number = place.rpartition(":")
    line = (PROJECT / name).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    return re.search(r"# (noqa: BLE001 - )?(?!noqa)\w+", line) is not None


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [f"{shown(path)}: {match.group()}" for path in project_files()
             if path.suffix not in IMAGE_SUFFIXES
             for match in GIVEAWAYS.finditer(path.read_text(encoding="utf-8", errors="replace"))]
    assert found == []


def setting_documentation() -> dict[str, str]:
    """Field of Settings to the text that stands under it."""
    tree = ast.parse((PROJECT / "exchange" / "settings.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    return {
        first.target.id: second.value.value
        for first, second in pairwise(body)
        if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name)
        and isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
        and isinstance(second.value.value, str)
    }


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_setting_is_explained_in_the_code_and_in_the_readme(name: str) -> None:
    assert setting_documentation().get(name, "").endswith(".")
    assert f"| `CIBX_{name.upper()}` |" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_readme_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"`CIBX_([A-Z_]+)`", (PROJECT / "README.md").read_text(encoding="utf-8")))
    assert named <= {field.name.upper() for field in fields(Settings)}


def run_at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that happen while a module is imported: everything but the bodies of functions."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        inner = node.decorator_list if isinstance(node, ast.FunctionDef) else ast.iter_child_nodes(node)
        waiting.extend(inner if not isinstance(node, ast.Lambda) else ())


def test_names_of_tests_hang_on_no_clock_and_no_chance() -> None:
    """Two workers of pytest-xdist that collect other names run nothing at all; gzip writes the second into its header."""
    chance = {"uuid4", "token_hex", "token_bytes", "token_urlsafe", "urandom", "now", "utcnow", "monotonic", "time"}
    found = [
        f"{shown(path)}:{call.lineno}: {name}"
        for path in python_files() if path.relative_to(PROJECT).parts[0] == "tests" and path.name.startswith("test_")
        for call in run_at_import(ast.parse(path.read_text(encoding="utf-8")))
        if (name := ast.unparse(call.func)).rpartition(".")[2] in chance
        or (name == "gzip.compress" and "mtime" not in {word.arg for word in call.keywords})
    ]
    assert found == []
