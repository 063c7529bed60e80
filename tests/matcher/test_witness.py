"""Which sources stand beside another: those that name infrastructure themselves, handed on one step (R29)."""

import pytest

ACTION = 0.5


def operation(platform, *, sharing=("device", "phone")):
    """Twelve accounts that have a device and a phone number in pairs, one chained to the next."""
    prefixes = {"device": "dv", "phone": "ph"}
    for account in range(1, 13):
        platform.accounts(account)
        for shift, kind in enumerate(sharing):
            platform.link(account, kind, f"{prefixes[kind]}_{(account + shift) // 2:x}")


def named(platform, source, kind, prefix, numbers):
    return [platform.indicator(f"[x-cib-{kind}:token = '{prefix}_{n:x}']", name=f"{source}{kind}{n}",
                               created_by_ref=f"identity--{source}") for n in numbers]


def test_a_second_source_that_names_other_things_of_them_lets_members_through(platform):
    operation(platform)
    first = named(platform, "a", "device", "dv", range(7))
    alone = platform.run(first).rows("SELECT account_id, sources FROM accounts")
    both = platform.run([*first, *named(platform, "b", "phone", "ph", range(7))]).rows(
        f"SELECT account_id FROM accounts WHERE score >= {ACTION} AND sources >= 2")
    assert {account for account, in both} == {account for account, _ in alone}


def test_a_source_is_handed_on_one_step_and_never_by_who_only_heard_of_it(platform):
    for account, (kind, value) in ((1, ("device", "dv_1")), (1, ("cookie", "ck_1")), (2, ("cookie", "ck_1")),
                                   (2, ("payment", "pm_1")), (3, ("payment", "pm_1")), (3, ("device", "dv_3"))):
        if account not in {row["account_id"] for row in platform.tables.get("accounts", [])}:
            platform.accounts(account, strikes=3)
        platform.link(account, kind, value)
    feed = [*named(platform, "a", "device", "dv", [1]), *named(platform, "b", "device", "dv", [3])]
    assert dict(platform.run(feed).rows("SELECT account_id, sources FROM accounts")) == {1: 1, 2: 2, 3: 1}


@pytest.mark.parametrize(("kind", "values"), [("ip4", "10.0.0.1"), ("email_domain", "md_7")])
def test_what_strangers_share_makes_no_second_witness(platform, kind, values):
    platform.accounts(1, 2)
    for account in (1, 2):
        platform.link(account, kind, values)
        platform.link(account, "device", f"dv_{account}")
    feed = [*named(platform, "a", "device", "dv", [1]), *named(platform, "b", "device", "dv", [2])]
    assert {n for n, in platform.run(feed).rows("SELECT sources FROM accounts")} == {1}
