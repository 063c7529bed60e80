"""The one way in: push, validate, policy, store, receipt."""
