"""HTML and SVG as values: every text and attribute is escaped, unless it is markup already."""

from __future__ import annotations

import html
import re

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_VOID = frozenset({"meta", "line", "rect", "circle", "path"})
Attribute = str | int | float | None


class Markup(str):
    """Text that is markup and isn't escaped again. Made by ``tag`` and ``join`` only."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Plain text as markup; characters that turn the direction of writing or aren't seen are shown as ``�``."""
    return Markup(html.escape(_UNSEEN.sub("�", str(text)), quote=True))


def join(*parts: object, sep: str = "") -> Markup:
    """Parts one after another; those that aren't markup are escaped, None is left out."""
    return Markup(sep.join(part if isinstance(part, Markup) else escape(part) for part in parts if part is not None))


def tag(name: str, /, *children: object, **attributes: Attribute) -> Markup:
    """An element; ``class_`` is class, ``_`` in names is ``-``; attributes that are None are left out."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(_figure(value))}"'
                    for key, value in attributes.items() if value is not None)
    if name in _VOID and not children:
        return Markup(f"<{name}{given}/>" if name != "meta" else f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def _figure(value: Attribute) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
