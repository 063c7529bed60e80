"""HTTP: the only room that imports flask."""
