"""Which credentials the same certificate or the same tokens would prove: none of them then opens anything.

Pure. What overlaps only in part (a host's name here, the digest of its certificate there; tokens by subject and by
group) is decided when it is shown: the door refuses what fits several credentials.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from exchange.model.party import Credential

_STATED = ("since", "until", "revoked", "oidc", "certificates")


def clashes(rows: Mapping[str, Mapping[str, Any]], known: Mapping[str, Credential], *,
            alone: bool) -> Iterator[tuple[str, str, str]]:
    """Ids of a described credential and of another that the same would prove at one time, with "oidc" or
    "certificates" between them.

    ``rows`` by id hold what was stated; ``alone`` says that what isn't stated goes.
    """
    later = {} if alone else dict(known)
    for name, row in rows.items():
        later[name] = _described(row, known.get(name), alone)
    shown: dict[Hashable, list[Credential]] = {}
    for one in later.values():
        for proof in () if one.revoked else _proofs(one):
            shown.setdefault(proof, []).append(one)
    told = set()
    for name in rows:
        for proof in _proofs(later[name]):
            for other in shown.get(proof, ()):
                pair = frozenset((name, other.id))
                if len(pair) == 2 and pair not in told and not later[name].revoked and _meet(later[name], other):
                    told.add(pair)
                    yield name, "oidc" if later[name].oidc else "certificates", other.id


def _described(row: Mapping[str, Any], present: Credential | None, alone: bool) -> Credential:
    bare = Credential(row["id"], row["org"], "")
    before = bare if present is None else replace(bare, revoked=present.revoked) if alone else present
    return replace(before, **{name: row[name] for name in _STATED if name in row})


def _proofs(credential: Credential) -> tuple[Hashable, ...]:
    if credential.oidc is None:
        return tuple(credential.certificates)
    oidc = credential.oidc
    claims = dict(oidc.get("claims", {}))
    if "subject" in oidc:
        claims["sub"] = oidc["subject"]
    return ((oidc["issuer"], oidc["audience"], oidc.get("typ", "at+jwt"), frozenset(claims.items())),)


def _meet(one: Credential, other: Credential) -> bool:
    """Whether their dates have a moment in common: [since, until), None is open."""
    begins = max(_order(one.since), _order(other.since))
    return all(credential.until is None or begins < _order(credential.until) for credential in (one, other))


def _order(moment: str | None) -> str:
    """A time as it sorts: without its Z, a fraction comes after the whole second."""
    return (moment or "").removesuffix("Z")
