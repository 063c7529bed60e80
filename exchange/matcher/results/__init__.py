"""What of a run's results goes back to the exchange: sightings, confirmations and disputes without local data (R63)."""
