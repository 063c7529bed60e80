"""How long a dry run takes: 200 recipients x 5,000 labels, another version of the packs and a changed member.

Run by hand: nice python -m tests.bench.bench_policy_diff
"""

from __future__ import annotations

import random
import time

from exchange.model.party import Agreement, Credential, Membership, Organisation
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.diff import Recipient, Side, compare
from exchange.policy.label import label_facts, profile_facts
from exchange.policy.packs import Packs, load
from exchange.policy.packtext import packs_of, texts_of

RECIPIENTS, LABELS = 200, 5_000
GROUPS = [f"group-{number}" for number in range(12)]
LEVELS = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT"]
AT = "2026-11-01T00:00:00Z"


def label(draw: random.Random, number: int) -> str:
    """Terms as contributors state them; each names evidence of its own."""
    terms = Terms(
        markings=Markings(tlp=(draw.choice(LEVELS),)),
        audience=Audience(sharing_groups=tuple(draw.sample(GROUPS, draw.randint(0, 3)))),
        basis=Basis(legal_basis=(draw.choice(["A6-1-f", "A6-1-a"]),), special_basis=("A9-2-e",),
                    purposes=tuple(draw.sample(["cib-detection", "account-integrity", "research"], 2)),
                    refs={"lia": f"LIA-{number}", "consent": "C", "public_evidence": "https://evidence.example"},
                    notice="public-notice"),
        data=PersonalData("yes", ("Username",)), life=Life("2027-09-01T00:00:00Z"), regime="EU-GDPR",
    )
    return label_facts(terms, owner=f"org-{draw.randrange(RECIPIENTS)}", community="group-0").text


def organisation(draw: random.Random, number: int) -> Organisation:
    """A member of the community and of a few groups."""
    return Organisation(
        id=f"org-{number}", name="X", kind=draw.choice(["platform", "ai-lab", "researcher"]), jurisdiction="FR",
        jurisdiction_class=draw.choice(["EEA", "EEA", "UK", "third"]), clearance=draw.choice(LEVELS[1:]),
        memberships=tuple(Membership(name) for name in ("group-0", *draw.sample(GROUPS[1:], draw.randint(0, 2)))),
        agreements=(Agreement("base", purposes=("cib-detection", "account-integrity")),), controller_arrangement="a",
    )


def side(one: Organisation, packs: Packs) -> Side:
    """The one profile of a service credential."""
    profile = profile_facts(one, Credential("k", one.id, ""), purpose="cib-detection", at=AT, packs=packs)
    return Side((profile.text,), packs)


def changed(file: str, old: str, new: str) -> Packs:
    """The shipped packs with one text replaced."""
    texts = texts_of()
    return packs_of({**texts, file: texts[file].replace(old, new)})


def main() -> None:
    """Print seconds of processor time: the machine may be shared."""
    draw = random.Random(7)
    labels = [label(draw, number) for number in range(LABELS)]
    members = [organisation(draw, number) for number in range(RECIPIENTS)]
    now = load()
    candidates = {
        "one basis asks for more": changed("lawful_bases/eu_gdpr.toml", 'evidence = ["lia"]',
                                           'evidence = ["lia", "consent-2"]'.replace("consent-2", "law")),
        "a parameter of the programme": changed("programme.toml", "value = 10", "value = 11"),
        "another room's parameters": changed("versions.toml", "days = 7", "days = 8"),
    }
    for name, packs in candidates.items():
        started = time.process_time()
        found = list(compare(labels, [Recipient(one.id, side(one, now), side(one, packs)) for one in members]))
        print(f"{name}: {len(found):,} differences in {time.process_time() - started:.1f} s of processor time")
    started = time.process_time()
    one = members[0]
    left = Organisation(**{**one.__dict__, "memberships": ()})
    found = list(compare(labels, [Recipient(m.id, side(m, now), side(left if m is one else m, now)) for m in members]))
    print(f"one member leaves its groups: {len(found):,} differences in {time.process_time() - started:.2f} s")


if __name__ == "__main__":
    main()
