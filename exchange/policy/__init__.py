"""May it be shared? A pure function of facts and packs."""
