"""P1, P3, P4, P5: whom a TLP level, the audience and an organisation's ceiling admit."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy import tlp
from exchange.policy.case import Case, Party
from exchange.policy.rule import RELEASE, Finding, Rule

_COLOUR_CODES = ("", "tlp-green", "tlp-amber", "tlp-amber-strict", "tlp-red")


def addressed(case: Case, reader: Party) -> bool:
    """Whether a reader is a named organisation or an active member of a listed group."""
    subject = case.subject
    return reader.org in subject.orgs or not reader.groups.isdisjoint(subject.groups)


def _by_client(case: Case, reader: Party) -> bool:
    """TLP:AMBER lets a recipient pass on to its own clients; the exchange itself doesn't release to them."""
    return reader is case.onward and case.actor.org in reader.client_of and addressed(case, case.actor)


def permitted(case: Case, reader: Party) -> bool:
    """Whether the source gave leave to pass the object on more widely than its label says (TLP 2.0, 3d)."""
    return reader is case.onward and bool(case.request.get("source_permission")) and not case.public


def level_finding(case: Case, reader: Party, level: int) -> Finding | None:
    """What keeps a reader from an object, or a part of one, at a TLP level; None: nothing."""
    if level == tlp.CLEAR or (reader.org == case.subject.owner and not case.public) or permitted(case, reader):
        return None
    code = _COLOUR_CODES[level]
    if case.public:
        return Finding(code, f"{tlp.NAMES[level]} on a public channel", "TLP:CLEAR")
    if level == tlp.GREEN:
        community = case.subject.community
        if community is not None and community in reader.groups:
            return None
        return Finding(
            code,
            f"{reader.org} is not an active member of {community or 'any community'}",
            "active membership of the community",
        )
    if level == tlp.RED:
        return _red(case, reader)
    if addressed(case, reader) or (level == tlp.AMBER and _by_client(case, reader)):
        return None
    return Finding(
        code,
        f"{reader.org} is neither named nor an active member of a listed group",
        "an addressed organisation"
        + (" or, on reshare, a client of the one that passes it on" if level == tlp.AMBER else ""),
    )


def _red(case: Case, reader: Party) -> Finding | None:
    if reader is case.onward:
        return Finding("tlp-red", "passing on TLP:RED", "nothing: TLP:RED is for its named readers only")
    principal = case.request.get("principal") or {}
    person = principal.get("person")
    if principal.get("kind") == "person" and person and person in case.subject.persons:
        return None
    return Finding(
        "tlp-red",
        f"{person or 'no person'} on a {principal.get('kind') or 'nameless'} credential",
        "a person whom the object names, on a personal credential",
    )


def _tlp(case: Case) -> Iterator[Finding]:
    for level in case.subject.levels:
        for reader in case.readers:
            found = level_finding(case, reader, level)
            if found is not None:
                yield found
    if case.public and case.subject.level:
        yield Finding("tlp-not-public", tlp.NAMES[case.subject.level], "TLP:CLEAR")


def _audience(case: Case) -> Iterator[Finding]:
    """Both AMBER levels always have an audience; the others only when one is stated, and it narrows them."""
    subject = case.subject
    narrowed = bool(subject.groups or subject.orgs)
    if narrowed or tlp.AMBER in subject.levels or tlp.AMBER_STRICT in subject.levels:
        for reader in case.readers:
            if (reader.org == subject.owner and not case.public) or permitted(case, reader):
                continue
            inside = not case.public and (
                addressed(case, reader) or (subject.level == tlp.AMBER and _by_client(case, reader))
            )
            if not inside:
                yield Finding(
                    "not-in-audience",
                    f"{'the public' if case.public else reader.org} is neither named "
                    "nor an active member of a listed group",
                    "an organisation that the object addresses",
                )
    for reader in case.readers:
        if reader.org in subject.excluded and not case.own:
            yield Finding("audience-excluded", f"{reader.org} is excluded by name", "an organisation not excluded")


def _kinds(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if case.action == "publish" or (subject.kinds_allowed is None and not subject.kinds_denied):
        return
    for reader in case.readers:
        if reader.org == subject.owner and not case.public:
            continue
        denied = reader.kinds & subject.kinds_denied
        if denied or not reader.kind:
            yield Finding(
                "audience-kind",
                f"{reader.org} is of kind {', '.join(sorted(denied)) or 'unknown'}",
                "a kind of organisation that isn't denied",
            )
        elif subject.kinds_allowed is not None and reader.kind not in subject.kinds_allowed:
            yield Finding(
                "audience-kind",
                f"{reader.org} is of kind {reader.kind}",
                f"one of: {', '.join(sorted(subject.kinds_allowed)) or 'no kind at all'}",
            )


def _ceiling(case: Case) -> Iterator[Finding]:
    level = case.subject.level
    if level is None or case.action == "publish":
        return
    for reader in case.readers:
        if reader.org == case.subject.owner or (reader is case.onward and not reader.clearance_stated):
            continue  # the next recipient need not be a member, so it need not have a ceiling
        if reader.clearance is None or reader.clearance < level:
            ceiling = "none" if reader.clearance is None else tlp.NAMES[reader.clearance]
            yield Finding("clearance", f"{reader.org}'s ceiling is {ceiling}", f"{tlp.NAMES[level]} or above")


_FIRST = "FIRST TLP 2.0, 3 and 4"
RULES = (
    Rule(
        "P3",
        "TLP admits the reader",
        _FIRST,
        "release",
        RELEASE,
        ("object.markings", "object.audience", "actor.groups", "request.principal", "request.channel.public"),
        _tlp,
        (*_COLOUR_CODES[1:], "tlp-not-public"),
    ),
    Rule(
        "P4",
        "The audience includes the reader",
        _FIRST,
        "release",
        RELEASE,
        ("object.audience", "actor.org", "actor.groups", "request.onward"),
        _audience,
        ("not-in-audience", "audience-excluded"),
    ),
    Rule(
        "P4",
        "The audience admits the kind of organisation",
        _FIRST,
        "release",
        RELEASE,
        ("object.audience.kinds_allowed", "object.audience.kinds_denied", "actor.kind", "actor.government"),
        _kinds,
        ("audience-kind",),
    ),
    Rule(
        "P5",
        "Each organisation has a ceiling",
        "Rules of the exchange, P5",
        "release",
        RELEASE,
        ("actor.clearance", "object.markings"),
        _ceiling,
        ("clearance",),
    ),
)
