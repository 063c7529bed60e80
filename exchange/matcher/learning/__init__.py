"""Fits the scorecards: on made-up worlds, or on what reviews of a member's own decisions say."""
