"""Connections that go where they may: the address that was checked is the one that is connected to.

A name is resolved once, each address is checked, and the socket is opened to the checked address itself, so a
resolver that answers otherwise the next time (DNS rebinding) gains nothing. TLS is verified against the name.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from exchange.errors import ForbiddenError, UnavailableError
from exchange.outbound.address import Network, allowed, public

Resolve = Callable[[str, int], Sequence[str]]


def system_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host as this machine resolves it; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Limits:
    """How long a server may take, in seconds."""

    connect: float = 10.0
    """To accept a connection, and again to agree on TLS."""
    idle: float = 60.0
    """Between two pieces of an answer."""
    total: float = 300.0
    """For a whole answer, however steadily it trickles; a stream of lines has no such limit."""


@dataclass(frozen=True)
class Gate:
    """Which addresses may be connected to."""

    allow: tuple[Network, ...] = ()
    """Networks that the operator named, be they private; there, http without TLS is fine too."""
    plain_http: bool = False
    """Whether the operator permits http without TLS to public addresses."""
    resolve: Resolve = system_addresses

    def addresses(self, scheme: str, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to.

        Raises UnavailableError for a name that doesn't resolve, ForbiddenError where no address is permitted.
        """
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
            raise UnavailableError(f"The host {host[:253]} can't be found: {reason}.",
                                   fix="Check its spelling; if it is right, try again later.") from None
        named = [address for address in found if allowed(address, self.allow)]
        open_to_all = [address for address in found if address not in named and public(address)]
        if not named and not open_to_all:
            raise ForbiddenError(
                f"{host[:253]} isn't connected to: its address isn't on the public internet.",
                why="A source, or a redirect, must not reach into this machine's own network.",
                fix="If it is a server of your own, allow its network (--allow-network).")
        if scheme == "http" and not self.plain_http:
            if not named:
                raise ForbiddenError(f"{host[:253]} isn't asked without encryption.",
                                     fix="Use its https:// address, or permit http (--plain-http).")
            return named
        return named + open_to_all


@dataclass
class Deadline:
    """Until when an answer must be there, and the pause allowed within it."""

    idle: float
    ends: float | None
    """On ``time.monotonic``; None: whenever."""

    def seconds(self) -> float:
        """How long the next piece may take; raises TimeoutError when the time is over."""
        if self.ends is None:
            return self.idle
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        return min(self.idle, left)


class _Timely(io.RawIOBase):
    """Reads of a socket, each held to the deadline that is in force then."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._raw = wire.socket.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read within what is left of the deadline. Raises TimeoutError."""
        self._wire.socket.settimeout(self._wire.deadline.seconds())
        count = self._raw.readinto(buffer)
        self._wire.ended = count == 0
        return count

    def close(self) -> None:
        """End the reading; the connection is its owner's."""
        self._raw.close()
        super().close()


@dataclass
class Wire:
    """An open socket as ``http.client`` uses one (sendall, makefile, close), with a deadline on every read."""

    socket: socket.socket
    deadline: Deadline = field(default_factory=lambda: Deadline(60.0, None))
    ended: bool = False
    """Whether the other side hung up."""

    def sendall(self, data: bytes) -> None:
        """Send it all within the deadline."""
        self.socket.settimeout(self.deadline.seconds())
        self.socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(_Timely(self), 65_536)

    def close(self) -> None:
        """Give the socket back, as soon as what is read from it is closed too."""
        self.socket.close()


def dial(addresses: Iterable[str], host: str, port: int, tls: ssl.SSLContext | None, limits: Limits) -> Wire:
    """Open a wire to the first of the addresses that accepts; raises OSError of the last one that didn't."""
    failure: OSError = OSError("no address")
    for address in addresses:
        opened: socket.socket | None = None
        try:
            opened = socket.create_connection((address, port), timeout=limits.connect)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Wire(opened if tls is None else tls.wrap_socket(opened, server_hostname=host))
        except OSError as error:  # a certificate that doesn't fit is one too
            failure = error
            if opened is not None:
                opened.close()
    raise failure


class Connection(HTTPConnection):
    """HTTP over an open wire, which it never opens again by itself."""

    auto_open = 0

    def __init__(self, wire: Wire, host: str, port: int, scheme: str) -> None:
        super().__init__(f"[{host}]" if ":" in host else host, port)
        self.default_port = 443 if scheme == "https" else 80  # the header Host leaves out the scheme's own port
        self.wire = wire
        self.sock = wire
