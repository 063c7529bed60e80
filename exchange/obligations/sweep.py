"""What is done when its time has come: content past its retention is wiped, holds end, silence escalates.

Every step is a transaction of its own and does nothing the second time, so that any process may do it whenever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from exchange.model.state import State
from exchange.obligations import holds, put_aside, taken_back
from exchange.obligations.answers import escalate
from exchange.obligations.duties import DAY, MINUTE
from exchange.obligations.means import Means
from exchange.obligations.send import send
from exchange.obligations.states import notices_of_change
from exchange.obligations.transitions import By
from exchange.store import holds as stored_holds
from exchange.store import outlived
from exchange.store.clock import is_believed, note_running
from exchange.store.directory import load_directory, meta_value, replace_meta
from exchange.store.engine import read, write
from exchange.store.erasures import all_erasures, destroy_old_salts, ended_objects, settle, wipe_ended
from exchange.store.events import record
from exchange.store.notices import list_notices
from exchange.store.states import recent_changes
from exchange.words import counted

EVERY_SECONDS = 60.0
_TURN = 50_000_000
"""Microseconds that a turn lasts: less than the time between two sweeps of one process."""
_LATELY = 2 * MINUTE
_AT_ONCE = 500
"""Objects in one transaction: others have their turn between two."""
_BY_TIME = By("cib-exchange", "officer", "sweeper")


def sweep(engine: Any, means: Means, operators: Callable[[], Iterable[str]], now: int) -> list[str]:
    """Everything that is due at ``now`` (microseconds); gives a line for each thing that was done."""
    done = [*rescan(engine, means, now), *_end_holds(engine, now)]
    with read(engine) as connection:
        believed = is_believed(connection, now)
        due = list_notices(connection, states=("open", "not-done", "escalated"), due_before=now, limit=1)
    if due:
        with write(engine) as connection:
            before = load_directory(connection)
            done += escalate(connection, means.duties, operators(), now)
            means.note(connection, *taken_back.rights(now, before, load_directory(connection)))
    done += _wipe_ended(engine, means, now) if believed else _keep_ended(engine, means, now)
    with read(engine) as connection:
        hour = outlived.is_due(connection, now)
    if hour:
        with write(engine) as connection:
            outlived.drop_outlived(connection, now)
    with read(engine) as connection:
        erased = recent_changes(connection, to=State.ERASED, since=now - _LATELY)
        named = [(org, stix_id) for at, org, _, stix_id in all_erasures(connection) if at >= now - _LATELY] \
            if erased else []
    if done or erased:
        settle(engine)
    put_aside.wipe_everywhere(engine, named)
    return done


def take_turn(engine: Any, now: int) -> bool:
    """Whether this process is the one to sweep now: the first to say so in the database is."""
    with read(engine) as connection:
        last = int(meta_value(connection, "obligations.swept"))
    if last <= now < last + _TURN:
        return False
    with write(engine) as connection:
        mine = replace_meta(connection, "obligations.swept", str(last), str(now))
        if mine:
            note_running(connection, now)
        return mine


def rescan(engine: Any, means: Means, now: int, *, first: int = 0) -> list[str]:
    """Look once more who received what was erased, revoked or restricted lately: pages may have been under way.

    Only at changes from number ``first`` on: who has just made one needn't look at all the others again.
    """
    since = now - means.duties.number("rescan-minutes", now) * MINUTE
    sent: list[str] = []
    for state in (State.ERASED, State.REVOKED, State.RESTRICTED):
        with read(engine) as connection:
            rows = recent_changes(connection, to=state, since=since, first=first)
            missing = []
            for _, group in groupby(rows, key=lambda row: (row["stix_id"], row["contributor"], row["at"])):
                change = list(group)
                there = {row["org"] for row in list_notices(
                    connection, reference=f"state-change:{change[0]['number']}", limit=100_000)}
                missing += [n for n in notices_of_change(connection, means, change, now) if n.org not in there]
        if missing:
            with write(engine) as connection:
                sent += [f"told {notice.org}: {notice.kind}" for notice in send(connection, missing, now)]
    return sent


def _end_holds(engine: Any, now: int) -> list[str]:
    with read(engine) as connection:
        ended = stored_holds.ended_holds(connection, now)
    for row in ended:
        with write(engine) as connection:
            holds.end(connection, row["number"], row["stix_id"], row["org"], by=_BY_TIME, now=now)
    return [f"ended the legal hold on {row['stix_id']}" for row in ended]


def _wipe_ended(engine: Any, means: Means, now: int) -> list[str]:
    """Content of objects whose time ended more than the grace period ago (P11); held ones stay."""
    before = now - means.duties.number("grace-days", now) * DAY
    total = 0
    while True:
        with read(engine) as connection:
            rows = ended_objects(connection, before, _AT_ONCE)
        if not rows:
            break
        with write(engine) as connection:
            wipe_ended(connection, rows)
            record(connection, at=now, kind="retention", org=_BY_TIME.org, detail={
                "wiped": len(rows), "ended-before": before,
            })
        total += len(rows)
    with write(engine) as connection:
        salts = destroy_old_salts(connection, now - means.duties.number("salt-days", now) * DAY)
    return ([f"wiped the content of {counted(total, 'object')} past retention"] if total else []) + (
        [f"destroyed the salts of {counted(salts, 'commitment')} to erased content"] if salts else [])


def _keep_ended(engine: Any, means: Means, now: int) -> list[str]:
    """The clock is far ahead of when the exchange ran last: what can't be brought back isn't done by it yet."""
    with read(engine) as connection:
        if not ended_objects(connection, now - means.duties.number("grace-days", now) * DAY, 1):
            return []
    return ["kept what is past its retention, since the clock is over a week ahead of when the exchange ran last; it is"
            " wiped after a day by this clock, or at once where a person says that it is right: cibx clock confirm"]
