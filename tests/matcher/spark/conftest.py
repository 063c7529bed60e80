"""One Spark session for all tests of a file; none without PySpark or Java."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session whose JVM saves itself the compiling of what runs once."""
    pytest.importorskip("pyspark", reason="NOT TESTED: Spark's results equal DuckDB's (needs cib-exchange[spark])")
    if shutil.which("java") is None:
        pytest.skip("NOT TESTED: Spark's results equal DuckDB's (needs Java 17 on the PATH)")
    from exchange.matcher.spark.session import open_session

    work: Path = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        with open_session(work, master="local[1]", memory="1GB") as session:
            yield session
