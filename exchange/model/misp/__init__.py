"""What MISP's core format says in tables: attribute types, object templates, and the words of labels and audiences."""
