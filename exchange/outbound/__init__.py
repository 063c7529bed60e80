"""The way out to other people's servers."""
