"""What a person can try while the demonstration stays up: lines that work when pasted, and one refused push."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from exchange.cli.demo.members import COLLECTION, COMMUNITY, DESK, PLATFORM, STRANGER
from exchange.errors import UnavailableError

MEDIA = "application/taxii+json;version=2.1"
_PERSON = {
    "type": "indicator", "spec_version": "2.1", "id": "indicator--3b2f5c1e-6a53-4a0f-8a3e-6f1d2c9b7a10",
    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
    "name": "A made-up e-mail address, pushed without terms", "pattern_type": "stix",
    "pattern": "[email-addr:value = 'nobody@made-up.example']", "valid_from": "2026-01-01T00:00:00Z",
}

_CODE = re.compile(r"\[([a-z0-9-]+)\]")
"""The codes of a failure's message stand in brackets before their sentences."""


def refused_push(url: str, secret: str) -> str:
    """Push an e-mail address without any terms, and tell what the exchange says to it."""
    import requests

    answer = requests.post(f"{url}/taxii2/{COMMUNITY}/collections/{COLLECTION}/objects/", json={"objects": [_PERSON]},
                           headers={"Accept": MEDIA, "Content-Type": MEDIA}, auth=(DESK, secret), timeout=20)
    if answer.status_code != 202:
        raise UnavailableError(f"The push was answered with {answer.status_code}.", why=answer.text[:200])
    failures = answer.json().get("failures") or []
    if not failures:
        raise UnavailableError("An e-mail address without terms was taken.", why="The policy gate is not at work.")
    codes = ", ".join(dict.fromkeys(_CODE.findall(failures[0]["message"])))
    return f"{DESK} pushes a person's e-mail address without terms; it is refused: {codes}."


def lines_to_try(url: str, secrets: Mapping[str, str], place: Path) -> str:
    """Commands to paste into another terminal."""
    root = f"{url}/taxii2/{COMMUNITY}/"
    objects = f"{root}collections/{COLLECTION}/objects/"
    program = Path(sys.executable).with_name("cibx")
    cibx = str(program) if program.exists() else "cibx"
    python = (
        "from taxii2client.v21 import ApiRoot, as_pages; "
        f"root = ApiRoot({root!r}, user={PLATFORM!r}, password={secrets[PLATFORM]!r}); "
        "[print(c.title, sum(len(p.get('objects', [])) for p in as_pages(c.get_objects, per_request=500)))"
        " for c in root.collections if c.can_read]"
    )
    accept = f"Accept: {MEDIA}"
    commands = {
        "The first two objects, as a member": [
            "curl", "-su", f"{PLATFORM}:{secrets[PLATFORM]}", "-H", accept, f"{objects}?limit=2"],
        "The same as a member for whose purpose nothing is shared": [
            "curl", "-su", f"{STRANGER}:{secrets[STRANGER]}", "-H", accept, f"{objects}?limit=2"],
        "All of them with the stock client taxii2-client": [sys.executable, "-c", python],
        "Pull and match again, as the platform would": [
            "env", f"CIBX_SECRET_OF_FEED={secrets[PLATFORM]}", cibx, "match", "--feed", f"{url}/taxii2/",
            "--user", PLATFORM, "--collection", COLLECTION, "--entities", str(place / "platform"),
            "--out", str(place / "matched-again")],
    }
    told = [f"\n# {title}\n{shlex.join(words)}" for title, words in commands.items()]
    users = "\n".join(f"  {who:<12} {secret}" for who, secret in secrets.items())
    return (f"\nTAXII 2.1 discovery: {url}/taxii2/   API root: {root}\n"
            f"HTTP Basic user and password (made for this demonstration):\n{users}\n" + "\n".join(told))
