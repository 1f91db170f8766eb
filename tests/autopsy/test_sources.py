from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from necropsy.autopsy.incident_file import load
from necropsy.autopsy.sources import Sources, parse_size, parse_time, stores
from necropsy.model.errors import ConfigurationError, NoEvidence, UnreadableSource, UsageError


def test_nothing_given_is_no_evidence() -> None:
    with pytest.raises(NoEvidence, match="nothing to examine"):
        Sources().require_some()


def test_standard_input_can_be_named_once() -> None:
    Sources(access_log=("-",)).require_some()
    with pytest.raises(UsageError, match="more than once"):
        Sources(access_log=("-",), app_log=("-",)).require_some()


def test_two_dumps_of_one_name_are_two_stores(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dump.rdb").touch()
    named = stores([str(tmp_path / "*" / "dump.rdb")])
    assert [store.name for store in named] == ["dump", "dump-2"]


def test_a_store_can_be_named_and_a_file_with_an_equals_sign_is_still_a_file(tmp_path: Path) -> None:
    odd = tmp_path / "x=y.rdb"
    odd.touch()
    assert [s.name for s in stores(["A=dump.rdb"])] == ["A"]
    assert [s.locator.text for s in stores([str(odd)])] == [str(odd)]


@pytest.mark.parametrize(("text", "size"), [("1GB", 10**9), ("1gib", 2**30), ("512", 512), ("1.5 k", 1500)])
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["much", "1 parsec", "", "-1"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_size(text)
    assert "1GB" in refused.value.hint


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_time("2019-05-24T19:00:00") == datetime(2019, 5, 24, 19, tzinfo=UTC)
    assert parse_time("2019-05-24T21:00:00+02:00") == datetime(2019, 5, 24, 19, tzinfo=UTC)


def test_a_toml_file_names_its_sources_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").touch()
    (tmp_path / "incident.toml").write_text(
        'now = 2019-05-24T19:00:00Z\naccess-log = ["logs/*.log", "-"]\nconsul = ["10.0.0.1=services.json"]\n'
        'prober = ["haproxy=haproxy.cfg"]\n[[store]]\nname = "A"\nrdb = "dump.rdb"\nmemory-limit = "1GB"\n'
    )
    sources = load(str(tmp_path / "incident.toml"))
    assert sources.now == datetime(2019, 5, 24, 19, tzinfo=UTC)
    assert sources.access_log == (str(tmp_path / "logs/*.log"), "-")
    assert sources.consul == (f"10.0.0.1={tmp_path / 'services.json'}",)
    assert sources.prober == (f"haproxy={tmp_path / 'haproxy.cfg'}",)
    assert [(s.name, s.locator.text, s.memory_limit) for s in sources.stores] == [
        ("A", str(tmp_path / "dump.rdb"), 10**9)
    ]


def test_a_toml_file_names_the_past_and_what_happened_when(tmp_path: Path) -> None:
    (tmp_path / "incident.toml").write_text(
        'history = "http://prometheus:9090"\nhistory-since = "7d"\nbefore = ["older/*.case"]\n'
        'event = ["2026-11-02T14:00=version 14", "2026-11-03T09:00:00+01:00=version 15"]\n'
    )
    (tmp_path / "older").mkdir()
    for name in ("one.case", "two.case"):
        (tmp_path / "older" / name).touch()
    sources = load(str(tmp_path / "incident.toml"))
    assert sources.history == ("http://prometheus:9090",)
    assert sources.history_since == timedelta(days=7)
    assert sources.before == (str(tmp_path / "older/one.case"), str(tmp_path / "older/two.case"))
    assert sources.event == ("2026-11-02T14:00=version 14", "2026-11-03T09:00:00+01:00=version 15")
    sources.require_some()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = \n", 1, "not TOML"),
        ('now = 2019-05-24\nevent = ["a deploy"]\n', 2, "not TIME=TEXT"),
        ('event = "tomorrow=a deploy"\n', 1, "not a time"),
        ("event = 5\n", 1, "event is not TIME=TEXT"),
        ('history-since = "long"\n', 1, "not a duration"),
        ("history = 9090\n", 1, "history is not an address"),
        ("before = [1]\n", 1, "before is not a file name"),
        ('now = 2019-05-24\nrbd = "x"\n', 2, "unknown name 'rbd'"),
        ("\n[[store]]\n", 2, "without rdb"),
        ("now = 5\n", 1, "not a time"),
        ("now = 2019-05-24\nrdb = 5\n", 2, "rdb is not a file name"),
        ("access-log = [5]\n", 1, "access-log is not a file name"),
        ("\nstore = 3\n", 2, "not a list of stores"),
        ('[store]\nrdb = "x"\n', 1, "not a list of stores"),
        ('[[store]]\nrdb = "x"\nmemory_limit = "1GB"\n', 3, "unknown name 'memory_limit'"),
        ('[[store]]\nrdb = "x"\nmemory-limit = "lots"\n', 3, "not a size"),
        ('[[store]]\nrdb = "x"\nname = 5\n', 3, "name is not a string"),
        ("log-format = 3\n", 1, "log-format is not a string"),
    ],
)
def test_a_wrong_toml_file_is_an_error_at_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "incident.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as wrong:
        load(str(path))
    assert wrong.value.line == line
    assert reason in wrong.value.reason
    assert wrong.value.hint


def test_two_stores_of_one_name_stay_two_stores(tmp_path: Path) -> None:
    entries = "".join(f'[[store]]\nname = "A"\nrdb = "{name}.rdb"\n' for name in ("x", "y"))
    (tmp_path / "incident.toml").write_text(f'rdb = "A.rdb"\n{entries}')
    told = load(str(tmp_path / "incident.toml"))
    assert [store.name for store in told.stores] == ["A", "A-2", "A-3"]
    joined = told.join(Sources(stores=stores(["A=z.rdb"])))
    assert [store.name for store in joined.stores] == ["A", "A-2", "A-3", "A-4"]


def test_a_dump_where_the_toml_file_belongs_is_told_its_option(tmp_path: Path) -> None:
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0011\xfa\xff")
    with pytest.raises(UnreadableSource) as refused:
        load(str(dump))
    assert f"--rdb {dump}" in refused.value.hint


def test_a_day_is_its_first_moment(tmp_path: Path) -> None:
    (tmp_path / "incident.toml").write_text("now = 2019-05-24\n")
    assert load(str(tmp_path / "incident.toml")).now == datetime(2019, 5, 24, tzinfo=UTC)


def test_options_are_joined_with_the_file_and_win_over_it() -> None:
    joined = Sources(access_log=("a",), now=datetime(2019, 1, 1, tzinfo=UTC)).join(
        Sources(access_log=("b",), now=datetime(2020, 1, 1, tzinfo=UTC))
    )
    assert joined.access_log == ("a", "b")
    assert joined.now == datetime(2020, 1, 1, tzinfo=UTC)


def test_an_incident_file_names_the_keys_of_access_logs(tmp_path) -> None:
    file = tmp_path / "incident.toml"
    file.write_text('access-log = ["requests.json"]\nfield = ["client=from", "agent=browser.name"]\n')
    assert load(str(file)).field == ("client=from", "agent=browser.name")
    file.write_text("field = 7\n")
    with pytest.raises(ConfigurationError, match="field is not FIELD=KEY"):
        load(str(file))


def test_an_incident_file_names_what_runs_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "incident.toml").write_text(
        'consul = ["http://127.0.0.1:8500", "10.0.0.1=a/services.json"]\nprometheus = ["https://prometheus:9090"]\n'
    )
    loaded = load(str(tmp_path / "incident.toml"))
    assert loaded.consul == ("http://127.0.0.1:8500", f"10.0.0.1={tmp_path}/a/services.json")
    assert loaded.prometheus == ("https://prometheus:9090",)


def test_a_store_with_a_dump_and_a_server_is_refused_as_one_of_them_would_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "incident.toml"
    file.write_text('[[store]]\nrdb = "a.rdb"\nredis = "redis://a"\n')
    with pytest.raises(ConfigurationError, match=r"incident.toml:3: a \[\[store\]\] with both rdb and redis"):
        load(str(file))


def test_a_name_that_is_nearly_known_is_asked_back(tmp_path: Path) -> None:
    file = tmp_path / "incident.toml"
    file.write_text('rdb = ["a.rdb"]\nacces-log = ["a.log"]\n')
    with pytest.raises(ConfigurationError, match=r"incident.toml:2: unknown name 'acces-log'") as caught:
        load(str(file))
    assert caught.value.hint.startswith("Was access-log meant?")
