"""Who reads, as the number of a policy profile: folded once and remembered until something changes it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping

from exchange.errors import ForbiddenError
from exchange.model.access import may_read
from exchange.model.changed import changed
from exchange.model.party import Credential, Directory, Organisation
from exchange.policy.label import next_change, profile_facts
from exchange.policy.packs import Packs
from exchange.spans import span
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.labels import Labels, Numbers
from exchange.store.objects import Reader, id_key

_MOST = 10_000


class Readers:
    """Profiles of organisations, credentials and purposes at a time."""

    def __init__(self, labels: Labels, numbers: Numbers, policy: Callable[[str], Packs]) -> None:
        """``policy`` gives the policy version in force for an organisation; a change of it makes a new directory
        version."""
        self._labels = labels
        self._numbers = numbers
        self._policy = policy
        self._known: OrderedDict[tuple[int, str, str | None, bool], tuple[Reader, int | None]] = OrderedDict()

    def reader(
        self, directory: Directory, organisation: Organisation, credential: Credential,
        narrower: str | None, now: int, *, encrypted: bool = True,
    ) -> Reader:
        """The reader for one request at ``now`` (microseconds).

        ``encrypted``: the channel is (IEP's encrypt_in_transit asks). The purpose is the credential's;
        ``narrower`` may name the same or a kind of it (P13). Raises ForbiddenError for another purpose.
        """
        packs = self._policy(organisation.id)
        purpose = narrowed(credential.purpose, narrower, packs.purposes)
        key = (directory.version, credential.id, purpose, encrypted)
        known = self._known.get(key)
        if known is None or now < known[0].now or (known[1] is not None and known[1] <= now):
            at = from_microseconds(now)
            with span("policy of a reader"):
                facts = profile_facts(organisation, credential, purpose=purpose, at=at, packs=packs,
                                      encrypted=encrypted)
            change = next_change(organisation, at, credential, packs)
            readable = [c.id for c in directory.collections.values() if may_read(c, organisation, at)]
            made = Reader(
                profile=self._labels.profile(facts.digest, facts.text), now=now, facts=facts.text,
                org=self._numbers.contributor(organisation.id),
                collections=tuple(readable) if "read" in credential.scopes else (),
                changes=None if change is None else microseconds(change),
                credential=credential.id, purpose=purpose or "", policy=packs.digest, directory=directory.version,
                seat=_seat(organisation, credential, purpose, encrypted) if "read" in credential.scopes else 0,
            )
            known = self._known[key] = (made, made.changes)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return changed(known[0], now=now)


def _seat(organisation: Organisation, credential: Credential, purpose: str | None, encrypted: bool) -> int:
    """The number of who reads in this way: a new credential for the same goes on where the old one stood."""
    return id_key(json.dumps([organisation.id, credential.person, purpose, encrypted]))


def narrowed(
    own: str | None, asked: str | None, purposes: Mapping[str, Mapping[str, object]]
) -> str | None:
    """The purpose of a request; raises ForbiddenError where ``asked`` is no kind of the credential's own."""
    if asked is None or asked == own:
        return own
    word: object = asked
    for _ in range(len(purposes)):
        entry = purposes.get(str(word))
        if entry is None:
            break
        word = entry.get("parent")
        if word == own and own is not None:
            return asked
    raise ForbiddenError("The header CIBX-Purpose names a purpose that this credential isn't bound to.",
                         fix="Leave it out, or name the credential's purpose or a narrower one.")
