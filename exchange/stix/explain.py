"""JSON Schema errors in words: which place is wrong, what is expected there, what stands there instead.

What is expected comes from the ``title`` nearest to the failing keyword, so every schema here has titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from exchange.stix.fault import shown

Schema = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,250}")


@dataclass(frozen=True)
class Explained:
    """One schema error: dotted path of the property, whether it is missing, and what is demanded of it."""

    path: str
    missing: bool
    demand: str
    """``must be a string; it is 5``; empty for a missing property."""


def compiled(schema: Schema) -> Draft202012Validator:
    """A validator whose patterns run in linear time."""
    return Draft202012Validator(schema, pattern_options=RegexOptions(size_limit=2**24))


def explain(
    validator: Draft202012Validator, schema: Schema, value: Mapping[str, Any], first: tuple[str, ...] = ()
) -> Explained:
    """An error of a value that isn't valid; errors of the properties in ``first`` go before others."""
    error = _first_error(validator, value, first)
    path = _path_text(error.instance_path)
    if error.kind.name == "required":
        name = _missed(error)
        return Explained(f"{path}.{name}" if path else name, True, "")
    if error.kind.name == "additionalProperties":
        names = ", ".join(shown(name) for name in getattr(error.kind, "unexpected", []))
        return Explained(path, False, f"has unknown members: {names}")
    expected = _title(schema, error.schema_path[:-1])
    if "propertyNames" in error.schema_path:
        return Explained(path, False, f"must be {expected}")
    return Explained(path, False, f"must be {expected}; it is {shown(_place(value, error.instance_path))}")


def _missed(error: ValidationError) -> str:
    """Name of the missing property; empty for other errors."""
    return str(getattr(error.kind, "property", "")).strip('"')


def _first_error(
    validator: Draft202012Validator, value: Mapping[str, Any], first: tuple[str, ...]
) -> ValidationError:
    """Never all errors of the value: a list of a million wrong entries has a million, and each costs."""
    small = {name: value[name] for name in first if name in value}
    errors = {(str(one.instance_path[0]) if one.instance_path else _missed(one)): one
              for one in validator.iter_errors(small)}  # fmt: skip
    for name in first:
        if name in errors:
            return errors[name]
    try:
        validator.validate(value)
    except ValidationError as error:
        return error
    raise ValueError("the value is valid: there is no error to explain")


def _title(schema: Schema, steps: list[str | int]) -> str:
    node: Any = schema
    title = str(schema.get("title", "valid"))
    for step in steps:
        node = node[step]
        if isinstance(node, dict) and isinstance(node.get("title"), str):
            title = node["title"]
    return title


def _place(value: Any, path: list[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _path_text(path: list[str | int]) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        name = step if _NAME.fullmatch(step) else shown(step)
        text += f".{name}" if text else name
    return text
