"""Change of weights and rules: what a run keeps of itself, replay, canary and drift."""
