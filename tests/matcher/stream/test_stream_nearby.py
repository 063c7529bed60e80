"""Likeness in memory finds exactly what the definition says."""

from __future__ import annotations

import random

import pytest

from exchange.matcher.compare.picture import RADIUS
from exchange.matcher.stream.nearby import Pictures, Texts
from exchange.matcher.values import text_form


@pytest.mark.parametrize("count", [20, 300])
@pytest.mark.parametrize("distance", [0, 1, 16, 30, 31, 32, 40])
def test_pictures_up_to_the_radius_are_found_and_no_others(count: int, distance: int) -> None:
    rng = random.Random(count * 100 + distance)
    known = [rng.getrandbits(256) for _ in range(count)]
    pictures = Pictures()
    for one in known:
        pictures.add(f"{one:064x}")
    for one in known[:10]:
        bits = rng.sample(range(256), distance) if distance != 31 else [16 * n % 256 + n // 16 for n in range(31)]
        asked = one
        for bit in bits:
            asked ^= 1 << bit
        expected = {(f"{other:064x}", (other ^ asked).bit_count()) for other in known
                    if (other ^ asked).bit_count() <= RADIUS}
        assert set(pictures.near(f"{asked:064X}")) == expected
        assert bool(expected) == (distance <= RADIUS)


def test_forgotten_pictures_are_not_found() -> None:
    pictures = Pictures()
    for digits in ("0f" * 32, "0e" * 32):
        pictures.add(digits)
    pictures.remove("0f" * 32)
    assert list(pictures.near("0f" * 32)) == []
    assert [digits for digits, _ in pictures.near("0e" * 32)] == ["0e" * 32]


def test_near_texts_have_runs_of_words_in_common() -> None:
    rng = random.Random(9)
    texts, forms = Texts(), [" ".join(rng.choices("abcdef", k=rng.randrange(1, 12))) for _ in range(60)]
    for form in forms:
        texts.add(form)

    def runs(form: str) -> set[tuple[str, ...]]:
        words = form.split()
        return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}

    for _ in range(60):
        asked = " ".join(rng.choices("abcdef", k=rng.randrange(1, 12)))
        expected = {}
        for form in set(forms):
            common, all_runs = len(runs(form) & runs(asked)), len(runs(form)) + len(runs(asked))
            if form == asked:
                expected[form] = 1.0
            elif common >= 3 and 2 * common / all_runs >= 1 / 3:
                expected[form] = 2 * common / all_runs
        assert dict(texts.near(asked.upper() + "!")) == pytest.approx(expected)
    texts.remove(forms[0])
    assert forms[0] not in dict(texts.near(forms[0]))
    assert text_form(" A  b ") == "a b"
