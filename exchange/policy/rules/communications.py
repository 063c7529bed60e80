"""What a provider in the United States may disclose: content of communications, and anything to its government.

The statute binds disclosure, so it is asked where somebody would receive; content without an exception isn't
taken either. A "governmental entity" is one of the United States or of its States (18 USC 2711(4)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exchange.policy.case import Case, Party
from exchange.policy.rule import ADMISSION, Finding, Rule

_SUBSECTION = re.compile(r"([bc])\W*([1-9])(?![0-9])")


def _governmental(reader: Party) -> bool:
    return "government" in reader.kinds and (reader.facts.get("jurisdiction") or "US").upper() == "US"


def _process(case: Case) -> str:
    return str(case.request.get("legal_process") or "").lower()


def _exception(case: Case) -> str | None:
    """The exception that the object names, by subsection and number or by a word for it."""
    stated = str((case.subject.facts["basis"].get("refs") or {}).get("sca_exception") or "").lower()
    found = _SUBSECTION.search(stated)
    return case.packs.exceptions.get("".join(found.groups()) if found else stated.strip().replace(" ", "-"))


def _content(case: Case) -> Iterator[Finding]:
    if not case.subject.facts["data"].get("communications_content"):
        return
    compelled = case.action not in ADMISSION and all(_governmental(reader) for reader in case.readers)
    if compelled and not case.public:
        return  # whether a warrant or an emergency is there, the next rule asks
    if _exception(case) not in case.packs.content_exceptions:
        yield Finding(
            "communications-content",
            "content of communications without an exception that frees it",
            "refs.sca_exception, such as 2702(b)(3) or 2702(b)(5)",
        )


def _government(case: Case) -> Iterator[Finding]:
    subject = case.subject
    content = bool(subject.facts["data"].get("communications_content"))
    if not content and not (subject.personal and subject.facts.get("regime") == "US"):
        return
    enough = "warrant" in _process(case) if content else bool(_process(case))
    if enough or case.request.get("emergency") is True:
        return
    for reader in case.readers:
        if _governmental(reader) and reader.org != subject.owner:
            yield Finding(
                "government-disclosure",
                f"{reader.org} is a governmental entity, with {_process(case) or 'no legal process'}",
                "a warrant or an emergency" if content else "legal process or an emergency",
            )


RULES = (
    Rule(
        "P10",
        "Content of communications is disclosed only under an exception",
        "18 USC 2702(a)(1)-(2) and (b)",
        "admission",
        ADMISSION | {"pull", "reshare", "publish"},
        ("object.data.communications_content", "object.basis.refs.sca_exception"),
        _content,
        ("communications-content",),
    ),
    Rule(
        "P10",
        "A governmental entity gets it by legal process or in an emergency",
        "18 USC 2702(a)(3), (b)(8) and (c)(4); 18 USC 2703",
        "release",
        frozenset({"pull", "reshare"}),
        (
            "object.regime",
            "object.data",
            "actor.government",
            "actor.jurisdiction",
            "request.legal_process",
            "request.emergency",
        ),
        _government,
        ("government-disclosure",),
    ),
)
