"""Whether a source is heard from as it should be: silence beyond its limit is an error state, and is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from exchange.connect.journal import RunKept, SourceKept

State = Literal["fresh", "failing", "stale", "new"]
_LATEST = ("began", "ended", "outcome", "error")


@dataclass(frozen=True)
class Health:
    """One source at one time."""

    source: SourceKept
    state: State
    """``stale``: no finished run within its limit; ``failing``: the last run failed, but it isn't stale yet;
    ``new``: it never ran, and isn't late yet."""
    last: RunKept | None
    quarantined: int
    """Rows kept in quarantine."""

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values; times in seconds since the epoch."""
        kept, last = self.source, self.last
        return {
            "source": kept.name, "connector": kept.connector, "place": kept.place, "state": self.state,
            "every_seconds": kept.every, "stale_after_seconds": kept.stale, "last_success": kept.succeeded,
            "last_run": None if last is None else {name: getattr(last, name) for name in _LATEST},
            "quarantined": self.quarantined, "totals": dict(kept.totals),
        }


def health(source: SourceKept, last: RunKept | None, quarantined: int, now: float) -> Health:
    """How a source stands at ``now`` (seconds since the epoch); the clock starts when it was first ordered."""
    heard = source.succeeded if source.succeeded is not None else source.since
    if source.stale is not None and now - heard > source.stale:
        state: State = "stale"
    elif last is not None and last.outcome == "failed":
        state = "failing"
    else:
        state = "fresh" if source.succeeded is not None else "new"
    return Health(source, state, last, quarantined)


def prometheus(found: Mapping[str, Sequence[Health]]) -> str:
    """The text exposition format of Prometheus, of each ``whose`` and source; counters run since the first run."""
    lines: dict[str, list[str]] = {}

    def add(name: str, kind: str, help_text: str, labels: Mapping[str, str], value: float) -> None:
        """A sample in Prometheus' text format, under its name's help and type."""
        said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        head = [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
        lines.setdefault(name, head).append(f"{name}{{{said}}} {value:.15g}")

    for whose, healths in found.items():
        for one in healths:
            labels = {"whose": whose, "source": one.source.name, "connector": one.source.connector}
            for key, value in sorted(one.source.totals.items()):
                group, _, word = key.partition(".")
                if word:
                    label = {"rows": "outcome", "objects": "fate"}[group]
                    add(f"cibx_connector_{group}_total", "counter", f"{group.capitalize()} by {label}.",
                        {**labels, label: word}, value)
                else:
                    add(f"cibx_connector_{key}_total", "counter", f"{key.capitalize()} of the source.", labels, value)
            add("cibx_connector_last_success_timestamp_seconds", "gauge", "End of the last finished run; 0: none.",
                labels, one.source.succeeded or 0)
            add("cibx_connector_stale", "gauge", "1 where no run finished within the source's limit.", labels,
                int(one.state == "stale"))
            add("cibx_connector_quarantined_rows", "gauge", "Rows kept in quarantine.", labels, one.quarantined)
    return "".join(line + "\n" for line in _flat(lines.values()))


def _flat(groups: Iterable[Sequence[str]]) -> Iterable[str]:
    return (line for group in groups for line in group)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
