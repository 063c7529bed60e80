"""A whole event: its claims, what comes back as withdrawn, and what a later version of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.misp.context import Settings, ids_of
from connectors.misp.tags import read_catalogue
from exchange.errors import InputError
from exchange.stix import extensions
from exchange.stix.behaviour import behaviours_in
from tests.fakes.misp_events import STAMP, attribute, event, made, part, tag, thing
from tests.fakes.misp_run import convert

GALAXY = Path(__file__).parents[2].parent / "shared" / "data" / "misp" / "galaxy"
CLUSTER = {"type": "disarm-techniques", "value": "Lorem technique", "uuid": made("cluster"),
           "tag_name": 'misp-galaxy:disarm-techniques="Lorem technique"', "description": "dolor",
           "meta": {"external_id": "T0002", "kill_chain": ["tactics:Plan Objectives"], "refs": ["https://lorem.example/T2"]}}


def claims(*tags: str, **more: object) -> dict[str, list]:
    """Relationships of the campaign by type: name of the other end, claim and confidence."""
    found = convert(event(tags=tags, **more))
    known, told = found.by_id(), {}
    for one in found.of("relationship"):
        says = extensions.of(one, extensions.RELATIONSHIP)
        told.setdefault(one["relationship_type"], []).append(
            (known[one["target_ref"]]["name"], says.get("claim_type"), one.get("confidence")))
    return told


@pytest.mark.parametrize(("tags", "expected"), [
    (('misp-galaxy:threat-actor="Lorem Bear"',), {"attributed-to": [("Lorem Bear", "linked-to", None)]}),
    (('DFRLab-dichotomies-of-disinformation:primary-target="FR"',), {"targets": [("FR", "targeted", None)]}),
    (('DFRLab-dichotomies-of-disinformation:primary-disinformant="RU"',
      'estimative-language:likelihood-probability="very-likely"'), {"originates-from": [("RU", "originated-in", 85)]}),
    (('admiralty-scale:information-credibility="2"', 'misp-galaxy:threat-actor="L"'), {"attributed-to": [("L", "linked-to", 70)]}),
    (('admiralty-scale:source-reliability="a"', 'misp-galaxy:threat-actor="L"'), {"attributed-to": [("L", "linked-to", None)]}),
    (('misp:confidence-level="usually-confident"', 'misp-galaxy:threat-actor="L"'), {"attributed-to": [("L", "linked-to", 75)]}),
    (('osint:certainty="93"', 'misp:confidence-level="rarely-confident"', 'misp-galaxy:threat-actor="L"'),
     {"attributed-to": [("L", "linked-to", 25)]}),
    (("lorem:ipsum", "workflow:state=\"draft\"", 'misp-galaxy:tool="Lorem"'), {}),
])  # fmt: skip
def test_each_claim_is_a_relationship_of_its_own(tags: tuple[str, ...], expected: dict) -> None:
    assert claims(*tags) == expected


def test_a_behaviour_is_named_as_its_framework_names_it() -> None:
    found = convert(event(tags=(CLUSTER["tag_name"],), Galaxy=[{"type": "disarm-techniques", "GalaxyCluster": [CLUSTER]}]))
    behaviour, = found.of("attack-pattern")
    campaign, = found.of("campaign")
    assert {"source_name": "DISARM", "external_id": "T0002", "url": "https://lorem.example/T2"} in behaviour["external_references"]
    assert behaviour["kill_chain_phases"] == [{"kill_chain_name": "disarm", "phase_name": "plan-objectives"}]
    assert extensions.of(campaign, extensions.CAMPAIGN)["behaviours"] == [
        {"framework": "DISARM", "id": "T0002", "observation": "observed"}]
    assert campaign["id"] in behaviours_in(found.objects)
    assert [row.outcome for row in found.rows if row.row in (2, 3)] == ["behaviour", "behaviour"]


def test_a_bare_tag_finds_its_technique_in_the_galaxy() -> None:
    if not GALAXY.is_dir():
        pytest.skip("shared/data/misp/galaxy is not here")
    settings = Settings(catalogue=read_catalogue(str(GALAXY)))
    found = convert(event(tags=('misp-galaxy:disarm-techniques="Facilitate State Propaganda"',)), settings)
    assert {"T0002"} <= {one["external_id"] for one in found.of("attack-pattern")[0]["external_references"]}


@pytest.mark.parametrize("content", ["", "[]", "{}", "lorem"])
def test_a_galaxy_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lorem.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"lorem\.json"):
        read_catalogue(str(path))


def test_ai_use_languages_platforms_and_themes_are_the_campaigns() -> None:
    prefix = "DFRLab-dichotomies-of-disinformation"
    campaign, = convert(event(tags=(
        "information-origin:AI-generated", f'{prefix}:content-language="fr"', f'{prefix}:platforms-social-media="twitter"',
        f'{prefix}:content-topic="lorem-ipsum"'))).of("campaign")
    says = extensions.of(campaign, extensions.CAMPAIGN)
    assert [one["status"] for one in says["ai_use"]] == ["confirmed"]
    assert (says["languages"], says["platforms"], says["themes"]) == (["fr"], ["x"], ["lorem ipsum"])
    assert "not all that is known" in says["dataset_boundary"]["statement"]


@pytest.mark.parametrize(("unpublished", "taken"), [(False, 0), (True, 1)])
def test_what_isnt_published_waits(unpublished: bool, taken: int) -> None:
    found = convert(event(attribute("domain", "lorem.example"), published=False, objects=(thing("a", part("b", "c")),)),
                    Settings(unpublished=unpublished))
    assert len(found.of("indicator")) == taken
    assert unpublished or (len(found.rows) == 4 and {row.outcome for row in found.rows} == {"note"})


def test_what_was_deleted_is_withdrawn() -> None:
    gone = attribute("domain", "gone.example", deleted=True)
    inside = part("name", "lorem_1", deleted="1")
    lost = thing("twitter-account", part("name", "lorem_2"), deleted=True)
    found = convert(event(gone, objects=(thing("twitter-account", inside, part("bio", "x")), lost)))
    for one in (gone["uuid"], inside["uuid"], lost["uuid"], lost["Attribute"][0]["uuid"]):
        assert set(ids_of(one)) <= set(found.withdrawn)
    assert not set(found.withdrawn) & set(found.by_id())
    assert "gone.example" not in str(found.objects)


def test_a_deleted_event_takes_everything_back() -> None:
    whole = convert(event(attribute("domain", "lorem.example"), objects=(thing("a", part("b", "c")),)))
    gone = convert(event(attribute("domain", "lorem.example"), deleted=True), known=whole.known)
    own = {one["id"] for one in whole.of("indicator", "note", "grouping", "report", "campaign", "relationship")}
    assert own <= set(gone.withdrawn)
    assert gone.objects == []


@pytest.mark.parametrize(("later", "kinds"), [
    (event(attribute("domain", "b.example")), {"indicator"}),
    (event(attribute("domain", "a.example", to_ids=False), attribute("domain", "b.example")), {"indicator"}),
    (event(attribute("domain", "a.example", type="text"), attribute("domain", "b.example")), {"indicator"}),
], ids=["vanished", "not flagged any more", "no domain any more"])  # fmt: skip
def test_what_an_event_doesnt_tell_any_more_is_withdrawn(later: dict, kinds: set[str]) -> None:
    first = convert(event(attribute("domain", "a.example"), attribute("domain", "b.example")))
    second = convert(later, known=first.known)
    before = {one["id"] for one in first.of("indicator") if "a.example" in one["pattern"]}
    stays = {one["id"] for one in first.of("indicator") if "b.example" in one["pattern"]}
    assert before <= set(second.withdrawn)
    assert not stays & set(second.withdrawn)
    assert {one.partition("--")[0] for one in before} == kinds


def test_the_first_time_nothing_is_withdrawn() -> None:
    assert convert(event(attribute("domain", "a.example"), objects=(thing("a", part("b", "c")),))).withdrawn == []


def test_an_attributes_version_is_its_own_until_its_event_is_shared_otherwise() -> None:
    first = convert(event(attribute("domain", "a.example")))
    touched = convert(event(attribute("domain", "a.example"), timestamp=str(STAMP + 100)), known=first.known)
    assert first.of("indicator") == touched.of("indicator")
    narrowed = convert(event(attribute("domain", "a.example"), timestamp=str(STAMP + 200), distribution="0"),
                       known=touched.known)
    indicator, = narrowed.of("indicator")
    assert indicator["modified"] > first.of("indicator")[0]["modified"]
    again = convert(event(attribute("domain", "a.example"), timestamp=str(STAMP + 300), distribution="0"),
                    known=narrowed.known)
    assert again.of("indicator") == [indicator]


def test_an_objects_narrowing_is_a_new_version_of_what_is_in_it() -> None:
    item = thing("a", part("b", "lorem.example", "domain", to_ids=True))
    first = convert(event(objects=(item,)))
    later = item | {"distribution": "0", "timestamp": str(STAMP + 100)}
    second = convert(event(objects=(later,)), known=first.known)
    assert second.of("indicator")[0]["modified"] > first.of("indicator")[0]["modified"]


@pytest.mark.parametrize("field", ["uuid", "timestamp", "date", "Orgc", "published", "Tag", "distribution", "info"])
def test_a_field_that_isnt_there_breaks_nothing(field: str) -> None:
    whole = event(attribute("domain", "a.example"), tags=("tlp:green",))
    bare = {name: value for name, value in whole.items() if name not in (field, "Org")}
    one, same = convert(bare), convert(bare)
    assert one.objects == same.objects
    assert len(one.of("indicator")) == 1


@pytest.mark.parametrize("odd", [None, 7, "lorem", [], {}, [None, 7, "x", []], True])
@pytest.mark.parametrize("field", ["Attribute", "Object", "Tag", "Galaxy", "Orgc", "timestamp", "uuid", "info", "date",
                                   "ShadowAttribute", "EventReport", "SharingGroup", "published"])
def test_nonsense_in_a_field_breaks_nothing(field: str, odd: object) -> None:
    convert(event(attribute("domain", "a.example"), objects=(thing("a", part("b", "c")),)) | {field: odd})


@pytest.mark.parametrize("field", ["type", "value", "category", "to_ids", "uuid", "Tag", "Sighting", "timestamp",
                                   "first_seen", "comment", "warnings", "object_relation"])
@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [None, {}], True, "\u202e" * 9])
def test_nonsense_in_an_attribute_breaks_nothing(field: str, odd: object) -> None:
    item = attribute("domain", "a.example")
    convert(event(item | {field: odd}, objects=(thing("twitter-account", part("name", "lorem") | {field: odd}),)))


def test_a_report_in_words_is_a_note() -> None:
    found = convert(event(EventReport=[{"uuid": made("r"), "name": "Lorem", "content": "# dolor", "timestamp": str(STAMP)},
                                       {"uuid": made("s"), "name": "Gone", "content": "sit", "deleted": True}]))
    note, = found.of("note")
    assert (note["abstract"], note["content"]) == ("Lorem", "# dolor")
    assert set(ids_of(made("s"))) <= set(found.withdrawn)


def test_the_report_names_everything_and_comes_last() -> None:
    found = convert(event(attribute("domain", "a.example"), tags=("tlp:green", CLUSTER["tag_name"])))
    report = found.objects[-1]
    rest = {one["id"] for one in found.objects if one["type"] not in ("marking-definition", "report")}
    assert report["type"] == "report"
    assert rest - set(report["object_refs"]) <= {one["id"] for one in found.of("identity")}
    assert tag("tlp:green")["name"] in report["labels"]
