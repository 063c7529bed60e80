"""``cibx serve``: run the exchange in production form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from exchange.words import counted


@click.command(name="serve")
@click.option("--bind", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT",
              help="Address to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64),
              help="Worker processes.")
@click.option("--sources", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML file of sources that a process beside the workers brings in (cibx connector run --config).")
def command(bind: str, workers: int, sources: Path | None) -> None:
    """Run the exchange on CIBX_DATABASE_URL (SQLite file cibx.db by default).

    The database's schema is brought up to date first. Ctrl-C ends it: requests under way are answered.
    """
    from exchange.errors import InputError
    from exchange.settings import read_settings
    from exchange.wiring import prepare

    host, colon, port = bind.rpartition(":")
    if not (colon and host and port.isdecimal() and len(port) < 6 and int(port) < 65_536):
        raise InputError(f"--bind {bind!r} isn't HOST:PORT.", fix="For example 127.0.0.1:8080.")
    settings = read_settings()
    _check_free("--bind", host, int(port))
    if settings.traces:
        from exchange.web.traces import check_traces

        check_traces(settings)
    if settings.metrics:
        beside, _, metrics_port = settings.metrics.rpartition(":")
        if metrics_port == port:
            raise InputError(f"CIBX_METRICS has the port of --bind, {port}.", fix="Give it another: it is apart.")
        _check_free("CIBX_METRICS", beside, int(metrics_port))
    differs = prepare(settings)
    if differs:
        _tell(differs)
    from exchange.web.server import Server
    from exchange.web.tls import server_context

    scheme = "http" if server_context(settings) is None else "https"
    _tell(f"Serving TAXII 2.1 on {scheme}://{bind}/taxii2/ ({settings.shown_database}, {counted(workers, 'worker')}).")
    with _connectors(sources):
        Server(settings, bind=bind, workers=workers).run()


def _tell(sentence: str) -> None:
    """Say it, if the standard output takes it: a server starts where the disk of its log is full."""
    with suppress(OSError):
        click.echo(sentence)


@contextmanager
def _connectors(sources: Path | None) -> Iterator[None]:
    """Connectors in a process of the server's group, which ends with it, after the steps under way."""
    import subprocess
    import sys

    if sources is None:
        yield
        return
    from exchange.connect.sources_file import read_sources
    from exchange.secret_files import environment

    read_sources(sources, environment())  # what is wrong in it is told before anything starts
    run = "from exchange.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", run, "connector", "run", "--config", str(sources)])  # noqa: S603
    master = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == master:  # workers come by here too when they end
            process.terminate()
            process.wait()


def _check_free(name: str, host: str, port: int) -> None:
    """Raise InputError where nothing can listen at what ``name`` sets: gunicorn would try for some seconds."""
    import socket

    from exchange.errors import InputError

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(f"{name} {host}:{port} can't be listened on: {error.strerror or error}.",
                         fix="Choose another address or port, or end what listens there.") from None
