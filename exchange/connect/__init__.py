"""The connector kit: contract, checkpoint, runner."""
