"""Kinds of identifier: one file each, how it is normalised and where it stands in STIX."""
