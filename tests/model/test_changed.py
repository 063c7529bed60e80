"""A changed value is what ``dataclasses.replace`` gives."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.feed.page import Page, Place
from exchange.model.changed import changed
from exchange.store.visibility import Reader


@dataclass(frozen=True)
class Kept:
    """A value that keeps something it reckoned."""

    number: int
    name: str = "lorem"

    @cached_property
    def twice(self) -> int:
        return 2 * self.number


@given(st.integers(), st.integers(), st.text())
def test_it_is_as_replace_gives_it_and_the_value_stays(number: int, other: int, name: str) -> None:
    value = Kept(number)
    assert changed(value, number=other, name=name) == replace(value, number=other, name=name)
    assert value == Kept(number)


def test_what_was_reckoned_of_the_former_value_is_reckoned_anew() -> None:
    value = Kept(2)
    assert value.twice == 4
    assert changed(value, number=3).twice == 6


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Kept has no colour"):
        changed(Kept(1), colour="red")


@pytest.mark.parametrize("kind", [Reader, Page, Place])
def test_the_kinds_that_are_changed_with_each_request_can_be(kind: type) -> None:
    """Neither slots nor a ``__post_init__``, which would be passed over."""
    assert not hasattr(kind, "__slots__")
    assert not hasattr(kind, "__post_init__")
    assert fields(kind)
