"""One source that names all that belongs to people, to harm them, condemns none of them (R29)."""

import uuid
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.matcher.bundle import read_objects
from exchange.matcher.circle import components
from exchange.matcher.run import Options, match
from exchange.matcher.weighing import load_weights
from exchange.matcher.witness import limit_word
from exchange.matcher.world import make_world
from exchange.matcher.world.sharing import pattern, token_text

WEIGHTS = load_weights()
LIKELY = 0.5


@pytest.mark.parametrize(("named", "firm", "vouched", "bound", "unsaid", "taken", "echo"), [
    (4, 1, 0, 0, 0, 0, False),  # no more than one source usually knows
    (18, 1, 0, 0, 0, -0.5, True),  # all that it has, by one source
    (18, 2, 0, 0, 0, 0, False),  # another source speaks of it too
    (18, 1, 0.6, 0, 0, 0, False),  # others bear out what the campaign says besides
    (18, 1, 0, 0, 3, -0.5, True),  # a home's machine that nobody named
    (18, 1, 0, 6, 0, -0.5, True),  # one home with its guests, all of them named
    (18, 1, 0, 6, 3, -0.5, False),  # a circle larger than a home holds things that nobody named
    (18, 1, 0, 20, 0, -0.5, False),  # more accounts than a few homes are chained together
])
def test_one_source_can_say_only_so_much(named, firm, vouched, bound, unsaid, taken, echo):
    """``bound`` as accounts; ``taken`` as a share of what the card makes of the source's word."""
    column = {"direct.device": named, "direct.text": 3, "company.device": 2, "vouched": vouched, "unsaid": unsaid,
              "circle_bound": np.log1p(bound)}
    columns = {name: np.array([float(x)]) for name, x in column.items()}
    nats = {name: columns[name] / 2 for name in ("direct.device", "direct.text", "company.device")}
    guard, echoes = limit_word(columns, nats, np.array([float(firm)]), WEIGHTS)
    assert (guard[0], echoes[0]) == (pytest.approx(taken * named / 2), echo)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16))
def test_a_chain_is_whoever_is_reached_through_values(pairs):
    pairs = [*pairs, *((account, 8 + account) for account in range(8))]
    chains = components(*(np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True)))
    for account in range(8):
        reached = {account}
        for _ in range(8):
            held = {value for other, value in pairs if other in reached}
            reached |= {other for other, value in pairs if value in held}
        assert {other for other in range(8) if chains[other] == chains[account]} == reached
        assert chains[account] == min(reached)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), accounts=2_000, seed=3)


def plot(world, kind, *, shared):
    """Up to fifty people of a kind (with a flatmate each, where only what is not ``shared`` is named), and what one new
    source says of them."""
    truth, links = f"'{world.folder}/truth/accounts.parquet'", f"'{world.folder}/links.parquet'"
    with duckdb.connect() as connection:
        people = {row[0] for row in connection.execute(
            f"SELECT account_id FROM {truth} WHERE op < 0 AND kind = '{kind}' ORDER BY hash(account_id) LIMIT 50"
        ).fetchall()}
        if not shared:
            people |= {row[0] for row in connection.execute(f"""SELECT DISTINCT b.account_id FROM {links} a
                JOIN {links} b USING (itype, value) JOIN {truth} t ON t.account_id = b.account_id AND t.op < 0
                WHERE a.itype IN ('device', 'payment') AND a.account_id IN {tuple(people)}""").fetchall()}
        rows = connection.execute(f"""SELECT itype, value FROM {links} WHERE itype <> 'email_domain'
            GROUP BY ALL HAVING bool_or(account_id IN {tuple(people)}) {'' if shared else 'AND count(*) = 1'}
            ORDER BY ALL""").fetchall()
    when = datetime.fromtimestamp(world.at - 5 * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = [{"type": "indicator", "id": f"indicator--{uuid.uuid5(uuid.NAMESPACE_OID, f'{k}{v}')}", "created": when,
             "modified": when, "pattern": pattern(k, token_text(k, v)), "pattern_type": "stix", "valid_from": when,
             "confidence": 100, "created_by_ref": "identity--poisoner"} for k, v in rows]
    return people, said


@pytest.mark.parametrize(("kind", "shared"), [("", True), ("protest", True), ("fan", True), ("", False)],
                         ids=["anybody", "protesters", "fans", "shared-things-are-left-to-be-found"])
def test_people_of_whom_one_source_names_everything_stay_below_the_threshold(world, tmp_path, kind, shared):
    people, said = plot(world, kind, shared=shared)
    match([*read_objects(world.feed), *said], world.folder, tmp_path, Options(at=world.at, threads=1))
    with duckdb.connect() as connection:
        scores = dict(connection.execute(f"SELECT account_id, score FROM '{tmp_path}/accounts.parquet'").fetchall())
    assert sum(scores[person] >= LIKELY for person in people) <= 0.05 * len(people)
