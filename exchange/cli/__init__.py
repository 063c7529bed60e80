"""The command cibx: one file per noun."""
