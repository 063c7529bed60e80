"""Coverage-guided fuzzing of every parser of ``tests/fuzz/parsers.py`` with atheris, by hand.

    python3.11 -m venv fuzz && fuzz/bin/pip install -e '.[matcher,dev,fuzz]'
    PYTHONPATH=. fuzz/bin/python tests/bench/fuzz_parsers.py [--seconds 15] [--keep FOLDER] [PARSER ...]

Each parser has a process of its own and ``--seconds`` of its time. Printed are executions and findings: what was
raised, and a file with the bytes that did it, which belongs into ``tests/fuzz/test_parsers.py``. Exit code 1 with any.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_ONE = "--one"


def fuzz_one(name: str, arguments: list[str]) -> None:
    """Fuzz one parser in this process until libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["exchange", "connectors"]):
        from exchange.errors import ExchangeError
        from tests.fuzz.parsers import PARSERS

    read = PARSERS[name].read

    def ask(data: bytes) -> None:
        with suppress(ExchangeError):
            read(data)

    atheris.Setup([sys.argv[0], *arguments], ask)
    atheris.Fuzz()


def fuzz(name: str, samples: tuple[bytes, ...], seconds: int, keep: Path) -> bool:
    """Fuzz one parser in a child process; whether nothing was found."""
    corpus = keep / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples):
        (corpus / f"sample-{number}").write_bytes(sample)
    done = subprocess.run(
        [sys.executable, __file__, _ONE, name, f"-max_total_time={seconds}", "-timeout=10", "-max_len=20000",
         "-rss_limit_mb=3000", f"-artifact_prefix={keep}/{name}-", str(corpus)],
        capture_output=True, text=True, errors="replace", check=False, timeout=seconds + 300,
    )  # fmt: skip
    told = done.stdout + done.stderr
    counts = [int(one) for one in re.findall(r"^#(\d+)", told, re.MULTILINE)]
    covered = re.findall(r"cov: (\d+)", told)
    print(f"{name:16} {max(counts, default=0):>9,} executions, {covered[-1] if covered else '?':>6} places covered, "
          f"{'nothing found' if done.returncode == 0 else 'FOUND'}", flush=True)
    if done.returncode:
        print("\n".join(told.splitlines()[-40:]), flush=True)
    return done.returncode == 0


def main() -> int:
    """All parsers, or those that are named."""
    if sys.argv[1:2] == [_ONE]:
        fuzz_one(sys.argv[2], sys.argv[3:])
        return 0
    from tests.fuzz.parsers import PARSERS

    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("parsers", nargs="*", metavar="PARSER", help=", ".join(PARSERS))
    reading.add_argument("--seconds", type=int, default=15)
    reading.add_argument("--keep", type=Path, help="folder for corpora and findings; else they go with the run")
    given = reading.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        clean = [fuzz(name, PARSERS[name].samples, given.seconds, given.keep or Path(aside))
                 for name in given.parsers or PARSERS]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
