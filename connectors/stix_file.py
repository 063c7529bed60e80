"""STIX from files: any STIX 2.0 or 2.1 bundle, list or single object (.json), or a folder of such files.

Object by object: taken as it is, mended with a note (``exchange.connect.mend``), or put into quarantine with a
reason and its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.connect import stix_files
from exchange.connect.contract import Batch, Connector
from exchange.connect.source import Source


class StixFile(Connector):
    """The connector ``stix-file``."""

    name = "stix-file"
    title = "STIX 2.0 and 2.1 from .json files and folders"

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read a file, or the .json files of a folder in a fixed order.

        Raises InputError when there is nothing to read, and for a single file that holds no JSON.
        """
        yield from stix_files.read(source.path, checkpoint)


CONNECTOR = StixFile()
