"""Policy packs: data only, in TOML."""
