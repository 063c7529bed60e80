"""Personal data and people's words in free text and JSON, also where they are hidden; pure, and no word of it told."""
