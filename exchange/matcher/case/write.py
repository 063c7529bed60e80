"""Writes the cases of a run: a JSON file and a page for each cluster, and a page that lists them."""

from __future__ import annotations

from pathlib import Path

import orjson

from exchange.errors import InputError
from exchange.matcher.action.pack import ActionPack
from exchange.matcher.case.material import Case
from exchange.matcher.case.page import case_page, index_page
from exchange.matcher.case.read import read_cases

INDEX = "index.html"


def write_cases(out: Path, folder: Path, pack: ActionPack) -> int:
    """Write all cases of the results in ``out`` into ``folder``; returns how many.

    Each file is written whole under another name first. Raises InputError where there are no results or the folder
    can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} can't be made.", why=f"{error.strerror}.") from error
    listed: list[tuple[str, Case]] = []
    for case in read_cases(out, pack):
        _write(folder / f"{case.name}.json", orjson.dumps(case.as_json(), option=orjson.OPT_INDENT_2))
        _write(folder / f"{case.name}.html", case_page(case, pack).encode())
        listed.append((f"{case.name}.html", case))
    listed.sort(key=lambda item: (-item[1].likely, -item[1].reach, item[0]))
    _write(folder / INDEX, index_page(listed).encode())
    return len(listed)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
