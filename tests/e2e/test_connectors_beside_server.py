"""``cibx serve --sources``: connectors run in the server's process group, and end with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exchange.connect.journal import Journal
from exchange.errors import InputError
from tests.e2e.ports import free_port
from tests.fakes import one_member

CIBX = [sys.executable, "-c", "from exchange.cli.main import main; main()"]


def ran(folder: Path) -> bool:
    if not (folder / "connectors.db").exists():
        return False
    with Journal(folder, "org-alpha") as journal:
        try:
            return bool(journal.runs("a")) and journal.source("a").succeeded is not None
        except InputError:
            return False


def test_sources_are_brought_in_beside_the_workers_and_end_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_member.make(tmp_path, monkeypatch)
    (tmp_path / "source.json").write_text(json.dumps([{
        "type": "domain-name", "spec_version": "2.1", "id": "domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
        "value": "a.example"}]))
    (tmp_path / "sources.toml").write_text(
        'org = "org-alpha"\npolicy = "demo"\n[[source]]\nname = "a"\nconnector = "stix-file"\n'
        'place = "source.json"\nevery = "1d"\n')
    server = subprocess.Popen(
        [*CIBX, "serve", "--bind", f"127.0.0.1:{free_port()}", "--workers", "1", "--sources", str(tmp_path / "sources.toml")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        end = time.monotonic() + 60
        while not ran(tmp_path / "cibx-connectors") and server.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert ran(tmp_path / "cibx-connectors")
    finally:
        server.send_signal(signal.SIGTERM)
        told = server.communicate(timeout=60)[0]  # ends only when the connectors' process has closed it too
    assert "added 1 object," in told
    assert "Stopping after the step under way" in told
