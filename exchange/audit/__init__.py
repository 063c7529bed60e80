"""Proof of what happened: Merkle tree, signed checkpoints, receipts, verification. Values only, no database."""
