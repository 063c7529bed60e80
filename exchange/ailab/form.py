"""The form of version 1, field by field: what ``schemas/ai-cluster-report-1.json`` says, with sentences for people.

Version 1 is the draft 0.1 under its own name: forms that say 0.1 are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.ailab.fault import INVALID, MISSING, UNKNOWN, FormFault, Path
from exchange.ailab.fields import (
    NEEDED,
    Day,
    Form,
    Moment,
    Number,
    Part,
    Several,
    Text,
    Truth,
    Word,
)
from exchange.ailab.fields import UNKNOWN as NO_FIELD

NAME = "ai-cluster-report"
VERSIONS = ("1", "0.1")
"""Values of ``schema_version`` that are read, the newest first."""
TLP = ("clear", "green", "amber", "amber+strict", "red")
ACTIONS = ("none", "contact-for-instruction", "internally-visible-actions", "externally-visible-indirect-actions",
           "externally-visible-direct-actions")  # fmt: skip
CLASSES = ("influence-op", "spam", "fake-creators", "bot-signups", "account-takeover", "scam", "other")
SURFACES = ("chat", "api", "image", "video", "audio", "agent", "code", "search", "batch", "fine-tuning", "other")
MODALITIES = ("text", "image", "audio", "video", "code", "translation", "research", "automation")
HASHED = ("account-id", "email", "email-domain", "phone", "payment-instrument", "device", "ip", "cookie")
ASSETS = ("account", "url", "domain", "channel", "group", "page", "hashtag", "ad")
SEEN_AS = ("named-in-output", "named-in-request", "found-posting-output", "supplied-by-partner")
ROLES = ("origin", "relay", "amplifier", "unknown")
RELATIONS = ("operated", "targeted", "impersonated", "legitimate-mention", "unknown")
FINGERPRINTS = ("sha256", "pdq", "vpdq", "tlsh", "simhash64", "minhash", "c2pa-manifest-sha256", "watermark-id")
RECORDS = ("prompt-trail", "generated-asset", "posting-account", "distribution-graph", "account-metadata", "billing")
CLAIMS = ("originated-in", "targeted", "linked-to", "state-affiliated", "commercially-motivated",
          "foreign-interference")  # fmt: skip
BASES = ("technical-infrastructure", "behavioural-pattern", "payment", "self-identification",
         "content-language-timing", "partner-report", "open-source", "legal-process", "not-disclosed")  # fmt: skip
DISCLOSURE = ("none", "category-only", "full-to-recipients")

LONG, MIDDLE, SHORT = 2_000, 500, 200
"""Characters of a free text, of a phrase, of a name."""


def _id(*, needed: bool = False) -> Text:
    return Text(128, needed=needed, form=r"[A-Za-z0-9._:-]{1,128}",
                says="1 to 128 letters, digits, '.', '_', ':' and '-'")  # fmt: skip


def _opaque() -> Text:
    return Text(128, needed=True, form=r"[A-Za-z0-9][A-Za-z0-9._+:-]{0,127}",
                says="a word of letters, digits, '.', '_', '+', ':' and '-'")  # fmt: skip


class _Provider(Form):
    name = Text(SHORT, needed=True)
    identity_ref = Text(100, form=r"identity--[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
                        says="the id of a STIX identity: identity--UUID")
    contact = Text(MIDDLE)
    appeals_contact = Text(MIDDLE)


class _LegalBasis(Form):
    regime = Text(SHORT, needed=True)
    basis = Text(SHORT, needed=True)
    assessment_ref = Text(SHORT)
    special_category = Truth()


class _Handling(Form):
    tlp = Word(TLP, needed=True)
    legal_basis = Part(_LegalBasis, needed=True)
    purpose = Several(Text(MIDDLE), least=1, needed=True)
    permitted_actions = Word(ACTIONS)
    onward_sharing = Truth()
    name_provider = Word(("may", "must", "must-not"))
    retain_until = Day(needed=True)
    subject_notice = Word(("given", "deferred", "not-given"))


class _Actioned(Form):
    count = Number(most=10**9, needed=True)
    approximate = Truth()
    action = Word(("banned", "suspended", "restricted", "monitored"))


class _Behaviour(Form):
    framework = Word(("DISARM", "META-OOKC", "OTHER"), needed=True)
    framework_version = Text(SHORT)
    id = Text(SHORT, needed=True)
    observation = Word(("observed", "inferred"))
    note = Text(LONG)


class _AiUse(Form):
    modality = Word(MODALITIES, needed=True)
    status = Word(("confirmed", "suspected"), needed=True)
    basis = Text(LONG)


class _Cluster(Form):
    cluster_id = _id(needed=True)
    names = Several(Text(SHORT))
    class_ = Word(CLASSES, key="class")
    continues_cluster = Several(_id())
    first_activity = Day(needed=True)
    last_activity = Day(needed=True)
    detected = Day()
    disrupted = Day()
    boundary = Text(LONG)
    accounts_actioned = Part(_Actioned, needed=True)
    surfaces = Several(Word(SURFACES), least=1, needed=True)
    models = Several(Text(SHORT))
    behaviours = Several(Part(_Behaviour), needed=True)
    ai_use = Several(Part(_AiUse), least=1, needed=True)
    languages = Several(Text(SHORT))
    themes = Several(Text(MIDDLE))
    target_audiences = Several(Text(MIDDLE))


class _Identifier(Form):
    of = Word(HASHED, needed=True)
    alg = Word(("hmac-sha256",), needed=True)
    key_id = _opaque()
    norm = _opaque()
    value = Text(64, needed=True, form="[0-9a-f]{64}",
                 says="64 lower-case hexadecimal digits: HMAC-SHA256 under the group's key, never the value itself")
    subject = Text(64, form=r"[A-Za-z0-9._:-]{1,64}", says="an opaque number or word of this report, such as 1")
    strength = Word(("weak", "medium", "strong"))


class _Asset(Form):
    type = Word(ASSETS, needed=True)
    platform = Text(SHORT)
    value = Text(LONG, needed=True)
    seen_as = Word(SEEN_AS, needed=True)
    role = Word(ROLES)
    relation = Word(RELATIONS)
    confidence = Number(0, 100)
    first_seen = Day()
    last_seen = Day()


class _Fingerprint(Form):
    alg = Word(FINGERPRINTS, needed=True)
    value = Text(20_000, needed=True)
    modality = Word(("text", "image", "audio", "video"))
    quality = Number(-1, 1_000)
    produced = Day()


class _Record(Form):
    kind = Word(RECORDS, needed=True)
    held = Truth(needed=True)
    until = Day()
    how_to_request = Text(MIDDLE)


class _Measure(Form):
    metric = Text(SHORT, needed=True)
    platform = Text(SHORT)
    value = Number(0, whole=False, needed=True)
    approximate = Truth()


class _Impact(Form):
    breakout = Number(1, 6, needed=True, none=True)
    assessed = Day()
    basis = Text(LONG)
    measures = Several(Part(_Measure))


class _Claim(Form):
    claim = Word(CLAIMS, needed=True)
    object = Text(SHORT, needed=True)
    basis = Several(Word(BASES), least=1, needed=True)
    confidence = Word(("low", "moderate", "high", "not-stated"), needed=True)
    alternatives_considered = Text(LONG)


class Report(Form):
    """The whole form."""

    schema_version = Word(VERSIONS, needed=True)
    report_id = _id(needed=True)
    version = Number(1, 999, needed=True)
    status = Word(("active", "updated", "withdrawn"))
    published = Moment(needed=True)
    provider = Part(_Provider, needed=True)
    handling = Part(_Handling, needed=True)
    cluster = Part(_Cluster, needed=True)
    account_identifiers = Several(Part(_Identifier))
    external_assets = Several(Part(_Asset))
    content_fingerprints = Several(Part(_Fingerprint))
    preserved_records = Several(Part(_Record))
    impact = Part(_Impact)
    attribution = Several(Part(_Claim))
    detection_disclosure = Word(DISCLOSURE)
    references = Several(
        Text(LONG, form=r"[A-Za-z][A-Za-z0-9+.-]*:\S+", says="an address such as https://lab.example/report"))


_REPORT = Report()


def structure(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """Every fault of a document against the form: unknown, missing and wrong fields, in no order."""
    yield from _flat(_REPORT.validate(document), ())


def _flat(messages: Any, path: Path) -> Iterator[FormFault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, key))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        text = str(message)
        code = UNKNOWN if text == NO_FIELD else MISSING if text == NEEDED else INVALID
        yield FormFault(path, code, f"{text}.")
