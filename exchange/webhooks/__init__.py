"""Webhooks: what members subscribed to, sent to them as it comes."""
