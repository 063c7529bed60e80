"""Where it stays: the only room that imports the database library."""
