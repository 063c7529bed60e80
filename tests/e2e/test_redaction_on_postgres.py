"""Left-out parts, closed references, receipts and the sparse way of finding a page on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.exchange_process import new_database, serving
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import indicator
from tests.e2e.test_closure import relationship, report, secret
from tests.e2e.test_redaction import partly

pytestmark = pytest.mark.postgres


def test_pulling_on_postgres_is_as_on_sqlite(postgres_server: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url=new_database(postgres_server, "redaction")) as exchange:
        lane = exchange.next_lane()
        hidden, shown = secret("pg"), indicator("pg")
        link = relationship("pg", shown["id"], hidden["id"])
        bring(exchange, lane, [("alpha", [hidden, shown, link, report("pg", shown["id"], hidden["id"]), partly("pg")])])
        gamma = exchange.caller("gamma")
        answer = gamma.get(lane + "objects/")
        assert [o["type"] for o in answer.objects] == ["indicator", "report", "indicator"]
        assert len(answer.headers["cibx-receipt"]) == 32
        assert answer.objects[1]["object_refs"] == [shown["id"]]
        for derived in answer.objects[1:]:
            assert gamma.get(f"{lane}objects/{derived['id']}/").objects == [derived]
        assert gamma.get(lane + "manifest/").ids == answer.ids
