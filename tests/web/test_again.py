"""An empty page is given again on the same connection only while the application would say the same."""

from __future__ import annotations

import base64
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import ref

import orjson
import pytest
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from exchange.stix.timestamp import from_microseconds
from exchange.store.engine import write
from exchange.web.connection import AGAIN, FIELDS, HEAD, REPEATED
from tests.e2e.stix_objects import indicator
from tests.web.test_ends_at_the_instant import MOMENT, OBJECTS, SECRET, Served

TAXII = "application/taxii+json;version=2.1"
SECOND = 1_000_000


class Asked:
    """The application asked for what is new by one member, on a connection that asked the same before."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder)
        self.app = self.served.server.app
        self.client = self.app.test_client()  # type: ignore[attr-defined]

    def headers(self, key: str) -> dict[str, str]:
        proof = base64.b64encode(f"{key}:{SECRET}".encode()).decode()
        return {"Authorization": f"Basic {proof}", "Accept": TAXII}

    def poll(self, key: str, path: str, *, repeated: bool = True) -> tuple[bytes, Callable[[], bool] | None]:
        environ = EnvironBuilder(path, headers=list(self.headers(key).items()), environ_overrides={REPEATED: HEAD if repeated else FIELDS}).get_environ()
        said: list[str] = []
        body = b"".join(self.app(environ, lambda status, *_: said.append(status)))  # type: ignore[arg-type]
        assert said == ["200 OK"], body
        return body, environ.get(AGAIN)

    def push(self, key: str, **properties: object) -> None:
        one = {**indicator(f"{key} {properties}"), **properties}
        answer = self.client.post(OBJECTS, data=orjson.dumps({"objects": [one]}),
                                  headers={**self.headers(key), "Content-Type": TAXII})
        assert orjson.loads(answer.data)["success_count"] == 1, answer.data

    def still(self, key: str, after: int | None = None) -> Callable[[], bool]:
        """Asks for what came after a date; gives the function by which the connection asks whether that holds."""
        since = from_microseconds(self.served.now + SECOND if after is None else after)
        self.poll(key, f"{OBJECTS}?added_after={since}")  # the first look of a seat is written
        answer, still = self.poll(key, f"{OBJECTS}?added_after={since}")
        assert answer == b'{"more":false}'
        assert still is not None
        return still


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.served.server.server_close()
    made.served.exchange.engine.dispose()


def revoke(asked: Asked) -> None:
    with write(asked.served.exchange.engine) as connection:
        connection.execute(text("UPDATE credential SET revoked = true WHERE id = 'membership'"))
        connection.execute(text(
            "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'directory.version'"))


def go(to: int) -> Callable[[Asked], None]:
    def move(asked: Asked) -> None:
        asked.served.now = to
    return move


def end(asked: Asked) -> None:
    asked.served.exchange.ending = True


CHANGES: dict[str, tuple[Callable[[Asked], None], bool]] = {
    "nothing": (lambda asked: None, True),
    "time goes on": (go(MOMENT - 1), True),
    "the membership ends": (go(MOMENT), False),
    "the clock is set back": (go(MOMENT - 2 * SECOND), False),
    "another member pushes": (lambda asked: asked.push("nothing"), False),
    "the credential is revoked": (revoke, False),
    "the server ends": (end, False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_empty_page_holds_until_something_changes_it(asked: Asked, change: str) -> None:
    asked.push("nothing")
    still = asked.still("membership")
    assert still()
    act, holds = CHANGES[change]
    act(asked)
    assert still() is holds


@pytest.mark.parametrize("ends", ["membership", "agreement", "credential", "purpose"])
def test_whatever_ends_by_date_ends_what_is_given_again(asked: Asked, ends: str) -> None:
    still = asked.still(ends)
    asked.served.now = MOMENT - 1
    assert still()
    asked.served.now = MOMENT
    assert not still()


def test_a_release_date_ends_what_is_given_again(asked: Asked) -> None:
    release = asked.served.now + SECOND // 2
    asked.push("nothing")
    with write(asked.served.exchange.engine) as connection:
        connection.execute(text("UPDATE object SET visible_from = :at"), {"at": release})
    still = asked.still("membership", after=0)
    asked.served.now = release - 1
    assert still()
    asked.served.now = release
    assert not still()


@pytest.mark.parametrize("column", ["visible_from", "visible_until"])
def test_a_date_of_any_object_ends_what_is_given_again(asked: Asked, column: str) -> None:
    """One that is behind the page, or in another collection, may be what another's visibility hangs on."""
    asked.push("nothing")
    date = asked.served.now + SECOND // 2
    with write(asked.served.exchange.engine) as connection:
        connection.execute(text(f"UPDATE object SET {column} = :at"), {"at": date})
    still = asked.still("membership")
    asked.served.now = date - 1
    assert still()
    asked.served.now = date
    assert not still()


def test_whether_a_page_is_given_again_tells_nothing_of_what_is_behind_it(asked: Asked) -> None:
    asked.push("nothing")
    with write(asked.served.exchange.engine) as connection:
        connection.execute(text("UPDATE object SET shared_id = 1, closure = 1, refs = 1, visible_from = :at"),
                           {"at": MOMENT * 2})
    assert asked.still("membership", after=0)()


def test_only_an_empty_page_that_is_asked_again_is_offered(asked: Asked) -> None:
    path = f"{OBJECTS}?added_after={from_microseconds(asked.served.now + SECOND)}"
    asked.poll("membership", path)
    assert asked.poll("membership", path, repeated=False)[1] is None
    assert asked.poll("membership", path)[1] is not None
    asked.push("nothing")
    assert asked.poll("membership", OBJECTS)[1] is None


def test_each_answer_given_again_counts_as_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(tmp_path)
    limits = asked.client.application.extensions["limits"]
    limits._default["requests"], limits._shared = 20, None  # a booking is a commit, after which all is asked anew
    still = asked.still("membership")
    assert [still() for _ in range(30)].count(True) < 20
    assert not still()
    answer = asked.client.get(OBJECTS, headers=asked.headers("membership"))
    assert answer.status_code == 429
    asked.served.server.server_close()
    asked.served.exchange.engine.dispose()


def test_a_clock_that_is_set_back_forgets_the_memberships_of_later(asked: Asked) -> None:
    served = asked.served
    with write(served.exchange.engine) as connection:
        connection.execute(text("UPDATE membership SET since = :at, until = NULL WHERE org = 'org-membership'"),
                           {"at": from_microseconds(MOMENT)})
    directory = served.exchange.directory()
    credential = directory.credentials["membership"]
    organisation = directory.organisations[credential.org]
    found = [served.exchange.reader(directory, organisation, credential, None, now)
             for now in (MOMENT - 1, MOMENT, MOMENT - 1, MOMENT)]
    assert set(found[0].collections) < set(found[1].collections)
    assert (found[2], found[3]) == (found[0], found[1])


def test_an_idle_connection_keeps_no_former_directory(asked: Asked) -> None:
    still = asked.still("membership")
    former = ref(asked.served.exchange.directory())
    assert still()
    revoke(asked)
    asked.served.exchange.directory()
    gc.collect()
    assert former() is None
    assert not still()
