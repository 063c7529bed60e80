"""Times normalising: ``python tests/bench/bench_identifiers.py [--count 50000]``.

Prints one JSON object: identifiers per second of processor time on one core, by kind and way of telling; each text
is another one, so that nothing is remembered. Phones and e-mails must reach 5,000, all others 50,000; the exit code
is 1 when one doesn't. Also tokens per second (normalising and keyed hashing).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable

from exchange.model.identifiers.keyed import Key, token
from exchange.model.identifiers.kinds import KINDS

SLOW = {"phone", "email"}
FLOOR, SLOW_FLOOR = 50_000, 5_000
TELLINGS: dict[str, tuple[str, Callable[[int], str]]] = {
    "domain": ("domain", lambda n: f"lo{n}rem[.]example[.]org"),
    "domain, letters of its own": ("domain", lambda n: f"łorem{n}.pl"),
    "url, defanged": ("url", lambda n: f"hxxps://lorem{n}[.]org/a/b?c={n}"),
    "url, defanged oddly": ("url", lambda n: f"https[:]//www[.]lorem{n}[dot]org/łorem/%c3%b3"),
    "email": ("email", lambda n: f"lorem{n}[at]example[.]org"),
    "phone": ("phone", lambda n: f"+44 (0)20 79460 {n % 1000:03d}"),
    "account, handle": ("account", lambda n: f"x:@Lorem_{n}"),
    "account, X": ("account", lambda n: f"hxxps://twitter[.]com/Lorem_{n}/media"),
    "account, X post": ("account", lambda n: f"https://x.com/Lorem_{n}/status/{n + 10**15}?s=20"),
    "account, Facebook number": ("account", lambda n: f"https://www.facebook.com/profile.php?id={n + 10**9}"),
    "account, Medium blog": ("account", lambda n: f"lorem{n}.medium.com"),
    "channel": ("channel", lambda n: f"hxxps://t[.]me/s/lorem{n}"),
    "group": ("group", lambda n: f"facebook.com/groups/lorem{n}/posts/12"),
    "handle": ("handle", lambda n: f"@Lorem_{n}"),
    "ad": ("ad", lambda n: f"https://www.facebook.com/ads/library/?id={n + 10**9}"),
    "ipv4": ("ipv4", lambda n: f"93[.]{n >> 16 & 255}[.]{n >> 8 & 255}[.]{n & 255}"),
    "ipv6": ("ipv6", lambda n: f"2A00:1450::{n & 0xFFFF:x}:{n >> 16:x}"),
    "ipv4-range": ("ipv4-range", lambda n: f"93.{n >> 8 & 255}.{n & 255}.0/24"),
    "autonomous-system": ("autonomous-system", lambda n: f"AS {n + 70_000}"),
    "payment-card": ("payment-card", lambda n: luhn(f"4{n:014d}")),
    "iban": ("iban", lambda n: iban(f"{n:018d}")),
    "device": ("device", lambda n: f"{{6D92078A-8246-4BA4-AE5B-{n:012X}}}"),
    "cookie": ("cookie", lambda n: f"_ga=GA1.2.{n + 10**9}.{n + 10**8}"),
    "sha256": ("sha256", lambda n: f"{n * 2654435761 + 1:064X}"),
    "image-hash": ("image-hash", lambda n: f"{n * 2654435761 + 1:064x}"),
    "text-fingerprint": ("text-fingerprint", lambda n: f"T1{n * 2654435761 + 1:070x}"),
    "hashtag": ("hashtag", lambda n: f"#Łorem{n}"),
    "prompt": ("prompt", lambda n: f"Write {n} tweets about “lorem {n}”, in the voice of @ipsum{n}"),
}


def luhn(digits: str) -> str:
    """The number with the check digit that it needs."""
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits))]
    return digits + str(-sum(one - 9 if one > 9 else one for one in doubled) % 10)


def iban(account: str) -> str:
    """A German IBAN of 18 digits."""
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def rate(work: Callable[[str], object], texts: Iterable[str]) -> int:
    """How many texts are done in a second of processor time."""
    given = list(texts)
    work(given[0])
    start = time.process_time()
    for text in given:
        work(text)
    return int(len(given) / (time.process_time() - start))


def main() -> int:
    """Time every telling, then tokens."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=50_000)
    count = arguments.parse_args().count
    rates = {name: rate(KINDS[kind].normalise, map(text, range(count))) for name, (kind, text) in TELLINGS.items()}
    key = Key("bench", b"k" * 32)
    tokens = {name: rate(lambda text, name=name: token(KINDS[name], text, key), map(TELLINGS[name][1], range(count)))  # type: ignore[misc]
              for name in ("email", "phone", "device")}
    below = [name for name, found in rates.items() if found < (SLOW_FLOOR if TELLINGS[name][0] in SLOW else FLOOR)]
    print(json.dumps({"count": count, "normalised_per_second": rates, "tokens_per_second": tokens, "too_slow": below}, indent=1))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
