"""An object asked for by its id as the one before on its connection was: the application's own answer, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from exchange.store.engine import write
from exchange.web.connection import ALIKE, FIELDS, HEAD, REPEATED, Answers
from exchange.web.limits import COUNTED
from tests.e2e.stix_objects import indicator
from tests.web.test_again import SECOND, Asked, end, go, revoke
from tests.web.test_ends_at_the_instant import MOMENT, OBJECTS

ONE, OTHER, ABSENT = (indicator(name)["id"] for name in ("one", "other", "absent"))


class Looking(Asked):
    """The application asked for objects by their ids, by one member on one connection."""

    def look(
        self, target: str, repeats: str = FIELDS, *, method: str = "GET", scheme: str = "http", **more: str
    ) -> tuple[str, list[tuple[str, str]], bytes, dict[str, Any]]:
        """Status, headers and body of Flask's answer, and the request's environment after it."""
        path, _, query = target.partition("?")
        built = EnvironBuilder(path.partition("#")[0], base_url=f"{scheme}://here/", query_string=query, method=method)
        environ = built.get_environ()
        environ |= {REPEATED: repeats, "RAW_URI": target} | {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in {**self.headers("membership"), **more}.items()}
        said: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self.app(environ, lambda status, headers, *_: said.append((status, headers))))  # type: ignore[arg-type]
        return *said[0], body, environ

    def answers(self, **more: str) -> Answers:
        """What the connection is left by a request for ``ONE``."""
        status, _, _, environ = self.look(f"{OBJECTS}{ONE}/", **more)  # type: ignore[arg-type]
        assert status == "200 OK"
        made: Answers = environ[ALIKE]
        return made

    def counted(self) -> float:
        """How many requests of the member were counted and not booked."""
        limits = self.app.extensions["limits"]  # type: ignore[attr-defined]
        counted: float = limits._filled["requests", "membership"].unbooked
        return counted


@contextmanager
def serving(folder: Path) -> Iterator[Looking]:
    """With two objects, the second one worth compressing."""
    made = Looking(folder)
    for one in (indicator("one"), indicator("other") | {"description": "Lorem ipsum " * 200}):
        body = orjson.dumps({"objects": [one]})
        made.client.post(OBJECTS, data=body, headers={**made.headers("nothing"), "Content-Type": "application/taxii+json;version=2.1"})
    made.look(f"{OBJECTS}{ONE}/")  # the first look of a seat is written
    try:
        yield made
    finally:
        made.served.server.server_close()
        made.served.exchange.engine.dispose()


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    """For tests that change nothing."""
    with serving(tmp_path_factory.mktemp("by_id")) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Looking]:
    with serving(tmp_path) as made:
        yield made


def without_receipt(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value if name != "CIBX-Receipt" else "") for name, value in headers]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("encodings", ["identity", "gzip", "gzip;q=0", "*", ""])
@pytest.mark.parametrize("wanted", [ONE, OTHER])
def test_the_answer_is_the_application_s_own(looking: Looking, wanted: str, encodings: str, scheme: str) -> None:
    more = {"Accept-Encoding": encodings} if encodings else {}
    answers = looking.answers(scheme=scheme, **more)
    given = answers(f"{OBJECTS}{wanted}/", {})
    assert given is not None
    status, headers, body, _ = looking.look(f"{OBJECTS}{wanted}/", scheme=scheme, **more)
    assert status == "200 OK"
    assert (without_receipt(given[0]), given[1]) == (without_receipt(headers), body)
    assert ("Content-Encoding", "gzip") in headers if wanted == OTHER and encodings in ("gzip", "*") else True


def test_what_leaves_so_is_noted_and_counted(looking: Looking) -> None:
    answers, ledger = looking.answers(), looking.served.exchange.ledger
    before, left = ledger.last(), looking.counted()
    given = answers(f"{OBJECTS}{OTHER}/", {})
    assert given is not None
    row, = ledger.after(before, 10)
    assert row.receipt == dict(given[0])["CIBX-Receipt"]
    assert (row.org, row.credential, row.count) == ("org-membership", "membership", 1)
    assert looking.counted() == left + 1


@pytest.mark.parametrize("target", [
    f"{OBJECTS}{OTHER}", f"{OBJECTS}{OTHER}/?match[version]=all", f"{OBJECTS}{OTHER}/?", f"{OBJECTS}{OTHER}/versions/", OBJECTS,
    f"{OBJECTS}{OTHER.replace('-', '%2D')}/", f"{OBJECTS}{OTHER}/#/", f"{OBJECTS}{OTHER};a/", f"{OBJECTS}é/", f"{OBJECTS}{'a' * 513}/",
    f"{OBJECTS.replace('home', 'away')}{OTHER}/", OBJECTS.replace("objects", "manifest"), f"/{OBJECTS}{OTHER}/", "*", "",
])
def test_any_other_target_is_left_to_the_application(looking: Looking, target: str) -> None:
    answers, left, last = looking.answers(), looking.counted(), looking.served.exchange.ledger.last()
    told: dict[str, Any] = {}
    assert answers(target, told) is None
    assert (told, looking.counted(), looking.served.exchange.ledger.last()) == ({}, left, last)


def test_what_isn_t_there_is_said_by_the_application_and_counted_once(looking: Looking) -> None:
    answers, told = looking.answers(), dict[str, Any]()
    left = looking.counted()
    assert answers(f"{OBJECTS}{ABSENT}/", told) is None
    assert told == {COUNTED: True}
    environ = EnvironBuilder(f"{OBJECTS}{ABSENT}/", headers=looking.headers("membership"), environ_overrides=told).get_environ()
    said: list[str] = []
    b"".join(looking.app(environ, lambda status, *_: said.append(status)))  # type: ignore[arg-type]
    assert (said, looking.counted()) == (["404 NOT FOUND"], left + 1)


@pytest.mark.parametrize("request_like", [
    {"repeats": ""}, {"method": "HEAD"}, {"target": f"{OBJECTS}{ONE}/?limit=1"}, {"X-Request-ID": "lorem-ipsum"}, {"target": f"{OBJECTS}{ONE}"},
    {"target": f"{OBJECTS}{ONE}/versions/"}, {"target": f"{OBJECTS}{ABSENT}/"}, {"target": f"{OBJECTS}{ONE}/#/objects/{ONE}/"}, {"target": OBJECTS},
])
def test_only_a_plain_request_for_an_object_leaves_something(looking: Looking, request_like: dict[str, str]) -> None:
    *_, environ = looking.look(**{"target": f"{OBJECTS}{ONE}/"} | request_like)  # type: ignore[arg-type]
    assert ALIKE not in environ


def test_the_same_head_again_leaves_it_too(looking: Looking) -> None:
    assert ALIKE in looking.look(f"{OBJECTS}{ONE}/", HEAD)[3]


def change_directory(own: Asked) -> None:
    with write(own.served.exchange.engine) as connection:
        connection.execute(text(
            "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'directory.version'"))


def withdraw(own: Asked) -> None:
    answer = own.client.delete(f"{OBJECTS}{OTHER}/", headers=own.headers("nothing"))
    assert answer.status_code == 200, answer.data


CHANGES: dict[str, tuple[Callable[[Asked], None], bool]] = {
    "nothing": (lambda asked: None, True),
    "time goes on": (go(MOMENT - 1), True),
    "the membership ends": (go(MOMENT), False),
    "the clock is set back": (go(MOMENT - 2 * SECOND), False),
    "another member pushes": (lambda asked: asked.push("nothing"), True),
    "the object is withdrawn": (withdraw, False),
    "the directory changes": (change_directory, False),
    "the credential is revoked": (revoke, False),
    "the server ends": (end, False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_caller_is_judged_and_the_page_made_each_time(own: Looking, change: str) -> None:
    answers = own.answers()
    assert answers(f"{OBJECTS}{OTHER}/", {}) is not None
    act, answered = CHANGES[change]
    act(own)
    assert (answers(f"{OBJECTS}{OTHER}/", {}) is not None) is answered


def test_a_newer_version_is_given_at_once(own: Looking) -> None:
    answers = own.answers()
    newer = indicator("other") | {"modified": "2026-11-02T00:00:00.000Z", "name": "Newer"}
    assert answers(f"{OBJECTS}{OTHER}/", {}) is not None
    own.client.post(OBJECTS, data=orjson.dumps({"objects": [newer]}),
                        headers={**own.headers("nothing"), "Content-Type": "application/taxii+json;version=2.1"})
    given = answers(f"{OBJECTS}{OTHER}/", {})
    assert given is not None
    assert [one["name"] for one in orjson.loads(given[1])["objects"]] == ["Newer"]


def test_who_asks_too_often_is_told_so_by_the_application(own: Looking) -> None:
    answers, limits = own.answers(), own.client.application.extensions["limits"]
    limits._default["requests"], limits._shared = 20, None
    given = [answers(f"{OBJECTS}{OTHER}/", {}) for _ in range(30)]
    assert 0 < sum(one is not None for one in given) <= 20
    told: dict[str, Any] = {}
    assert answers(f"{OBJECTS}{OTHER}/", told) is None
    assert told == {}
    assert own.client.get(f"{OBJECTS}{OTHER}/", headers=own.headers("membership")).status_code == 429
