"""The lock against pyproject.toml, the Dockerfile and the compose files against what they must keep to."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from exchange.settings import Settings

PROJECT = Path(__file__).parents[2]
DOCKER = PROJECT / "docker"
LOCK = (DOCKER / "requirements.lock").read_text(encoding="utf-8")
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
FINAL_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]


def locked() -> dict[str, list[str]]:
    """Package to the versions locked for it (several where they depend on the platform)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", LOCK, re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def wanted() -> list[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["matcher"],
            *project["build-system"]["requires"]]


@pytest.mark.parametrize("text", wanted())
def test_lock_satisfies_the_dependency(text: str) -> None:
    requirement = Requirement(text)
    versions = locked().get(canonicalize_name(requirement.name), [])
    assert versions, f"{requirement.name} is not in docker/requirements.lock; run .ci/lock"
    assert all(requirement.specifier.contains(version) for version in versions), "run .ci/lock"


def test_every_locked_package_has_a_sha256() -> None:
    packages = re.split(r"\n(?=[A-Za-z0-9])", LOCK.partition("\n")[2])
    assert [one.splitlines()[0] for one in packages if "--hash=sha256:" not in one] == []


def test_lock_holds_no_address() -> None:
    assert re.findall(r"https?:|file:|--index|--find-links| @ ", LOCK) == []


def test_image_installs_by_hash_and_the_project_without_more() -> None:
    installs = re.findall(r"pip install (.+)", DOCKERFILE)
    assert len(installs) == 2
    assert "--require-hashes -r docker/requirements.lock" in installs[0]
    assert {"--no-deps", "--no-build-isolation"} <= set(installs[1].split())


def test_image_runs_as_a_user_without_rights_and_checks_its_health() -> None:
    assert re.search(r"^USER (?!0\b|root)\d+:\d+$", FINAL_STAGE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n? +CMD .*/healthz", FINAL_STAGE, re.MULTILINE)


def test_image_copies_what_exists_and_the_context_lets_through() -> None:
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
              for word in line.split()[:-1]]
    assert [name for name in copied if not (PROJECT / name).exists()] == []
    assert [name for name in copied if f"!{name}" not in ignore] == []


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yml", "compose.metrics.yml", "compose.postgres.yml", "compose.servers.yml", "compose.tls.yml"])
def test_files_set_only_settings_that_exist(name: str) -> None:
    named = set(re.findall(r"^ +(?:ENV )?CIBX_([A-Z_]+)[:=] ?", (DOCKER / name).read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= {field.name.upper() for field in fields(Settings)}


def test_proxy_takes_bodies_as_large_as_the_server() -> None:
    megabytes = re.search(r"client_max_body_size (\d+)m;", (DOCKER / "proxy.conf").read_text(encoding="utf-8"))
    assert megabytes is not None
    assert int(megabytes[1]) * 1_048_576 >= Settings().max_content_length


@pytest.mark.parametrize("name", ["compose.yml", "compose.postgres.yml", "compose.servers.yml", "compose.metrics.yml"])
def test_services_have_no_rights_that_they_dont_need(name: str) -> None:
    """Each service that is defined here: no capability, no new privilege, and its own files alone may be written."""
    text = (DOCKER / name).read_text(encoding="utf-8").partition("\nservices:\n")[2].partition("\nnetworks:")[0]
    services = {block.partition(":")[0]: block for block in re.split(r"\n  (?=[a-z0-9-]+:\n)", "\n" + text)[1:]}
    ours = {key: block for key, block in services.items() if "image:" in block and "image: postgres:" not in block}
    assert {key for key, block in ours.items() if "cap_drop: [ALL]" not in block} == set()
    assert {key for key, block in ours.items() if 'security_opt: ["no-new-privileges:true"]' not in block} == set()
    assert {key for key, block in ours.items() if "read_only: true" not in block and name != "compose.metrics.yml"} == set()


def test_image_has_the_databases_own_programs_of_the_servers_version() -> None:
    version = re.search(r"image: postgres:(\d+)", (DOCKER / "compose.postgres.yml").read_text(encoding="utf-8"))
    assert version is not None
    assert f"postgresql-client-{version[1]}" in FINAL_STAGE
