"""Made-up members and labels whose decisions differ as in a real exchange: some allowed, some redacted, many denied."""

from __future__ import annotations

import random

from exchange.model.party import Agreement, Credential, Membership, Organisation
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.label import label_facts, profile_facts
from exchange.policy.packs import Packs

_AT = "2026-01-01T00:00:00Z"
_COUNTRIES = (("IE", "EEA"), ("FR", "EEA"), ("DE", "EEA"), ("GB", "UK"), ("CH", "adequate"), ("US", "third"))
_PURPOSES = ("cib-detection", "account-integrity", "scientific-research")
_CLEARANCES = ("TLP:GREEN", "TLP:AMBER", "TLP:AMBER", "TLP:AMBER+STRICT")


def profile(number: int, packs: Packs, *, groups: int = 2) -> tuple[str, str]:
    """Digest and facts of one member's profile."""
    draw = random.Random(f"member {number}")
    country, place = draw.choice(_COUNTRIES)
    purpose = draw.choices(_PURPOSES, (6, 3, 1))[0]
    one = Organisation(
        id=f"org-{number}", name="x", kind=draw.choice(("platform", "ai-lab", "researcher", "civil-society")),
        jurisdiction=country, jurisdiction_class=place, clearance=draw.choice(_CLEARANCES),
        controller_arrangement="JCA-1",
        memberships=tuple(Membership(group=f"g{g}") for g in draw.sample(range(7), groups)),
        agreements=(Agreement(id="base", purposes=_PURPOSES),),
        facts={"research_safeguards": True} if purpose == "scientific-research" else {},
    )
    key = Credential(id=f"key-{number}", org=one.id, digest="", purpose=purpose)
    made = profile_facts(one, key, purpose=purpose, at=_AT, packs=packs)
    return made.digest, made.text


def label(number: int) -> tuple[str, str]:
    """Digest and facts of one label: half is personal data with its whole basis."""
    draw = random.Random(f"label {number}")
    personal = draw.random() < 0.5
    terms = Terms(
        markings=Markings(
            tlp=draw.choices((("TLP:CLEAR",), ("TLP:GREEN",), ("TLP:AMBER",), ("TLP:AMBER+STRICT",)), (2, 4, 3, 1))[0],
            granular=({"selector": "description", "tlp": "TLP:AMBER"},) if draw.random() < 0.1 else (),
        ),
        audience=Audience(
            sharing_groups=(f"g{number % 7}", f"g{draw.randrange(7)}") if draw.random() < 0.7 else (),
            exclude_orgs=(f"org-{draw.randrange(200)}", f"label-{number}"),
        ),
        basis=Basis(
            legal_basis=("A6-1-f",), special_basis=("A9-2-e",), purposes=_PURPOSES[: draw.randint(1, 2)],
            refs={"lia": f"LIA-{number}", "public_evidence": "https://evidence.example/1"}, notice="public-notice",
            research_compatible=draw.random() < 0.5,
        ) if personal else Basis(purposes=_PURPOSES),
        data=PersonalData(personal="yes", categories=("Username",)) if personal else PersonalData(personal="no"),
        life=Life(retention_until="2027-01-01T00:00:00Z"), regime="EU-GDPR" if personal else None,
        requires_agreements=({"id": "base", "min_version": 1},),
    )
    made = label_facts(terms, owner=f"org-{draw.randrange(200)}", community=f"g{number % 3}")
    return made.digest, made.text
