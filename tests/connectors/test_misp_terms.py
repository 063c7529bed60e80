"""How far MISP lets things go, and that nothing goes further here: distribution, sharing groups, TLP, PAP."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.misp.context import Settings
from connectors.misp.terms import read_audiences
from exchange.errors import InputError
from exchange.stix.handling import NOBODY
from exchange.stix.markings import StatedTerms, read_terms
from tests.fakes.misp_events import attribute, event, tag, thing
from tests.fakes.misp_run import Outcome, convert

GROUP = {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c3d", "name": "Lorem group", "SharingGroupOrg": [
    {"Organisation": {"name": "Dolor", "uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c4e"}}]}
MAPPED = Settings(audiences=read_audiences("community=group:grp-a, Lorem group=group:grp-lorem, Dolor=org:org-dolor"))


def terms(found: Outcome, kind: str = "indicator") -> StatedTerms:
    """What the exchange reads on the object of a kind."""
    known = found.by_id()
    return read_terms(found.of(kind)[0] | {"labels": []}, known.get)


@pytest.mark.parametrize(("more", "tlp", "groups"), [
    ({"distribution": "0"}, ("TLP:AMBER+STRICT",), ("misp:organisation",)),
    ({"distribution": 1}, ("TLP:AMBER",), ("misp:community",)),
    ({"distribution": "2"}, ("TLP:AMBER",), ("misp:connected",)),
    ({"distribution": "3"}, (), None),
    ({}, (), None),
    ({"distribution": "4", "SharingGroup": GROUP}, ("TLP:AMBER",), (f"misp:group:{GROUP['uuid']}",)),
    ({"distribution": "4", "sharing_group_id": "7"}, ("TLP:AMBER",), ("misp:group:id-7",)),
    ({"distribution": "1", "Tag": [tag("tlp:white")]}, ("TLP:CLEAR",), ("misp:community",)),
    ({"distribution": "3", "Tag": [tag("tlp:red")]}, ("TLP:RED",), None),
    ({"distribution": "3", "Tag": [tag("tlp:amber+strict"), tag("tlp:green")]}, ("TLP:AMBER+STRICT", "TLP:GREEN"), None),
    ({"distribution": "3", "Tag": [tag("tlp:red", local=1)]}, ("TLP:RED",), None),
])  # fmt: skip
def test_an_events_level_is_that_of_everything_in_it(more: dict, tlp: tuple, groups: tuple | None) -> None:
    item = event(attribute("domain", "lorem.example"))
    item = {key: value for key, value in item.items() if key != "distribution"} | more
    found = convert(item)
    for kind in ("indicator", "domain-name", "campaign", "report", "relationship"):
        said = terms(found, kind)
        assert said.markings.tlp == tlp
        assert said.markings.unresolved == ()
        assert (said.audience.sharing_groups if said.audience else None) == groups


@pytest.mark.parametrize(("outer", "middle", "inner", "groups", "orgs"), [
    ("3", "5", "1", ("misp:community",), ()),
    ("1", "5", "5", ("misp:community",), ()),
    ("1", "3", "3", ("misp:community",), ()),
    ("1", "0", "5", (), (NOBODY,)),
    ("2", "5", "1", (), (NOBODY,)),
    ("0", "0", "0", ("misp:organisation",), ()),
])  # fmt: skip
def test_event_object_and_attribute_must_all_allow_it(
    outer: str, middle: str, inner: str, groups: tuple, orgs: tuple
) -> None:
    part = attribute("domain", "lorem.example", distribution=inner)
    found = convert(event(objects=(thing("lorem", part, distribution=middle),), distribution=outer))
    said = terms(found)
    assert said.audience is not None
    assert (said.audience.sharing_groups, said.audience.named_orgs) == (groups, orgs)


def test_a_person_says_who_the_levels_are_here() -> None:
    community = terms(convert(event(attribute("domain", "lorem.example"), distribution="1"), MAPPED))
    assert community.audience is not None
    assert community.audience.sharing_groups == ("misp:community", "grp-a")
    group = event(attribute("domain", "lorem.example"), distribution="4", SharingGroup=GROUP)
    said = terms(convert(group, MAPPED)).audience
    assert said is not None
    assert (said.sharing_groups, said.named_orgs) == ((f"misp:group:{GROUP['uuid']}", "grp-lorem"), ("org-dolor",))


@pytest.mark.parametrize("option", ["lorem", "community=grp-a", "community=group:", "=group:a", "community=person:x"])
def test_an_audience_that_cant_be_read_is_told(option: str) -> None:
    with pytest.raises(InputError, match="audience"):
        read_audiences(option)


@pytest.mark.parametrize("name", ["tlp:ex:chr", "tlp:unclear", "PAP:LOREM"])
def test_a_wish_that_cant_be_said_quarantines_what_it_stands_on(name: str) -> None:
    items = (attribute("domain", "a.example", Tag=[tag(name)]), attribute("domain", "b.example"))
    one = convert(event(*items))
    assert [row.outcome for row in one.rows if row.row in (2, 4)] == ["quarantined", "indicator"]
    assert "a.example" not in str(one.objects)
    whole = convert(event(*items[1:], tags=(name,)))
    assert {row.outcome for row in whole.rows} == {"quarantined"}
    assert whole.objects == []


def test_an_event_that_inherits_from_nothing_is_quarantined() -> None:
    found = convert(event(attribute("domain", "a.example"), distribution="5"))
    assert (found.objects, {row.outcome for row in found.rows}) == ([], {"quarantined"})


def test_an_unknown_distribution_is_quarantined() -> None:
    found = convert(event(attribute("domain", "a.example", distribution="9")))
    assert [row.outcome for row in found.rows if row.row == 2] == ["quarantined"]
    assert "a.example" not in str(found.objects)


def test_pap_is_a_marking() -> None:
    found = convert(event(attribute("domain", "a.example", Tag=[tag("PAP:AMBER")])))
    assert terms(found).markings.pap == ("PAP:AMBER",)
    assert terms(found, "campaign").markings.pap == ()


def test_a_tag_that_its_instance_keeps_stays_there() -> None:
    kept = [tag("lorem:local", local=True), tag("lorem:unexportable", exportable=False)]
    found = convert(event(attribute("domain", "a.example", Tag=kept), Tag=kept))
    assert "lorem:" not in str(found.objects)


LEVEL = st.sampled_from(["0", "1", "2", "3", "4", "5"])
READERS = ("grp-a", "grp-lorem", "org-dolor")


@given(outer=LEVEL.filter(lambda level: level != "5"), inner=LEVEL)
def test_an_attribute_never_reaches_whom_its_event_or_itself_leaves_out(outer: str, inner: str) -> None:
    def reached(level: str) -> set[str]:
        return {"0": set(), "1": {"grp-a"}, "2": set(), "3": set(READERS), "5": set(READERS),
                "4": {"grp-lorem", "org-dolor"}}[level]  # fmt: skip

    item: dict[str, Any] = attribute("domain", "a.example", distribution=inner, SharingGroup=GROUP)
    found = convert(event(item, distribution=outer, SharingGroup=GROUP), MAPPED)
    said = terms(found).audience
    allowed = set(READERS) if said is None else {*said.sharing_groups, *said.named_orgs} & set(READERS)
    assert allowed <= reached(outer) & reached(inner)
