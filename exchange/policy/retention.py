"""P11: how long an object may be kept: the shortest of all maxima that apply to it."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.policy.packs import Packs


def longest(
    packs: Packs,
    *,
    legal_basis: Iterable[str] = (),
    categories: Iterable[str] = (),
    subject_kind: str | None = None,
    programme: float | None = None,
) -> tuple[float, str]:
    """The shortest maximum in days, and why it is so.

    Bases, categories and the kind of subject are those of personal data; ``programme`` is the programme's
    maximum where it isn't that of the packs.
    """
    kind = packs.subjects.get(subject_kind or "")
    words = [("basis", name) for name in legal_basis]
    words += [("category", name) for name in sorted(categories)]
    words += [("subject", kind.id)] if kind is not None else []
    found = (packs.ceilings.get(word) for word in words)
    maxima: list[tuple[float, str]] = [(one.days, one.citation) for one in found if one is not None]
    whole = packs.programme.get("max_retention_days") if programme is None else programme
    if whole is not None:
        maxima.append((whole, "the programme's maximum"))
    return min(maxima, key=lambda limit: limit[0]) if maxima else (0, "no maximum is known")
