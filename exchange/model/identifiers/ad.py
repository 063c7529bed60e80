"""Advertisements by their entry in a platform's public ad library: the entry's address is the ad's one form."""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang

_LIBRARIES: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(address), re.compile(rf"(?i:{name}):({number})\Z"), canonical)
    for name, number, address, canonical in (
        ("facebook|meta|instagram", r"\d{6,20}",
         r"(?:www\.)?facebook\.com/ads/(?:archive|library)/(?:report/)?\?(?:.*&)?id=(\d{6,20})(?:[&#].*)?\Z",
         "https://www.facebook.com/ads/library/?id={}"),
        ("google|youtube", r"AR\d{10,24}/creative/CR\d{10,24}",
         r"adstransparency\.google\.com/advertiser/(AR\d{10,24}/creative/CR\d{10,24})/?(?:\?.*)?\Z",
         "https://adstransparency.google.com/advertiser/{}"),
        ("tiktok", r"\d{6,20}", r"library\.tiktok\.com/ads/detail/\?(?:.*&)?ad_id=(\d{6,20})(?:[&#].*)?\Z",
         "https://library.tiktok.com/ads/detail/?ad_id={}"),
        ("linkedin", r"\d{6,20}", r"(?:www\.)?linkedin\.com/ad-library/detail/(\d{6,20})/?(?:\?.*)?\Z",
         "https://www.linkedin.com/ad-library/detail/{}"),
    )
)  # fmt: skip


def normalise(text: str) -> str:
    """The address of an ad's entry, of such an address or of ``platform:number``; raises IdentifierError."""
    plain = refang(text)
    place = plain.partition("://")[2] if plain.lower().startswith(("http://", "https://")) else plain
    for address, name, canonical in _LIBRARIES:
        found = address.match(place) or name.match(plain)
        if found:
            return canonical.format(found[1])
    raise IdentifierError(f"{text[:80]!r} is no ad of a known ad library")


KIND = Kind(
    name="ad",
    title="advertisement",
    normalise=normalise,
    path="url:value",
    weight=4.0,
    half_life=180,
    examples={
        "hxxps://www[.]facebook[.]com/ads/library/?active_status=all&id=100200300400":
            "https://www.facebook.com/ads/library/?id=100200300400",
        "meta:100200300400": "https://www.facebook.com/ads/library/?id=100200300400",
        "https://adstransparency.google.com/advertiser/AR01234567890123456789/creative/CR98765432109876543210?region=US":
            "https://adstransparency.google.com/advertiser/AR01234567890123456789/creative/CR98765432109876543210",
        "library.tiktok.com/ads/detail/?ad_id=1700000000000001": "https://library.tiktok.com/ads/detail/?ad_id=1700000000000001",
        "https://www.linkedin.com/ad-library/detail/400500600/": "https://www.linkedin.com/ad-library/detail/400500600",
    },
    non_examples=(
        "", "facebook.com/ads/library/", "100200300400", "$1.2 million", "facebook.com/lorem",
        "https://example.org/facebook.com/ads/library/?id=100200300400",
    ),
)  # fmt: skip
