"""Mailboxes: the built-in read-only collection of each organisation in which the exchange leaves it notices.

An organisation keeps its mailbox when its membership or agreements end: what it owes for what it received
doesn't end with them.
"""

from __future__ import annotations

from uuid import UUID, uuid5

COMMUNITY = "notices"
"""Slug of the built-in API root that holds every mailbox."""
ALIAS = "notices"
"""Alias of the caller's own mailbox in that API root."""
EXCHANGE = "cib-exchange"
"""The exchange itself, as the contributor of what it writes."""
_NAMESPACE = UUID("f294c263-9b54-4900-b7d9-0804d326ff9d")


def mailbox_id(org: str) -> str:
    """The id of an organisation's mailbox: UUIDv5 of the organisation's id."""
    return str(uuid5(_NAMESPACE, org))
