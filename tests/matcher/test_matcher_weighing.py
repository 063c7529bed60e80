"""The table of weights: what is shipped is complete, and a wrong table is refused with its place."""

import copy
import tomllib
from importlib import resources

import pytest

from exchange.errors import SettingError
from exchange.matcher.values import LINK_KINDS
from exchange.matcher.weighing import load_weights, read_weights

TEXT = resources.files("exchange.matcher").joinpath("weights", "start-5.toml").read_text("utf-8")


def test_the_shipped_table_knows_every_kind_that_is_compared():
    kinds = load_weights().kinds
    assert {*LINK_KINDS, "ip_range", "picture", "text", "url", "account"} == {k for k in kinds if kinds[k].direct}
    heard = {"share", "tag", "wording", "likeness", "signup", "wave", "joint", "sequence", "cadence"}
    assert heard == {k for k in kinds if not kinds[k].direct}


def test_stronger_kinds_weigh_more_as_the_requirements_say():
    kinds = load_weights().kinds
    order = ["payment", "email", "device", "phone", "upload_fp", "picture", "ip4", "domain"]
    assert order == sorted(order, key=lambda kind: -kinds[kind].base)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t["kind"]["device"].update(bass=1), "kind.device has an unknown word 'bass'"),
        (lambda t: t["kind"]["device"].pop("base"), "kind.device lacks 'base'"),
        (lambda t: t["kind"]["device"].update(base="much"), "base is 'much'; it must be of type float"),
        (lambda t: t["kind"]["device"].update(company=1), "company is 1; it must be of type bool"),
        (lambda t: t["kind"]["device"].update(family="other"), "family 'other'"),
        (lambda t: t["kind"]["device"].update(half_life=0), "half_life above 0"),
        (lambda t: t["kind"]["share"].update(together=0), "together above 0"),
        (lambda t: t.update(card=[{"levels": [0]}]), "card 1: the scorecard is incomplete"),
        (lambda t: t["gate"].pop("content_limit"), "gate lacks 'content_limit'"),
        (lambda t: t["against"].update(said_benign=1.0), "said_benign of 0 or less"),
        (lambda t: t["against"].update(said_benign_share=1.5), "said_benign_share from 0 to 1"),
        (lambda t: t.pop("version"), "needs a version"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(change, sentence):
    table = copy.deepcopy(tomllib.loads(TEXT))
    change(table)
    with pytest.raises(SettingError, match=sentence):
        read_weights(table, "mine.toml")


def test_a_table_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(SettingError, match="can't be read"):
        load_weights("no-such")
    (tmp_path / "w.toml").write_text("[")
    with pytest.raises(SettingError, match="not TOML"):
        load_weights(tmp_path / "w.toml")


@pytest.mark.parametrize(("kind", "accounts", "cap"), [
    ("email_domain", 1_000_000, 400),
    ("email_domain", 20_000, 400),
    ("email_domain", 5_000, 100),  # a hundred users of a provider among five thousand are as many as 400 among 20,000
    ("email_domain", 12, 60),
    ("device", 5_000, 60),  # as many as an operation alone brings together
    ("cookie", 500, 20),
])
def test_what_many_hold_is_common_by_their_share_of_a_small_platform(kind, accounts, cap):
    assert load_weights().kinds[kind].cap_among(accounts) == cap
