"""Feed files: a bundle, an envelope, one object per line; a wrong file is a sentence."""

import pytest

from exchange.errors import InputError
from exchange.matcher.bundle import read_objects

ONE, TWO = '{"type": "identity", "id": "identity--1"}', '{"type": "campaign", "id": "campaign--2"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"type": "bundle", "id": "bundle--1", "objects": [{ONE}, {TWO}]}}', ["identity--1", "campaign--2"]),
        (f'{{"more": false, "objects": [{ONE}]}}', ["identity--1"]),
        (f"{ONE}\n\n{TWO}\n", ["identity--1", "campaign--2"]),
        (ONE, ["identity--1"]),
        ('{"type": "bundle", "id": "bundle--1"}', []),
        ("{}", []),
        (f"\ufeff{ONE}", ["identity--1"]),
    ],
)
def test_objects_are_read_from_every_form_of_feed(tmp_path, text, expected):
    path = tmp_path / "feed.json"
    path.write_text(text)
    assert expected == [obj["id"] for obj in read_objects(path)]


@pytest.mark.parametrize("text", ["", "type,id", "[]", '{"objects": [', '{"objects": 3}', '{"objects": [3]}', '{"objects": [null, []]}'])
def test_a_file_that_is_no_feed_is_a_sentence(tmp_path, text):
    path = tmp_path / "feed.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"feed\.json"):
        list(read_objects(path))


@pytest.mark.parametrize("wrong", ["3", "null", "[]", '"x"'])
def test_an_entry_that_is_no_object_does_not_stop_the_others(tmp_path, wrong):
    path = tmp_path / "feed.json"
    path.write_text(f'{{"objects": [{ONE}, {wrong}, {TWO}]}}')
    assert [obj.get("id") for obj in read_objects(path)] == ["identity--1", None, "campaign--2"]


def test_a_feed_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        list(read_objects(tmp_path / "none.json"))
