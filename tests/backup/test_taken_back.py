"""What was taken back after a backup stays taken back when it is restored: only ever the narrower way."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from exchange.backup.narrow import fewer
from exchange.cases.contest import Actor
from exchange.errors import NotFoundError, UnavailableError
from exchange.model.description import read_description
from exchange.model.policy_version import Stage
from exchange.model.state import State
from exchange.obligations.erasure_list import read_erasures
from exchange.obligations.taken_back import released, rights
from exchange.obligations.transitions import By
from exchange.policy.packtext import texts_of
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.emergencies import list_emergencies
from exchange.store.engine import read, write
from exchange.store.holds import holds_on
from exchange.store.objects import Filter, Versions
from tests.backup.restored_site import Site
from tests.obligations.five_members import PLAIN, indicator

_ON_SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""For what doesn't depend on the engine."""
_THIRD = "aaaaaaaa-0000-4000-8000-000000000009"
_OFFICER = By("org-office", "officer", "dana")


def state_of(site: Site, stix_id: str, org: str = "org-alpha") -> str:
    found = site.members.desk.show(stix_id, org, site.members.now)
    return str(found[0]["state"]) if found else "gone"


def described(site: Site, text: str, **environment: str) -> None:
    """Change the directory as ``cibx apply`` does."""
    exchange = site.members.exchange
    with write(exchange.engine) as connection:
        before = load_directory(connection)
        apply(connection, read_description(tomllib.loads(text), before, environment, source="test"))
        exchange.erasures.note(connection, *rights(site.members.now, before, load_directory(connection)))


def test_states_that_were_set_after_the_backup_are_set_again(site: Site) -> None:
    states = {
        "revoked": (State.REVOKED, "producer"), "restricted": (State.RESTRICTED, "producer"),
        "disputed": (State.DISPUTED, "officer"), "held for review": (State.HELD, "officer"),
    }
    objects = {shown: indicator() for shown in (*states, "active")}
    site.members.push("alpha", *objects.values())
    site.members.receive("beta", objects["revoked"]["id"])
    file, _ = site.take()
    for shown, (to, role) in states.items():
        site.members.change(objects[shown]["id"], to, role=role)
    told = len(site.members.mailbox("beta"))
    done = site.restore(file)
    assert done.narrowed.counts == {to.name.lower(): 1 for to, _ in states.values()}
    assert {shown: state_of(site, one["id"]) for shown, one in objects.items()} == {shown: shown for shown in objects}
    assert len(site.members.mailbox("beta")) == told == 1


def test_what_was_lifted_after_the_backup_is_not_set_again_and_a_producer_lifts_what_was(site: Site) -> None:
    lifted, kept = indicator(), indicator()
    site.members.push("alpha", lifted, kept)
    file, _ = site.take()
    for one in (lifted, kept):
        site.members.change(one["id"], State.RESTRICTED)
    site.members.change(lifted["id"], State.ACTIVE)
    assert site.restore(file).narrowed.counts == {"restricted": 1}
    assert state_of(site, lifted["id"]) == "active"
    site.members.change(kept["id"], State.ACTIVE)
    assert site.ids() == {lifted["id"], kept["id"]}


def test_a_revocation_that_was_pushed_and_versions_that_were_deleted_are_so_again_each_time(site: Site) -> None:
    revoked, deleted, kept = indicator(), indicator(), indicator()
    site.members.push("alpha", revoked, deleted, kept)
    file, _ = site.take()
    site.members.push("alpha", revoked | {"revoked": True, "modified": "2026-11-02T00:00:00.000Z"})
    exchange = site.members.exchange
    directory = exchange.directory()
    exchange.withdraw(directory.organisations["org-alpha"], directory.credentials["alpha"], directory.collections[PLAIN],
                      deleted["id"], Filter(ids=(deleted["id"],), versions=Versions(frozenset({"all"}))), site.members.now)
    for _ in range(2):
        assert site.restore(file).narrowed.counts == {"revoked": 1, "withdrawn": 1}
        assert site.ids() == {kept["id"]}
        assert state_of(site, revoked["id"]) == "revoked"


@_ON_SQLITE
def test_an_object_whose_stricter_markings_are_lost_is_restricted_until_its_producer_pushes_them(site: Site) -> None:
    one = indicator()
    site.members.push("alpha", one)
    site.members.receive("beta", one["id"])
    file, _ = site.take()
    stricter = one | {"modified": "2026-11-02T00:00:00.000Z",
                      "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}
    assert site.members.push("alpha", stricter) == [("added", "")]
    done = site.restore(file)
    assert done.narrowed.counts == {"restricted": 1}
    assert site.ids() == set()
    assert site.members.push("alpha", stricter) == [("added", "")]
    site.members.change(one["id"], State.ACTIVE)
    assert [o["modified"] for o in site.members.sees("alpha")] == [one["modified"], stricter["modified"]]


@_ON_SQLITE
def test_a_legal_hold_begins_again_before_anything_is_erased(site: Site) -> None:
    held, released = indicator(), indicator()
    site.members.push("alpha", held, released)
    file, _ = site.take()
    for one in (held, released):
        site.members.desk.hold(one["id"], "org-alpha", reason="A court asks.", by=_OFFICER, now=site.members.now)
    site.members.desk.release(released["id"], "org-alpha", by=_OFFICER, now=site.members.now)
    site.members.change(held["id"], State.ERASED)
    done = site.restore(file)
    assert (done.erased, done.narrowed.counts) == (1, {"hold": 1})
    with read(site.members.exchange.engine) as connection:
        assert len(holds_on(connection, stix_id=held["id"], now=site.members.now)) == 1
        sealed = connection.exec_driver_sql("SELECT count(*) FROM sealed").scalar()
    assert sealed == 1


_ENDED = """
[[credential]]
id = "alpha"
org = "org-alpha"
revoked = true
[[credential]]
id = "beta"
org = "org-beta"
until = "2026-11-30"
[[organisation]]
id = "org-delta"
name = "delta"
kind = "platform"
jurisdiction = "IE"
active = false
[[agreement]]
org = "org-alpha"
id = "base"
status = "suspended"
[[membership]]
org = "org-beta"
group = "club"
status = "ended"
"""


def test_rights_that_ended_after_the_backup_end_again(site: Site) -> None:
    file, _ = site.take()
    described(site, _ENDED)
    done = site.restore(file)
    assert done.narrowed.counts == {"credential": 2, "organisation": 1, "agreement": 1, "membership": 1}
    directory = site.members.exchange.directory()
    assert {name for name, key in directory.credentials.items() if key.revoked} == {"alpha"}
    assert {name for name, key in directory.credentials.items() if key.until is not None} == {"beta"}
    assert {name for name, org in directory.organisations.items() if not org.active} == {"org-delta"}
    shown = {name: ([one.status for one in org.agreements], [one.status for one in org.memberships])
             for name, org in directory.organisations.items() if name in ("org-alpha", "org-beta", "org-gamma")}
    assert shown == {"org-alpha": (["suspended"], ["active"]), "org-beta": (["active"], ["ended"]),
                     "org-gamma": (["active"], ["active"])}


def _newcomers(scopes: str, low: str, high: str, readers: str) -> str:
    """Two members and a collection that the site's own description doesn't speak of."""
    member = '[[organisation]]\nid="org-{0}"\nname="{0}"\nkind="platform"\njurisdiction="IE"\nclearance="TLP:{1}"\n'
    return (f'{member.format("eta", low)}{member.format("zeta", high)}'
            f'[[credential]]\nid="eta"\norg="org-eta"\npurpose="cib-detection"\nscopes={scopes}\n'
            f'[[collection]]\nid="{_THIRD}"\ncommunity="c"\ntitle="Third"\nreaders={readers}\nwriters=["org-eta"]\n')


@_ON_SQLITE
def test_how_far_rights_go_is_the_fewer_of_both(site: Site) -> None:
    described(site, _newcomers('["read", "write", "audit"]', "RED", "GREEN", '["*"]'))
    file, _ = site.take()
    described(site, _newcomers('["read", "write"]', "AMBER", "RED", '["org-eta", "org-zeta"]'))
    assert site.restore(file).narrowed.counts == {"scopes": 1, "clearance": 1, "readers": 1}
    directory = site.members.exchange.directory()
    assert set(directory.credentials["eta"].scopes) == {"read", "write"}
    assert [directory.organisations[f"org-{name}"].clearance for name in ("eta", "zeta")] == ["TLP:AMBER", "TLP:GREEN"]
    restored = directory.collections[_THIRD]
    assert (restored.readers, restored.writers) == (("org-eta", "org-zeta"), ("org-eta",))


@pytest.mark.parametrize(("said", "has", "expected"), [
    (["a", "b"], ["*"], ["a", "b"]),
    (["*"], ["a"], ["a"]),
    (["a", "b"], ["b", "c"], ["b"]),
    ([], ["a", "*"], []),
])
def test_of_two_lists_of_readers_those_that_both_name_remain(said: list[str], has: list[str], expected: list[str]) -> None:
    assert fewer(said, has) == expected


@_ON_SQLITE
def test_a_key_whose_secret_was_replaced_does_not_open_with_the_old_one(site: Site) -> None:
    file, _ = site.take()
    described(site, '[[credential]]\nid="alpha"\norg="org-alpha"\nsecret_env="NEW"', NEW="a secret of some length")
    assert site.restore(file).narrowed.counts == {"credential": 1}
    assert site.members.exchange.directory().credentials["alpha"].revoked


def _purposes(agreed: str, key: str) -> str:
    return (_newcomers('["read"]', "AMBER", "AMBER", '["*"]').replace("cib-detection", key)
            + f'[[agreement]]\norg="org-eta"\nid="lent"\npurposes={agreed}\n')


@_ON_SQLITE
def test_purposes_that_were_taken_back_stay_so(site: Site) -> None:
    described(site, _purposes('["cib-detection", "integrity-research", "election-integrity"]', "integrity-research"))
    file, _ = site.take()
    described(site, _purposes('["cib-detection", "ad-transparency"]', "cib-detection"))
    assert site.restore(file).narrowed.counts == {"purposes": 1, "scopes": 1}
    directory = site.members.exchange.directory()
    assert directory.credentials["eta"].purpose == "cib-detection"
    (lent,) = [one for one in directory.organisations["org-eta"].agreements if one.id == "lent"]
    assert lent.purposes == ("cib-detection",)
    assert site.restore(site.take("again")[0]).narrowed.counts == {}


@_ON_SQLITE
def test_an_emergency_that_was_ended_stays_so(site: Site) -> None:
    actor, now = Actor("org-office", "org-office", "dana", frozenset({"emergency"})), site.members.now

    def declare() -> str:
        made = site.members.exchange.cases.emergencies.declare(
            actor, people=["eva"], since=now, until=now + 10 * 3_600_000_000, reason="Lorem.", collections=["*"], now=now)
        return str(made["id"])

    ended = declare()
    file, _ = site.take()
    site.members.exchange.cases.emergencies.end(actor, ended, now + 1_000_000)
    assert site.restore(file).narrowed.counts == {"emergency": 1}
    with read(site.members.exchange.engine) as connection:
        assert {row["id"]: row["ended_at"] is not None for row in list_emergencies(connection)} == {ended: True}


@_ON_SQLITE
def test_the_policy_that_decided_last_decides_again_where_its_texts_are_known(site: Site) -> None:
    policy = site.members.exchange.policy
    policy.begin(site.members.now)
    shipped, texts = policy.folder.digest, texts_of()
    other = texts | {"programme.toml": texts["programme.toml"].replace('title = "Programme"', 'title = "Lorem"')}
    changes = site.members.exchange.policy_changes()
    kept = changes.propose(other, "ana", "Lorem.").digest
    before, _ = site.take()
    site.members.exchange.policy_changes().advance(kept, Stage.ACTIVE, "ana", "Lorem.")
    after, _ = site.take("after")
    assert site.restore(before).narrowed.counts == {"policy": 1}
    assert site.members.exchange.packs.digest == kept != shipped
    site.members.exchange.policy_changes().roll_back("ana", "Lorem.")
    done = site.restore(after)
    assert (done.narrowed.counts, done.narrowed.by_hand) == ({"policy": 1}, [])
    assert site.members.exchange.packs.digest == shipped


@_ON_SQLITE
def test_another_policy_and_lines_of_a_newer_release_are_told_to_the_operator(site: Site) -> None:
    file, _ = site.take()
    site.members.change(_pushed(site), State.RESTRICTED)  # there is a list
    with Path(site.settings.erasures).open("a") as lines:
        for kind, more in (("policy", {"version": "ab" * 32}), ("spell", {})):
            lines.write(json.dumps({"at": "2026-11-20T00:00:00.000000Z", "kind": kind, **more}) + "\n")
    told = " ".join(site.restore(file).narrowed.by_hand)
    assert "'spell'" in told
    assert "Policy version abababababab was in force" in told


def test_nothing_is_taken_back_where_the_list_cannot_be_written(site: Site) -> None:
    name = _pushed(site)
    Path(site.settings.erasures).unlink(missing_ok=True)
    Path(site.settings.erasures).mkdir()
    with pytest.raises(UnavailableError, match="can't be written, so nothing is changed"):
        site.members.change(name, State.RESTRICTED)
    assert state_of(site, name) == "active"


@_ON_SQLITE
def test_lines_of_one_transaction_are_written_together_and_none_of_one_that_is_rolled_back(site: Site) -> None:
    site.members.push("alpha", *(many := [indicator() for _ in range(3)]))
    newer = [one | {"revoked": True, "modified": "2026-11-02T00:00:00.000Z"} for one in many]
    with pytest.raises(NotFoundError):
        _note_and_fail(site, many[0]["id"])
    site.members.push("alpha", *newer)
    listed = read_erasures(Path(site.settings.erasures))
    assert [one.said["id"] for one in listed.taken] == [one["id"] for one in many]


def _note_and_fail(site: Site, name: str) -> None:
    with write(site.members.exchange.engine) as connection:
        site.members.exchange.erasures.note(connection, released(0, "org-alpha", name))
        raise NotFoundError("So that it is rolled back.")


def _pushed(site: Site) -> str:
    site.members.push("alpha", one := indicator())
    return str(one["id"])
