"""A membership, agreement, credential or purpose that ends is gone at the very next request, to the microsecond."""

from __future__ import annotations

import io
import json
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from exchange.model.description import read_description
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.web.app import create_app
from exchange.web.negotiation import TAXII
from exchange.wiring import Exchange, prepare
from tests.e2e.http_caller import HttpCaller, basic
from tests.e2e.stix_objects import TLP, handling, indicator

END = "2026-11-18T12:00:00Z"
MOMENT = microseconds(END)
SECRET = "made-up secret 0123456789 0123456789"
OBJECTS = "/taxii2/c/collections/home/objects/"
READERS = ("membership", "agreement", "credential", "purpose", "nothing")
"""Each is an organisation of which just that ends."""


def organisation(ends: str) -> str:
    until = {name: f"until = {END}" if name == ends else "" for name in READERS}
    lasting = "account-integrity" if ends == "purpose" else "cib-detection"
    return f"""
[[organisation]]
id = "org-{ends}"
name = "x"
kind = "platform"
jurisdiction = "IE"
[[organisation.membership]]
group = "club"
{until["membership"]}
[[organisation.agreement]]
id = "base"
purposes = ["{lasting}"]
{until["agreement"]}
[[organisation.agreement]]
id = "purpose"
purposes = ["cib-detection"]
{until["purpose"] or until["agreement"]}
[[organisation.credential]]
id = "{ends}"
purpose = "cib-detection"
secret_env = "SECRET"
{until["credential"]}
"""


DESCRIPTION = """
[[group]]
id = "club"
title = "Club"
[[community]]
id = "c"
title = "C"
group = "club"
[[community.collection]]
alias = "home"
title = "Home"
readers = ["club"]
writers = ["club"]
[community.collection.default_terms]
tlp = "TLP:GREEN"
purposes = ["cib-detection"]
retention_days = 30
personal = "no"
requires_agreements = [{ id = "base", min_version = 1 }]
""" + "".join(organisation(name) for name in READERS)


class Served:
    """An exchange over HTTP whose clock stands where it is put."""

    def __init__(self, folder: Path) -> None:
        self.now = MOMENT - 1_000_000
        settings = Settings(database_url=f"sqlite:///{folder / 'x.db'}")
        prepare(settings)
        self.exchange = Exchange(settings, clock=lambda: self.now)
        with read(self.exchange.engine) as connection:
            known = load_directory(connection)
        wanted = read_description(tomllib.loads(DESCRIPTION), known, {"SECRET": SECRET}, source="members")
        with write(self.exchange.engine) as connection:
            apply(connection, wanted)
        self.server = make_server("127.0.0.1", 0, create_app(self.exchange))

    def caller(self, key: str) -> HttpCaller:
        return HttpCaller(self.server.port, basic(key, SECRET))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.exchange.engine.dispose()


AFTER = {"membership": 404, "agreement": 200, "credential": 401, "purpose": 200, "nothing": 200}


@pytest.mark.parametrize("ends", READERS)
def test_what_ends_is_gone_at_the_very_next_request(served: Served, ends: str) -> None:
    one = indicator("one")
    assert served.caller("nothing").push(OBJECTS, [one]).status == 202
    caller = served.caller(ends)
    for served.now in (MOMENT - 1_000, MOMENT - 1):
        assert caller.get(OBJECTS).ids == [one["id"]]
        assert caller.get(f"{OBJECTS}{one['id']}/").ids == [one["id"]]
    for served.now in (MOMENT, MOMENT + 1):
        gone, by_id = caller.get(OBJECTS), caller.get(f"{OBJECTS}{one['id']}/")
        if ends == "nothing":
            assert gone.ids == by_id.ids == [one["id"]]
            continue
        assert (gone.status, by_id.status) == (AFTER[ends], AFTER[ends] if AFTER[ends] != 200 else 404)
        assert AFTER[ends] != 200 or gone.body == b'{"more":false}'


class Slow(io.BytesIO):
    """A body that takes its time: the exchange's clock goes on while it is read."""

    def __init__(self, body: bytes, served: Served, until: int) -> None:
        super().__init__(body)
        self._served, self._until = served, until

    def readinto(self, buffer: bytearray) -> int:
        self._served.now = self._until
        return super().readinto(buffer)


@pytest.mark.parametrize("ends", READERS)
@pytest.mark.parametrize(("until", "after"), [
    (MOMENT - 1, {}), (MOMENT, {"membership": (404, None), "credential": (401, None), "agreement": (202, 0)}),
])
def test_what_ends_while_a_body_comes_has_ended_when_it_is_there(
    served: Served, ends: str, until: int, after: dict[str, tuple[int, int | None]]
) -> None:
    body = json.dumps({"objects": [indicator("one")]}).encode()
    answer = create_app(served.exchange).test_client().post(
        OBJECTS, input_stream=Slow(body, served, until), content_length=len(body), headers={
            "Authorization": basic(ends, SECRET), "Content-Type": TAXII, "Accept": TAXII})
    told = answer.status_code, json.loads(answer.data).get("success_count")
    assert told == after.get(ends, (202, 1)), answer.data
    assert len(served.caller("nothing").get(OBJECTS).ids) == (told[1] or 0)


def test_a_clock_that_is_set_back_and_forth_opens_and_closes_with_it_and_gives_nothing_a_second_place(served: Served) -> None:
    """A release date that was passed stays passed; what ends by a date ends again."""
    served.now = MOMENT - 10_000_000
    mark = handling("late", not_before=from_microseconds(MOMENT - 5_000_000))
    early, late = indicator("early"), indicator("late", object_marking_refs=[TLP["GREEN"], mark["id"]])
    assert served.caller("membership").push(OBJECTS, [mark, early, late]).json["success_count"] == 3
    ending, lasting = served.caller("credential"), served.caller("nothing")
    told: list[tuple[int, tuple[str, ...], str | None]] = []
    for step in (-10, -4, 1, -4, 1, -10, 1):
        served.now = MOMENT + step * 1_000_000
        page = lasting.get(f"{OBJECTS}?match[type]=indicator")
        told.append((ending.get(OBJECTS).status, tuple(page.ids), page.last))
    assert [status for status, *_ in told] == [200, 200, 401, 200, 401, 200, 401]
    assert told[0][1] == (early["id"],)
    assert {ids for _, ids, _ in told[1:]} == {(early["id"], late["id"])}
    assert len({last for *_, last in told[1:]}) == 1
