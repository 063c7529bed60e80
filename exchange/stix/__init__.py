"""How things are written: the only room that imports stix2."""
