"""An exchange with files of its own, on either engine, that tests copy and set back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.backup.restore import Restored, Wanted, restore
from exchange.backup.take import Taken, take
from exchange.settings import Settings
from tests.obligations.five_members import NOW, Members, opened

LATER = NOW + 3_600_000_000


class Site:
    """An exchange with files of its own, that is copied, set back and looked into."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(database_url=url, erasures=str(folder / "erasures"),
                                 seal_key=str(folder / "seal-key"), log_key=str(folder / "log-key"))
        self.members = self._open()
        self.members.exchange.notary.make_key("exchange.example/log")

    def _open(self) -> Members:
        members = opened(self.settings.database_url)
        exchange = members.exchange
        members.exchange = type(exchange)(self.settings, exchange.clock)
        exchange.engine.dispose()
        exchange.ledger.close()
        return members

    def take(self, name: str = "backup", **options: Any) -> tuple[Path, Taken]:
        path = self.folder / name
        return path, take(self.settings, path, NOW, **{"with_keys": False} | options)

    def close(self) -> None:
        self.members.exchange.engine.dispose()
        self.members.exchange.ledger.close()

    def restore(self, file: Path, *, settings: Settings | None = None, **options: Any) -> Restored:
        self.close()
        self.settings = settings or self.settings
        done = restore(self.settings, Wanted(file, **{"replace": True} | options), LATER)
        now, self.members = self.members.now, self._open()
        self.members.now = now
        return done

    def ids(self, org: str = "beta") -> set[str]:
        return {o["id"] for o in self.members.sees(org)}
