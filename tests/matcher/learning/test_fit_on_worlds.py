"""The documented fit on made-up worlds runs through, down to the table of roles."""

from exchange.matcher.features import names
from exchange.matcher.learning.fit import LEFT
from exchange.matcher.learning.worlds import fit_stages, table_toml
from exchange.matcher.role_table import ROLES
from exchange.matcher.weighing import load_weights
from exchange.matcher.world import make_world


def test_a_fit_gives_cards_and_roles_that_a_run_can_read(tmp_path):
    made = make_world(tmp_path / "world", accounts=600, seed=6)
    start = load_weights("start-5")
    cards, roles = fit_stages({made.folder: 1.0}, tmp_path, start, stages=1)
    (tmp_path / "own.toml").write_text(table_toml("start-5", "own-1", "A test.", cards, roles))
    read = load_weights(tmp_path / "own.toml")
    assert (read.version, read.cards) == ("own-1", tuple(cards))
    assert {line.feature for line in cards[0].lines} == {name for name in names(start) if "objection" not in name and name not in LEFT}
    assert set(roles.weights) == set(ROLES)
