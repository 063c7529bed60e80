"""Accounts: one account told in many ways is one key, two accounts are never one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.identifiers.account import account_key, is_platform_host, place
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.platforms import table

SIX_WAYS = [
    ("", "twitter.com/Lorem_Ipsum9"),
    ("x", "https://x.com/lorem_ipsum9"),
    ("twitter", "@Lorem_Ipsum9"),
    ("X (formerly Twitter)", "LOREM_IPSUM9"),
    ("", "mobile.twitter.com/lorem_ipsum9?lang=en"),
    ("", "hxxps://twitter[.]com/lorem_ipsum9/media"),
    ("", "http[:]//www[.]x[.]com/Lorem_Ipsum9/"),
    ("", "https://x.com/lorem_ipsum9/status/1234567890123456789?s=20"),
    ("tiktok", "x[.]com/lorem_ipsum9"),
    ("x", "\u200b@lorem_ipsum9\u00a0"),
    ("", "https://x.com:443/lorem%5Fipsum9#top"),
]


@pytest.mark.parametrize(("platform", "text"), SIX_WAYS)
def test_one_account_told_in_many_ways_is_one_key(platform: str, text: str) -> None:
    found = account_key(platform, text)
    assert found.same == ("x", "lorem_ipsum9")
    assert found.canonical_url == "https://x.com/lorem_ipsum9"
    assert found.seen == text


@pytest.mark.parametrize(
    ("platform", "text", "same"),
    [
        ("bluesky", "lorem.tumblr.com", ("bluesky", "lorem.tumblr.com")),
        ("tumblr", "lorem.tumblr.com", ("tumblr", "lorem")),
        ("x", "lorem.tumblr.com", ("tumblr", "lorem")),
        ("livejournal", "lo-rem", ("livejournal", "lo_rem")),
        ("facebook", "facebook.com/Lo.Rem?mibextid=x", ("facebook", "lorem")),
        ("x", "＠ｌｏｒｅｍ", ("x", "lorem")),
        ("x", "hmac-sha256:Grp-1:" + "a" * 64, ("x", "hmac-sha256:Grp-1:" + "a" * 64)),
    ],
)
def test_a_name_is_read_on_the_platform_that_was_named(platform: str, text: str, same: tuple[str, str]) -> None:
    assert account_key(platform, text).same == same


@pytest.mark.parametrize(
    ("name", "text"),
    [("channel", "https://t.me/s/Dolor_Sit"), ("group", "t.me/dolor_sit"), ("account", "telegram:@Dolor_Sit"),
     ("channel", "dolor_sit.t.me"), ("account", "hxxps://telegram[.]me/dolor_sit/42"), ("group", "tg:DOLOR_SIT")],
)
def test_an_account_is_one_key_whether_told_as_channel_group_or_account(name: str, text: str) -> None:
    assert KINDS[name].normalise(text) == "telegram:dolor_sit"


NAMES = [
    # text, platform, kind, key, canonical URL
    ("www.youtube[.]com/@Ut-enim4", "youtube", "channel", "ut-enim4", "https://www.youtube.com/@ut-enim4"),
    (
        "https://youtube.com/channel/UCabcdefghijklmnopqrstu1/videos",
        "youtube",
        "channel",
        "UCabcdefghijklmnopqrstu1",
        "https://www.youtube.com/channel/UCabcdefghijklmnopqrstu1",
    ),
    ("youtube.com/c/UtEnim", "youtube", "channel", "c/utenim", "https://www.youtube.com/c/utenim"),
    ("youtube.com/@%C3%89tude", "youtube", "channel", "\u00e9tude", "https://www.youtube.com/@%C3%A9tude"),
    ("t.me/s/Dolor_Sit", "telegram", "channel", "dolor_sit", "https://t.me/dolor_sit"),
    ("Dolor_Sit.t.me", "telegram", "channel", "dolor_sit", "https://t.me/dolor_sit"),
    ("t.me/dolor_bot", "telegram", "profile", "dolor_bot", "https://t.me/dolor_bot"),
    ("https://t[.]me/+AbCdEf123456", "telegram", "group", "+AbCdEf123456", "https://t.me/+AbCdEf123456"),
    ("t.me/joinchat/AbCdEf123456", "telegram", "group", "+AbCdEf123456", "https://t.me/+AbCdEf123456"),
    ("tiktok.com/@a.b_c", "tiktok", "profile", "a.b_c", "https://www.tiktok.com/@a.b_c"),
    (
        "https://m.facebook.com/Some.Body/",
        "facebook",
        "profile",
        "somebody",
        "https://www.facebook.com/somebody",
    ),
    (
        "facebook.com/profile.php?id=100012345&sk=about",
        "facebook",
        "profile",
        "100012345",
        "https://www.facebook.com/profile.php?id=100012345",
    ),
    (
        "facebook.com/groups/sed.do/posts/12",
        "facebook",
        "group",
        "groups/seddo",
        "https://www.facebook.com/groups/seddo",
    ),
    ("reddit.com/u/Sed-Do", "reddit", "profile", "sed-do", "https://www.reddit.com/user/sed-do"),
    ("old.reddit.com/r/Tempor/", "reddit", "group", "r/tempor", "https://www.reddit.com/r/tempor"),
    ("https://lorem9.medium[.]com/", "medium", "profile", "lorem9", "https://medium.com/@lorem9"),
    (
        "medium.com/@Lorem9/some-title-0123456789ab",
        "medium",
        "profile",
        "lorem9",
        "https://medium.com/@lorem9",
    ),
    ("lorem.tumblr.com/post/123456789/x", "tumblr", "blog", "lorem", "https://www.tumblr.com/lorem"),
    ("tr.pinterest.com/Lorem/", "pinterest", "profile", "lorem", "https://www.pinterest.com/lorem/"),
    ("es.quora.com/profile/Lo-Rem", "quora", "profile", "lo-rem", "https://www.quora.com/profile/lo-rem"),
    ("loremspace.quora.com", "quora", "group", "q/loremspace", "https://loremspace.quora.com/"),
    ("lo-rem.livejournal.com/12.html", "livejournal", "blog", "lo_rem", "https://lo-rem.livejournal.com/"),
    ("vk.com/public77", "vk", "group", "club77", "https://vk.com/club77"),
    ("m.vk.com/id77", "vk", "profile", "id77", "https://vk.com/id77"),
    ("ok[.]ru/group/70001", "ok", "group", "group/70001", "https://ok.ru/group/70001"),
    (
        "linkedin.com/company/Lorem/about",
        "linkedin",
        "page",
        "company/lorem",
        "https://www.linkedin.com/company/lorem/",
    ),
    ("lorem.blogspot.co.uk/2024/01/x.html", "blogspot", "blog", "lorem", "https://lorem.blogspot.com/"),
    (
        "bsky.app/profile/lorem.bsky.social",
        "bluesky",
        "profile",
        "lorem.bsky.social",
        "https://bsky.app/profile/lorem.bsky.social",
    ),
    ("bsky.app/profile/did:plc:AbC2/post/3k", "bluesky", "profile", "did:plc:AbC2", "https://bsky.app/profile/did:plc:AbC2"),
    ("facebook.com/p/Lorem-Ipsum-100012345678901/", "facebook", "page", "100012345678901", "https://www.facebook.com/profile.php?id=100012345678901"),
    ("douyin.com/user/MS4wLjAB_c", "douyin", "profile", "MS4wLjAB_c", "https://www.douyin.com/user/MS4wLjAB_c"),
    ("discord.gg/AbCd", "discord", "group", "invite/AbCd", "https://discord.gg/AbCd"),
]


@pytest.mark.parametrize(("text", "platform", "kind", "key", "canonical"), NAMES)
def test_addresses_name_the_account(text: str, platform: str, kind: str, key: str, canonical: str) -> None:
    found = account_key("", text)
    assert (found.platform, found.kind, found.key, found.canonical_url) == (platform, kind, key, canonical)
    assert account_key(platform, key).same == found.same
    assert account_key("", canonical).same == found.same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("telegram", "+AbCdEf123456"), ("telegram", "+abcdef123456")),
        (("youtube", "youtube.com/c/lorem"), ("youtube", "youtube.com/@lorem")),
        (
            ("youtube", "youtube.com/channel/UCabcdefghijklmnopqrstu1"),
            ("youtube", "youtube.com/channel/UCABCDEFGHIJKLMNOPQRSTU1"),
        ),
        (("reddit", "r/lorem"), ("reddit", "u/lorem")),
        (("x", "lorem"), ("tiktok", "lorem")),
        (("vk", "id7"), ("vk", "club7")),
        (("some-forum", "Lorem"), ("some-forum", "lorem")),
        (("x", "hmac-sha256:grp-1:" + "a" * 64), ("x", "hmac-sha256:grp-1:" + "b" * 64)),
        (("facebook", "hmac-sha256:grp.1:" + "a" * 64), ("facebook", "hmac-sha256:grp1:" + "a" * 64)),
    ],
)
def test_two_accounts_are_never_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert account_key(*one).same != account_key(*other).same


@pytest.mark.parametrize(
    "address",
    [
        "https://x.com/",
        "x.com/search?q=a",
        "https://x.com/i/status/12",
        "youtube.com/watch?v=abcdefghijk",
        "t.me/",
        "reddit.com/r/lorem/comments/abc123/some_title",
        "pin.it/abc",
        "https://example.org/lorem",
        "tilda.ws",
        "tumblr.com",
        "https://x.com@example.org/lorem",
        "fb.watch/aBcDeF123",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Florem.org",
        "youtube.com/channel/UCtruncated",
        "facebook.com/profile.php?id=lorem",
        "https://x.com/lo%1brem",
        "pinterest.com/pin/123456789012345678",
        "instagram.com/p/Cabc123/",
    ],
)
def test_addresses_without_an_account_name_none(address: str) -> None:
    with pytest.raises(IdentifierError):
        account_key("", address)


@pytest.mark.parametrize(
    ("address", "post", "author"),
    [
        (
            "http://reddit.com/user/lorem/comments/1abc/x?rdt=1",
            "https://www.reddit.com/user/lorem/comments/1abc",
            "lorem",
        ),
        ("https://twitter.com/Lorem/status/12/photo/1", "https://x.com/lorem/status/12", "lorem"),
        ("https://fb.watch/aBcDeF123_/", "https://fb.watch/aBcDeF123_/", None),
        ("facebook.com/watch/?v=123456", "https://www.facebook.com/watch/?v=123456", None),
        ("m.facebook.com/reel/987654321", "https://www.facebook.com/reel/987654321", None),
        ("youtu.be/abcdefghijk", "https://www.youtube.com/watch?v=abcdefghijk", None),
        (
            "tumblr.com/lorem/765185025854537728/b\u0142azen",
            "https://www.tumblr.com/lorem/765185025854537728",
            "lorem",
        ),
        ("t.me/lorem/42", "https://t.me/lorem/42", "lorem"),
        ("chng.it/AbC", "https://chng.it/AbC", None),
        ("sk.pinterest.com/pin/12345", "https://www.pinterest.com/pin/12345/", None),
    ],
)
def test_a_post_has_its_own_address_and_its_author_where_named(
    address: str, post: str, author: str | None
) -> None:
    found = place(address)
    assert found is not None
    assert found.is_post
    assert found.post == post
    assert (found.account.key if found.account else None) == author


@pytest.mark.parametrize(
    "host", ["twitter.com", "www.x.com", "t.me", "medium.com", "tr.pinterest.com", "wordpress.com"]
)
def test_platform_hosts_are_known(host: str) -> None:
    assert is_platform_host(host)


@pytest.mark.parametrize(
    "host", ["lorem.medium.com", "lorem.wordpress.com", "example.org", "xx.com", "nott.me"]
)
def test_other_hosts_are_not_platforms(host: str) -> None:
    assert not is_platform_host(host)


def test_the_table_holds_about_forty_platforms_that_survive_their_own_key() -> None:
    platforms = {platform.name: platform for platform in table().by_name.values()}
    assert len(platforms) >= 40
    for name in platforms:
        found = account_key(name, "lorem123")
        assert account_key(name, found.key).same == found.same, name


@given(st.sampled_from(sorted(table().by_name)), st.text(min_size=1, max_size=40))
def test_any_text_is_an_account_or_a_clear_refusal(platform: str, text: str) -> None:
    try:
        found = account_key(platform, text)
    except IdentifierError:
        return
    assert account_key(found.platform, found.key).same == found.same
