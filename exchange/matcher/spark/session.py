"""A Spark session for a run: quiet, bound to this machine unless a cluster is named, gone when the run ends."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchange.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"
_JAVA = 17
_PARTS = 8
"""Parts of a shuffle per local thread; small ones are put together again, large ones can't be cut later."""
_OF_RUN = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.caseSensitive": "false",
}
"""Settings of the session that results depend on; set also in a session that was there before."""


@contextmanager
def open_session(work: Path, *, master: str = LOCAL, memory: str | None = None) -> Iterator[SparkSession]:
    """A session on ``master``; scratch files lie below ``work``, ``memory`` such as ``4GB`` bounds the driver.

    Where the process has a session already (a notebook, a job of a cluster) that one's cluster is used and not ended.
    Raises InputError when PySpark, Java or the master isn't there.
    """
    _silence()
    session_class = _pyspark()
    there = session_class.getActiveSession()
    if there is not None:
        session = there.newSession()
        _set(session)
        yield session
        return
    _need_java()
    session = _start(session_class, work, master, memory)
    try:
        yield session
    finally:
        session.stop()


def failures() -> tuple[type[BaseException], ...]:
    """What PySpark raises of its own and of the JVM's."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - an optional part of the installation
    from pyspark.errors import PySparkException  # noqa: PLC0415

    return PySparkException, Py4JError


def _pyspark() -> type[SparkSession]:
    try:
        import sqlglot  # noqa: F401, PLC0415 - optional parts of the installation, and slow to load
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise InputError("The engine spark needs PySpark and SQLGlot, which are not installed.",
                         fix="Install cib-exchange[matcher,spark], or run on DuckDB (--engine duckdb).") from error
    return SparkSession


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    fix = f"Install a Java runtime of version {_JAVA} or later (Debian: openjdk-17-jre-headless), or set JAVA_HOME."
    if java is None:
        raise InputError("The engine spark needs Java, which is not on this machine's PATH.", fix=fix)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < _JAVA:
        raise InputError(f"The engine spark needs Java {_JAVA}; {java} is version {found[1] if found else 'unknown'}.",
                         fix=fix)


def _start(session_class: type[SparkSession], work: Path, master: str, memory: str | None) -> SparkSession:
    log = work / "spark.log"
    builder = session_class.builder.appName("cibx match").master(master)
    for name, value in _settings(work, master, memory).items():
        builder = builder.config(name, value)
    try:
        with _logged(log), _own_python():
            session = builder.getOrCreate()
    except failures() as error:
        raise InputError(f"Spark does not start on {master}.", why=_last_words(log, error),
                         fix="Name a master such as local[2] or spark://HOST:7077 with --spark-master.") from error
    session.sparkContext.setLogLevel("OFF")
    return session


def _settings(work: Path, master: str, memory: str | None) -> Mapping[str, str]:
    settings = {
        **_OF_RUN,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(work / "spark"),
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.driver.maxResultSize": "0",
    }
    if master.startswith("local"):
        threads = _threads(master)
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                     "spark.sql.shuffle.partitions": str(_PARTS * threads),
                     "spark.default.parallelism": str(2 * threads)}
    if memory:
        settings["spark.driver.memory"] = f"{max(512, int(_megabytes(memory)))}m"
    return settings


def _threads(master: str) -> int:
    named = re.fullmatch(r"local\[(\d+)\]", master)
    return int(named[1]) if named else (os.cpu_count() or 1) if "*" in master else 1


def _megabytes(size: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)\s*([KMGT])i?B", size).groups()  # type: ignore[union-attr] # checked before
    return float(float(number) * 1024 ** ("KMGT".index(unit) - 1))


def _set(session: SparkSession) -> None:
    for name, value in _OF_RUN.items():
        session.conf.set(name, value)


def _silence() -> None:
    """PySpark logs each refused statement on the standard error, stack and all, beside raising it."""
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def _own_python() -> Iterator[None]:
    """Workers run the Python of this process, unless the environment names another."""
    named = os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = named or sys.executable
    try:
        yield
    finally:
        if named is None:
            del os.environ["PYSPARK_PYTHON"]


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """What the JVM says on the standard error goes into a file: it inherits the descriptor when it is launched."""
    sys.stderr.flush()
    kept = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _last_words(log: Path, error: Any) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if "Exception" in line]
    return (lines[-1] if lines else str(error).strip().splitlines()[0])[:300]
