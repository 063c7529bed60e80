"""Who is asking: credentials in HTTP headers, and the limit on guessing them."""
