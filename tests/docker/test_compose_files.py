"""What can be said of the compose, Prometheus and Grafana files without an engine: they hold together, and cibx takes its words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from exchange.cli.main import group

DOCKER = Path(__file__).parents[2] / "docker"
FILES = sorted(path.name for path in DOCKER.glob("compose*.yml"))
OVERLAYS = {"compose.metrics.yml", "compose.tls.yml"}
"""Files that are given behind compose.yml."""
OPERATORS = "./tls"
"""The folder of certificates, which is put there."""


def read(name: str) -> Any:
    return yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))


def services(name: str) -> dict[str, Any]:
    """Service to its keys, with those of the service that it extends, and of compose.yml below an overlay."""
    below: dict[str, Any] = services("compose.yml") if name in OVERLAYS else {}
    found = dict(below)
    for service, said in read(name)["services"].items():
        base = services(said["extends"]["file"])[said["extends"]["service"]] if "extends" in said else below.get(service, {})
        found[service] = {**base, **said}
    return found


@pytest.mark.parametrize("name", FILES)
def test_services_are_made_of_something_and_wait_for_services_that_are_there(name: str) -> None:
    found = services(name)
    assert [service for service, said in found.items() if not {"image", "build"} & said.keys()] == []
    assert {to for said in found.values() for to in said.get("depends_on", ())} <= found.keys()


@pytest.mark.parametrize("name", FILES)
def test_what_is_mounted_and_joined_is_there(name: str) -> None:
    files = [read(name), *([read("compose.yml")] if name in OVERLAYS else [])]
    volumes = {one for said in files for one in said.get("volumes") or ()}
    networks = {one for said in files for one in said.get("networks") or ()} | {"default"}
    for said in services(name).values():
        for mount in said.get("volumes", ()):
            source = mount.partition(":")[0]
            if source.startswith("./") and source != OPERATORS:
                assert (DOCKER / source).exists(), mount
            elif "$" not in source and source != OPERATORS:
                assert source in volumes, mount
        assert set(said.get("networks", ())) <= networks


@pytest.mark.parametrize("name", FILES)
def test_cibx_takes_the_commands_that_the_files_give_it(name: str) -> None:
    text = (DOCKER / name).read_text(encoding="utf-8")
    words = [said["command"] for said in services(name).values() if said.get("command", [""])[0] == "serve"]
    words += [shlex.split(line.partition("<")[0]) for line in re.findall(r"exchange cibx (.+)$", text, re.MULTILINE)]
    for one in words:
        command = group.get_command(click.Context(group), one[0])
        assert command is not None, one
        command.make_context(one[0], list(one[1:]))


def test_prometheus_asks_where_the_exchange_answers_and_reads_rules_that_are_there() -> None:
    said = read("prometheus/prometheus.yml")
    targets = [target for job in said["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    port = services("compose.metrics.yml")["exchange"]["environment"]["CIBX_METRICS"].rpartition(":")[2]
    assert f"exchange:{port}" in targets
    assert {job["job_name"] for job in said["scrape_configs"]} >= {"cib-exchange"}
    assert [path for path in said["rule_files"] if not (DOCKER / "prometheus" / Path(path).name).exists()] == []


def test_alert_rules_have_what_prometheus_asks_of_one() -> None:
    rules = [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
        assert re.fullmatch(r"([0-9]+[smhd])+", rule.get("for", "0s")), rule
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"]


def test_grafana_finds_its_source_and_its_dashboards() -> None:
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"].startswith("http://prometheus:")
    assert "prometheus" in services("compose.metrics.yml")
    (provider,) = read("grafana/provisioning/dashboards/exchange.yml")["providers"]
    mounts = [mount.split(":")[1] for mount in services("compose.metrics.yml")["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts
