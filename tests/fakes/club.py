"""Parts of a description of members that several rooms' tests make their exchanges of."""

from __future__ import annotations


def collection(collection_id: str, alias: str) -> str:
    """A collection that the group ``club`` reads and writes, with terms for objects that state none."""
    return f"""
[[community.collection]]
id = "{collection_id}"
alias = "{alias}"
title = "{alias}"
readers = ["club"]
writers = ["club"]
[community.collection.default_terms]
tlp = "TLP:GREEN"
regime = "EU-GDPR"
legal_basis = ["A6-1-f"]
special_basis = ["A9-2-e"]
refs = {{ lia = "LIA-1", public_evidence = "https://evidence.example/1" }}
purposes = ["cib-detection"]
notice = "public-notice"
retention_days = 90
"""
