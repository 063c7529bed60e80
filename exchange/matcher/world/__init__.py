"""Made-up platforms with made-up operations on them, from a seed: for the demo, tests and benches.

Built from the requirements (R50-R64) and from nothing else: households, carriers, offices, agencies, fans,
protesters, believers, people with several accounts, recycled numbers, bought and taken-over accounts; operations of
several classes with roles; and a feed that knows a part of them, some of it stale, wrong or poisoned.
Everything here is invented. ``make_world`` writes the tables, the feed and the truth.
"""

from exchange.matcher.world.make import FEED, World, make_world

__all__ = ["FEED", "World", "make_world"]
