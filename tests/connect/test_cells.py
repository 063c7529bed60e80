"""What an indicator cell holds, in every style that takedown files have been seen to use; all names are made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.meta_threat_research.patterns import pattern
from exchange.connect.cell import acquired_in, read_cell

WHOLE = [
    # cell, platform of the row, what is read
    ("lorem-ipsum[.]org", "", ["domain lorem-ipsum.org"]),
    ("Lorem-Ipsum.ORG", "", ["domain lorem-ipsum.org"]),
    ("www[.]lorem[.]com[.]mx \n", "", ["domain lorem.com.mx"]),
    ("https://lorem[.]org/", "", ["domain lorem.org"]),
    ("http://www.lorem[.]af/", "", ["domain lorem.af"]),
    ("lorem[.]eu[.]com", "", ["domain lorem.eu.com"]),
    ("dolor[.]tilda[.]ws", "", ["domain dolor.tilda.ws"]),
    ("l\u00f6rem[.]de", "", ["domain xn--lrem-5qa.de"]),
    ("lorem[.]pro (Hosted a spoof of Ipsum Daily)", "", ["domain lorem.pro"]),
    ("lorem[.]org - registered in May", "", ["domain lorem.org"]),
    ("lorem[.]org, ipsum[.]net and dolor[.]io", "", ["domain lorem.org", "domain ipsum.net", "domain dolor.io"]),
    ("lorem[.]org\nipsum[.]net", "", ["domain lorem.org", "domain ipsum.net"]),
    ("\u200blorem[.]org\u00a0", "", ["domain lorem.org"]),
    ("info[at]lorem[.]org, hosted with Titan.email service", "", ["email info@lorem.org"]),
    ("93[.]184[.]216[.]34", "", ["ip 93.184.216.34"]),
    ("hxxps://twitter[.]com/Lorem_9", "x", ["account x lorem_9"]),
    ("x[.]com/lorem_9?s=21", "x", ["account x lorem_9"]),
    ("x.com/intent/user?screen_name=Lorem_9", "", ["account x lorem_9"]),
    ("https://www.facebook.com/share/p/1AbCdEfGhI/", "", ["url https://www.facebook.com/share/p/1AbCdEfGhI/"]),
    ("x.com/i/lists/1234567", "", ["url http://x.com/i/lists/1234567"]),
    ("https[:]//t[.]me/s/lorem_ipsum", "telegram", ["account telegram lorem_ipsum"]),
    ("t[.]/Lorem_bot", "telegram", ["account telegram lorem_bot"]),
    ("www[.]tiktok[.]com/@lorem.md", "x", ["account tiktok lorem.md"]),
    ("@lorem_9", "x", ["account x lorem_9"]),
    ("LoremIpsum9", "x", ["account x loremipsum9"]),
    ("@lorem_9, @ipsum8", "x", ["account x lorem_9", "account x ipsum8"]),
    ("Telegram channel: https://t.me/lorem_9", "telegram", ["account telegram lorem_9"]),
    ("https://t.me/lorem_9 (suspended)", "telegram", ["account telegram lorem_9"]),
    ("https://t.me/lorem_9 now suspended", "telegram", ["account telegram lorem_9"]),
    ("youtube[.]com/@%C3%89tude", "youtube", ["account youtube \u00e9tude"]),
    ("lorem9.medium[.]com", "", ["account medium lorem9"]),
    ("lorem9[.]blogspot.com", "", ["account blogspot lorem9"]),
    ("https://cutt[.]ly/LoReM", "", ["url https://cutt.ly/LoReM"]),
    ("http://pin.it/abc12", "", ["url https://pin.it/abc12"]),
    ("change[.]org/p/lorem-ipsum-dolor", "", ["url https://www.change.org/p/lorem-ipsum-dolor"]),
    ("https://forum.lorem.org/u/ipsum", "", ["url https://forum.lorem.org/u/ipsum"]),
    ("lorem.org/\u0142\u0105ka?x=\u00fc", "", ["url http://lorem.org/%C5%82%C4%85ka?x=%C3%BC"]),
    ("youtube.com/watch?v=abcdefghijk&t=2s", "youtube", ["url https://www.youtube.com/watch?v=abcdefghijk"]),
    ("reddit.com/user/Lorem/comments/1abc/x", "", ["url https://www.reddit.com/user/lorem/comments/1abc",
                                                   "account reddit lorem"]),
    ("reddit.com/r/gardening/comments/1abc/x", "", ["url https://www.reddit.com/comments/1abc"]),
    ("http://tumblr.com/lorem/765000000000000001/zagro\u017cona", "",
     ["url https://www.tumblr.com/lorem/765000000000000001", "account tumblr lorem"]),
]  # fmt: skip


LISTS = [
    # several values in one cell, as people write lists
    ("lorem[.]site\nipsum[.]media\r\ndolor.com.tr,", "", ["domain lorem.site", "domain ipsum.media", "domain dolor.com.tr"]),
    ("\u2022 lorem[.]site\n\u2022 https://ipsum[.]media/", "", ["domain lorem.site", "domain ipsum.media"]),
    ("1. lorem[.]site 2. ipsum[.]media", "", ["domain lorem.site", "domain ipsum.media"]),
    ("1) lorem[.]site\n2) ipsum[.]media", "", ["domain lorem.site", "domain ipsum.media"]),
    ("lorem[.]site & ipsum[.]org", "", ["domain lorem.site", "domain ipsum.org"]),
    ("lorem[.]site|ipsum[.]org", "", ["domain lorem.site", "domain ipsum.org"]),
    ("lorem[.]site;ipsum[.]org,dolor[.]io", "", ["domain lorem.site", "domain ipsum.org", "domain dolor.io"]),
    ("x[.]com/lorem_9,x[.]com/ipsum_8", "", ["account x lorem_9", "account x ipsum_8"]),
    ("https://x[.]com/lorem_9 & https://x[.]com/ipsum_8", "", ["account x lorem_9", "account x ipsum_8"]),
    ("*.lorem[.]org", "", ["domain lorem.org"]),
    ("lorem[.]org:8080", "", ["domain lorem.org"]),
    ("lorem [.] org", "", ["domain lorem.org"]),
    ("info (at) lorem (dot) org", "", ["email info@lorem.org"]),
    ("Lorem Ipsum (@lorem_9)", "x", ["account x lorem_9"]),
    ("4 accounts: @lorem_9, @ipsum_8", "x", ["account x lorem_9", "account x ipsum_8"]),
]


@pytest.mark.parametrize(("cell", "platform", "expected"), [*WHOLE, *LISTS])
def test_whole_values_are_read(cell: str, platform: str, expected: list[str]) -> None:
    found = read_cell(cell, platform)
    told = [" ".join(filter(None, (one.kind, one.account.platform if one.account else "", one.canonical)))
            for one in found.values]  # fmt: skip
    assert told == expected
    assert found.fault == ""
    assert all(pattern(one, one.others) for one in found.values)


MENDED = [
    ("https:// lorem[.]org/a-b", "https://lorem.org/a-b"),
    ("https://lorem.org/stop-the-war- now-please", "https://lorem.org/stop-the-war-now-please"),
    ("https://lorem.org/%C5 %82", "https://lorem.org/%C5%82"),
    ("https://lorem.org/a?id= 77", "https://lorem.org/a?id=77"),
    ("https://lorem[.]org /a/b", "https://lorem.org/a/b"),
    ("https://www.pinterest.com/pin/1020135753 089553312", "https://www.pinterest.com/pin/1020135753089553312/"),
    ("http://tumblr.com/lorem/764987819888443392/polska-zagro\u00c5\u00bcona",
     "https://www.tumblr.com/lorem/764987819888443392"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "canonical"), MENDED)
def test_what_can_only_be_meant_one_way_is_mended_and_told(cell: str, canonical: str) -> None:
    found = read_cell(cell)
    assert found.values[0].canonical == canonical
    assert found.repair


def test_a_broken_address_that_stands_whole_elsewhere_is_mended() -> None:
    known = {"https://lorem.org/why-boycott"}
    assert (
        read_cell("https://lorem[.]org/why-boyc ott", "", known).values[0].canonical == "https://lorem.org/why-boycott"
    )


DOUBTFUL = [
    ("https://lorem.org/petition/why-boyc ott", ""), ("https://lorem.org/p/310273 921025", ""),
    ("lorem ipsum[.]info", ""), ("https://t.me/lorem md", "telegram"), ("lorem[.]notasuffix", ""),
    ("https://x.com/lorem_9 8", "x"), ("https://lorem", ""),
    ("https://lorem.org/a \u00c5", ""), ("https://lorem.org/polska-zagro\u00c5\u00bcona-ukrai\u00c5skie", ""),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "platform"), DOUBTFUL)
def test_a_value_that_may_be_cut_is_never_emitted(cell: str, platform: str) -> None:
    found = read_cell(cell, platform)
    assert found.values == ()
    assert found.fault


@pytest.mark.parametrize("cell", ["twitter[.]com", "https://t.me/", "www.youtube.com", "medium.com", "tilda[.]ws",
                                  "cutt.ly", "tr.pinterest.com", "blogspot[.]com", "10.0.0.1", "bbc.co.uk",
                                  "https://www.theguardian.com/"])  # fmt: skip
def test_a_host_that_everybody_uses_is_no_value(cell: str) -> None:
    found = read_cell(cell)
    assert found.values == ()
    assert found.shared


@pytest.mark.parametrize("cell", [
    "https://x.com/intent/tweet?x", "x[.]com/share?url=a", "x.com/search?q=a", "x.com/hashtag/a", "x.com/login",
    "x.com/home", "facebook.com/sharer/sharer.php?u=a", "facebook.com/login.php", "t.me/share/url?url=a",
    "instagram.com/accounts/login/", "linkedin.com/shareArticle?url=a", "youtube.com/redirect?q=a",
])  # fmt: skip
def test_a_page_of_a_platform_that_everybody_uses_is_no_value(cell: str) -> None:
    found = read_cell(cell)
    assert found.values == ()
    assert found.shared


@pytest.mark.parametrize("cell", ["youtube.com/channel/", "https://www.youtube[.]com/user", "youtube.com/watch",
                                  "reddit.com/r/", "facebook.com/groups/"])  # fmt: skip
def test_a_platforms_path_without_an_id_is_put_aside_with_a_reason(cell: str) -> None:
    found = read_cell(cell)
    assert found.values == ()
    assert "names neither an account nor a post" in found.fault


@pytest.mark.parametrize("cell", [
    "Lorem Ipsum", "Lorem", "Some accounts posed as locals, see lorem[.]org above for more",
    "Registering domains with Namecheap which uses lorem[.]com", "According to lorem.org, the network moved",
    "#lorem", "63 accounts", "A.B. Lorem", "Operators used the site lorem[.]org",
])  # fmt: skip
def test_prose_holds_no_value(cell: str) -> None:
    assert read_cell(cell).values == ()


@pytest.mark.parametrize(("text", "expected"), [
    ("Configure lorem[.]com with Titan.email service", ["lorem.com"]),
    ("Registering domains with ipsum[.]com", []), ("Hosted by ipsum[.]com", []), ("lorem.com was configured", []),
])  # fmt: skip
def test_sentences_about_acquiring_name_what_was_acquired(text: str, expected: list[str]) -> None:
    assert [one.canonical for one in acquired_in(text)] == expected


@given(st.text(max_size=120), st.sampled_from(["", "x", "telegram"]))
def test_any_cell_is_read_without_failing_and_gives_valid_patterns(text: str, platform: str) -> None:
    from exchange.stix.pattern import parse

    for value in read_cell(text, platform).values:
        parse(pattern(value, value.others))


@given(st.sampled_from([cell for cell, _, _ in WHOLE if "/" in cell]), st.sampled_from(" \n\t"), st.data())
def test_a_blank_inside_an_address_never_gives_its_beginning(cell: str, blank: str, data: st.DataObject) -> None:
    """Wherever a PDF broke the line: the value is the whole one, or nothing."""
    words = cell.split()
    cell = words[-1] if words[0].endswith(":") or words[0] == "Telegram" else words[0]
    at = data.draw(st.integers(1, len(cell) - 1))
    whole = {one.key for one in read_cell(cell).values}
    assert {one.key for one in read_cell(cell[:at] + blank + cell[at:]).values} <= whole
