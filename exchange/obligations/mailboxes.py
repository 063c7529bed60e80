"""The API root of notices: one read-only collection for each organisation, which it alone may know of."""

from __future__ import annotations

from dataclasses import replace

from exchange.model.access import EVERY_MEMBER
from exchange.model.mailbox import ALIAS, COMMUNITY, mailbox_id
from exchange.model.party import Collection, Community, Credential, Directory
from exchange.policy.packs import Packs

_COMMUNITY = Community(
    id=COMMUNITY, title="Notices of the CIB exchange", group=EVERY_MEMBER,
    description="What you owe for what you received: erasures, revocations, restrictions, corrections.",
)


def with_mailboxes(directory: Directory) -> Directory:
    """The directory with the built-in API root, and a mailbox for each organisation."""
    boxes = {box.id: box for box in map(_mailbox, directory.organisations)}
    return replace(
        directory,
        communities={**directory.communities, COMMUNITY: _COMMUNITY},
        collections={**directory.collections, **boxes},
    )


def key_to_mailbox(credential: Credential, packs: Packs) -> Credential:
    """The credential as it opens the mailbox: whatever it is for, and also where it is for nothing (P13).

    Notices are the recipient's own, so that no purpose is asked of it; the policy only wants one to be named.
    """
    return replace(credential, purpose=credential.purpose or min(packs.purposes))


def _mailbox(org: str) -> Collection:
    return Collection(
        id=mailbox_id(org), community=COMMUNITY, title=f"Notices to {org}", alias=ALIAS, readers=(org,),
        description="Notes that say which objects you received are erased, revoked, restricted, corrected or disputed.",
    )
