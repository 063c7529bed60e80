"""The made-up members of the soak, and their objects: each has a number, by which everybody's tally knows it.

Every fifth object is under TLP:AMBER for the group ``inner``, to which members with even numbers belong: what a
member is entitled to follows from two numbers, and needs no server to say so.
"""

from __future__ import annotations

import json
import re
from uuid import NAMESPACE_URL, uuid5

from tests.e2e.http_caller import HttpCaller, basic
from tests.e2e.stix_objects import TLP, handling

COLLECTION = str(uuid5(NAMESPACE_URL, "collection of the soak"))
OBJECTS = f"/taxii2/soak/collections/{COLLECTION}/objects/"
_TAIL = "-0000-4000-8000-0000000050ac"
_NUMBERS = re.compile(rb'"id":"indicator--([0-9a-f]{8})' + _TAIL.encode() + rb'"')
_FILLER = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. " * 5
INNER = handling("inner of the soak", audience={"sharing_groups": ["inner"]})
"""Pushed once by each pusher before anything else."""
_TERMS = """[collection.default_terms]
tlp = "TLP:GREEN"
purposes = ["cib-detection"]
retention_days = 365
personal = "no"
"""


def name(member: int) -> str:
    """Id of a member's organisation and of its key."""
    return f"member-{member:03}"


def secret(member: int) -> str:
    """The key's secret."""
    return f"made-up secret of {name(member)} 0123456789"


def caller(port: int, member: int) -> HttpCaller:
    """A new connection of a member's."""
    return HttpCaller(port, basic(name(member), secret(member)))


def secrets(members: int) -> dict[str, str]:
    """The environment variables from which ``cibx apply`` takes the secrets."""
    return {"CIBX_SECRET_OF_" + name(one).upper().replace("-", "_"): secret(one) for one in range(members)}


def description(members: int) -> str:
    """What ``cibx apply`` reads: one community, one collection, which all read and write."""
    head = f"""[[group]]
id = "circle"
[[group]]
id = "inner"
[[community]]
id = "soak"
title = "Soak"
group = "circle"
[[collection]]
community = "soak"
alias = "soak"
id = "{COLLECTION}"
title = "Soak"
readers = ["circle"]
writers = ["circle"]
{_TERMS}"""
    return head + "".join(_member(one) for one in range(members))


def _member(member: int) -> str:
    groups = ["circle", "inner"] if is_inner(member) else ["circle"]
    return f"""[[organisation]]
id = "{name(member)}"
name = "{name(member).title()}"
kind = "platform"
jurisdiction = "IE"
clearance = "TLP:RED"
groups = {groups!r}
[[organisation.agreement]]
id = "base"
purposes = ["cib-detection"]
[[organisation.credential]]
id = "{name(member)}"
purpose = "cib-detection"
secret_env = "CIBX_SECRET_OF_{name(member).upper().replace("-", "_")}"
"""


def is_inner(member: int) -> bool:
    """Whether a member belongs to the inner group."""
    return member % 2 == 0


def entitled(member: int, number: int) -> bool:
    """Whether a member may have an object that another contributed."""
    return number % 5 != 0 or is_inner(member)


def made_up(number: int) -> bytes:
    """The object of a number, of about 1,000 bytes."""
    marked = {"object_marking_refs": [TLP["AMBER"], INNER["id"]]} if number % 5 == 0 else {}
    return json.dumps({
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{number:08x}{_TAIL}",
        "created": "2026-01-15T08:00:00.000Z", "modified": "2026-01-15T08:00:00.000Z",
        "name": f"Made-up network {number}", "indicator_types": ["malicious-activity"], "pattern_type": "stix",
        "pattern": f"[domain-name:value = 'n{number}.example']", "valid_from": "2026-01-15T08:00:00Z",
        "description": _FILLER, **marked,
    }, separators=(",", ":")).encode()


def numbers_in(body: bytes) -> list[int]:
    """The numbers of the objects in an answer, in their order."""
    return [int(found, 16) for found in _NUMBERS.findall(body)]
