"""Where a local row meets a shared value: edges of ranges, pictures, domains, URLs, accounts, texts."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.compare.picture import RADIUS, bands_sql, distance_sql, words_sql

ADDRESSES = {1: "10.0.0.0", 2: "10.0.0.255", 3: "10.0.1.0", 4: "255.255.255.255", 5: "0.0.0.0"}


RANGES = {
    "10.0.0.0/24": {1, 2},
    "10.0.0.77/24": {1, 2},
    "10.0.0.0/23": {1, 2, 3},
    "10.0.0.0/25": {1},
    "10.0.0.255/32": {2},
    "10.0.0.255": {2},
    "10.0.0.0/8": {1, 2, 3},
    "255.255.255.254/31": {4},
    "0.0.0.0/8": {5},
    "11.0.0.0/8": set(),
    "0.0.0.0/7": set(),
}


@pytest.fixture(scope="module", params=[True, False], ids=["numbers", "dotted"])
def of_ranges(request, make_platform, tmp_path_factory):
    """One run over the addresses, to which each range is named by a source of its own: the text itself."""
    platform = make_platform(tmp_path_factory.mktemp("ranges"))
    for account, address in ADDRESSES.items():
        platform.accounts(account)
        number = sum(int(part) << shift for part, shift in zip(address.split("."), (24, 16, 8, 0), strict=True))
        platform.link(account, "ip4", number if request.param else address)
    return platform.run([
        platform.indicator(f"[ipv4-addr:value ISSUBSET '{text}']", created_by_ref=f"identity--{text}") for text in RANGES
    ])


@pytest.mark.parametrize(("text", "expected"), RANGES.items())
def test_an_address_lies_in_a_range(of_ranges, text, expected):
    hits = of_ranges.rows(f"SELECT account_id FROM evidence WHERE step = 'direct' AND source = 'identity--{text}'")
    assert sorted(expected) == sorted(account for (account,) in hits)


def test_ranges_of_several_lengths_and_an_exact_address_are_looked_for_at_once(platform):
    platform.accounts(1)
    platform.link(1, "ip4", "10.0.0.1")
    feed = [
        platform.indicator(f"[ipv4-addr:value ISSUBSET '{text}']", created_by_ref=f"identity--{n}")
        for n, text in enumerate(("10.0.0.0/8", "10.0.0.0/24"))
    ]
    outcome = platform.run([*feed, platform.indicator("[ipv4-addr:value = '10.0.0.1']")])
    assert outcome.hits() == [(1, "ip4"), (1, "ip_range"), (1, "ip_range")]


def flipped(pdq, bits):
    number = int(pdq, 16)
    for bit in bits:
        number ^= 1 << bit
    return f"{number:064x}"


PDQ = "713f5747192babcb196349c5c244badafd47ce0bd45a66fc4c926d388d7952c8"


PICTURES = [
    (range(0), True),
    (range(31), True),
    (range(32), False),
    (range(0, 248, 8), True),
    (range(0, 256, 8), False),
    ([16 * n for n in range(15)] + [16 * n + 1 for n in range(16)], True),
    (range(256), False),
]
"""The bits in which a picture differs, and whether it is met."""


@pytest.fixture(scope="module")
def of_pictures(make_platform, tmp_path_factory):
    """One run over an account for each of them."""
    platform = make_platform(tmp_path_factory.mktemp("pictures"))
    for number, (bits, _) in enumerate(PICTURES):
        platform.accounts(number)
        platform.add("avatars", account_id=number, pdq=flipped(PDQ, bits).upper())
    return platform.run([platform.indicator(f"[x-cib-media:pdq = '{PDQ}']")]).hits()


@pytest.mark.parametrize(("number", "met"), [(number, met) for number, (_, met) in enumerate(PICTURES)])
def test_pictures_meet_up_to_a_distance_of_31_bits(of_pictures, number, met):
    assert of_pictures.count((number, "picture")) == met


def test_a_nearer_picture_weighs_more(platform):
    platform.accounts(1, 2)
    for account, bits in ((1, 2), (2, 30)):
        platform.add("avatars", account_id=account, pdq=flipped(PDQ, range(bits)))
    weights = dict(
        platform.run([platform.indicator(f"[x-cib-media:pdq = '{PDQ}']")]).rows(
            "SELECT account_id, nats FROM evidence WHERE kind = 'picture'"
        )
    )
    assert weights[1] > weights[2] > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**256 - 1), st.sets(st.integers(0, 255), max_size=40))
def test_bands_find_whatever_the_distance_allows(number, bits):
    """Any two fingerprints within the radius share a band value or one of its sixteen neighbours, with no more than
    three bits of difference together with the other band of its pair."""
    pairs = f"list_zip({bands_sql('l')}, {bands_sql('r')})"
    nearest = f"""list_min(list_transform(list_filter({pairs}, lambda p: bit_count(xor(p[1], p[2]) >> 16) <= 1),
        lambda p: bit_count(xor(p[1], p[2]))))"""
    sides = ", ".join(f"(SELECT {words_sql('pdq')} FROM (SELECT ? AS pdq)) {side}" for side in "lr")
    with duckdb.connect() as connection:
        distance, near = connection.execute(
            f"SELECT {distance_sql('l', 'r')}, COALESCE({nearest} <= 3, false) FROM {sides}",
            [f"{number:064x}", flipped(f"{number:064x}", bits)],
        ).fetchall()[0]
    assert len(bits) == distance
    assert near or distance > RADIUS


HOSTS = {
    1: "evil.example",
    2: "https://www.evil.example/page",
    3: "cdn.evil.example",
    4: "notevil.example",
    5: "evil.example.org",
    6: "EVIL.example.",
}


def test_a_domain_meets_itself_and_the_hosts_below_it(platform):
    for account, host in HOSTS.items():
        platform.accounts(account)
        platform.link(account, "domain", host)
    outcome = platform.run([platform.indicator("[domain-name:value = 'evil.example']")])
    assert outcome.rows("SELECT account_id, similarity FROM evidence WHERE kind = 'domain' ORDER BY 1") == [
        (1, 1.0),
        (2, 1.0),
        (3, 0.9),
        (6, 1.0),
    ]


def test_hosts_under_the_same_registrable_parent_meet_weakly(platform):
    platform.accounts(1, 2, 3)
    for account, host in ((1, "a.evil.example"), (2, "b.evil.example"), (3, "other.example")):
        platform.link(account, "domain", host)
    outcome = platform.run([platform.indicator("[domain-name:value = 'a.evil.example']")])
    assert outcome.rows("SELECT account_id, similarity FROM evidence WHERE kind = 'domain' ORDER BY 1") == [
        (1, 1.0),
        (2, 0.4),
    ]


def test_tenants_of_a_public_suffix_are_strangers(platform):
    platform.accounts(1, 2)
    platform.link(1, "domain", "evil.blogspot.com")
    platform.link(2, "domain", "innocent.blogspot.com")
    outcome = platform.run([platform.indicator("[domain-name:value = 'evil.blogspot.com']")])
    assert outcome.hits() == [(1, "domain")]


def test_a_domain_also_meets_e_mail_domains(platform):
    platform.accounts(1)
    platform.link(1, "email_domain", "Evil.example")
    outcome = platform.run([platform.indicator("[domain-name:value = 'evil.example']")])
    assert outcome.hits() == [(1, "email_domain")]


SPELLINGS = {
    "https://www.news.example/story": True,
    "http://news.example/story/": True,
    "NEWS.example/story": True,
    "https://news.example/Story": False,
    "https://news.example/story?x=1": False,
    "https://other.example/story": False,
}


@pytest.fixture(scope="module")
def of_pages(make_platform, tmp_path_factory):
    """One run over an account for each spelling."""
    platform = make_platform(tmp_path_factory.mktemp("pages"))
    for local in SPELLINGS:
        platform.accounts(local)
        platform.add("posts", account_id=local, ts=platform.at, kind="link", object=local, text="")
    return platform.run([platform.indicator("[url:value = 'https://news.example/story']")]).hits()


@pytest.mark.parametrize(("local", "met"), SPELLINGS.items())
def test_a_page_meets_every_spelling_of_its_url(of_pages, local, met):
    assert of_pages.count((local, "url")) == met
    assert len(of_pages) == sum(SPELLINGS.values())


SIX_WAYS = [
    {"platform": "x", "handle": "JoDoe"},
    {"platform": "twitter", "handle": "@jodoe"},
    {"profile_url": "https://twitter.com/JoDoe"},
    {"profile_url": "https://mobile.twitter.com/jodoe?lang=en"},
    {"profile_url": "x.com/jodoe/media"},
    {"profile_url": "https://x.com/jodoe/status/1"},
]


def test_an_account_told_six_ways_is_one(platform):
    for account, told in enumerate(
        [*SIX_WAYS, {"platform": "x", "handle": "jodo"}, {"platform": "tiktok", "handle": "jodoe"}]
    ):
        platform.accounts(account)
        platform.add("handles", account_id=account, **told)
    named = [platform.indicator(pattern, created_by_ref=f"identity--{n}") for n, pattern in enumerate((
        "[user-account:account_type = 'x' AND user-account:account_login = 'jodoe']",
        "[url:value = 'https://x.com/JODOE']"))]
    outcome = platform.run(named)
    for one in named:
        hits = f"SELECT account_id, kind FROM evidence WHERE step = 'direct' AND indicator_id = '{one['id']}' ORDER BY ALL"
        assert [(n, "account") for n in range(6)] == outcome.rows(hits)


def test_a_text_meets_the_same_words(platform):
    platform.accounts(1, 2)
    platform.add("posts", account_id=1, ts=platform.at, kind="original", object=1, text="No dams, on River X!")
    platform.add("posts", account_id=2, ts=platform.at, kind="original", object=2, text="No dams on river Y")
    outcome = platform.run([platform.indicator("[x-cib-post:text = 'no dams on RIVER x']")])
    assert outcome.hits() == [(1, "text")]


EXACT = [
    ("device", "dv_7c0000", "[x-cib-device:token = 'dv_7c0000']"),
    ("email", "Jo@Mail.example", "[email-addr:value = 'jo@mail.example']"),
    ("phone", "+44 7911 123456", "[phone-number:value = '0044 7911 123456']"),
    ("domain", "dn_7c0000.example", "[domain-name:value = 'dn_7c0000.example']"),
    ("cookie", "any text", "[x-cib-cookie:token = 'any text']"),
]


@pytest.fixture(scope="module")
def of_exact(make_platform, tmp_path_factory):
    """One run over an account for each of them."""
    platform = make_platform(tmp_path_factory.mktemp("exact"))
    for number, (itype, value, _) in enumerate(EXACT):
        platform.accounts(number)
        platform.link(number, itype, value)
    return platform.run([platform.indicator(pattern) for *_, pattern in EXACT]).hits()


@pytest.mark.parametrize(("number", "itype"), [(number, itype) for number, (itype, *_) in enumerate(EXACT)])
def test_exact_values_meet_as_tokens_and_in_the_clear(of_exact, number, itype):
    assert [hit for hit in of_exact if hit[0] == number] == [(number, itype)]


def test_a_bare_number_is_a_token_where_there_are_long_ones(platform):
    platform.accounts(1)
    platform.link(1, "device", 2**62)
    platform.link(1, "device", 8126464)
    assert platform.run([platform.indicator("[x-cib-device:token = 'dv_7c0000']")]).hits() == [(1, "device")]


def test_equal_tokens_of_different_kinds_do_not_meet(platform):
    platform.accounts(1)
    platform.link(1, "phone", "ph_7c")
    assert platform.run([platform.indicator("[x-cib-device:token = 'dv_7c']")]).hits() == []


def test_what_too_many_hold_weighs_nothing_and_is_counted(platform):
    for account in range(60):
        platform.accounts(account)
        platform.link(account, "email", "em_7c")
    outcome = platform.run([platform.indicator("[x-cib-email:token = 'em_7c']")])
    assert (outcome.hits(), dict(outcome.report.too_common)) == ([], {"email": 1})
