"""Cookies that tell a browser again: ``name=value``, without attributes; never in the clear.

Google Analytics writes one client id under a prefix that depends on the site's domain (``GA1.2.``); the id
alone is the canonical value, so that it is one on all sites of an operator.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import clean

_PAIR = re.compile(
    r"(?i:(?:set-)?cookie:\s*)?([!#$%&'*+.^`|~\w-]{1,128})=\"?([!#-+\--:<-\[\]-~]{1,4000})\"?\Z", re.ASCII
)
"""RFC 6265, 4.1.1, perhaps with the header's name."""
_ANALYTICS = re.compile(r"GA\d\.\d(?:-\d)?\.(\d+\.\d+)\Z")
_NO_IDS = re.compile(
    r"(?:.*(?:consent|gdpr|ccpa|lang|locale|theme|currency|timezone).*|tz|dnt|_gat.*)\Z", re.IGNORECASE
)
_SHORTEST = 8
"""A shorter value is a setting, not an id."""


def normalise(text: str) -> str:
    """``name=value`` of a cookie that can tell a browser again; raises IdentifierError."""
    found = _PAIR.match(clean(text).partition(";")[0].strip())
    if found is None:
        raise IdentifierError("the text is no cookie: name=value is needed")
    name, value = found.groups()
    analytics = _ANALYTICS.match(value) if name == "_ga" else None
    value = analytics[1] if analytics else value
    if len(value) < _SHORTEST or len(set(value)) < 3 or _NO_IDS.match(name):
        raise IdentifierError(f"the cookie {name[:40]!r} holds a setting that many share, no id")
    return f"{name}={value}"


KIND = Kind(
    name="cookie",
    title="cookie",
    normalise=normalise,
    personal=("DeviceBased",),
    hashed_as="cookie",
    weight=4.5,
    half_life=45,
    examples={
        "sid=Lorem1psumDolor": "sid=Lorem1psumDolor",
        "Set-Cookie: sid=Lorem1psumDolor; Path=/; HttpOnly": "sid=Lorem1psumDolor",
        "_ga=GA1.2.1033501218.1368477899": "_ga=1033501218.1368477899",
        'uid="lorem-ipsum-9"': "uid=lorem-ipsum-9",
    },
    non_examples=("", "lorem", "lang=en", "cookie_consent=accepted-all", "theme=dark-long", "sid=", "sid=00000000000"),
)
