"""A step of a policy version is checked against what it would show, counted, recorded, and taken back with a recall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from exchange.errors import InputError, SettingError, UnavailableError
from exchange.governance.difference import Changed, World, difference
from exchange.model.policy_version import Stage
from exchange.policy.packtext import packs_of, texts_of
from exchange.stix.extensions import HANDLING
from exchange.store.emergencies import add_emergency, change_emergency
from exchange.store.engine import open_engine, read, write
from exchange.store.label_counts import LabelCount
from exchange.store.versions import load_counts, load_steps
from tests.governance.governed import DAY, NOW, Governed, governed, narrow, personal

SHIPPED = texts_of()
HOUR = DAY // 24


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Governed]:
    made = governed(tmp_path)
    yield made
    made.exchange.engine.dispose()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    """An exchange, for tests in which nothing changes; the narrower packs are proposed."""
    made = governed(tmp_path_factory.mktemp("untouched"))
    made.changes().propose(narrow(), "Ana", "lorem")
    yield made
    made.exchange.engine.dispose()


@pytest.fixture
def under_narrow(tmp_path: Path) -> Iterator[Governed]:
    """An exchange that began with the narrower packs: the shipped ones widen."""
    made = governed(tmp_path, narrow())
    yield made
    made.exchange.engine.dispose()


def stages(here: Governed, digest: str) -> list[Stage]:
    with read(here.exchange.engine) as connection:
        return [step.stage for step in load_steps(connection).steps if step.digest == digest]


def ids(objects: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in objects if one["type"] == "indicator"}


PAP = SHIPPED["pap.toml"]


@pytest.mark.parametrize(("file", "text", "sentence"), [
    ("pap.toml", PAP.replace('decision = "allow"', 'decision = "deny"', 1), r"logs be searched': it is allow \(no reason\), not deny\. Mend"),
    ("pap.toml", PAP.replace('decision = "deny"', 'decision = "allow"').replace('decision = "allow"', 'decision = "redact"'), r": .* \(and [0-9]+ more\)\. Mend"),
])
def test_packs_that_do_not_decide_their_own_cases_are_not_proposed(
    untouched: Governed, file: str, text: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        untouched.changes().propose({**SHIPPED, file: text}, "Ana", "lorem")
    with read(untouched.exchange.engine) as connection:
        assert len(load_steps(connection).digests()) == 2


@pytest.mark.parametrize("days", ["-1", "true", '"7"', "1.5"])
def test_packs_whose_shadow_period_is_no_number_are_not_proposed(untouched: Governed, days: str) -> None:
    with pytest.raises(SettingError, match=r"shadow\.days is "):
        untouched.changes().propose({**SHIPPED, "versions.toml": SHIPPED["versions.toml"].replace("days = 7", f"days = {days}")},
                               "Ana", "lorem")


@pytest.mark.parametrize(("digits", "capital", "known"), [(5, False, False), (6, False, True), (64, False, True), (12, True, True), (0, False, False)])
def test_a_version_is_named_by_six_digits_or_more(untouched: Governed, digits: int, capital: bool, known: bool) -> None:
    digest = packs_of(narrow()).digest
    name = digest[:digits].upper() if capital else digest[:digits]
    if known:
        assert untouched.changes().find(name) == digest
    else:
        with pytest.raises(InputError, match="There is no policy version"):
            untouched.changes().find(name)
    with pytest.raises(InputError, match="There is no policy version 'ffffffffff'"):
        untouched.changes().find("ffffffffff")


def test_a_canary_is_for_organisations_that_there_are(untouched: Governed) -> None:
    digest = packs_of(narrow()).digest
    with pytest.raises(InputError, match="There is no organisation 'org-none'"):
        untouched.changes().advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta", "org-none"))
    assert stages(untouched, digest) == [Stage.DRAFT]


def test_a_narrowing_is_in_force_at_once_and_counted_for_each_organisation(here: Governed) -> None:
    objects = personal(1, 2)
    here.push(*objects)
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    outcome = here.changes().advance(digest, Stage.ACTIVE, "Ana", "lorem")
    lost = {one.org: (one.gained, one.lost, one.otherwise, dict(one.reasons)) for one in outcome.changes}
    assert lost == {f"org-{org}": (0, 3, 0, {"consent-record-missing": 3}) for org in ("alpha", "beta", "gamma")}
    assert {one.org: set(one.samples["lost"]) for one in outcome.changes} == {org: {o["id"] for o in objects} for org in lost}
    assert ids(here.sees("beta")) == set()
    assert here.exchange.policy.active.digest == digest
    with read(here.exchange.engine) as connection:
        counted = [(at, count.org, count.gained, count.lost, count.reasons) for at, count in load_counts(connection, digest)]
    reasons = {"consent-record-missing": 3}
    assert counted == [(NOW, "", 0, 9, {}), *((NOW, f"org-{org}", 0, 3, reasons) for org in ("alpha", "beta", "gamma"))]
    assert here.noted == [step for step in here.noted if digest in repr(step)]
    assert len(here.noted) == 1


def test_a_count_is_recorded_and_is_no_step(here: Governed) -> None:
    here.push(*personal(1))
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    counted = here.changes(1).count(digest[:8])
    assert (counted.digest, counted.steps, [one.lost for one in counted.changes]) == (digest, (), [2, 2, 2])
    assert stages(here, digest) == [Stage.DRAFT]
    with read(here.exchange.engine) as connection:
        assert [at for at, _ in load_counts(connection, digest)] == [NOW + DAY] * 4
    assert len(ids(here.sees("beta"))) == 1


def test_a_widening_waits_in_shadow_for_a_second_person(under_narrow: Governed) -> None:
    here = under_narrow
    digest = here.changes().propose(SHIPPED, "Ana", "lorem").digest
    with pytest.raises(InputError, match=r"widen|shows somebody more"):
        here.changes().advance(digest, Stage.ACTIVE, "Ana", "lorem")
    here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    assert here.exchange.policy.active.digest == packs_of(narrow()).digest
    assert here.noted == []
    with pytest.raises(InputError, match="to go"):
        here.changes(6.9).advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta",))
    here.changes(0.1).advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta",))
    here.exchange.directory()
    assert [here.exchange.policy.of(f"org-{org}").digest == digest for org in ("beta", "gamma")] == [True, False]
    here.changes().advance(digest, Stage.ACTIVE, "Ben", "lorem")
    here.exchange.directory()
    assert here.exchange.policy.of("org-gamma").digest == digest
    assert stages(here, digest) == [Stage.DRAFT, Stage.SHADOW, Stage.CANARY, Stage.ACTIVE]


def test_a_retired_candidate_is_not_compared(here: Governed) -> None:
    here.push(*personal(1))
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    outcome = here.changes().advance(digest, Stage.RETIRED, "Ana", "lorem")
    assert outcome.changes == ()
    assert stages(here, digest) == [Stage.DRAFT, Stage.RETIRED]


MOMENT = NOW + 25 * HOUR
EMERGENCIES = [
    # what differs from one for everything that lasts, whether the shadow period is the short one at MOMENT
    ({}, True),
    ({"collections": ["aaaaaaaa-0000-4000-8000-000000000002"]}, False),
    ({"until": MOMENT}, False), ({"until": MOMENT + 1}, True),
    ({"since": MOMENT + 1}, False), ({"since": MOMENT}, True),
    ({"ended_at": MOMENT}, False), ({"ended_at": MOMENT + 1}, True),
]


def test_an_emergency_for_every_collection_shortens_the_shadow_while_it_lasts(under_narrow: Governed) -> None:
    here = under_narrow
    digest = here.changes().propose(SHIPPED, "Ana", "lorem").digest
    here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    changes = here.changes(25 / 24)
    assert here.now == MOMENT
    for number, (change, shortened) in enumerate(EMERGENCIES):
        row = {"id": f"e{number}", "org": "org-alpha", "declared_by": "eva", "findings": "", "reason": "lorem",
               "people": ["eva", "ida"], "collections": ["*"], "declared_at": NOW, "since": NOW, "until": NOW + 9 * DAY}
        with write(here.exchange.engine) as connection:
            add_emergency(connection, {**row, **{name: value for name, value in change.items() if name != "ended_at"}})
            change_emergency(connection, f"e{number}", {"ended_at": change.get("ended_at")})
        if shortened:
            assert changes.advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta",)).steps[-1].digest == digest
        else:
            with pytest.raises(InputError, match="to go"):
                changes.advance(digest, Stage.CANARY, "Ben", "lorem", ("org-beta",))
        with write(here.exchange.engine) as connection:
            change_emergency(connection, f"e{number}", {"ended_at": NOW})


def widened(here: Governed) -> str:
    """The shipped packs come into force after the narrower ones, in a week."""
    digest = here.changes().propose(SHIPPED, "Ana", "lorem").digest
    here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    here.changes(7).advance(digest, Stage.ACTIVE, "Ben", "lorem")
    here.noted.clear()
    return digest


def test_a_rollback_recalls_from_each_what_it_received_since_and_no_longer_sees(under_narrow: Governed) -> None:
    here = under_narrow
    wide = widened(here)
    objects = personal(1, 2)
    here.push(*objects)
    first, second = (one["id"] for one in objects[1:])
    here.receive("beta", first)
    here.receive("gamma", first)
    here.receive("gamma", second)
    outcome = here.changes(1).roll_back("Ana", "too wide")
    assert (outcome.recalled, outcome.digest) == (2, packs_of(narrow()).digest)
    assert here.recalled("beta") == [first]
    assert sorted(here.recalled("gamma")) == sorted([first, second])
    assert ids(here.sees("beta")) == set()
    assert stages(here, wide)[-2:] == [Stage.ACTIVE, Stage.RETIRED]
    assert [outcome.digest in repr(one) for one in here.noted] == [True]


def test_what_was_received_before_the_version_came_into_force_is_not_recalled(here: Governed) -> None:
    objects = personal(1)
    here.push(*objects)
    here.receive("beta", objects[1]["id"])
    tight = here.changes().propose(narrow(), "Ana", "lorem").digest
    here.changes(1).advance(tight, Stage.ACTIVE, "Ana", "lorem")
    widened(here)
    here.receive("gamma", objects[1]["id"])
    outcome = here.changes(1).roll_back("Ana", "too wide")
    assert outcome.recalled == 1
    assert here.recalled("beta") == []
    assert here.recalled("gamma") == [objects[1]["id"]]


def test_a_rollback_that_widens_is_refused_and_changes_nothing(here: Governed) -> None:
    here.push(*personal(1))
    tight = here.changes().propose(narrow(), "Ana", "lorem").digest
    here.changes().advance(tight, Stage.ACTIVE, "Ana", "lorem")
    with pytest.raises(InputError, match="widening"):
        here.changes().roll_back("Ben", "lorem")
    assert here.exchange.policy.active.digest == tight
    assert len(here.noted) == 1


def test_without_a_former_version_there_is_nothing_to_roll_back(here: Governed) -> None:
    with pytest.raises(InputError):
        here.changes().roll_back("Ben", "lorem")


def others_change_it(here: Governed, times: int) -> None:
    """Another process changes the directory after each of the next transactions."""
    engine: Engine = open_engine(here.exchange.settings.database_url)
    left = [times]

    @event.listens_for(here.exchange.engine, "checkin")
    def changed(*_: Any) -> None:
        if left[0]:
            left[0] -= 1
            with write(engine) as connection:
                connection.exec_driver_sql("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'directory.version'")



def test_a_step_is_worked_out_anew_where_the_directory_changed_meanwhile_and_given_up_in_the_end(here: Governed) -> None:
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    changes = here.changes()
    others_change_it(here, 2)
    assert changes.advance(digest, Stage.SHADOW, "Ana", "lorem").steps[-1].stage is Stage.SHADOW
    others_change_it(here, 99)
    with pytest.raises(UnavailableError, match="changed all the time"):
        changes.advance(digest, Stage.ACTIVE, "Ana", "lorem")
    assert stages(here, digest) == [Stage.DRAFT, Stage.SHADOW]


def test_a_rollback_beside_a_change_of_the_directory_is_to_be_tried_again(under_narrow: Governed) -> None:
    here = under_narrow
    wide = widened(here)
    changes = here.changes()
    others_change_it(here, 99)
    with pytest.raises(UnavailableError, match="nothing was rolled back"):
        changes.roll_back("Ana", "lorem")
    assert stages(here, wide)[-1] is Stage.ACTIVE


def test_only_an_active_organisation_gains_or_loses_by_a_change_of_the_directory(here: Governed) -> None:
    here.push(*personal(1))
    before = here.exchange.directory()
    here.describe('[[organisation]]\nid = "org-beta"\nname = "beta"\nkind = "platform"\njurisdiction = "IE"\nactive = false\n')
    after = here.exchange.directory()
    with read(here.exchange.engine) as connection:
        found = difference(connection, World(before, here.exchange.policy.of), World(after, here.exchange.policy.of), here.now)
    assert [(one.org, one.gained, one.lost) for one in found] == [("org-beta", 0, 2)]
    assert found[0].as_json()["reasons"] == {"collection-not-readable": 2}


def test_three_objects_are_named_as_samples(here: Governed) -> None:
    first, second = personal(1), personal(2, 3, 4)
    second[0]["extensions"][HANDLING]["audience"] = {"exclude_orgs": ["org-lorem"]}  # another label
    here.push(*first)
    here.push(*second)
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    counted = here.changes().count(digest)
    assert [one.lost for one in counted.changes] == [6, 6, 6]
    samples = counted.changes[0].samples
    assert (len(samples["lost"]), samples["gained"], samples["otherwise"]) == (3, [], [])
    assert set(samples["lost"]) <= {one["id"] for one in (*first, *second)}
    assert set(samples["lost"]) & {one["id"] for one in first}
    assert set(samples["lost"]) & {one["id"] for one in second}


@pytest.mark.parametrize(("sign", "counts"), [(1, (3, 0, 0)), (-1, (0, 3, 0)), (0, (0, 0, 3))])
def test_what_changes_is_counted_as_gained_lost_or_otherwise(sign: int, counts: tuple[int, int, int]) -> None:
    one, label = Changed("org-x"), LabelCount(1, "c", 2, 3)
    one.add(sign, label, ("why", "why else"))
    assert (one.gained, one.lost, one.otherwise) == counts
    assert (dict(one.reasons), dict(one.touched)) == ({"why": 3, "why else": 3}, {sign: [label]})
    one.add(sign, label, ("why",))
    assert (one.gained + one.lost + one.otherwise, one.reasons["why"]) == (6, 6)


def test_in_shadow_everybody_is_counted_and_in_a_canary_its_organisations(here: Governed) -> None:
    here.push(*personal(1))
    digest = here.changes().propose(narrow(), "Ana", "lorem").digest
    shadow = here.changes().advance(digest, Stage.SHADOW, "Ana", "lorem")
    assert [(one.org, one.lost) for one in shadow.changes] == [("org-alpha", 2), ("org-beta", 2), ("org-gamma", 2)]
    canary = here.changes().advance(digest, Stage.CANARY, "Ana", "lorem", ("org-beta",))
    assert [(one.org, one.lost) for one in canary.changes] == [("org-beta", 2)]


@pytest.mark.parametrize(("active", "gained"), [("true", [("org-new", 2, 0)]), ("false", [])])
def test_a_new_organisation_gains_what_it_may_see_if_it_is_active(here: Governed, active: str, gained: list[Any]) -> None:
    here.push(*personal(1))
    before = here.exchange.directory()
    here.describe(f'[[organisation]]\nid = "org-new"\nname = "new"\nkind = "platform"\njurisdiction = "IE"\nactive = {active}\n'
                  'controller_arrangement = "art26"\ngroups = ["club"]\n[[organisation.agreement]]\nid = "base"\nversion = 1\n'
                  'purposes = ["cib-detection"]\n[[organisation.credential]]\nid = "new"\npurpose = "cib-detection"\n')
    worlds = [World(directory, here.exchange.policy.of) for directory in (before, here.exchange.directory())]
    with read(here.exchange.engine) as connection:
        assert [(one.org, one.gained, one.lost) for one in difference(connection, worlds[0], worlds[1], here.now)] == gained
        assert [(one.org, one.lost, one.gained) for one in difference(connection, worlds[1], worlds[0], here.now)] == gained


def test_after_a_restore_a_version_that_was_in_force_decides_again(here: Governed) -> None:
    tight = here.changes().propose(narrow(), "Ana", "lorem").digest
    here.changes().advance(tight, Stage.ACTIVE, "Ana", "lorem")
    policy, first = here.exchange.policy, packs_of(SHIPPED).digest
    here.exchange.directory()
    assert not policy.resume("0" * 64, here.now, "cibx", "a restore")
    assert (policy.active.digest, stages(here, tight)[-1]) == (tight, Stage.ACTIVE)
    assert policy.resume(first, here.now, "cibx", "a restore")
    assert (policy.active.digest, stages(here, first)[-1], stages(here, tight)[-1]) == (first, Stage.ACTIVE, Stage.RETIRED)
    assert policy.resume(tight, here.now, "cibx", "a restore")
    assert (policy.active.digest, stages(here, first)[-1]) == (tight, Stage.RETIRED)


def test_how_many_tables_are_weaker_is_told(here: Governed) -> None:
    weaker = {"obligations.toml": ("suspend = true", "suspend = false"), "versions.toml": ("days = 7", "days = 0")}
    told = []
    for files in (["versions.toml"], ["versions.toml", "obligations.toml"]):
        texts = {**SHIPPED, **{file: SHIPPED[file].replace(*weaker[file]) for file in files}}
        digest = here.changes().propose(texts, "Ana", "lorem").digest
        with pytest.raises(InputError, match=r"isn't only a narrowing") as refused:
            here.changes().advance(digest, Stage.ACTIVE, "Ana", "lorem")
        told.append(" more, which isn't only a narrowing" in str(refused.value))
        here.changes().advance(digest, Stage.RETIRED, "Ana", "lorem")
    assert told == [False, True]
