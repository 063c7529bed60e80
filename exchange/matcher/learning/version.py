"""A refitted version as files: the table of weights, never over another one, and what changed in it and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.learning.refit import Refit
from exchange.matcher.learning.reviews import Review
from exchange.matcher.weights_file import write_table

FOLDER = "weights"


def hashes(reviews: Iterable[Review], salt: str) -> dict[str, str]:
    """Keyed hash of each reviewed account, as a run makes it (``nearness.account_hash_sql``)."""
    found = {}
    for review in reviews:
        created = "" if review.decision.created is None else review.decision.created
        told = f"{salt}|{review.account}|{created}"
        found[review.account] = hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()[:16]
    return found


def write_version(refit: Refit, folder: Path, path: Path | None = None) -> tuple[Path, Path]:
    """Write the table (to ``path``, or under its name into ``folder``/weights) and its account as JSON beside it.

    Raises InputError when ``path`` is there already: a version is never changed.
    """
    table = dict(refit.table)
    if path is None:
        path, origin = folder / FOLDER / f"{table['version']}.toml", str(table["version"])
        number = 1
        while path.exists():
            number += 1
            table["version"] = f"{origin}.{number}"
            path = folder / FOLDER / f"{table['version']}.toml"
    try:
        write_table(table, path, _about(refit))
    except FileExistsError as error:
        raise InputError(f"{path} is there already, and a version is never changed.",
                         fix="Name another file with --to, or none.") from error
    except OSError as error:
        raise InputError(f"The version can't be written to {path}.", why=f"{error.strerror}.") from error
    told = path.with_suffix(".json")
    told.write_bytes(orjson.dumps(as_json(refit, str(table["version"])), option=orjson.OPT_INDENT_2))
    return path, told


def _about(refit: Refit) -> str:
    learned = refit.table.get("learned")
    if not learned:
        return "No review stands: these are the weights as they were."
    lines = [f"Refitted from {learned['base']} on {learned['fitted']} by {learned['reviews']} reviews of"
             f" {learned['reviewers']} reviewer(s). What changed:"]
    return "\n".join([*lines, *(f"  {change.what}: {change.before:g} -> {change.after:g}" for change in refit.changes)])


def as_json(refit: Refit, version: str) -> dict[str, Any]:
    """The account of a refit in plain values."""
    return {
        "version": version, "base": refit.table.get("learned", {}).get("base", version),
        "changes": [asdict(change) for change in refit.changes],
        "held_back": list(refit.held_back),
        "defects": list(refit.defects),
        "groups": [{"model": one.model.name, "accounts": one.accounts, "reviewers": len(one.group.reviewers),
                    "caught": round(one.fitted.caught, 4), "touched": round(one.fitted.touched, 4),
                    "confirmed_alike": round(one.confirmed, 2), "target": one.model.target, "limit": one.model.limit}
                   for one in refit.learnt],
        "unreviewed_likely": refit.likely, "of_these_cleared": refit.cleared,
        "counts": [{"feature": key[0], "class": key[1], "source": key[2], "confirmed": round(one.confirmed, 4),
                    "overturned": round(one.overturned, 4), "expected": round(one.expected, 4),
                    "named": round(one.named, 4), "reviewers": len(one.reviewers)}
                   for key, one in sorted(refit.counts.items())],
        "calibration": asdict(refit.calibration),
    }


def as_text(refit: Refit, version: str) -> str:
    """The account of a refit for people."""
    learned = refit.table.get("learned")
    if not learned:
        return f"No review stands; {version} holds the same weights."
    lines = [f"{version}, refitted from {learned['base']} by {learned['reviews']} reviews of {learned['reviewers']}"
             " reviewer(s):"]
    lines += [f"  {one.what}: {one.before:g} -> {one.after:g}\n      {one.why}." for one in refit.changes]
    lines += ["  nothing but what is known of the reviewed accounts themselves"] if not refit.changes else []
    lines.append(f"Of {refit.likely:,} likely accounts that nobody reviewed, {refit.cleared:,} would fall below one"
                 " half (a run and cibx match drift tell exactly).")
    lines += [f"Held back: {sentence}" for sentence in refit.held_back]
    lines += [f"Defect of a rule: {row['kind']} {row['name']} keeps being overturned ({row['overturned']:.1f} of"
              f" {row['overturned'] + row['confirmed']:.1f} reviews where it spoke; {row['expected']:.1f} were expected"
              " to be confirmed): mend or retire it." for row in refit.defects]
    return "\n".join([*lines, *_calibration(refit)])


def _calibration(refit: Refit) -> list[str]:
    told = refit.calibration
    lines = [f"Calibration on {told.reviews} reviewed accounts: expected error"
             f" {'unknown' if told.error is None else f'{told.error:.3f}'} (who is reviewed is no random sample)."]
    lines += [f"  {one.begins:.1f}-{one.ends:.1f}: {one.reviews} reviewed, mean score {one.mean_score:.2f}, confirmed"
              f" {one.confirmed:.2f} (95 %: {one.low:.2f}-{one.high:.2f})" for one in told.bins]
    if told.slope is not None:
        lines.append(f"  Proposed, not applied: log-odds x {told.slope:g} {told.shift:+g}.")
    return lines
