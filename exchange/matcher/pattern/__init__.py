"""STIX patterns over observed data: the whole language of STIX 2.1 section 9, evaluated on columns."""
