"""Two servers of two workers each on one PostgreSQL keep one log; the one without the key leaves signing to the other."""

from __future__ import annotations

import pytest

from exchange.audit.checkpoint import open_checkpoint
from tests.e2e.exchange_process import new_database, serving
from tests.e2e.test_log import ask, log_keys, pushed, signed_receipt

pytestmark = pytest.mark.postgres
SETTINGS = {"CIBX_LOG_SECONDS": "1"}


def test_two_servers_keep_one_log(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    url = new_database(postgres_server, "two_servers_one_log")
    folders = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    with (
        serving(folders[0], database_url=url, workers=2, settings=SETTINGS) as first,
        serving(folders[1], database_url=url, workers=2, settings=SETTINGS) as second,
    ):
        lane = first.next_lane()
        callers = first.caller("alpha"), second.caller("alpha")
        receipts = [pushed(caller, lane) for _ in range(15) for caller in callers]
        indices = {signed_receipt(callers[1], receipt)["index"] for receipt in receipts}
        assert len(indices) == len(receipts)
        seen = [open_checkpoint(ask(caller, "/log/checkpoint").body, log_keys(caller)) for caller in callers]
        assert seen[0].origin == seen[1].origin
        assert "is as it was signed" in first.cibx("audit", "verify")
        assert "doesn't sign the log" in second.log()
        assert not (folders[1] / "cibx.log-key").exists()
        assert "Traceback" not in first.log() + second.log()
