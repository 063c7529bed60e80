"""How the policy in force is found, explained, tried beforehand and changed."""
