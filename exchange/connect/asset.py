"""What connectors need of ``exchange.stix.asset``, where the server finds it too."""

from __future__ import annotations

from exchange.stix.asset import Asset, Object, head, indicator, is_post, read_asset, relationship

__all__ = ["Asset", "Object", "head", "indicator", "is_post", "read_asset", "relationship"]
