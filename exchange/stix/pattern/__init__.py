"""STIX patterns: the whole language of STIX 2.1 section 9 as a tree, with caps against hostile ones."""

from exchange.stix.pattern.parser import MAX_BYTES, MAX_COMPARISONS, MAX_NESTING, parse
from exchange.stix.pattern.tree import Comparison, Flat, ObjectPath, Pattern, comparisons

__all__ = [
    "MAX_BYTES",
    "MAX_COMPARISONS",
    "MAX_NESTING",
    "Comparison",
    "Flat",
    "ObjectPath",
    "Pattern",
    "comparisons",
    "parse",
]
