"""Pages, groups and channels: accounts that many people read or write in, told apart where the address tells.

Their key is the account's (``exchange.model.identifiers.account``), so that a channel told as an account and
as a channel is one. Where a platform's addresses look alike (``alike`` in the platform table), the word of
whoever reports it decides; else an address of another kind is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exchange.model.identifiers import account
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.platforms import table


def _only(wanted: str) -> Callable[[str], str]:
    def normalise(text: str) -> str:
        """The address of the page as its platform writes it. Raises IdentifierError for another kind of account."""
        found = account.read(text)
        platform = table().named(found.platform)
        alike = platform.alike if platform else frozenset({"profile", wanted})
        if found.kind != wanted and not {found.kind, wanted} <= alike:
            raise IdentifierError(f"{text[:80]!r} is a {found.kind} of {found.platform}, no {wanted}")
        return found.text

    return normalise


def _kind(name: str, examples: Mapping[str, str], non_examples: tuple[str, ...]) -> Kind:
    return Kind(
        name=name,
        title=name,
        normalise=_only(name),
        path=account.KIND.path,
        said=account.KIND.said,
        personal=account.KIND.personal,
        hashed_as=account.KIND.hashed_as,
        weight=account.KIND.weight,
        half_life=account.KIND.half_life,
        examples=examples,
        non_examples=non_examples,
    )


PAGE = _kind(
    "page",
    {
        "https://www.facebook.com/Lorem.Ipsum": "facebook:loremipsum",
        "facebook:Lorem": "facebook:lorem",
        "linkedin[.]com/company/Lorem/about": "linkedin:company/lorem",
    },
    ("", "lorem", "facebook.com/groups/lorem", "https://x.com/lorem", "linkedin.com/in/lorem", "1 page"),
)
GROUP = _kind(
    "group",
    {
        "facebook[.]com/groups/Sed.Do": "facebook:groups/seddo",
        "reddit.com/r/Tempor": "reddit:r/tempor",
        "https://t.me/+AbCdEf123456": "telegram:+AbCdEf123456",
        "t.me/lorem_ipsum": "telegram:lorem_ipsum",
        "vk.com/public77": "vk:club77",
    },
    ("", "x.com/lorem", "reddit.com/u/lorem", "youtube.com/@lorem", "3 groups"),
)
CHANNEL = _kind(
    "channel",
    {
        "t[.]me/s/Dolor_Sit": "telegram:dolor_sit",
        "youtube.com/@Lorem": "youtube:lorem",
        "https://whatsapp.com/channel/0029VaLoremIpsum": "whatsapp:channel/0029VaLoremIpsum",
    },
    ("", "x.com/lorem", "instagram.com/lorem", "youtube.com/watch?v=abcdefghijk", "chat.whatsapp.com/AbCdEf123456"),
)
