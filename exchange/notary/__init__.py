"""Where the log is kept: order of events, signatures under its checkpoints, receipts, copies and their checking."""
