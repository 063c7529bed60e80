"""The archive of information operations: hashed and named accounts, tweets as figures; names are made up."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.x_archive import CONNECTOR
from connectors.x_archive.accounts import is_hash
from connectors.x_archive.dataset import of_file
from connectors.x_archive.tweets import Bounded, items
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.stix import extensions
from exchange.stix.validate import check

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "x-io-archive"
USERS = ["userid", "user_display_name", "user_screen_name", "user_reported_location", "user_profile_description",
         "user_profile_url", "follower_count", "following_count", "account_creation_date", "account_language"]  # fmt: skip
TWEETS = ["tweetid", *USERS, "tweet_language", "tweet_text", "tweet_time", "tweet_client_name", "in_reply_to_tweetid",
          "is_retweet", "hashtags", "urls", "user_mentions"]  # fmt: skip
HASH = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCd="
OLD_HASH = "0123456789abcdef" * 4
LONG = "lorem ipsum dolor sit amet " * 6


def user(number: str, handle: str = "", **more: str) -> dict[str, str]:
    return {"userid": number, "user_display_name": handle or number, "user_screen_name": handle or number,
            "follower_count": "7", "following_count": "1", "account_creation_date": "2019-02-03", "account_language": "en",
            "user_profile_url": "https://t.co/AbCdEf", "user_profile_description": "sit amet", **more}  # fmt: skip


def write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring(place: Path, **options: str) -> tuple[list[Row], dict[str, dict[str, Any]]]:
    rows: list[Row] = []
    objects: dict[str, dict[str, Any]] = {}
    for batch in CONNECTOR.fetch(Source(str(place), options), None):
        rows += batch.rows
        objects |= {one["id"]: dict(one) for one in batch.upserts}
    assert all(check(one) is None for one in objects.values())
    return rows, objects


def of(objects: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in objects.values() if one["type"] == kind]


@pytest.mark.parametrize("hashed", [HASH, HASH[:41], HASH[:42] + "==", OLD_HASH])
def test_a_hashed_account_is_kept_and_never_compared_with_a_handle(tmp_path: Path, hashed: str) -> None:
    rows, objects = bring(write(tmp_path / "lorem_users.csv", USERS, [user(hashed)]))
    (found,) = of(objects, "user-account")
    assert found["user_id"] == f"hashed:{hashed}"
    assert found["account_type"] == "x"
    assert "account_login" not in found
    assert of(objects, "indicator") == []
    assert [(row.outcome, row.ids) for row in rows][1] == ("note", (found["id"],))


def test_a_named_account_is_an_indicator_by_handle_and_number(tmp_path: Path) -> None:
    rows, objects = bring(write(tmp_path / "hashed_2021_12_LO_0621_LO_0621_users.csv", USERS, [user("468721219", "Made_Up_1")]))
    (found,) = of(objects, "indicator")
    assert "user-account:account_login = 'made_up_1'" in found["pattern"]
    assert "user-account:user_id = '468721219'" in found["pattern"]
    assert found["created"] == "2021-12-01T00:00:00.000Z"
    (observed,) = of(objects, "user-account")
    assert observed["account_created"] == "2019-02-03T00:00:00Z"
    assert observed["extensions"][extensions.ACCOUNT]["followers"] == 7
    assert rows[1].ids == (found["id"], observed["id"])


def test_an_account_without_a_handle_is_found_by_its_number(tmp_path: Path) -> None:
    _, objects = bring(write(tmp_path / "lorem_users.csv", USERS, [user("1234567", user_screen_name="")]))
    (found,) = of(objects, "indicator")
    assert found["pattern"] == "[user-account:account_type = 'x' AND user-account:user_id = '1234567']"


@pytest.mark.parametrize(("text", "yes"), [
    (HASH, True), (OLD_HASH, True), ("468721219", False), ("made_up_1", False), ("", False), ("1" * 42, False),
    (HASH[:37], False), (OLD_HASH + "0", False), (HASH + "extra", False),
])
def test_a_hash_is_known_by_its_shape(text: str, yes: bool) -> None:
    assert is_hash(text) == yes


NAMES = [
    ("hashed_2021_12_RNA_0621_RNA_0621_users", "RNA 0621", "2021-12-01"),
    ("hashed_2021_12_RNA_0621_RNA_0621_tweets", "RNA 0621", "2021-12-01"),
    ("iran_201906_1_tweets_csv_hashed", "iran 201906 1", "2019-06-01"),
    ("iran_201906_1_users_csv_hashed", "iran 201906 1", "2019-06-01"),
    ("china_082019_2_users_csv_unhashed", "china 082019 2", "2019-08-01"),
    ("ira_tweets_csv_hashed", "ira", ""), ("ira_users_csv_unhashed", "ira", ""),
    ("saudi_arabia_112019_tweets_csv_hashed_9", "saudi arabia 112019", "2019-11-01"), ("users", "users", ""),
]


@pytest.mark.parametrize(("stem", "name", "day"), NAMES)
def test_a_data_set_is_known_by_the_names_of_its_files(stem: str, name: str, day: str) -> None:
    found = of_file(stem)
    assert (found.name, found.day) == (name, day)


def test_a_data_set_is_a_campaign_with_its_accounts_counted(tmp_path: Path) -> None:
    write(tmp_path / "lorem_2021_users.csv", USERS, [user(HASH), user(OLD_HASH), user("1234567", "made_up_1")])
    _, objects = bring(tmp_path)
    (campaign,) = of(objects, "campaign")
    assert campaign["extensions"][extensions.CAMPAIGN]["assets_actioned"] == [
        {"platform": "x", "asset_type": "account", "count": 3, "action": "removed"}]
    held = [one for one in of(objects, "relationship") if one["relationship_type"] == "consists-of"]
    assert {one["target_ref"] for one in held} == {one["id"] for one in of(objects, "user-account")}
    (note,) = of(objects, "note")
    assert note["content"] == "3 accounts, of them 2 hashed. Languages: en 3."


def tweet(number: int, who: str, **more: str) -> dict[str, str]:
    handle = "made_up_1" if who.isdigit() else ""
    return {**user(who, handle), "tweetid": str(number), "tweet_language": "fr", "tweet_text": LONG,
            "tweet_time": f"2021-03-04 05:0{number % 10}", "tweet_client_name": "Lorem Client", "is_retweet": "False",
            "hashtags": "['Lorem', ipsum]", "urls": "[https://lorem-op.example/a, ]", "user_mentions": "[1, 2]", **more}  # fmt: skip


def test_tweets_come_to_one_observation_and_figures(tmp_path: Path) -> None:
    rows, objects = bring(write(tmp_path / "lorem_tweets.csv", TWEETS, [
        tweet(1, HASH), tweet(2, HASH), tweet(3, "1234567"),
        tweet(4, HASH, is_retweet="true", tweet_text="short", in_reply_to_tweetid="9", hashtags="[]", urls="")]))
    (observed,) = of(objects, "observed-data")
    assert observed["number_observed"] == 4
    assert (observed["first_observed"], observed["last_observed"]) == ("2021-03-04T05:01:00.000Z", "2021-03-04T05:04:00.000Z")
    assert set(observed["object_refs"]) == {one["id"] for one in of(objects, "user-account")}
    (note,) = of(objects, "note")
    assert "4 tweets, of them 1 retweets and 1 replies; 8 mentions" in note["content"]
    assert "Hashtags: #ipsum 3, #lorem 3" in note["content"]
    assert "lorem-op.example 3" in note["content"]
    assert {row.outcome for row in rows[1:]} == {"note"}
    assert all(row.ids == (observed["id"],) for row in rows[1:])


def test_no_text_of_a_tweet_or_profile_goes_in(tmp_path: Path) -> None:
    write(tmp_path / "lorem_tweets.csv", TWEETS, [tweet(number, HASH) for number in range(4)])
    write(tmp_path / "lorem_users.csv", USERS, [user(HASH), user("1234567", "made_up_1")])
    _, objects = bring(tmp_path)
    text = json.dumps(list(objects.values()))
    assert "dolor" not in text
    assert "sit amet" not in text
    assert "t.co" not in text
    prints = [one["extensions"][extensions.EVIDENCE]["fingerprints"] for one in of(objects, "note") if "extensions" in one]
    assert [[entry["alg"] for entry in one] for one in prints] == [["sha-256"]]


def test_users_and_tweets_tell_one_account(tmp_path: Path) -> None:
    write(tmp_path / "lorem_tweets.csv", TWEETS, [tweet(1, HASH), tweet(2, "1234567")])
    write(tmp_path / "lorem_users.csv", USERS, [user(HASH), user("1234567", "Made_Up_1")])
    versions: dict[str, set[str]] = {}
    for batch in CONNECTOR.fetch(Source(str(tmp_path)), None):
        for one in batch.upserts:
            if one["type"] == "user-account":
                versions.setdefault(str(one["id"]), set()).add(json.dumps(one, sort_keys=True))
    assert len(versions) == 2
    assert all(len(one) == 1 for one in versions.values())
    _, objects = bring(tmp_path)
    assert len(of(objects, "campaign")) == 1


def test_odd_rows_spoil_none_of_their_neighbours(tmp_path: Path) -> None:
    rows, objects = bring(write(tmp_path / "lorem_users.csv", USERS, [
        user("no id", "x"), user("", ""), user("1234567"), user("12", "made up"), user("13", "made_up_1", follower_count="x",
                                                                                       account_creation_date="soon")]))
    assert [row.outcome for row in rows] == ["blank", "quarantined", "quarantined", "indicator", "quarantined", "indicator"]
    assert len(of(objects, "indicator")) == 2


def test_other_tables_are_told(tmp_path: Path) -> None:
    path = tmp_path / "lorem.csv"
    path.write_text("domain,comment\nlorem.example,\n")
    with pytest.raises(InputError, match="archive"):
        bring(path)
    rows, _ = bring(tmp_path)
    assert [row.outcome for row in rows] == ["quarantined"]
    path.write_text("<ioc >")
    with pytest.raises(InputError, match="OpenIOC"):
        bring(path)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_a_bounded_counter_is_exact_until_it_is_full(values: list[str]) -> None:
    whole, small = Bounded(20), Bounded(3)
    for value in values:
        whole.add(value)
        small.add(value)
    assert sum(whole.found.values()) == len(values)
    assert len(small.found) <= 3
    assert all(count <= whole.found[value] for value, count in small.found.items())
    assert small.cut == (len(set(values)) > 3) or small.cut


@pytest.mark.parametrize(("text", "found"), [
    ("[a, b]", ["a", "b"]), ("['a']", ["a"]), ("[]", []), ("", []), ("a", ["a"]), ("[a, ,]", ["a"]),
])
def test_lists_in_cells_are_read(text: str, found: list[str]) -> None:
    assert items(text) == found


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data isn't beside the project: the archive isn't read")
def test_the_published_files_come_in_whole() -> None:
    rows, objects = bring(REAL)
    assert [row for row in rows if row.outcome == "quarantined"] == []
    assert len(of(objects, "user-account")) == 162
    assert sorted(one["name"] for one in of(objects, "campaign")) == ["X archive: CNCC 0621", "X archive: RNA 0621"]
    named = of(objects, "indicator")
    assert len(named) == sum(row.outcome == "indicator" for row in rows)
    assert all(one["created"] == "2021-12-01T00:00:00.000Z" for one in named)
