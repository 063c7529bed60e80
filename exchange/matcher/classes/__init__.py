"""Of which class of campaign a cluster is (R11, R57): what the feed states, what members do, what follows."""
