"""A page of a collection as an answer: what its cursors are bound to, and its headers (TAXII 2.1, 3.3 and 3.5)."""

from __future__ import annotations

from exchange.feed.page import Page
from exchange.model.party import Collection, Organisation


def context_of(endpoint: str, collection: Collection, organisation: Organisation, object_id: str = "") -> str:
    """What a cursor of the endpoint is good for: one collection, one member, one object where it asked for one."""
    return f"{endpoint}|{collection.id}|{organisation.id}|{object_id}"


def headers_of(page: Page) -> dict[str, str]:
    """The dates of its first and last object, and the receipt of its delivery, where it has them."""
    headers = {}
    if page.first and page.last:
        headers = {"X-TAXII-Date-Added-First": page.first, "X-TAXII-Date-Added-Last": page.last}
    if page.receipt:
        headers["CIBX-Receipt"] = page.receipt
    return headers
