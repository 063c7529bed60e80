"""Homes echo, operations don't: what the very same accounts hold tells of one company, however many things it is."""

import pytest

from exchange.matcher.company import repeated_sql
from exchange.matcher.engine import open_engine
from exchange.matcher.pools import pools_sql
from exchange.matcher.weighing import load_weights

WEIGHTS = load_weights()
HOME, CREW, POOL = 1, 2, 3


def rows(folder, sql, company):
    """An answer over company: rows of (signal, the set of its holders, suspects among the others, the others, nats)."""
    with open_engine(folder, threads=1) as engine:
        engine.run("""CREATE TEMP TABLE company (account_id BIGINT, signal VARCHAR, family VARCHAR, key BIGINT,
            together_with UBIGINT, others_ws DOUBLE, others_w DOUBLE, nats DOUBLE, repeated DOUBLE)""")
        engine.load("company", ({"account_id": 7, "signal": signal, "family": "infrastructure", "key": key,
                                 "together_with": holders, "others_ws": suspects, "others_w": others, "nats": nats, "repeated": 1.0}
                                for key, (signal, holders, suspects, others, nats) in enumerate(company)))
        return engine.rows(sql)


@pytest.mark.parametrize(("version", "company", "repeated"), [
    ("made-5", [("phone", HOME, 2, 2, 3.0), ("device", HOME, 2, 2, 2.0), ("cookie", HOME, 2, 2, 1.0)], [1, 0.5, 0.25]),  # one home
    ("made-4", [("phone", HOME, 2, 2, 3.0), ("device", HOME, 2, 2, 2.0), ("cookie", HOME, 2, 2, 1.0)], [1, 1, 1]),  # as it was decided then
    ("made-5", [("phone", HOME, 2, 2, 3.0), ("device", CREW, 2, 2, 2.0), ("cookie", POOL, 2, 2, 1.0)], [1, 1, 1]),  # three companies
    ("made-5", [("phone", HOME, 2, 2, 3.0), ("phone", CREW, 2, 2, 2.0), ("cookie", HOME, 2, 2, 1.0)], [1, 0.5, 0.5]),  # whichever is less
    ("made-5", [("phone", HOME, 0, 2, -3.0), ("device", HOME, 2, 2, 2.0)], [1, 1]),  # for and against apart
])
def test_what_the_same_accounts_hold_counts_once_and_less_after(tmp_path, version, company, repeated):
    said = repeated_sql(load_weights(version), "signal", "nats", "key")
    assert [row[0] for row in rows(tmp_path, f"SELECT {said} FROM company ORDER BY key", company)] == repeated


@pytest.mark.parametrize(("company", "least", "most"), [
    ([("phone", HOME, 2, 2, 3.0), ("device", HOME, 2, 2, 2.0)], 0.5, 1),  # a home, however suspected
    ([("phone", HOME, 1, 1, 3.0), ("device", CREW, 1, 1, 2.0)], 0.4, 0.6),  # pairs of a careful operation
    ([("device", POOL, 11, 11, 2.0), ("phone", HOME, 1, 1, 3.0)], 2, 3),  # many suspects and nobody else
    ([("device", POOL, 11, 90, 2.0)], 0, 0.4),  # as many among the guests of a café
    ([("email_domain", POOL, 11, 11, 2.0)], 2, 3),  # a mail domain of their own
])
def test_a_value_wholly_in_the_hands_of_many_suspects_is_a_pool(tmp_path, company, least, most):
    [(_, pool)] = rows(tmp_path, pools_sql(), company)
    assert least <= pool <= most


def test_the_hour_of_a_sign_up_and_what_speaks_against_make_no_pool(tmp_path):
    assert rows(tmp_path, pools_sql(), [("signup", POOL, 11, 11, 2.0), ("device", POOL, 11, 90, -2.0)]) == []


HANDED = [("phone", 0, 1.0), ("phone", 60, 0.5), ("phone", 240, 0.0625), ("email", 120, 0.5), ("device", 240, 1.0)]
"""Kind, days between the observation elsewhere and the first use here, and what a hit keeps beside ordinary decay."""


def test_a_number_first_used_here_long_after_it_was_observed_may_have_changed_hands(platform):
    observed, feed = platform.at - 300 * platform.day, []
    for account, (kind, days, _) in enumerate(HANDED):
        token = f"{ {'phone': 'ph', 'email': 'em', 'device': 'dv'}[kind]}_{account:02x}"
        platform.accounts(account)
        platform.link(account, kind, token, observed + days * platform.day, observed + (days + 1) * platform.day)
        feed.append(platform.indicator(f"[x-cib-{kind}:token = '{token}']", valid_from="2025-08-05T00:00:00Z"))
    found = dict(platform.run(feed).rows("SELECT account_id, decay FROM evidence WHERE step = 'direct'"))
    for account, (kind, days, kept) in enumerate(HANDED):
        half_life = WEIGHTS.kinds[kind].half_life
        ordinary = 2 ** -(days / half_life) * 2 ** -((299 - days) / (2 * half_life))
        assert found[account] == pytest.approx(kept * ordinary, rel=0.01)
