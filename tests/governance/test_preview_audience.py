"""A preview names each member of the community with what it would get, counts the other readers by kind, and stores nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.governance.preview import Audience, PreviewLabels, denied_whole
from tests.governance.governed import NOW, PLAIN, Governed, governed
from tests.intake.test_push import AMBER, FULL, GREEN, RED, handling, indicator

CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
GROUPS = '[[group]]\nid = "inner"\ntitle = "Inner"\n[[group]]\nid = "guests"\ntitle = "Guests"\n'
# organisation: kind, groups, more of the organisation
OTHERS = {
    "delta": ("civil-society", '["club", "inner"]', ""),
    "lorem": ("ai-lab", '["guests"]', ""), "ipsum": ("ai-lab", '["guests"]', ""), "dolor": ("platform", '["guests", "inner"]', ""),
    "gone": ("platform", '["club"]', "active = false\n"),
    "absent": ("platform", "[]", ""),
}
SEES = ("beta", "delta", "dolor", "gamma", "ipsum", "lorem")


def members() -> str:
    text = GROUPS
    for name, (kind, groups, more) in OTHERS.items():
        text += (f'[[organisation]]\nid = "org-{name}"\nname = "{name}"\nkind = "{kind}"\njurisdiction = "IE"\n'
                 f'controller_arrangement = "art26"\ngroups = {groups}\n{more}[[organisation.agreement]]\nid = "base"\nversion = 1\n'
                 f'purposes = ["cib-detection"]\n[[organisation.credential]]\nid = "{name}"\npurpose = "cib-detection"\n')
    return text


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    made = governed(tmp_path_factory.mktemp("previews"))
    made.describe(members())
    made.describe(f'[[community]]\nid = "c"\ntitle = "C"\ngroup = "club"\n[[community.collection]]\nid = "{PLAIN}"\nalias = "plain"\n'
                  'title = "plain"\nreaders = ["club", "guests"]\nwriters = ["club"]\n')
    yield made
    made.exchange.engine.dispose()


def marked(*marks: str, **terms: Any) -> list[dict[str, Any]]:
    """An indicator under markings, and under terms of its own where there are any."""
    more = [handling(**FULL, **terms)] if terms else []
    return [*more, indicator(object_marking_refs=[*marks, *(one["id"] for one in more)], description="lorem ipsum")]


def in_part(field: str) -> list[dict[str, Any]]:
    return [indicator(object_marking_refs=[GREEN], description="lorem ipsum",
                      granular_markings=[{"marking_ref": AMBER, "selectors": [field]}])]


SHARED: dict[str, list[dict[str, Any]]] = {
    "clear": marked(CLEAR), "green": marked(GREEN), "amber to nobody": marked(AMBER), "red": marked(RED),
    "amber to a group": marked(AMBER, audience={"sharing_groups": ["inner"]}),
    "amber to one": marked(AMBER, audience={"named_orgs": ["org-gamma"]}),
    "all but one": marked(GREEN, audience={"exclude_orgs": ["org-beta"]}),
    "another purpose": [handling(**{**FULL, "purposes": ["account-integrity"]})],
    "a part for nobody": in_part("description"), "a required part for nobody": in_part("pattern"),
}


def preview(here: Governed, objects: list[dict[str, Any]], org: str = "alpha") -> dict[str, Any]:
    directory = here.exchange.directory()
    return here.exchange.preview(directory.organisations[f"org-{org}"], directory.credentials[org], directory.collections[PLAIN],
                                 json.dumps({"objects": objects}).encode(), here.now)


@pytest.mark.parametrize("name", SHARED)
def test_who_would_get_it_is_who_then_sees_it(here: Governed, name: str) -> None:
    objects, before = SHARED[name], {org: {one["id"] for one in here.sees(org)} for org in ("alpha", *SEES)}
    said = preview(here, objects)
    (row,) = [row for row in said["objects"] if row["id"] == objects[-1]["id"]]
    assert row["outcome"] == "added"
    audience = said["audiences"][row["audience"]]
    assert {one["id"] for one in here.sees("alpha")} == before["alpha"], "nothing is stored"
    here.push(*objects)
    word: dict[str, str] = {}
    for org in SEES:
        new = {one["id"] for one in here.sees(org) if one["type"] == objects[-1]["type"]} - before[org]
        word[org] = "granted" if row["id"] in new else "redacted" if new else "denied"
    assert [one["org"] for one in audience["recipients"]] == ["org-beta", "org-delta", "org-gamma"]
    for one in audience["recipients"]:
        told = "denied" if one["org"] in row.get("denied_whole", ()) else one["outcome"]
        assert told == word[one["name"]], one
        assert ("reasons" in one) == (one["outcome"] != "granted")
        assert ("withheld" in one) == (one["outcome"] == "redacted")
    kinds = {name: kind for name, (kind, _, _) in OTHERS.items()}
    counted = Counter((kinds[name], "redacted" if name in row.get("denied_whole", ()) else word[name]) for name in ("dolor", "ipsum", "lorem"))
    if not row.get("denied_whole"):  # of others it isn't told who they are, so neither what a part that is left out means
        assert audience["others"] == [{"kind": kind, "outcome": outcome, "organisations": count}
                                      for (kind, outcome), count in sorted(counted.items())]


def audience(here: Governed, org: str) -> Audience:
    directory = here.exchange.directory()
    return Audience(directory, directory.collections[PLAIN], directory.organisations[f"org-{org}"], NOW, here.exchange.policy.of)


def test_who_is_no_member_of_the_community_is_told_kinds_alone(here: Governed) -> None:
    labels = PreviewLabels()
    (said,) = audience(here, "lorem").of([label_of(here, labels)])
    assert said["recipients"] == []
    assert sum(row["organisations"] for row in said["others"]) == 6
    assert {row["kind"] for row in said["others"]} == {"platform", "civil-society", "ai-lab"}


def label_of(here: Governed, labels: PreviewLabels) -> str:
    from exchange.store.engine import read
    from exchange.store.label_counts import label_counts

    here.push(indicator(object_marking_refs=[CLEAR]))
    with read(here.exchange.engine) as connection:
        facts = label_counts(connection, here.now)[1]
    number = labels.label("digest", max(facts.values()))
    assert labels.label("digest", "other") == number == 0
    assert labels.label("another", "other") == 1
    return labels.texts[0]


BODY = json.dumps(indicator(id="indicator--00000000-0000-4000-8000-000000000001", description="lorem")).encode()


@pytest.mark.parametrize(("withheld", "denied"), [
    ([], False), (["description"], False), (["pattern"], True), (["*content"], False), (["description", "valid_from"], True),
])
def test_what_cannot_be_left_out_denies_the_whole(withheld: list[str], denied: bool) -> None:
    rows = [{"org": "org-a", "withheld": withheld}, {"org": "org-b"}, {"org": "org-c", "withheld": withheld}]
    assert denied_whole(BODY, {"recipients": rows}) == (["org-a", "org-c"] if denied else [])
