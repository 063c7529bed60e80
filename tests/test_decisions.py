"""The records of decisions: one number each, and a line for each in the index."""

import re
from pathlib import Path

RECORDS = Path(__file__).parents[1] / ".decisions"


def test_each_record_has_a_number_of_its_own_and_a_line_in_the_index():
    titles = {path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in RECORDS.glob("0*.md")}
    numbers = [name[:4] for name in titles]
    assert len(set(numbers)) == len(numbers) >= 17
    assert {name: title[:4] for name, title in titles.items()} == {name: name[:4] for name in titles}
    index = re.findall(r"^- \[(\d{4})\]\(([^)]+)\) (.+)$", (RECORDS / "README.md").read_text(), re.MULTILINE)
    assert {name: f"{number} {title}" for number, name, title in index} == titles
