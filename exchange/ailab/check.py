"""Everything that is wrong with a form, at once: version, fields, personal data, and what doesn't agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from exchange.ailab.assets import conflicts, read_assets
from exchange.ailab.fault import (
    CONFLICT,
    INVALID,
    MISSING,
    UNKNOWN,
    VERSION,
    FormFault,
    FormRefusedError,
    Path,
    in_order,
)
from exchange.ailab.form import VERSIONS, structure
from exchange.ailab.private import forbidden_name, personal_faults
from exchange.ailab.terms import handling_faults
from exchange.stix.behaviour import CIB_CLASSES

MOST_BYTES = 5_000_000
"""Size of a report, in bytes of JSON."""
CLASSES = {"influence-op": "influence-operation"}
"""Words of the form whose STIX extension says them otherwise."""
_BEHAVIOURS = {
    "DISARM": (re.compile(r"TA?\d{2,4}(?:\.\d{3})?"), "a tactic or technique such as T0116.001"),
    "META-OOKC": (re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}"), "a number of the kill chain such as 0.9.4"),
    "OTHER": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"), "at most 64 letters, digits, '.', '_', ':', '-'"),
}
_NO_REACH = frozenset({"size", "network-size", "accounts", "number-of-accounts", "cluster-size"})


def faults(document: Any, pause: Callable[[], None] = lambda: None) -> list[FormFault]:
    """The faults of a parsed JSON document, by their places; empty: it may come in. ``pause`` is called at each
    text."""
    if not isinstance(document, Mapping):
        return [FormFault((), INVALID, "must be a JSON object {…}.")]
    ahead = _ahead(document.get("schema_version"))
    if ahead:
        return [*in_order(personal_faults(document, pause)), ahead]
    found = [*_with_advice(structure(document)), *personal_faults(document, pause)]
    if not any(fault.code in (INVALID, MISSING) for fault in found):
        found += _sense(document)
    return in_order(found)


def checked(document: Any, pause: Callable[[], None] = lambda: None) -> Mapping[str, Any]:
    """The document itself; raises FormRefusedError with every fault. ``pause`` as in ``faults``."""
    found = faults(document, pause)
    if found:
        raise FormRefusedError(found)
    form: Mapping[str, Any] = document
    return form


def metric_word(text: str) -> str:
    """A metric as one word of the campaign extension."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:100]


def _ahead(stated: Any) -> FormFault | None:
    if stated is None or stated in VERSIONS or not isinstance(stated, str) or not re.match(r"\d+(\.\d+)*\Z", stated):
        return None
    known = " and ".join(sorted(VERSIONS))
    return FormFault(("schema_version",), VERSION, f"is a version that this exchange doesn't read; it reads {known}. "
                     f"Send version {VERSIONS[0]}, or ask the operator for a newer release.")


def _with_advice(found: Iterator[FormFault]) -> Iterator[FormFault]:
    """Of fields whose name says that they would hold personal data: what to send instead."""
    for fault in found:
        advice = forbidden_name(str(fault.path[-1])) if fault.code == UNKNOWN else ""
        yield replace(fault, sentence=f"{fault.sentence} {advice}.") if advice else fault


def _sense(document: Mapping[str, Any]) -> Iterator[FormFault]:
    yield from handling_faults(document)
    yield from _dates(document)
    yield from _cluster(document["cluster"])
    good, unread = read_assets(document)
    yield from unread
    yield from conflicts(good)
    for number, measure in enumerate(document.get("impact", {}).get("measures", ())):
        word = metric_word(measure["metric"])
        if not word or word in _NO_REACH:
            yield FormFault(("impact", "measures", number, "metric"), INVALID, "is no measure of reach: the size "
                            "of a network says nothing of its impact. Say views, followers, shares or the like.")
    yield from _provider_told(document)


def _dates(document: Mapping[str, Any]) -> Iterator[FormFault]:
    cluster, day = document["cluster"], document["published"][:10]
    pairs: list[tuple[Path, str, Path, str]] = [
        (("cluster", "first_activity"), cluster["first_activity"],
         ("cluster", "last_activity"), cluster["last_activity"]),
        (("published",), day, ("handling", "retain_until"), document["handling"]["retain_until"]),
    ]  # fmt: skip
    for number, asset in enumerate(document.get("external_assets", ())):
        if "first_seen" in asset and "last_seen" in asset:
            path: Path = ("external_assets", number)
            pairs.append(((*path, "first_seen"), asset["first_seen"], (*path, "last_seen"), asset["last_seen"]))
    for first, begin, last, end in pairs:
        if begin > end:
            yield FormFault(last, CONFLICT, f"lies before {'.'.join(map(str, first))}. Correct one of both.")


def _cluster(cluster: Mapping[str, Any]) -> Iterator[FormFault]:
    path: Path = ("cluster", "behaviours")
    stated = CLASSES.get(cluster.get("class", ""))
    if stated in CIB_CLASSES and not cluster["behaviours"]:
        yield FormFault(path, INVALID, "is empty, and an influence operation names the behaviour that deceives. Add "
                        "one, such as the DISARM technique T0116.001.")
    for number, behaviour in enumerate(cluster["behaviours"]):
        form, says = _BEHAVIOURS[behaviour["framework"]]
        if not form.fullmatch(behaviour["id"]):
            yield FormFault((*path, number, "id"), INVALID, f"must be {says}.")
    if cluster["cluster_id"] in cluster.get("continues_cluster", ()):
        yield FormFault(("cluster", "continues_cluster"), CONFLICT, "names this cluster itself. Name earlier ones.")


def _provider_told(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """A provider who mustn't be named, named in what recipients get."""
    if document["handling"].get("name_provider") != "must-not":
        return
    provider = document["provider"]
    tells = {_letters(provider["name"])}
    for name in ("contact", "appeals_contact"):
        tells |= {_letters(host) for host in re.findall(r"(?:@|://)([\w.-]+)", provider.get(name, ""))}
    tells = {one for one in tells if len(one) >= 4}
    shared = {name: document.get(name) for name in (
        "external_assets", "preserved_records", "impact", "attribution", "references")}  # fmt: skip
    cluster = {name: value for name, value in document["cluster"].items() if name != "models"}
    for where, text in _texts({**shared, "cluster": cluster}, ()):
        if any(one in _letters(text) for one in tells):
            yield FormFault(where, CONFLICT, "names the provider, although handling.name_provider is must-not. "
                            "Take the name out.")


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*path, number))
