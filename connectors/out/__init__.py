"""Ways out: one file per outside party or format that takes what the exchange releases to a member."""
