"""Count and root of a set of versions: of order independent, of content not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.tally import Tally

VERSIONS = st.lists(st.tuples(st.text(max_size=20), st.sampled_from(
    ["", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01Z"])), unique=True, max_size=12)


def tally(versions: list[tuple[str, str]]) -> Tally:
    found = Tally()
    for stix_id, modified in versions:
        found.add(stix_id, modified)
    return found


@given(VERSIONS, st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(versions: list[tuple[str, str]], chance: object) -> None:
    other = list(versions)
    chance.shuffle(other)  # type: ignore[attr-defined]
    assert tally(versions) == tally(other)


@given(VERSIONS, st.data())
def test_every_version_makes_a_difference(versions: list[tuple[str, str]], data: st.DataObject) -> None:
    if versions:
        at = data.draw(st.integers(0, len(versions) - 1))
        assert tally(versions).root != tally(versions[:at] + versions[at + 1 :]).root


def test_writings_of_one_time_are_one_version() -> None:
    assert tally([("a", "2026-01-01T00:00:05Z")]) == tally([("a", "2026-01-01T00:00:05.000Z")])
    assert tally([("a", "2026-01-01T00:00:05Z")]) != tally([("a", "2026-01-01T00:00:05.5Z")])


def test_a_version_twice_is_not_it_once() -> None:
    assert tally([("a", ""), ("a", "")]).root != tally([("a", "")]).root
    assert tally([]).root != tally([("", "")]).root
