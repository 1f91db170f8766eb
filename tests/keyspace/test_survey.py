from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from necropsy.evidence.rdb.reader import open_dump
from necropsy.keyspace import tally
from necropsy.keyspace.survey import survey
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.model.keyspace import GROUPINGS, Figures, Keyspace
from necropsy.sessions.keyspace import Projection

ASSETS = Path(__file__).parents[1] / "assets"
DUMPS = sorted(path for folder in ("spring", "express", "python") for path in (ASSETS / folder).glob("*.rdb"))
SPRING = str(ASSETS / "spring" / "spring_3_indexed_jdk.rdb")
OLDER = str(ASSETS / "spring" / "spring_2_indexed_jdk.rdb")
EXPRESS = str(ASSETS / "express" / "connect_redis_9.rdb")
SUMS = ("keys", "bytes", "elements", "without_ttl", "without_ttl_bytes", "expired", "expired_bytes")


def patterns(keyspace: Keyspace) -> dict[str, int]:
    return {row.name: row.figures.keys for row in keyspace.rows("pattern")}


def added(figures: list[Figures]) -> dict[str, object]:
    sums: dict[str, object] = {name: sum(getattr(one, name) for one in figures) for name in SUMS}
    for name in ("ttl", "idle", "size"):
        sums[name] = tuple(map(sum, zip(*(getattr(one, name) for one in figures), strict=True)))
    return sums


def test_a_dump_that_ends_before_its_first_key_is_no_store_without_keys(tmp_path: Path) -> None:
    cut = tmp_path / "cut.rdb"
    cut.write_bytes(Path(SPRING).read_bytes()[:12])
    with pytest.raises(NoEvidence, match=r"cut.rdb: the dump ends early .* no key was read") as caught:
        survey([str(cut)])
    assert "new one" in caught.value.hint


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_every_grouping_of_a_real_dump_sums_up_to_all_its_keys(dump: Path) -> None:
    found = survey([str(dump)], by=GROUPINGS)
    keys = [row for batch in open_dump(str(dump), Projection()) for row in batch.to_pylist()]
    total = found.total.figures
    assert total.keys == len(keys) == sum(total.ttl) == sum(total.idle) == sum(total.size)
    assert total.bytes == sum(key["bytes"] for key in keys)
    assert total.without_ttl == sum(key["expires_at"] is None for key in keys)
    assert total.largest == max(key["bytes"] for key in keys)
    for by in GROUPINGS:
        assert added([row.figures for row in found.rows(by)]) == added([total]), by


def test_the_sessions_of_spring_are_found_under_their_names() -> None:
    found = patterns(survey([SPRING]))
    assert found["spring:session:sessions:*"] == 16
    assert found["spring:session:sessions:expires:*"] == 12
    assert not [name for name in found if "alice" in name]


def test_a_key_has_expired_at_the_moment_of_its_dump_unless_another_is_given() -> None:
    at_its_own = survey([SPRING]).total.figures
    later = survey([SPRING], now=datetime(2100, 1, 1, tzinfo=UTC)).total.figures
    assert at_its_own.expired == at_its_own.ttl[0] == 1
    assert later.expired == later.keys - later.without_ttl


def test_dumps_of_several_nodes_are_one_answer() -> None:
    both, one, other = survey([SPRING, EXPRESS]), survey([SPRING]), survey([EXPRESS])
    assert added([both.total.figures]) == added([one.total.figures, other.total.figures])
    assert {row.name: row.figures for row in both.rows("node")} == {
        "spring_3_indexed_jdk.rdb": one.total.figures,
        "connect_redis_9.rdb": other.total.figures,
    }


def test_dumps_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copyfile(SPRING, tmp_path / folder / "dump.rdb")
    found = survey([str(tmp_path / folder / "dump.rdb") for folder in ("a", "b")])
    assert len(found.rows("node")) == 2


def test_what_grew_is_told_by_pattern_and_first_what_grew_most() -> None:
    found = survey([SPRING, EXPRESS], before=[SPRING])
    grown = {row.name: row.keys_grown for row in found.rows("pattern")}
    alone = patterns(survey([EXPRESS]))
    assert sum(grown.values()) == found.total.keys_grown == sum(alone.values())
    assert grown["spring:session:sessions:*"] == 0
    assert found.rows("pattern")[0].name == "sess:*"
    assert [abs(row.bytes_grown) for row in found.rows("pattern")] == sorted(
        (abs(row.bytes_grown) for row in found.rows("pattern")), reverse=True
    )


def test_a_pattern_that_is_gone_is_still_told() -> None:
    gone = next(row for row in survey([EXPRESS], before=[SPRING]).rows("pattern") if row.name == "celery")
    assert (gone.figures.keys, gone.keys_grown) == (0, -1)


def test_a_dump_did_not_grow_since_itself() -> None:
    found = survey([SPRING], before=[SPRING], by=GROUPINGS)
    assert {row.bytes_grown for by in GROUPINGS for row in found.rows(by)} == {0}


def test_the_biggest_keys_are_the_biggest_of_all_dumps() -> None:
    found = survey([SPRING, EXPRESS], top=5, show_keys=True)
    keys = [
        (key["bytes"], key["key"].decode("utf-8", "backslashreplace"))
        for dump in (SPRING, EXPRESS)
        for batch in open_dump(dump, Projection())
        for key in batch.to_pylist()
    ]
    assert [key.bytes for key in found.biggest] == sorted((size for size, _ in keys), reverse=True)[:5]
    assert {(key.bytes, key.name) for key in found.biggest} <= set(keys)


def test_the_biggest_keys_are_not_named_unless_asked_for() -> None:
    names = [key["key"].decode() for batch in open_dump(SPRING, Projection()) for key in batch.to_pylist()]
    told = repr(survey([SPRING], top=100, by=GROUPINGS))
    assert not [name for name in names if name in told and name != "celery" and "expirations" not in name]
    assert not survey([SPRING], top=0).biggest


def test_the_hash_of_a_key_is_another_in_each_run() -> None:
    first, second = ({key.name for key in survey([SPRING]).biggest} for _ in range(2))
    assert not first & second


def test_sums_that_are_joined_on_the_way_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = survey([SPRING, EXPRESS, OLDER], by=GROUPINGS, show_keys=True)
    monkeypatch.setattr(tally, "_MOST_ROWS", 1)
    monkeypatch.setattr(tally, "MOST_PATTERNS", 1)
    joined = survey([SPRING, EXPRESS, OLDER], by=GROUPINGS, show_keys=True)
    assert joined.total == plain.total
    assert [joined.rows(by) for by in GROUPINGS[1:]] == [plain.rows(by) for by in GROUPINGS[1:]]
    assert [key.bytes for key in joined.biggest] == [key.bytes for key in plain.biggest]


def test_a_sample_is_scaled_to_all_keys_and_says_how_far_it_may_be_off() -> None:
    whole, sampled = survey(list(map(str, DUMPS))), survey(list(map(str, DUMPS)), sample=0.5)
    read = sum(source.keys for source in sampled.sources)
    assert 0 < read < whole.total.figures.keys
    assert sampled.total.figures.keys == 2 * read
    # Four times half the 95 % interval: a fixed dump and a fixed hash, so this is no matter of luck.
    assert abs(sampled.total.figures.keys - whole.total.figures.keys) <= 4 * sampled.total.figures.keys_margin
    assert whole.total.figures.keys_margin == 0


def test_one_dump_that_is_missing_does_not_hide_the_other(tmp_path: Path) -> None:
    found = survey([SPRING, str(tmp_path / "missing.rdb")])
    assert found.total.figures.keys == 38
    assert [absent.hint != "" for absent in found.absent] == [True]


def test_a_dump_that_breaks_off_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    short = tmp_path / "short.rdb"
    short.write_bytes(Path(SPRING).read_bytes()[:6000])
    found = survey([str(short)])
    assert 0 < found.total.figures.keys < 38
    assert "ends early" in found.blemishes[0].why


def test_nothing_to_read_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoEvidence):
        survey([])
    with pytest.raises(NoEvidence):
        survey([str(tmp_path / "missing.rdb")])
    with pytest.raises(NoEvidence):
        survey([SPRING], before=[str(tmp_path / "missing.rdb")])


@pytest.mark.parametrize("wrong", [{"by": ["colour"]}, {"sample": 0.0}, {"sample": 1.5}, {"top": -1}])
def test_a_wish_that_cannot_be_granted_is_refused_with_a_hint(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError) as refused:
        survey([SPRING], **wrong)  # type: ignore[arg-type]
    assert refused.value.hint
    with pytest.raises(UsageError):
        survey(["-"], before=["-"])
    with pytest.raises(UsageError):
        survey(["redis://localhost"], sample=0.1)
