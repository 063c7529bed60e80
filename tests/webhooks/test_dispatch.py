"""Delivering webhooks on a real database to a real receiver: order, tries over days, dead letters, policy, leases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.errors import InputError, NotFoundError, UnprocessableError
from exchange.model.webhook import key_of, new_secret, signed_headers
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.settings import Settings, read_settings
from exchange.store import webhooks as stored
from exchange.store.engine import write
from exchange.webhooks.desk import WebhookDesk
from exchange.webhooks.dispatch import PAUSES, SECOND, Dispatcher
from exchange.wiring import Exchange
from tests.e2e.described import lay_described
from tests.e2e.stix_objects import TLP, campaign, domain, handling, indicator
from tests.fakes.webhook_receiver import WebhookReceiver, is_signed, receiving_webhooks


class Club:
    """An exchange with members, whose clock the test moves, and its webhooks."""

    def __init__(self, settings: Settings) -> None:
        self.late = 0
        self.exchange = Exchange(settings, clock=self.clock)
        self.desk = WebhookDesk(self.exchange)
        self.dispatcher = self.process()

    def clock(self) -> int:
        from exchange.wiring import system_clock

        return system_clock() + self.late

    def process(self, allow: tuple[str, ...] = ("127.0.0.0/8",)) -> Dispatcher:
        """Another process that delivers."""
        return Dispatcher(self.exchange, lambda: Web(allow=allow, patience=Patience(tries=1), redirects=0))

    def hook(self, url: str, key: str = "beta", after: int = -1, **match: list[str]) -> dict[str, Any]:
        directory = self.exchange.directory()
        collection = next(c for c in directory.collections.values() if c.alias == "indicators")
        return self.desk.make(directory.credentials[key], collection, url, match, after)

    def push(self, *objects: dict[str, Any], key: str = "alpha") -> None:
        directory = self.exchange.directory()
        credential = directory.credentials[key]
        collection = next(c for c in directory.collections.values() if c.alias == "indicators")
        told = self.exchange.add(directory.organisations[credential.org], credential, collection,
                                 [json.dumps(one).encode() for one in objects], self.exchange.clock())
        assert {one.outcome.state for one in told} == {"added"}

    def round(self) -> bool:
        """Deliver what is due once; whether anything was."""
        return any([self.dispatcher.deliver(name) for name in self.dispatcher.due()])

    def settle(self) -> None:
        """Deliver until nothing is left that is due."""
        while self.round():
            pass


@pytest.fixture
def club(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Club:
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    monkeypatch.setenv("CIBX_WEBHOOK_NETWORKS", "127.0.0.0/8,169.254.0.0/16,::1")
    assert lay_described(read_settings().database_url, lanes=0)
    return Club(read_settings())


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving_webhooks() as one:
        yield one


def ids(message: dict[str, Any]) -> list[str]:
    return [one["id"] for one in message["data"]["objects"]]


def test_what_is_new_is_sent_in_order_and_signed(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    objects = [indicator() for _ in range(250)]
    club.push(*objects)
    club.settle()
    seen = []
    while not receiver.got.empty():
        headers, body = receiver.got.get()
        assert is_signed(made["secret"], headers, body)
        seen += ids(json.loads(body))
    assert seen == [one["id"] for one in objects]
    club.push(late := indicator())
    club.late += 5 * SECOND
    club.settle()
    assert ids(receiver.next()[1]) == [late["id"]]
    assert club.desk.show("org-beta", made["id"])["delivered"] == 251


def test_only_what_the_policy_releases_and_the_subscriber_wants_leaves(club: Club, receiver: WebhookReceiver) -> None:
    club.hook(receiver.url, type=["domain-name"])
    club.push(indicator(), domain("seen"), indicator(object_marking_refs=[TLP["RED"]]), campaign("c"))
    club.settle()
    assert ids(receiver.next()[1]) == [domain("seen")["id"]]
    assert receiver.got.empty()


def test_what_comes_late_is_sent_once_behind_what_was_sent_before(club: Club, receiver: WebhookReceiver) -> None:
    """Also where the first try fails."""
    made = club.hook(receiver.url)
    opens = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    held_back = handling("late", not_before=opens)
    hidden = [indicator(object_marking_refs=[TLP["GREEN"], held_back["id"]]) for _ in range(2)]
    club.push(held_back, *hidden, first := indicator())
    club.settle()
    assert ids(receiver.next()[1]) == [first["id"]]
    club.late += 3_601 * SECOND
    receiver.answers = [500]
    club.settle()
    club.push(last := indicator())
    club.late += (PAUSES[0] + 1) * SECOND
    club.settle()
    late = [held_back["id"], *(one["id"] for one in hidden)]
    assert [ids(receiver.next()[1]) for _ in range(3)] == [late, late, [last["id"]]]
    club.late += 5 * SECOND
    club.settle()
    assert receiver.got.empty()
    assert club.desk.show("org-beta", made["id"])["delivered"] == 5


def test_a_receiver_that_fails_is_tried_later_each_time_with_the_same_id(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(first := indicator())
    receiver.answers = [500, 503, 429]
    for number, pause in enumerate(PAUSES[:3]):
        club.settle()
        assert club.desk.show("org-beta", made["id"])["failures"] == number + 1
        assert club.dispatcher.due() == []
        club.late += (pause - 2) * SECOND
        assert club.dispatcher.due() == []
        club.late += 3 * SECOND
    club.push(second := indicator())
    club.settle()
    told = [receiver.next() for _ in range(4)]
    assert [ids(body) for _, body in told] == [[first["id"]]] * 4
    assert len({headers["webhook-id"] for headers, _ in told}) == 1
    headers, body = receiver.next()
    assert (ids(body), headers["webhook-id"] != told[0][0]["webhook-id"]) == ([second["id"]], True)
    assert body["data"]["after"] == told[0][1]["data"]["last"]
    assert club.desk.show("org-beta", made["id"])["failures"] == 0


def test_after_days_a_message_is_a_dead_letter_that_can_be_read_and_replayed(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(first := indicator())
    receiver.answers = [500] * (len(PAUSES) + 1)
    for pause in (*PAUSES, 0):
        club.settle()
        club.late += (pause + 1) * SECOND
    (letter,) = club.desk.show("org-beta", made["id"])["dead_letters"]
    assert (letter["tries"], letter["why"]) == (len(PAUSES) + 1, "The receiver answered 500.")
    club.push(second := indicator())
    club.late += 5 * SECOND
    club.settle()
    tried, _ = receiver.next()
    while not receiver.got.empty():
        _, last = receiver.next()
    assert ids(last) == [second["id"]]
    club.desk.replay("org-beta", made["id"], letter["number"])
    club.settle()
    again, then = receiver.next(), receiver.next()
    assert (ids(again[1]), ids(then[1])) == ([first["id"]], [second["id"]])
    assert again[0]["webhook-id"] == tried["webhook-id"]
    assert club.desk.show("org-beta", made["id"])["dead_letters"] == []


def test_a_receiver_that_is_gone_stops_its_webhook_until_it_is_resumed(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(first := indicator())
    receiver.answers = [410]
    club.settle()
    assert club.desk.show("org-beta", made["id"])["state"] == "stopped"
    receiver.next()
    club.late += 10 * 86_400 * SECOND
    club.settle()
    assert receiver.got.empty()
    club.desk.resume("org-beta", made["id"], club.exchange.directory().credentials["beta"], None)
    club.settle()
    assert ids(receiver.next()[1]) == [first["id"]]


def test_a_key_that_ends_stops_its_webhooks(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url, key="reader")
    assert cibx.run(["credential", "revoke", "reader"]) == 0
    club.push(indicator())
    club.settle()
    assert receiver.got.empty()
    shown = club.desk.show("org-gamma", made["id"])
    assert (shown["state"], "isn't valid any more" in shown["why"]) == ("stopped", True)


def test_what_is_erased_between_two_tries_does_not_leave(club: Club, receiver: WebhookReceiver) -> None:
    club.hook(receiver.url)
    club.push(first := indicator(), second := indicator())
    receiver.answers = [500]
    club.settle()
    receiver.next()
    assert cibx.run(["state", "erase", first["id"], "--by", "dana", "--reason", "A demand."]) == 0
    club.late += 10 * SECOND
    club.settle()
    assert ids(receiver.next()[1]) == [second["id"]]


def test_a_message_is_sent_again_as_it_was_by_another_process_after_a_kill(club: Club, receiver: WebhookReceiver) -> None:
    """The first was taken, and its sender killed before it noted that."""
    made = club.hook(receiver.url)
    club.push(*(indicator() for _ in range(3)))

    class Killed(Web):
        def __exit__(self, *_: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dispatcher(club.exchange, lambda: Killed(allow=("127.0.0.0/8",), redirects=0)).deliver(made["id"])
    club.push(later := indicator())
    club.late += 180 * SECOND
    club.settle()
    (one, body), (other, again), (_, rest) = (receiver.got.get(timeout=5) for _ in range(3))
    assert (one["webhook-id"], body) == (other["webhook-id"], again)
    assert ids(json.loads(rest)) == [later["id"]]


def test_a_message_whose_end_was_erased_is_sent_without_it_under_its_id(club: Club, receiver: WebhookReceiver) -> None:
    club.hook(receiver.url)
    club.push(first := indicator(), second := indicator())
    receiver.answers = [500]
    club.settle()
    assert cibx.run(["state", "erase", second["id"], "--by", "dana", "--reason", "A demand."]) == 0
    club.push(third := indicator())
    club.late += 10 * SECOND
    club.settle()
    (one, _), (other, again), (_, rest) = (receiver.next() for _ in range(3))
    assert one["webhook-id"] == other["webhook-id"]
    assert (ids(again), ids(rest)) == ([first["id"]], [third["id"]])


def test_a_message_of_which_nothing_is_left_gives_way_to_the_next(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(only := indicator())
    receiver.answers = [500, 200]
    club.settle()
    assert cibx.run(["state", "erase", only["id"], "--by", "dana", "--reason", "A demand."]) == 0
    club.late += 10 * SECOND
    club.settle()
    assert club.desk.show("org-beta", made["id"])["failures"] == 0
    club.push(*(following := [indicator() for _ in range(2)]))
    club.late += 10 * SECOND
    club.settle()
    receiver.next()
    assert ids(receiver.next()[1]) == [one["id"] for one in following]


@pytest.mark.parametrize("change", ["another key", "another place"])
def test_a_webhook_resumed_otherwise_sends_another_message(club: Club, receiver: WebhookReceiver, change: str) -> None:
    made = club.hook(receiver.url)
    club.push(first := indicator())
    receiver.answers = [500]
    club.settle()
    assert cibx.run(["credential", "rotate", "beta", "--id", "beta-2"]) == 0  # the webhook goes over to it
    club.push(second := indicator())
    keys = club.exchange.directory().credentials
    club.desk.resume("org-beta", made["id"], *((keys["beta"], None) if change == "another key" else (keys["beta-2"], -1)))
    club.settle()
    (one, _), (other, body) = receiver.next(), receiver.next()
    assert one["webhook-id"] != other["webhook-id"]
    assert ids(body) == [first["id"], second["id"]]


def test_one_process_at_a_time_delivers_a_webhook(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(indicator())
    other = club.process()

    def meanwhile() -> Web:
        assert not other.deliver(made["id"])
        assert other.due() == []
        return Web(allow=("127.0.0.0/8",), patience=Patience(tries=1), redirects=0)

    assert Dispatcher(club.exchange, meanwhile).deliver(made["id"])
    receiver.next()
    assert receiver.got.empty()


def test_the_lease_of_a_process_that_died_runs_out(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(indicator())
    with write(club.exchange.engine) as connection:
        now = club.clock()
        assert stored.claim(connection, made["id"], now, (180 * SECOND,), now + 120 * SECOND)
    assert club.dispatcher.due() == []
    club.late += 121 * SECOND
    club.settle()
    assert len(ids(receiver.next()[1])) == 1


def test_a_process_that_is_told_to_end_gives_its_lease_back(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(indicator())

    def end() -> Web:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dispatcher(club.exchange, end).deliver(made["id"])
    club.settle()
    assert len(ids(receiver.next()[1])) == 1


@pytest.mark.parametrize("failures", [0, 1, 4])
@pytest.mark.parametrize("hours", [3, 24 * 400])
def test_after_the_clock_was_set_back_a_webhook_waits_no_longer_than_its_schedule(
    club: Club, receiver: WebhookReceiver, failures: int, hours: int
) -> None:
    club.late = hours * 3_600 * SECOND
    made = club.hook(receiver.url)
    club.push(indicator())
    receiver.answers = [503] * failures
    for pause in (0, *PAUSES[:failures]):
        club.late += pause * SECOND
        club.settle()
    club.late = 0
    club.push(indicator())
    for _ in range(2):
        club.settle()
        club.late += (max(120, PAUSES[failures]) + 61) * SECOND
    assert receiver.got.qsize() == failures + 2
    assert club.desk.show("org-beta", made["id"])["delivered"] == 2


def test_leases_hold_between_servers_whose_clocks_differ_by_some_seconds(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    club.push(indicator())
    with write(club.exchange.engine) as connection:
        now = club.clock() + 30 * SECOND  # of the other server
        assert stored.claim(connection, made["id"], now, (180 * SECOND,), now + 120 * SECOND)
    assert club.dispatcher.due() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://169.254.169.254/latest/", "https://[::1]/x", "http://localhost/x"])
def test_private_addresses_are_not_reached_once_they_are_not_allowed(club: Club, url: str) -> None:
    made = club.hook(url)
    club.push(indicator())
    dispatcher = club.process(allow=())
    dispatcher.deliver(made["id"])
    shown = club.desk.show("org-beta", made["id"])
    assert (shown["failures"], shown["why"] != "", shown["delivered"]) == (1, True, 0)


def test_redirects_are_not_followed(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    receiver.answers, receiver.redirect = [307], receiver.url
    club.push(indicator())
    club.settle()
    receiver.next()
    assert receiver.got.empty()
    assert "redirects" in club.desk.show("org-beta", made["id"])["why"]


@pytest.mark.parametrize("url", ["", "https://user:pw@lorem.example/", "https://10.0.0.1/", "http://lorem.example@10.1/"])
def test_an_address_that_nothing_can_be_sent_to_is_refused(club: Club, url: str) -> None:
    with pytest.raises(UnprocessableError, match="The webhook's url"):
        club.hook(url)
    assert club.desk.every("org-beta") == []


def test_a_webhook_is_its_owners_and_its_secret_is_sealed(club: Club, receiver: WebhookReceiver, tmp_path: Path) -> None:
    made = club.hook(receiver.url)
    for step in (club.desk.show, club.desk.stop, club.desk.drop):
        with pytest.raises(NotFoundError):
            step("org-alpha", made["id"])
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("cibx.db*"))
    assert made["secret"].encode() not in raw
    assert key_of(made["secret"]) not in raw
    assert "secret" not in club.desk.show("org-beta", made["id"])
    club.desk.drop("org-beta", made["id"])
    assert club.desk.every("org-beta") == []


def test_an_organisation_has_at_most_twenty(club: Club) -> None:
    for _ in range(20):
        club.hook("https://lorem.example/")
    with pytest.raises(UnprocessableError, match="20 webhooks"):
        club.hook("https://lorem.example/")


def test_a_signature_is_that_of_the_standards_own_example() -> None:
    headers = signed_headers(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!", "whsec_AAAA"])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        key_of(text)
    assert len(key_of(new_secret(bytes))) == 32


def test_while_a_secret_takes_anothers_place_both_sign(club: Club, receiver: WebhookReceiver) -> None:
    made = club.hook(receiver.url)
    second = club.desk.new_secret("org-beta", made["id"], hours=2)["secret"]
    held = []
    for late in (0, 3_600 * SECOND, 7_201 * SECOND):
        club.late = late
        club.push(indicator())
        club.settle()
        headers, body = receiver.got.get(timeout=5)
        held.append([is_signed(secret, headers, body) for secret in (made["secret"], second)])
    assert held == [[True, True], [True, True], [False, True]]
    third = club.desk.new_secret("org-beta", made["id"], hours=0)["secret"]
    club.late += 10 * SECOND
    club.push(indicator())
    club.settle()
    headers, body = receiver.got.get(timeout=5)
    assert [is_signed(secret, headers, body) for secret in (made["secret"], second, third)] == [False, False, True]
    with pytest.raises(NotFoundError):
        club.desk.new_secret("org-alpha", made["id"], hours=1)
