"""Texts that are the same, nearly the same, and not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.compare import text
from exchange.matcher.engine import open_engine
from exchange.matcher.values import text_sql

SAID = "the council will close our harbour tonight and nobody asked the people who live there"
WORDS = SAID.split()


def hits(folder: Path, told: list[str], posts: list[tuple[str, str]], cap: int = 400) -> list[tuple[Any, ...]]:
    """(account, told text's place, similarity, holders) of posts (account, text)."""
    with open_engine(folder) as engine:
        engine.run("CREATE TABLE probes (ix INTEGER, how VARCHAR, text VARCHAR, similarity DOUBLE, shared VARCHAR)")
        engine.load("probes", ({"ix": n, "how": "text", "text": t, "similarity": 1.0, "shared": t}
                               for n, t in enumerate(told)))
        engine.run(f"CREATE TABLE kinds AS SELECT 'text' AS kind, {cap} AS cap")
        engine.run("CREATE TABLE written (account_id VARCHAR, text VARCHAR, first_seen BIGINT, last_seen BIGINT)")
        engine.load("written", ({"account_id": a, "text": t, "first_seen": n, "last_seen": n}
                                for n, (a, t) in enumerate(posts)))
        engine.run(f"CREATE VIEW posts AS SELECT account_id, text, {text_sql('text')} AS form, first_seen, last_seen"
                   " FROM written")
        engine.run("CREATE TABLE hits (account_id VARCHAR, ix INTEGER, kind VARCHAR, similarity DOUBLE, local VARCHAR,"
                   " shared VARCHAR, first_seen BIGINT, last_seen BIGINT, holders BIGINT)")
        text.compare(engine)
        return engine.rows("SELECT account_id, ix, round(similarity, 6), holders, first_seen, last_seen FROM hits"
                           " ORDER BY ALL")


def dice(one: str, other: str) -> float:
    """The measure as the module's docstring has it, told in Python."""
    def runs(form: str) -> set[tuple[str, ...]]:
        words = form.split()
        return {tuple(words[n : n + text.RUN]) for n in range(len(words) - text.RUN + 1)}

    here, there = runs(one), runs(other)
    common = len(here & there)
    found = 2 * common / (len(here) + len(there)) if here and there else 0.0
    return found if common >= text.LEAST and found >= text.NEAR else 0.0


def changed(*places: int) -> str:
    return " ".join("otherwise" if n in places else word for n, word in enumerate(WORDS))


@pytest.mark.parametrize(("posted", "similarity"), [
    (SAID, 1.0),
    ("The council will CLOSE our harbour -- tonight; and nobody asked the people who live there!!!", 1.0),
    (changed(0), dice(SAID, changed(0))),
    (changed(5, 12), dice(SAID, changed(5, 12))),
    (f"Hear this: {SAID} #harbour", dice(SAID, f"hear this {SAID} #harbour")),
    (changed(2, 5, 8, 11), None),
    ("the people who live there asked the council", None),
    (" ".join(reversed(WORDS)), None),
])
def test_a_text_is_the_same_nearly_the_same_or_another(tmp_path: Path, posted: str, similarity: float | None) -> None:
    found = [row[2] for row in hits(tmp_path, [SAID], [("a", posted)])]
    assert found == ([] if similarity is None else [round(similarity, 6)])


def test_short_texts_must_be_the_same(tmp_path: Path) -> None:
    told = "close our harbour now"
    assert hits(tmp_path, [told], [("a", "Close our harbour, now!"), ("b", "close our harbour now please")]) == [
        ("a", 0, 1.0, 1, 0, 0)]


def test_an_account_holds_a_text_once_however_often_it_varies_it(tmp_path: Path) -> None:
    posts = [("a", changed(0)), ("a", SAID), ("a", changed(14)), ("b", changed(14))]
    near = round(dice(SAID, changed(14)), 6)
    assert hits(tmp_path, [SAID], posts) == [("a", 0, 1.0, 2, 0, 2), ("b", 0, near, 2, 3, 3)]


def test_everybodys_phrases_make_no_texts_alike(tmp_path: Path) -> None:
    phrase = "i would like to wish you all a very happy new year"
    crowd = [(f"p{n}", f"{phrase} says number {n}") for n in range(9)]
    told = f"{phrase} and vote for the swan"
    assert len(hits(tmp_path, [told], crowd, cap=400)) == 9
    assert hits(tmp_path, [told], crowd, cap=3) == []


@given(st.data())
@settings(max_examples=3, deadline=None)
def test_the_engine_measures_as_the_definition_says(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    few = st.lists(st.sampled_from("abcdef"), min_size=3, max_size=12).map(" ".join)
    told, posted = data.draw(st.lists(few, min_size=10, max_size=25, unique=True)), data.draw(st.lists(few, min_size=10, max_size=40))
    folder = tmp_path_factory.mktemp("texts")
    found = {(account, ix): similarity
             for account, ix, similarity, *_ in hits(folder, told, [(str(n), t) for n, t in enumerate(posted)])}
    expected = {(str(n), ix): 1.0 if t == one else round(dice(one, t), 6)
                for n, t in enumerate(posted) for ix, one in enumerate(told)}
    assert found == {pair: similarity for pair, similarity in expected.items() if similarity}
