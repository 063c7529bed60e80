"""The demonstration's story, step by step: each function does one step and tells it in a line or two."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from exchange.cli.demo.members import COLLECTION, DESK, PLATFORM, STRANGER, make_members
from exchange.cli.demo.server import Server, free_port, serving
from exchange.cli.demo.trying import lines_to_try, refused_push
from exchange.errors import InputError
from exchange.settings import Settings
from exchange.words import counted

_ACCOUNTS = 3_000
_DAY = 86_400
_SHOWN_CANDIDATES = 12


@dataclass
class Teller:
    """Tells steps with the seconds since the start."""

    start: float = field(default_factory=time.monotonic)

    def step(self, sentence: str) -> None:
        """One step of the story."""
        click.echo(f"[{time.monotonic() - self.start:5.1f} s] {sentence}")

    def more(self, text: str) -> None:
        """What belongs to the step before."""
        for line in text.splitlines():
            click.echo(f"          {line}")


def tell(*, meta: Path | None, port: int | None, folder: Path | None, once: bool) -> None:
    """Tell the whole story, then stay up until Ctrl-C (unless ``once``)."""
    teller = Teller()
    chosen = free_port(port)
    with _interruptible(), _place(folder) as place:
        settings = Settings(database_url=f"sqlite:///{place / 'cibx.db'}")
        secrets, changes = make_members(settings)
        teller.step(f"Members: {counted(len(changes), 'thing')} made in {place / 'cibx.db'} by the code of cibx apply.")
        feed = _platform(teller, place)
        _ingest(teller, settings, "stix-file", feed, "demo")
        if meta is not None:
            _ingest(teller, settings, "meta-threat-research", meta, "meta-threat-research")
        with serving(settings, chosen, place) as server:
            teller.step(f"Server: TAXII 2.1 on {server.url}/taxii2/")
            teller.step(f"Policy, on the way in: {refused_push(server.url, secrets[DESK])}")
            pulled = _pull(teller, server, secrets)
            _match(teller, pulled, place)
            teller.step("That was the story." + ("" if once else " The server stays up; try:"))
            if not once:
                click.echo(lines_to_try(server.url, secrets, place))
                _stay(server)


@contextmanager
def _interruptible() -> Iterator[None]:
    """A request to end (SIGTERM, a closed terminal) is treated as Ctrl-C, so that all is put away."""

    def interrupt(number: int, frame: Any) -> None:
        """End as Ctrl-C does."""
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder asked for, or a temporary one that is gone afterwards."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The folder {folder} can't be made: {error.strerror}.",
                             fix="Name another with --folder, or leave it out.") from None
        yield folder.resolve()
        return
    place = Path(tempfile.mkdtemp(prefix="cibx-demo-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _platform(teller: Teller, place: Path) -> Path:
    """Make the platform's tables; gives the file of indicators about what goes on there."""
    from exchange.matcher.world import make_world

    world = make_world(place / "platform", accounts=_ACCOUNTS, at=int(time.time()) // _DAY * _DAY)
    teller.step(f"Platform: {world.accounts:,} made-up accounts, {world.members:,} of them in {world.operations} "
                f"covert operations (seeded generator; nobody in it exists).")
    return world.feed


def _ingest(teller: Teller, settings: Settings, connector: str, source: Path, pack: str) -> None:
    """Bring a source in under a policy pack, by the code of cibx ingest."""
    from exchange.connect import registry, runner
    from exchange.connect.local_sink import local_sink
    from exchange.connect.source import Source
    from exchange.policy import packs

    terms = packs.load(None).terms(pack)
    sink = local_sink(settings, org=DESK, collection=COLLECTION, terms=terms)
    report = runner.run(registry.connector(connector), Source(str(source)), sink, terms=terms)
    made_up = " (made up)" if pack == "demo" else ""
    teller.step(f"Indicators{made_up}: {counted(report.rows, 'row')} of {counted(report.files, 'file')} through"
                f" {connector}, under the policy pack {pack}: {counted(report.pushed('added'), 'object')} added, "
                f"{counted(report.pushed('unchanged'), 'was', 'were')} there, {report.pushed('refused'):,} refused, "
                f"{counted(report.outcomes['quarantined'], 'row')} put aside.")


def _pull(teller: Teller, server: Server, secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pull everything as the platform; and as a member for whose purpose nothing is shared."""
    from exchange.client.taxii import Client

    pulled = list(Client(f"{server.url}/taxii2/", PLATFORM, secrets[PLATFORM]).objects(COLLECTION))
    teller.step(f"Pull over TAXII: {PLATFORM} (purpose: cib-detection) gets {counted(len(pulled), 'object')}.")
    others = sum(1 for _ in Client(f"{server.url}/taxii2/", STRANGER, secrets[STRANGER]).objects(COLLECTION))
    teller.step(f"Policy, on the way out: {STRANGER} (purpose: advertising) gets {others} from the same collection.")
    return pulled


def _match(teller: Teller, pulled: list[dict[str, Any]], place: Path) -> None:
    """Match what was pulled with the platform's tables and explain one account."""
    from exchange.matcher.explain import explain, top_accounts
    from exchange.matcher.run import Options, match

    report = match(pulled, place / "platform", place / "matched", Options(at=int(time.time())))
    teller.step(f"Match, inside the member's walls: {report.accounts_with_evidence:,} of"
                f" {counted(report.accounts, 'account')} have evidence,"
                f" {report.accounts_likely:,} are more likely than not in an operation.")
    found = [explain(place / "matched", account) for account, _ in top_accounts(place / "matched", _SHOWN_CANDIDATES)]
    told = [one for one in found if one.speaking_against] or found
    if told:
        teller.step("Why one of them has its score:")
        teller.more(min(told, key=lambda one: len(one.contributions)).text())


def _stay(server: Server) -> None:
    """Until Ctrl-C, which is the proper end."""
    try:
        click.echo("\nCtrl-C ends the server and puts everything away.")
        server.wait()
    except KeyboardInterrupt:
        click.echo("\nStopped; the server has ended.")
