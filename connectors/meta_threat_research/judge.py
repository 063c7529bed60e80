"""What each row says: an indicator, a count, an audience, money, a behaviour, a note, or nothing that can
be trusted.

An indicator needs a value that the publisher presents as operated by the network and that isn't a host
everybody uses. Names of personas and hashtags stay with the behaviour they stand in: anybody may use them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from connectors.meta_threat_research.tables import Record
from exchange.connect import figures
from exchange.connect.cell import Cell, acquired_in, read_cell
from exchange.connect.contract import Outcome
from exchange.connect.figures import Audience, Count, Spend
from exchange.connect.value import Value
from exchange.model.identifiers import hashtag
from exchange.model.identifiers.refang import clean
from exchange.model.killchain import Procedure, acquiring, by_id, procedure

_DEFANGED_WORD = re.compile(r"\S*(?:\[\.\]|\bhxxps?\b)\S*", re.IGNORECASE)
_MIMIC = re.compile(
    r"\b(?:pos(?:ed|es|ing)|mimic\w*|pretend\w*|imitat\w*|spoofing|spoofs?|impersonat(?:ing|es?|ion|or)|masquerad\w*|fake|"
    r"cop(?:y|ies) of|clones?|look-?alike|typosquat\w*|disguised|illegitimate|not legitimate|non-legitimate)\b",
    re.IGNORECASE,
)
_LEGITIMATE = re.compile(
    r"\b(?:legit(?:imate)?|authentic|genuine|benign|not (?:operated|run|controlled) by)\b", re.IGNORECASE
)
_IMPERSONATED = re.compile(r"\b(?:impersonated|spoofed|typosquatted|mimicked|cloned|victim|target)\b", re.IGNORECASE)
_COMMENTED = re.compile(r"^(?:in the |in )?comments?(?: section)?$", re.IGNORECASE)
_TYPES = (("domain", "0.6.2"), ("telegram", "0.9.7"), ("twitter", "0.9.4"), ("youtube", "0.9.5"), ("tiktok", "0.9.6"),
          ("instagram", "0.9.2"), ("facebook", "0.9.1"), ("proxy", "0.1.1"), ("ip", "0.1.1"), ("email", "0.2.1"),
          ("url", "0.9.8"), ("social", "0.9.12"), ("account", "0.9.12"), ("website", "0.6.2"))  # fmt: skip
_AUDIENCES = {"7.2.1": ("friends", "account"), "7.2.3": ("members", "group"), "7.2.4": ("followers", "account"),
              "7.2.5": ("followers", "account")}  # fmt: skip
_PART = re.compile(r"^CIB:\s*(?P<after>.+)$|^(?P<before>[A-Z][A-Za-z .]+):\s*CIB\b")
_TARGETED = re.compile(r"likely targeted:\s*([^,;]+)|^([A-Z][A-Za-z ]+)-targeting\b", re.IGNORECASE)
_OTHER_THREAT = re.compile(r"\b(?:apt[ -]?\d*|malware|spyware|espionage|ransomware|trojan|stealer)\b", re.IGNORECASE)
NOT_CIB = "Not about coordinated inauthentic behaviour: this connector leaves it out."


@dataclass(frozen=True)
class Finding:
    """What was made of one record."""

    file: str
    row: int
    outcome: Outcome
    reason: str = ""
    values: tuple[Value, ...] = ()
    relation: str = "operated"
    """Or impersonated, legitimate-mention: values that stay visible as such and make no indicator."""
    procedure: Procedure | None = None
    inferred: bool = False
    """The procedure follows from the kind of value, the source doesn't name it."""
    text: str = ""
    comment: str = ""
    counts: tuple[Count, ...] = ()
    audiences: tuple[Audience, ...] = ()
    spends: tuple[Spend, ...] = ()
    part: str = ""
    """Which of a file's networks the row belongs to; empty for the only one."""
    target: str = ""
    """The country that the row's comment says was targeted."""
    ambiguous: bool = False


def judge(file: str, record: Record, cib: bool | None, known: Collection[str] = ()) -> Finding:
    """What a record says; ``cib`` is what the file's name says of its subject, ``known`` as in ``read_cell``."""
    start = Finding(file, record.row, "note", comment=record.comment, text=clean(record.value))
    if record.kind == "blank":
        return replace(start, outcome="blank")
    if record.kind == "broken":
        return replace(start, outcome="quarantined", reason=record.value, text="")
    if record.kind == "header":
        return replace(start, reason="The header.")
    if record.kind == "other" or (cib is False and record.kind != "typed"):
        return replace(start, reason=NOT_CIB if cib is False else record.value)
    if record.kind == "typed":
        return _typed(start, record, cib)
    if record.kind == "ioc":
        return _listed(start, record)
    if record.kind in ("title", "prose"):
        return _prose(start, record)
    return _chain(start, record, known)


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with ambiguous ones decided: what is listed elsewhere as operated is known, the rest is
    doubtful.
    """
    every = list(findings)
    operated = {value.key for one in every if one.outcome in ("indicator", "repaired") and not one.ambiguous
                for value in one.values}  # fmt: skip
    return [_decided(one, operated) if one.ambiguous else one for one in every]


def _decided(finding: Finding, operated: Collection[tuple[str, str]]) -> Finding:
    if all(value.key in operated for value in finding.values):
        return replace(finding, outcome="behaviour", values=(), ambiguous=False,
                       reason="Names an asset that other rows list.")  # fmt: skip
    return replace(
        finding,
        outcome="quarantined",
        values=(),
        procedure=None,
        ambiguous=False,
        reason=f"{finding.text[:200]!r}: it can't be told whether this is the impersonator or the impersonated.",
    )


def _chain(start: Finding, record: Record, known: Collection[str]) -> Finding:
    named = procedure(record.procedure)
    start = replace(start, procedure=named, target=_target(record.comment))
    if named is None:
        named = by_id("", "")
        start = replace(start, procedure=None)
    if not start.text:
        reason = "The source gives no detail."
        return replace(
            start, outcome="behaviour" if start.procedure and named.role != "audience" else "note", reason=reason
        )
    if named.role in ("audience", "ads"):
        return _measured(start, named)
    if named.id.startswith("0") and figures.is_count(start.text):
        return _counted(start, figures.counts(start.text, named.platform))
    if named.id.startswith("0") and figures.is_template(start.text):
        return _unfilled(start)
    if named.id.startswith(("0.3", "0.5")) and re.search(r"\d{5}|\d[\d ()-]{7,}\d|0x\w{8}", start.text):
        return replace(start, outcome="quarantined", procedure=None, text="", values=(),
                       reason="Phone numbers and means of payment aren't shared in the clear.")  # fmt: skip
    if hashtag.only_tags(start.text):
        return replace(start, outcome="behaviour", reason="A hashtag: anybody may use it, so it is no indicator.")
    found = _read(start, named, known)
    if named.id.startswith("0.9") and found.outcome == "behaviour" and not found.reason:
        counts = figures.leading(start.text, named.platform)
        return _counted(start, counts) if counts else found
    return found


def _counted(start: Finding, counts: tuple[figures.Count, ...]) -> Finding:
    if not counts:
        return replace(start, outcome="quarantined", procedure=None,
                       reason=f"{start.text[:200]!r} holds a number that can't be right.")  # fmt: skip
    return replace(start, outcome="count", counts=counts)


def _unfilled(start: Finding) -> Finding:
    return replace(start, outcome="quarantined", procedure=None,
                   reason=f"{start.text[:200]!r} is a template that wasn't filled in.")  # fmt: skip


def _measured(start: Finding, named: Procedure) -> Finding:
    if figures.is_template(start.text):
        return _unfilled(start)
    if named.role == "ads":
        spends = figures.spends(start.text)
        if spends:
            return replace(start, outcome="spend", spends=spends)
        return replace(start, outcome="behaviour")
    metric, asset = _AUDIENCES.get(named.id, ("followers", "page"))
    audiences = figures.audiences(start.text, named.platform, asset, metric)
    if audiences:
        return replace(start, outcome="audience", audiences=audiences)
    return replace(start, reason="About the audience, without a number that could be read.")


def _read(start: Finding, named: Procedure, known: Collection[str]) -> Finding:
    bare = named.platform if named.id.startswith("0.9") or start.text.startswith("@") else ""
    cell = read_cell(start.text, bare, known)
    if not cell.values and not cell.shared and not cell.fault and named.id.startswith(("0.2", "0.6", "0.8", "0.9")):
        cell = replace(cell, values=acquired_in(start.text))
    return _weighed(start, named, cell)


def _weighed(start: Finding, named: Procedure, cell: Cell, stated: str = "") -> Finding:
    """The finding of a cell that was read, by whose things the procedure's rows, or a ``stated`` type, name."""
    if cell.fault:
        doubtful = named.role in ("operated", "ambiguous")
        outcome: Outcome = "quarantined" if doubtful else "behaviour"
        return replace(start, outcome=outcome, reason=cell.fault, procedure=None if doubtful else start.procedure)
    if not cell.values and not cell.shared and named.role == "operated" and _DEFANGED_WORD.fullmatch(start.text):
        return replace(start, outcome="quarantined", procedure=None,
                       reason=f"{start.text[:200]!r} is written as an address and none could be read.")  # fmt: skip
    if not cell.values:
        reason = f"{', '.join(cell.shared)} is used by everybody: no indicator." if cell.shared else ""
        return replace(start, outcome="behaviour" if start.procedure else "note", reason=reason)
    comment = "; ".join(filter(None, (cell.remark, start.comment)))
    relation = relation_of(cell.remark or stated)
    relation = relation if relation != "operated" else relation_of(start.comment)
    if relation != "operated":
        return replace(start, relation=relation, values=cell.values, comment=comment, procedure=None,
                       reason=f"Marked by the source as {relation}: no indicator.")  # fmt: skip
    foreign = named.id.startswith(("6.3.2", "6.3.3", "6.2.8")) and any(one.kind == "domain" for one in cell.values)
    if named.role == "third-party" or foreign:
        return replace(start, outcome="behaviour", reason=f"{named.name}: names somebody else's, no indicator.")
    found = replace(
        start,
        outcome="repaired" if cell.repair else "indicator",
        values=cell.values,
        comment=comment,
        reason=f"Mended: {cell.repair}." if cell.repair else "",
        ambiguous=named.role == "ambiguous",
    )
    if cell.shared:
        found = replace(found, reason=f"{found.reason} {', '.join(cell.shared)} left out: used by everybody.".strip())
    return found


def relation_of(comment: str) -> str:
    """What a remark says of the value beside it: operated, impersonated or legitimate-mention."""
    if _COMMENTED.match(comment):
        return "legitimate-mention"
    if not comment or _MIMIC.search(comment):
        return "operated"
    if _IMPERSONATED.search(comment) and not re.search(r"\btarget(?:ed|ing|s)\b", comment, re.IGNORECASE):
        return "impersonated"
    return "legitimate-mention" if _LEGITIMATE.search(comment) else "operated"


def _typed(start: Finding, record: Record, cib: bool | None) -> Finding:
    about = _PART.match(record.comment)
    if (
        not about
        and not re.search(r"\bcib\b", f"{record.comment} {record.value_type}", re.IGNORECASE)
        and (cib is not True or _OTHER_THREAT.search(record.comment))
    ):
        return replace(start, reason=NOT_CIB)
    part = (about["after"] or about["before"]) if about else ""
    return _listed(replace(start, part=part, target=_target(record.comment)), record)


def _listed(start: Finding, record: Record) -> Finding:
    """A value of a list that names its kind."""
    kind = record.value_type.casefold()
    number = next((number for word, number in _TYPES if word in kind), "")
    if not number:
        return replace(start, outcome="quarantined", reason=f"Values of type {record.value_type!r} aren't read here.")
    named = by_id(number)
    cell = read_cell(record.value, named.platform)
    if not cell.values and not cell.shared and not cell.fault:
        return replace(start, outcome="quarantined", reason=f"{start.text[:200]!r} is no {record.value_type}.")
    if number in ("0.9.8", "0.9.12", "0.6.2") and cell.values:
        named = by_id(_procedure_of(cell.values[0], number, record.comment))
    return _weighed(replace(start, procedure=named, inferred=True), named, cell, record.value_type)


def _procedure_of(value: Value, number: str, comment: str) -> str:
    if value.account is not None:
        known = acquiring(value.account.platform)
        return known.id if known else "0.9.8"
    if "petition" in f"{comment} {value.canonical}".casefold() or "change.org/" in value.canonical:
        return "0.9.11"
    return "0.6.2" if value.kind == "domain" else number


def _prose(start: Finding, record: Record) -> Finding:
    if record.section.casefold().startswith(("indicators", "cross")) and record.kind == "prose":
        if record.section.casefold().startswith("indicators") and read_cell(start.text.strip("-*`• ")).values:
            return replace(start, outcome="quarantined", reason="A value outside of the table of indicators.")
        return replace(start, reason="A note of the report.")
    counts = figures.removed(start.text)
    audiences = figures.audiences(start.text)
    spends = figures.spends(start.text) if re.search(r"\b(?:ads?|advertis)", start.text, re.IGNORECASE) else ()
    found = replace(start, counts=counts, audiences=audiences, spends=spends, reason="Text of the report.")
    if counts or audiences or spends:
        outcome: Outcome = "count" if counts else "audience" if audiences else "spend"
        return replace(found, outcome=outcome, reason="Figures in the report's text.")
    return found


def _target(comment: str) -> str:
    found = _TARGETED.search(comment)
    return (found[1] or found[2]).strip() if found else ""
