"""Query parameters and headers of requests that several operations have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.feed.interest import FILTERS
from exchange.web.openapi.shapes import TEXT, WHEN, Shape


@dataclass(frozen=True)
class Parameter:
    """One parameter."""

    name: str
    place: str
    """query or header."""
    said: str
    shape: Shape
    needed: bool = False

    def described(self) -> Mapping[str, object]:
        """As OpenAPI writes it."""
        return {"name": self.name, "in": self.place, "description": self.said, "required": self.needed,
                "schema": self.shape}


def query(name: str, said: str, shape: Shape, *, needed: bool = False) -> Parameter:
    """A query parameter, given at most once."""
    return Parameter(name, "query", said, shape, needed)


_LIST: Shape = {"type": "string", "minLength": 1, "description": "Values separated by commas."}

AFTER = query("added_after", "Only what was added later than this.", WHEN)
LIMIT = query("limit", "Most objects in one page; the server has a limit of its own.",
              {"type": "integer", "minimum": 1})
NEXT = query("next", "Where the page before ended: its next.", {"type": "string", "minLength": 1})
MATCH_ID = query("match[id]", "STIX ids.", _LIST)
MATCH_TYPE = query("match[type]", "STIX types.", _LIST)
MATCH_VERSION = query("match[version]", "first, last, all, or times of modification.", _LIST)
MATCH_SPEC = query("match[spec_version]", "Versions of STIX.", _LIST)
CONTRIBUTOR = query("contributor", "Whose object; for who oversees.", TEXT)
NARROWING = tuple(query(f"match[{name}]", f"Only objects that name one of these ({name}).", _LIST) for name in FILTERS)
RESUME = Parameter("Last-Event-ID", "header", "The id of the last event that one has.", WHEN)
PURPOSE = Parameter("CIBX-Purpose", "header", "The credential's purpose, or a narrower one (P13).", TEXT)
REQUEST_ID = Parameter("X-Request-ID", "header", "What the client calls this request; it comes back and is logged.",
                       {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$"})
ENCODING = Parameter("Content-Encoding", "header", "How the body is packed.",
                     {"type": "string", "enum": ["gzip", "zstd", "identity"]})
