"""The dashboard and the alert rules ask only for what /metrics has, with labels that it has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

DOCKER = Path(__file__).parents[2] / "docker"
PROJECT = DOCKER.parent
ALERTS = (DOCKER / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((DOCKER / "grafana" / "dashboards" / "exchange.json").read_text(encoding="utf-8"))
EXPRESSIONS = [
    *re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE),
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
]
SOURCE = (PROJECT / "exchange" / "web" / "metrics.py").read_text(encoding="utf-8")
NAMES = set(re.findall(r'"(cibx_[a-z_]+)"', SOURCE))
LABELS = {
    "cibx_request_seconds": {"route", "method", "status"}, "cibx_objects": {"outcome", "code"}, "cibx_webhooks": {"state"},
}


def test_there_are_expressions_of_both() -> None:
    assert len(EXPRESSIONS) > 20
    assert len(NAMES) > 10


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_only_what_is_told(expression: str) -> None:
    named = re.findall(r"\b(cibx_[a-z_]+?)(?:_bucket|_count|_sum|_total)?\b(?:\{([^}]*)\})?", expression)
    assert named or 'up{job="cib-exchange"}' in expression
    for name, labels in named:
        assert name in NAMES
        assert set(re.findall(r"(\w+)=", labels)) <= LABELS.get(name, set())
    assert expression.count("(") == expression.count(")")


def test_every_metric_is_shown_or_alerted_on() -> None:
    assert [name for name in sorted(NAMES) if not any(name in expression for expression in EXPRESSIONS)] == []


def test_panels_have_ids_titles_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    for key in (lambda p: p["id"], lambda p: p["title"], lambda p: (p["gridPos"]["x"], p["gridPos"]["y"])):
        assert len({key(panel) for panel in panels}) == len(panels)


def test_metrics_are_not_published_to_the_outside() -> None:
    compose = (DOCKER / "compose.metrics.yml").read_text(encoding="utf-8")
    assert re.findall(r'^ +- "([^"]+:\d+)"$', compose, re.MULTILINE) == ["127.0.0.1:3000:3000"]
