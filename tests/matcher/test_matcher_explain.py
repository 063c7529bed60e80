"""An account's explanation: all factors for and against, in words, from the results alone."""

import pytest

from exchange.errors import InputError
from exchange.matcher.explain import explain, top_accounts
from exchange.matcher.weighing import DEFAULT_WEIGHTS


@pytest.fixture
def outcome(platform):
    platform.accounts(1, verified=1, strikes=2)
    platform.accounts(2)
    platform.link(1, "device", "dv_7c")
    platform.link(1, "payment", "pm_7c")
    feed = [
        platform.indicator("[x-cib-device:token = 'dv_7c']"),
        platform.indicator("[x-cib-payment:token = 'pm_7c']", created_by_ref="identity--b"),
        {"type": "identity", "id": "identity--b", "name": "Beta"},
    ]
    return platform.run(feed)


def test_an_explanation_adds_up(outcome):
    found = explain(outcome.out, 1)
    assert found.log_odds == sum(row.nats for row in found.contributions)
    assert {"payment", "device"} <= {row.kind for row in found.speaking_for}
    assert found.speaking_against
    assert (found.sources, found.signals, found.weights) == (2, 2, DEFAULT_WEIGHTS)


def test_an_explanation_says_what_met_and_why_it_weighs(outcome):
    text = explain(outcome.out, "1").text()
    for part in (
        "payment: pm_7c met pm_7c of Beta's",
        "2026-05-31, seen here 2026-05-12 to 2026-06-01",
        "strength 6.0",
        "strikes: 2",
        "before any evidence",
        "from 2 sources and 2 kinds of evidence",
    ):
        assert part in text


def test_an_account_without_evidence_has_the_prior_and_says_so(outcome):
    found = explain(outcome.out, 2)
    assert found.contributions == ()
    assert "Nothing shared met it" in found.text()


def test_what_stands_on_one_source_is_called_provisional(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    outcome = platform.run([platform.indicator("[x-cib-device:token = 'dv_7c']")])
    assert "Provisional at most" in explain(outcome.out, 1).text()


def test_the_top_accounts_are_those_with_evidence(outcome):
    assert [account for account, _ in top_accounts(outcome.out, 5)] == ["1"]


def test_an_unknown_account_is_a_sentence(outcome):
    with pytest.raises(InputError, match="There is no account 99"):
        explain(outcome.out, 99)


def test_a_folder_without_results_is_a_sentence(tmp_path):
    for ask in (lambda: explain(tmp_path, 1), lambda: top_accounts(tmp_path, 1)):
        with pytest.raises(InputError, match="holds no results"):
            ask()


def test_an_address_that_tables_hold_as_a_number_is_told_in_dots(platform):
    platform.accounts(1)
    platform.link(1, "ip4", 762858459)
    out = platform.run([platform.indicator("[ipv4-addr:value ISSUBSET '45.120.75.192/26']")]).out
    assert "45.120.75.219 met 45.120.75.192/26" in explain(out, 1).text()


def test_what_is_for_one_persons_eyes_is_marked(platform):
    platform.accounts(1)
    platform.link(1, "device", "dv_7c")
    platform.link(1, "payment", "pm_7c")
    red = {"object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}
    out = platform.run([platform.indicator("[x-cib-device:token = 'dv_7c']", **red),
                        platform.indicator("[x-cib-payment:token = 'pm_7c']")]).out
    lines = explain(out, 1).text().splitlines()
    marked = [line for line in lines if line.endswith("[TLP:RED: for you alone]")]
    assert [line for line in lines if " met dv_7c of " in line] == marked
    (out / "seeds.parquet").unlink()
    assert "TLP:RED" not in explain(out, 1).text()
