"""Where a webhook may be sent, as far as its address itself tells.

A name is resolved and checked when it is connected to, each time anew (``outbound.wire``). What is an address in
itself, in whichever spelling, is told at once: it would be refused each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from exchange.errors import InputError, UnprocessableError
from exchange.outbound.address import Network, allowed, networks, public
from exchange.outbound.call import prepare

_LONGEST = 2_000
_BEGINS = re.compile(r"https?://[^/\\?#@]", re.IGNORECASE)
"""The standard's parser mends what doesn't begin so; what is mended isn't what was meant."""


def operators_networks(text: str) -> tuple[Network, ...]:
    """The networks of CIBX_WEBHOOK_NETWORKS. Raises InputError."""
    return networks(one for one in text.split(",") if one.strip())


def check_target(url: str, allow: Sequence[Network]) -> None:
    """Raise UnprocessableError for a text that is no web address, or one that nothing would ever be sent to.

    ``allow`` are the private networks that the operator named; only there http without TLS is fine. The address is
    read by the parser that sends (the URL standard's: numbers in octal, hexadecimal or one piece, %-signs, full-width
    digits and dots become the address that they mean).
    """
    if len(url) > _LONGEST or not url.isprintable() or " " in url or not _BEGINS.match(url):
        raise _no_address()
    try:
        scheme, host, port = prepare("POST", url, None, None, None, None, None, None).origin
    except InputError:
        raise _no_address() from None
    if port == 0:
        raise _no_address()
    try:
        literal = str(ip_address(host.rstrip(".")))
    except ValueError:
        inside, outside = bool(allow), True
    else:
        inside, outside = allowed(literal, allow), public(literal)
    if not inside and not outside:
        raise UnprocessableError("The webhook's url leads to an address that isn't on the public internet.",
                                 why="Nothing is sent to private, local or metadata addresses.",
                                 fix="Name a public server, or ask the operator to allow the network.")
    if scheme == "http" and not inside:
        raise UnprocessableError("The webhook's url has no TLS.", why="Nothing is sent without encryption.",
                                 fix="Give its https address.")


def _no_address() -> UnprocessableError:
    return UnprocessableError("The webhook's url is no address.", fix="Give https://HOST/PATH, without a user.")
