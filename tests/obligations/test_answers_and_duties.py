"""Answers, silence and deadlines; the pack that says what is owed; what narrows an object's terms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exchange.errors import InputError, NotFoundError, SettingError
from exchange.model.state import State
from exchange.obligations.answers import as_json
from exchange.obligations.duties import DAY, duties_of, read_duties
from exchange.obligations.notice import KINDS, Affected
from exchange.obligations.stricter import narrowings
from exchange.obligations.sweep import take_turn
from exchange.policy.packfile import PackFile
from exchange.policy.packs import load
from tests.obligations.five_members import NOW, Members, indicator


@pytest.fixture
def owing(members: Members) -> str:
    """A notice that beta owes an answer to within seven days."""
    one = indicator()
    members.push("alpha", one)
    members.receive("beta", one["id"])
    return members.change(one["id"], State.ERASED).notices[0].id


def _answer(members: Members, notice: str, *, done: bool, org: str = "org-beta", statement: str = "So it is.") -> str:
    found = members.desk.acknowledge(notice, org=org, key="beta", done=done, statement=statement, now=members.now)
    return str(found["state"])


# days after the sending, each with an answer (True, False) or a sweep (None); then: the notice's state, whether
# the agreement was suspended, whether the operator was told
COURSES: list[tuple[list[tuple[int, bool | None]], str, bool, bool]] = [
    ([(6, None)], "open", False, False),
    ([(7, None)], "escalated", False, True),
    ([(1, True), (7, None), (14, None)], "done", False, False),
    ([(1, False), (6, None)], "not-done", False, False),
    ([(1, False), (7, None)], "escalated", False, True),
    ([(1, False), (2, True), (20, None)], "done", False, False),
    ([(7, None), (8, True), (14, None)], "done", False, True),
    ([(7, None), (8, False), (13, None)], "escalated", False, True),
    ([(7, None), (14, None)], "suspended", True, True),
    ([(14, None)], "suspended", True, True),
    ([(14, None), (15, True), (16, None)], "done", True, True),
]


@pytest.mark.parametrize(("course", "state", "suspended", "told"), COURSES, ids=str)
def test_what_becomes_of_a_notice(
    members: Members, owing: str, course: list[tuple[int, bool | None]], state: str, suspended: bool, told: bool
) -> None:
    for day, done in course:
        members.now = NOW + day * DAY
        if done is None:
            members.desk.sweep(members.now)
            assert members.desk.sweep(members.now) == []
        else:
            _answer(members, owing, done=done)
    assert members.desk.notice(owing)["state"] == state
    statuses = [a.status for a in members.exchange.directory().organisations["org-beta"].agreements]
    assert statuses == ["suspended" if suspended else "active"]
    assert len(members.mailbox("office")) == told


def test_suspending_is_seen_at_the_next_request(members: Members, owing: str) -> None:
    one = indicator()
    members.push("alpha", one)
    assert members.sees("beta") == [one]
    members.now += 14 * DAY
    members.desk.sweep(members.now)
    assert members.sees("beta") == []
    assert len(members.mailbox("beta")) == 1


def test_a_kind_that_does_not_suspend_stays_escalated(members: Members) -> None:
    one = indicator()
    members.push("alpha", one)
    members.receive("beta", one["id"])
    notice = members.change(one["id"], State.REVOKED).notices[0].id
    members.now += 40 * DAY
    members.desk.sweep(members.now)
    assert members.desk.notice(notice)["state"] == "escalated"


@pytest.mark.parametrize(("changed", "kind", "match"), [
    ({"org": "org-gamma"}, NotFoundError, "no such notice"),
    ({"done": False, "statement": " "}, InputError, "needs a statement"),
    ({"statement": "x" * 10_001}, InputError, "10001 characters"),
])  # fmt: skip
def test_an_answer_that_can_not_be_kept_changes_nothing(
    members: Members, owing: str, changed: dict[str, Any], kind: type[Exception], match: str
) -> None:
    with pytest.raises(kind, match=match):
        _answer(members, owing, **{"done": True, **changed})
    shown = members.desk.notice(owing)
    assert (shown["state"], shown["answers"]) == ("open", [])


def test_lists_say_what_is_awaited_and_what_is_overdue(members: Members, owing: str) -> None:
    assert [n["id"] for n in members.desk.notices("org-beta", awaited=True)] == [owing]
    assert members.desk.notices("org-gamma") == []
    assert members.desk.notices(overdue_at=members.now) == []
    assert [n["id"] for n in members.desk.notices(overdue_at=members.now + 8 * DAY)] == [owing]
    _answer(members, owing, done=True)
    assert members.desk.notices(awaited=True) == []
    assert [n["id"] for n in members.desk.notices("org-beta")] == [owing]


def test_one_process_sweeps_at_a_time(members: Members) -> None:
    assert take_turn(members.exchange.engine, NOW)
    assert not take_turn(members.exchange.engine, NOW + 1)
    assert take_turn(members.exchange.engine, NOW + 60_000_000)
    assert take_turn(members.exchange.engine, NOW - DAY)  # the clock was set back


def test_every_kind_of_notice_has_a_duty_now_and_a_citation() -> None:
    duties = duties_of(load())
    for kind in KINDS:
        made = duties.notice(kind, "org-x", [Affected("indicator--x")], reason="r", reference="x:1", now=NOW)
        assert made.deadline == NOW + duties.duty(kind, NOW).days * DAY
        assert made.citation
        again = duties.notice(kind, "org-x", [], reason="r", reference="x", now=NOW, obligation="use-again")
        assert again.deadline is None


def _pack(**changed: Any) -> PackFile:
    file = load().rooms["obligations"]
    return PackFile(file.name, json.loads(json.dumps(dict(file.content), default=str)) | changed)


def _rows(table: str, **changed: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in load().rooms["obligations"].content[table]]
    rows[0] |= changed
    return rows


@pytest.mark.parametrize(("changed", "match"), [
    ({"duty": []}, r"no \[\[duty\]\]"),
    ({"duty": _rows("duty")[1:]}, "for 'erasure'"),
    ({"duty": _rows("duty") + _rows("duty")[:1]}, "twice for one time"),
    ({"duty": _rows("duty", days=0)}, "days is 0"),
    ({"duty": _rows("duty", days="7")}, "days is '7'"),
    ({"duty": _rows("duty", kind="revenge")}, "kind is 'revenge'"),
    ({"duty": _rows("duty", obligation="forget")}, "obligation is 'forget'"),
    ({"duty": _rows("duty", extra=1)}, "'extra' is not a known key"),
    ({"duty": _rows("duty"), "parameter": []}, r"no \[\[parameter\]\]"),
    ({"duties": []}, "'duties' is not a table"),
])  # fmt: skip
def test_a_broken_pack_of_duties_is_told(changed: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingError, match=match):
        read_duties(_pack(**changed))


def test_a_duty_that_is_not_in_force_yet_is_told() -> None:
    with pytest.raises(SettingError, match="no duty for 'erasure' that is in force on 1970"):
        duties_of(load()).duty("erasure", 0)


def _label(**changed: Any) -> str:
    facts: dict[str, Any] = {"owner": "o", "markings": {"tlp": ["TLP:GREEN"]}, "audience": {}, "data": {},
                             "basis": {"purposes": ["a", "b"]}}  # fmt: skip
    for path, value in changed.items():
        section, _, key = path.partition("__")
        facts[section] = {**facts[section], key: value}
    return json.dumps({"object": facts})


@pytest.mark.parametrize(("older", "newer", "words"), [
    ({}, {}, []),
    ({}, {"markings__tlp": ["TLP:AMBER"]}, ["TLP:GREEN became TLP:AMBER"]),
    ({"markings__tlp": ["TLP:AMBER"]}, {}, []),
    ({}, {"markings__pap": ["PAP:RED"]}, ["PAP:RED was added"]),
    ({}, {"audience__named_orgs": ["x"]}, ["the audience became smaller"]),
    ({"audience__named_orgs": ["x", "y"]}, {"audience__named_orgs": ["x"]}, ["the audience became smaller"]),
    ({"audience__named_orgs": ["x"]}, {"audience__named_orgs": ["x", "y"]}, []),
    ({"audience__sharing_groups": ["x"]}, {}, []),
    ({}, {"audience__exclude_orgs": ["x"]}, ["somebody was excluded"]),
    ({}, {"basis__purposes": ["a"]}, ["a purpose was taken back"]),
    ({}, {"basis__purposes": ["a", "b", "c"]}, []),
    ({}, {"markings__iep": [{"iep_version": 2.0}]}, ["an IEP policy was added"]),
])  # fmt: skip
def test_what_narrows_terms(older: dict[str, Any], newer: dict[str, Any], words: list[str]) -> None:
    assert narrowings(_label(**older), _label(**newer)) == words


def test_a_notice_as_json_has_times_as_texts(members: Members, owing: str) -> None:
    shown = members.desk.notice(owing)
    assert shown["sent"] == "2026-11-18T11:06:40.000000Z"
    assert shown["deadline"] == "2026-11-25T11:06:40.000000Z"
    assert set(shown) - {"answers"} == set(as_json({
        **shown, "at": 0, "deadline": 0, "escalated": 0, "objects": "[]"}))  # fmt: skip
