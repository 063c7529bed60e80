"""What a recommendation rests on: the facts of one account, as the matcher found them."""

from __future__ import annotations

from dataclasses import dataclass, fields

FLAGS = ("compromised", "co_opted", "disclosed", "clean", "seen")


@dataclass(frozen=True, slots=True)
class Facts:
    """One account; what isn't known is told as the figure that asks for the least."""

    score: float
    """Probability that the account belongs to a covert operation."""
    sources: int = 0
    """Independent sources that name infrastructure or speak through company."""
    kinds: int = 0
    """Kinds of evidence that speak of it."""
    cluster: int = 1
    """Accounts of its cluster; 1 where it has none."""
    reach: float = 0.0
    """People reached in 90 days."""
    growth: float = 1.0
    """Activity a day of the last week over that of the four weeks before, from 0.5 to 4."""
    disputed: float = 0.0
    """Share (0-1) of its direct evidence that rests on values which another source calls benign."""
    prior_days: float | None = None
    """Days between the sign-up and the moment by which half of the evidence has begun: a life of its own before."""
    role: str | None = None
    campaign_class: str | None = None
    """Of its cluster (R11)."""
    class_sources: int = 0
    """Independent sources of that class; the platform's own observation may be one."""
    spread: float = 1.0
    """Members of its cluster active in the last week over those of a usual week of the four before, from 0.25 to 8."""
    cluster_sources: int = 0
    """Independent sources that speak of likely members of its cluster."""
    made_with: int = 0
    """Other likely members of its cluster that signed up within an hour of it."""
    theft: float = 0.0
    """Share (0-1) of the likely members of its cluster that look taken from their owners."""
    compromised: bool = False
    """Taken from its owner."""
    co_opted: bool = False
    """An authentic person or community that the operation uses or targets (R10)."""
    disclosed: bool = False
    """Openly run by an agency."""
    clean: bool = False
    """Verified, identified by documents, or with a year of payments."""
    seen: bool = False
    """The platform's own observation bears it out (``witness.observe``): a witness that is nobody's word."""

    @property
    def radius(self) -> float:
        """Blast radius: people reached in 90 days, at the pace of now."""
        return self.reach * self.growth


NAMES = tuple(field.name for field in fields(Facts))
