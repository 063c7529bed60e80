"""The one way out: order, policy, page."""
