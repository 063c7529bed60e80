"""What members send is read in time that grows with its length: no pattern is searched twice over the same text.

Each text here would take hours where time grew with the square of its length; nothing is measured.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.ailab.private import personal_faults
from exchange.errors import ExchangeError
from exchange.feed.interest import interest
from exchange.model.identifiers import account
from exchange.model.identifiers.refang import refang
from exchange.model.personal.scan import scan
from exchange.stix.parse import MAX_VALUES, parse_strict
from exchange.stix.pattern.parser import Limits, parse
from exchange.webhooks.target import check_target

WIDE = Limits(4_000_000, 10, 10)
FOLLOWER = interest({"platform": ["x"]})
HOSTILE: dict[str, Callable[[], object]] = {
    "a string that never ends": lambda: parse_strict(b"[" + b"[]," * 65 + b'"' + b'\\"' * 1_000_000),
    "a string that never ends, flat": lambda: parse_strict(b"," * MAX_VALUES + b'"' + b'\\"' * 1_000_000),
    "a pattern of strings that never end": lambda: parse("'\\" * 500_000, WIDE),
    "a pattern of comments that never end": lambda: parse("/*a" * 300_000, WIDE),
    "a URL of blanks": lambda: FOLLOWER.wants({"type": "url", "value": "http://" + " " * 1_000_000}),
    "a URL of dots": lambda: FOLLOWER.wants({"type": "url", "value": "http://" + "a." * 500_000}),
    "a webhook's address of slashes": lambda: check_target("http://" + "/" * 1_000_000, ()),
    "an address of blanks": lambda: account.place(" " * 1_000_000),
    "blanks before a sign that is spelled": lambda: refang("[" + " " * 100_000 + "x"),
    **{f"a form's text of {sign!r}": lambda sign=sign: scan(sign * 3_000)  # type: ignore[misc]
       for sign in ("\n", "\t", "_", "“", "[ ")},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_in_time_that_grows_with_its_length(name: str) -> None:
    with contextlib.suppress(ExchangeError):
        HOSTILE[name]()


def test_others_have_their_turn_at_every_text_of_a_form() -> None:
    turns: list[None] = []
    list(personal_faults({"a": [{"b": "lorem"}, "ipsum", 5], "c": "dolor"}, lambda: turns.append(None)))
    assert len(turns) >= 3


def _told(raw: bytes) -> str:
    with pytest.raises(ExchangeError) as refused:
        parse_strict(raw)
    return refused.value.what


@pytest.mark.parametrize("one", [b"1", b"[]", b"{}", b'"a,b"', b"null"])
def test_an_object_has_at_most_so_many_values(one: bytes) -> None:
    assert f"more than {MAX_VALUES} values" in _told(b'{"a":[' + b",".join([one] * (MAX_VALUES + 1)) + b"]}")
    fits = MAX_VALUES // 2 - 5
    assert len(parse_strict(b'{"a":[' + b",".join([one] * fits) + b"]}")["a"]) == fits


def test_commas_and_brackets_within_a_text_are_no_values() -> None:
    assert parse_strict(b'{"a":"' + b"[,{" * MAX_VALUES + b'"}') == {"a": "[,{" * MAX_VALUES}


ROOMS = ("audit", "ailab", "feed", "intake", "stix", "web", "webhooks")
"""What members send is read here, besides ``model`` (identifiers of at most 2,048 characters, forms above)."""
USES_RE = {
    "ailab/check.py", "ailab/claims.py", "ailab/fault.py", "ailab/fields.py", "ailab/private.py",
    "ailab/terms.py", "audit/checkpoint.py", "audit/note.py", "audit/tiles.py", "feed/interest.py",
    "feed/query.py", "stix/behaviour.py", "stix/explain.py", "stix/markings.py", "stix/parse.py",
    "stix/pattern/parser.py", "stix/pattern/tokens.py", "stix/pattern/tree.py", "stix/personal.py",
    "stix/redact.py", "stix/timestamp.py", "stix/tlp.py", "stix/validate.py", "web/api/streams.py",
    "web/request_id.py", "web/auth/tokens.py", "web/logs.py", "web/openapi/document.py", "web/taxii/discovery.py",
    "webhooks/target.py",
}
"""Modules whose patterns were looked at one by one, with texts made of their own parts at growing lengths. A new one
belongs here, and a text above, once that was done."""


def test_every_module_with_patterns_on_what_members_send_was_looked_at() -> None:
    home = Path(__file__).parents[1] / "exchange"
    found = {
        str(path.relative_to(home)) for room in ROOMS for path in (home / room).rglob("*.py")
        if any(isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
               for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == USES_RE
