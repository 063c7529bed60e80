"""The STIX 2.1 object types as one table: which properties each has, of which kind, which are required.

Read by ``shapes``, which turns a row into a JSON Schema. The language of a kind:

``string bool int count port float timestamp hex binary dict hashes extensions object`` are plain kinds;
``ref A|B`` is an identifier of one of these types, ``ref *`` of any; ``vocab NAME`` takes a word of an open
vocabulary (anything unless strict), ``enum NAME`` of a closed one; ``in NAME`` is a value of ``EMBEDDED``;
``list KIND`` a non-empty list; a trailing ``!`` says required. Facts from STIX 2.1 (OASIS Standard, 10 June
2021) parts 2 to 7 and appendices.
"""

from __future__ import annotations

COMMON = {
    "type": "string!", "spec_version": "string", "id": "string!", "created_by_ref": "ref identity",
    "created": "timestamp", "modified": "timestamp", "revoked": "bool", "labels": "list string",
    "confidence": "percent", "lang": "string", "external_references": "list in external-reference",
    "object_marking_refs": "list ref marking-definition", "granular_markings": "list in granular-marking",
    "extensions": "extensions",
}
"""Common properties of domain, relationship and meta objects (3.2)."""

COMMON_SCO = {
    "type": "string!", "spec_version": "string", "id": "string!", "created": "timestamp",
    "modified": "timestamp",
    "object_marking_refs": "list ref marking-definition", "granular_markings": "list in granular-marking",
    "defanged": "bool", "extensions": "extensions",
}
"""Common properties of observables (3.2); ``created`` and ``modified`` must be times if given."""

FOREIGN_TO_SCO = {"labels": "words", "created_by_ref": "ref identity", "revoked": "bool", "confidence": "percent"}
"""Common properties that observables don't have but are often given: of their usual kind, if given."""

EMBEDDED = {
    "external-reference": {
        "source_name": "string!", "description": "string", "url": "string", "hashes": "hashes",
        "external_id": "string",
    },
    "kill-chain-phase": {"kill_chain_name": "string!", "phase_name": "string!"},
    "granular-marking": {"lang": "string", "marking_ref": "ref marking-definition",
    "selectors": "list selector!"},
    "mime-part": {
        "body": "string", "body_raw_ref": "ref artifact|file", "content_type": "string",
        "content_disposition": "string",
    },
    "registry-value": {"name": "string", "data": "string", "data_type": "enum registry-datatype"},
    "x509-extensions": {},
}

_CHAIN = "list in kill-chain-phase"
_SEEN = {"first_seen": "timestamp", "last_seen": "timestamp"}
_FILE_TIMES = {"ctime": "timestamp", "mtime": "timestamp", "atime": "timestamp"}
_NAMED = {"name": "string!", "description": "string"}

DOMAIN = {
    "attack-pattern": _NAMED | {"aliases": "list string", "kill_chain_phases": _CHAIN},
    "campaign": _NAMED | _SEEN | {"aliases": "list string", "objective": "string"},
    "course-of-action": _NAMED,
    "grouping": {"name": "string", "description": "string", "context": "vocab grouping-context!",
                 "object_refs": "list ref *"},
    "identity": _NAMED | {"roles": "list string", "identity_class": "vocab identity-class",
                          "sectors": "list vocab industry-sector", "contact_information": "string"},
    "incident": _NAMED | {"kill_chain_phases": _CHAIN},
    "indicator": {
        "name": "string", "description": "string", "indicator_types": "list vocab indicator-type",
        "pattern": "string!", "pattern_type": "vocab pattern-type!", "pattern_version": "string",
        "valid_from": "timestamp!", "valid_until": "timestamp", "kill_chain_phases": _CHAIN,
    },
    "infrastructure": _NAMED | _SEEN | {
        "infrastructure_types": "list vocab infrastructure-type", "aliases": "list string",
        "kill_chain_phases": _CHAIN,
    },
    "intrusion-set": _NAMED | _SEEN | {
        "aliases": "list string", "goals": "list string", "resource_level": "vocab attack-resource-level",
        "primary_motivation": "vocab attack-motivation",
        "secondary_motivations": "list vocab attack-motivation",
    },
    "location": {
        "name": "string", "description": "string", "latitude": "latitude", "longitude": "longitude",
        "precision": "float", "region": "vocab region", "country": "string", "administrative_area": "string",
        "city": "string", "street_address": "string", "postal_code": "string",
    },
    "malware": _SEEN | {
        "name": "string", "description": "string", "malware_types": "list vocab malware-type",
        "is_family": "bool!",
        "aliases": "list string", "kill_chain_phases": _CHAIN, "operating_system_refs": "list ref software",
        "architecture_execution_envs": "list vocab processor-architecture",
        "implementation_languages": "list vocab implementation-language",
        "capabilities": "list vocab malware-capabilities", "sample_refs": "list ref artifact|file",
    },
    "malware-analysis": {
        "product": "string!", "version": "string", "host_vm_ref": "ref software",
        "operating_system_ref": "ref software",
        "installed_software_refs": "list ref software", "configuration_version": "string",
        "modules": "list string",
        "analysis_engine_version": "string", "analysis_definition_version": "string",
        "submitted": "timestamp",
        "analysis_started": "timestamp", "analysis_ended": "timestamp", "result_name": "string",
        "result": "vocab malware-result", "analysis_sco_refs": "list ref *", "sample_ref": "ref *",
    },
    "note": {"abstract": "string", "content": "string!", "authors": "list string",
    "object_refs": "list ref *!"},
    "observed-data": {
        "first_observed": "timestamp!", "last_observed": "timestamp!", "number_observed": "observations!",
        "objects": "object", "object_refs": "list ref *",
    },
    "opinion": {"explanation": "string", "authors": "list string", "opinion": "enum opinion!",
                "object_refs": "list ref *!"},
    "report": _NAMED | {"report_types": "list vocab report-type", "published": "timestamp!",
                        "object_refs": "list ref *!"},
    "threat-actor": _NAMED | _SEEN | {
        "threat_actor_types": "list vocab threat-actor-type", "aliases": "list string",
        "roles": "list vocab threat-actor-role", "goals": "list string",
        "sophistication": "vocab threat-actor-sophistication",
        "resource_level": "vocab attack-resource-level",
        "primary_motivation": "vocab attack-motivation",
        "secondary_motivations": "list vocab attack-motivation",
        "personal_motivations": "list vocab attack-motivation",
    },
    "tool": _NAMED | {"tool_types": "list vocab tool-type", "aliases": "list string",
    "kill_chain_phases": _CHAIN,
                      "tool_version": "string"},
    "vulnerability": _NAMED,
}
"""Domain objects (part 4)."""

RELATIONS = {
    "relationship": {
        "relationship_type": "relation!", "description": "string", "source_ref": "ref *!",
        "target_ref": "ref *!",
        "start_time": "timestamp", "stop_time": "timestamp",
    },
    "sighting": _SEEN | {
        "description": "string", "count": "sightings", "sighting_of_ref": "ref *!",
        "observed_data_refs": "list ref observed-data", "where_sighted_refs": "list ref identity|location",
        "summary": "bool",
    },
}
"""Relationship objects (part 5)."""

META = {
    "language-content": {"object_ref": "ref *!", "object_modified": "timestamp", "contents": "dict!"},
    "extension-definition": {
        "created_by_ref": "ref identity!", "name": "string!", "description": "string", "schema": "string!",
        "version": "string!", "extension_types": "list enum extension-type!",
        "extension_properties": "list string",
    },
    "marking-definition": {"name": "string", "definition_type": "string", "definition": "object"},
}
"""Meta objects (part 7)."""

_END = "ref ipv4-addr|ipv6-addr|mac-addr|domain-name"
_ADDRESS = {"value": "string!", "resolves_to_refs": "list ref mac-addr",
"belongs_to_refs": "list ref autonomous-system"}

OBSERVABLES = {
    "artifact": {
        "mime_type": "string", "payload_bin": "binary", "url": "string", "hashes": "hashes",
        "encryption_algorithm": "enum encryption-algorithm", "decryption_key": "string",
    },
    "autonomous-system": {"number": "count!", "name": "string", "rir": "string"},
    "directory": _FILE_TIMES | {"path": "string!", "path_enc": "string",
    "contains_refs": "list ref directory|file"},
    "domain-name": {"value": "string!", "resolves_to_refs": "list ref domain-name|ipv4-addr|ipv6-addr"},
    "email-addr": {"value": "string!", "display_name": "string", "belongs_to_ref": "ref user-account"},
    "email-message": {
        "is_multipart": "bool!", "date": "timestamp", "content_type": "string", "from_ref": "ref email-addr",
        "sender_ref": "ref email-addr", "to_refs": "list ref email-addr", "cc_refs": "list ref email-addr",
        "bcc_refs": "list ref email-addr", "message_id": "string", "subject": "string",
        "received_lines": "list string", "additional_header_fields": "dict", "body": "string",
        "body_multipart": "list in mime-part", "raw_email_ref": "ref artifact",
    },
    "file": _FILE_TIMES | {
        "hashes": "hashes", "size": "count", "name": "string", "name_enc": "string",
        "magic_number_hex": "hex",
        "mime_type": "string", "parent_directory_ref": "ref directory", "contains_refs": "list ref *",
        "content_ref": "ref artifact",
    },
    "ipv4-addr": _ADDRESS,
    "ipv6-addr": _ADDRESS,
    "mac-addr": {"value": "mac!"},
    "mutex": {"name": "string!"},
    "network-traffic": {
        "start": "timestamp", "end": "timestamp", "is_active": "bool", "src_ref": _END, "dst_ref": _END,
        "src_port": "port", "dst_port": "port", "protocols": "list string!", "src_byte_count": "count",
        "dst_byte_count": "count", "src_packets": "count", "dst_packets": "count", "ipfix": "dict",
        "src_payload_ref": "ref artifact", "dst_payload_ref": "ref artifact",
        "encapsulates_refs": "list ref network-traffic", "encapsulated_by_ref": "ref network-traffic",
    },
    "process": {
        "is_hidden": "bool", "pid": "int", "created_time": "timestamp", "cwd": "string",
        "command_line": "string",
        "environment_variables": "dict", "opened_connection_refs": "list ref network-traffic",
        "creator_user_ref": "ref user-account", "image_ref": "ref file", "parent_ref": "ref process",
        "child_refs": "list ref process",
    },
    "software": {"name": "string!", "cpe": "string", "swid": "string", "languages": "list string",
    "vendor": "string",
                 "version": "string"},
    "url": {"value": "string!"},
    "user-account": {
        "user_id": "string", "credential": "string", "account_login": "string",
        "account_type": "vocab account-type",
        "display_name": "string", "is_service_account": "bool", "is_privileged": "bool",
        "can_escalate_privs": "bool", "is_disabled": "bool", "account_created": "timestamp",
        "account_expires": "timestamp", "credential_last_changed": "timestamp",
        "account_first_login": "timestamp",
        "account_last_login": "timestamp",
    },
    "windows-registry-key": {
        "key": "string", "values": "list in registry-value", "modified_time": "timestamp",
        "creator_user_ref": "ref user-account", "number_of_subkeys": "count",
    },
    "x509-certificate": {
        "is_self_signed": "bool", "hashes": "hashes", "version": "string", "serial_number": "string",
        "signature_algorithm": "string", "issuer": "string", "validity_not_before": "timestamp",
        "validity_not_after": "timestamp", "subject": "string", "subject_public_key_algorithm": "string",
        "subject_public_key_modulus": "string", "subject_public_key_exponent": "int",
        "x509_v3_extensions": "in x509-extensions",
    },
}
"""Cyber-observable objects (part 6)."""

CUSTOM_OBSERVABLES = frozenset({
    "bank-account", "cryptocurrency-wallet", "cryptographic-key", "credential", "hostname", "media-content",
    "payment-card", "persona", "phone-number", "text", "tracking-number", "user-agent",
    "imei", "imsi", "iccid", "ssh-key", "ai-prompt",
})
"""Observables of OpenCTI and its neighbours without an ``x-`` prefix: kept as they come, without created."""


def properties_of(type_name: str) -> frozenset[str]:
    """Every property that STIX 2.1 defines for a type; empty for types outside of it."""
    for table, common in ((DOMAIN, COMMON), (RELATIONS, COMMON), (META, COMMON), (OBSERVABLES, COMMON_SCO)):
        if type_name in table:
            return frozenset((*common, *table[type_name]))
    return frozenset()
