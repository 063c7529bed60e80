"""A run's report as a table for people and logs: plain text, the same on a terminal and in a file."""

from __future__ import annotations

from exchange.connect.report import OUTCOMES, STATES, Report
from exchange.words import counted

_MEANING = {
    "indicator": "made indicators",
    "count": "asset counts",
    "audience": "audience figures",
    "spend": "ad spend",
    "behaviour": "behaviours",
    "note": "kept as notes or objects",
    "repaired": "mended with a note",
    "quarantined": "put aside with a reason",
    "blank": "held nothing",
}


def summary(report: Report, *, dry_run: bool = False) -> str:
    """Rows by outcome, objects by type and fate, and one closing sentence."""
    lines = ["Rows"]
    lines += [
        f"  {outcome:<12} {report.outcomes[outcome]:>9,}  {_MEANING[outcome]}"
        for outcome in OUTCOMES if report.outcomes[outcome]
    ]
    added = "would add" if dry_run else "added"
    if report.objects:
        width = max(len("Objects"), *map(len, report.objects)) + 2
        lines.append(f"{'Objects':<{width}}" + "".join(f"{word:>11}" for word in (added, *STATES[1:])))
        for kind, counts in sorted(report.objects.items()):
            lines.append(f"  {kind:<{width - 2}}" + "".join(f"{counts[state]:>11,}" for state in STATES))
    if report.withdrawn:
        lines.append(f"{counted(report.withdrawn, 'object')} that the source took back: "
                     + ("to be revoked." if dry_run else "revoked."))
    if report.renewed:
        lines.append(f"{counted(report.renewed, 'object')} that the source had taken back came again: under a new id,"
                     " derived from the revoked one.")
    lines.append(closing(report, added))
    return "\n".join(lines)


def closing(report: Report, added: str = "added") -> str:
    """The closing sentence; ``added`` is "would add" in a dry run."""
    refused, aside = report.pushed("refused"), report.outcomes["quarantined"]
    verdict = "Everything is in." if added == "added" else "Everything would go in."
    if not report.all_in:
        verdict = (f"{counted(aside, 'row is', 'rows are')} in quarantine,"
                   f" {counted(refused, 'object was', 'objects were')} refused.")
    if report.stopped:
        verdict = "It was stopped; the same command goes on from here."
    resumed = "Went on from an interrupted run. " if report.resumed else ""
    return (
        f"{resumed}{counted(report.rows, 'row')} of {counted(report.files, 'file')}: {added}"
        f" {counted(report.pushed('added'), 'object')},"
        f" {counted(report.pushed('unchanged'), 'was', 'were')} there already. {verdict}"
    )
