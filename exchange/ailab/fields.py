"""Kinds of fields of a form, for marshmallow: strict about JSON types, with sentences that say how to mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

NEEDED = "is missing; it is needed"
UNKNOWN = "is no field of this form; take it out"
_NULL = "is null; give a value or leave the field out"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MESSAGES: dict[str, Any] = {"required": NEEDED, "null": _NULL}
MOST_ITEMS = 5_000
"""Entries of a list."""


class Form(Schema):
    """A table of named fields; any other name is a fault."""

    class Meta:
        """Names that aren't fields are refused."""

        unknown = RAISE

    error_messages: dict[str, str] = {"unknown": UNKNOWN, "type": "must be an object {…}"}  # noqa: RUF012 - as the base


class _Plain(fields.Field[Any]):
    """A value that stays as it is."""

    def __init__(self, needed: bool = False, key: str | None = None) -> None:
        super().__init__(required=needed, error_messages=_MESSAGES, data_key=key)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        fault = self.fault(value)
        if fault:
            raise ValidationError(fault)
        return value

    def fault(self, value: Any) -> str:
        """What is wrong with a value, as the end of a sentence; empty: nothing."""
        raise NotImplementedError


class Text(_Plain):
    """A text of 1 to ``most`` characters; ``form`` is a pattern of all of it and ``says`` the same in words."""

    def __init__(self, most: int, *, needed: bool = False, form: str = "", says: str = "") -> None:
        super().__init__(needed)
        self._most, self._form, self._says = most, re.compile(form) if form else None, says

    def fault(self, value: Any) -> str:
        """Its type, length and form."""
        if not isinstance(value, str):
            return "must be a text"
        if not value.strip():
            return "is empty; give a text or leave the field out"
        if len(value) > self._most:
            return f"has {len(value):,} characters; at most {self._most:,} are taken"
        if self._form and not self._form.fullmatch(value):
            return f"must be {self._says}"
        return ""


class Word(_Plain):
    """One of a few words."""

    def __init__(self, words: Iterable[str], *, needed: bool = False, key: str | None = None) -> None:
        super().__init__(needed, key)
        self._words = tuple(words)

    def fault(self, value: Any) -> str:
        """Whether it is one of them."""
        return "" if isinstance(value, str) and value in self._words else f"must be one of: {', '.join(self._words)}"


class Number(_Plain):
    """A number from ``least`` to ``most``; ``whole``: without a fraction."""

    def __init__(
        self, least: float = 0, most: float = 10**15, *, whole: bool = True, needed: bool = False, none: bool = False
    ) -> None:
        super().__init__(needed)
        self._least, self._most, self._whole, self.allow_none = least, most, whole, none

    def fault(self, value: Any) -> str:
        """Its type and size; JSON's true and false are no numbers."""
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or (self._whole and value != int(value)):
            return "must be a whole number" if self._whole else "must be a number"
        if not self._least <= value <= self._most:
            return f"must be between {self._least:,} and {self._most:,}"
        return ""


class Truth(_Plain):
    """true or false."""

    def fault(self, value: Any) -> str:
        """Whether it is one of both."""
        return "" if isinstance(value, bool) else "must be true or false"


class Day(_Plain):
    """A calendar day (RFC 3339, full-date)."""

    def fault(self, value: Any) -> str:
        """Its form and whether there is such a day."""
        says = "must be a day such as 2026-01-31"
        if not isinstance(value, str) or not _DAY.match(value):
            return says
        try:
            date.fromisoformat(value)
        except ValueError:
            return says
        return ""


class Moment(_Plain):
    """A point in time (RFC 3339, date-time)."""

    def fault(self, value: Any) -> str:
        """Its form and whether there is such a time."""
        says = "must be a time such as 2026-01-31T12:00:00Z"
        if not isinstance(value, str) or not _MOMENT.match(value):
            return says
        try:
            datetime.fromisoformat(value.upper())
        except ValueError:
            return says
        return ""


class Several(fields.List[Any]):
    """A list of at most 5,000 values of one kind; ``least`` of them are needed."""

    def __init__(self, of: fields.Field[Any], *, least: int = 0, needed: bool = False) -> None:
        super().__init__(of, required=needed, error_messages={**_MESSAGES, "invalid": "must be a list […]"})
        self._least = least

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> list[Any]:
        if isinstance(value, list) and not self._least <= len(value) <= MOST_ITEMS:
            need = f"at least {self._least} needed" if len(value) < self._least else f"at most {MOST_ITEMS:,} taken"
            raise ValidationError(f"has {len(value):,} entries; {need}")
        if not isinstance(value, list):
            raise ValidationError("must be a list […]")
        return super()._deserialize(value, attr, data, **more)


class Part(fields.Nested):
    """A form inside a form."""

    def __init__(self, form: type[Form], *, needed: bool = False) -> None:
        super().__init__(form, required=needed, error_messages={**_MESSAGES, "type": "must be an object {…}"})
