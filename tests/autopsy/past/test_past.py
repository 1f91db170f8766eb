"""The past of a store in a whole examine: births of its sessions, an older case, events; Prometheus is a real one."""

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from necropsy import autopsy
from necropsy.autopsy.incident_file import load
from necropsy.autopsy.past.from_prometheus import reach
from necropsy.autopsy.sources import DumpPath, Sources, StoreSource, parse_span
from necropsy.history.births import StoreSeries
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.model.report import Report
from prometheus import prometheus

END = time.time() // 3_600 * 3_600 - 3_600
ON = END - 0.6 * 86_400


def at(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def examined(address: str, *events: str, **more: object) -> Report:
    return autopsy.examine(Sources(history=(address,), event=events, now=at(END), **more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    times = np.arange(END - 2 * 86_400, END, 60.0)
    keys = 2.0 * np.cumsum(np.random.default_rng(1).poisson(np.where(times < ON, 0.1, 24.0)))
    series = {
        'redis_db_keys{db="db0",instance="redis:9121"}': list(zip(times, keys, strict=True)),
        'redis_expired_keys_total{instance="redis:9121"}': [(moment, 0.0) for moment in times],
        'redis_memory_used_bytes{instance="redis:9121"}': list(zip(times, 1e6 + 700 * keys, strict=True)),
    }
    with prometheus(tmp_path_factory.mktemp("prometheus"), series) as found:
        yield found


@pytest.mark.integration
def test_a_history_alone_dates_the_change_and_judges_nothing(address: str) -> None:
    report = examined(address, f"{at(ON - 200).isoformat()}=version 14")
    (history,) = report.histories

    assert report.verdict.causes == ()
    assert history.births_of == "keys"
    assert any("keys are counted, not sessions" in absent.reason for absent in report.absent)
    (change,) = history.changes
    assert change.earliest_at <= at(ON) <= change.latest_at
    assert change.event == "version 14"


@pytest.mark.integration
def test_a_history_says_from_when_on_there_are_samples_and_not_what_was_asked(address: str) -> None:
    (source,) = (one for one in examined(address).sources if one.reader == "history" and one.store is None)
    assert f"from {at(END - 2 * 86_400):%Y-%m-%d}" in source.note
    assert f"asked since {at(END - 30 * 86_400):%Y-%m-%d}" in source.note


@pytest.mark.integration
@pytest.mark.parametrize("asked", [timedelta(days=7), timedelta(days=1)], ids=["coarse", "fine"])
def test_a_downsampled_history_has_no_gaps_and_no_target_that_left(tmp_path: Path, asked: timedelta) -> None:
    """One sample an hour, as a long-term store keeps it; the server shows each for five minutes."""
    times = np.arange(END - 7 * 86_400, END, 3_600.0)
    on = END - 4 * 86_400
    keys = 2.0 * np.cumsum(np.random.default_rng(1).poisson(np.where(times < on, 6.0, 1_440.0)))
    series = {
        'redis_db_keys{db="db0",instance="redis:9121"}': list(zip(times, keys, strict=True)),
        'redis_expired_keys_total{instance="redis:9121"}': [(moment, 0.0) for moment in times],
        'probe_success{instance="http://10.0.0.5:8080",job="b"}': [(moment, 1.0) for moment in times if moment >= on],
    }
    with prometheus(tmp_path, series) as address:
        report = examined(address, history_since=asked)
    (history,) = report.histories
    if asked > timedelta(days=4):
        (change,) = history.changes
        assert change.earliest_at <= at(on) <= change.latest_at
        assert change.after_per_hour == pytest.approx(2_880, rel=0.05)
    else:
        assert history.changes == ()
    assert [one.kind for one in report.events] == (["target-appeared"] if asked > timedelta(days=4) else [])
    (note,) = [one.note for one in report.sources if one.reader == "history" and one.store is None]
    assert "one sample every 1 hour" in note
    assert "gap" not in note


@pytest.mark.integration
def test_a_replica_that_was_scraped_shows_no_births_and_says_so(tmp_path: Path) -> None:
    """A store in its steady state: what comes goes, and a replica does not count what goes. It followed two masters."""
    times = np.arange(END - 2 * 86_400, END, 60.0)
    server = 'instance="redis:9121"'
    series = {
        f'redis_db_keys{{db="db0",{server}}}': [(moment, 70_560.0 + moment // 60 % 5) for moment in times],
        f"redis_expired_keys_total{{{server}}}": [(moment, 0.0) for moment in times],
        f'redis_master_link_up{{{server},master_host="a",master_port="1"}}': [(t, 1.0) for t in times if t < ON],
        f'redis_master_link_up{{{server},master_host="b",master_port="1"}}': [(t, 0.0) for t in times if t >= ON],
    }
    with prometheus(tmp_path, series) as address:
        report = examined(address)

    (reason,) = [absent.reason for absent in report.absent if "replica" in absent.reason]
    assert reason.startswith("store redis:9121 was a replica for 2 days of it: ")
    (history,) = report.histories
    assert history.changes == ()
    assert all(line.quantity != "births" or not line.points for line in history.lines)
    assert report.events == ()


@pytest.mark.integration
def test_keys_that_applications_delete_are_said_to_hide_births(tmp_path: Path) -> None:
    times = np.arange(END - 86_400, END, 60.0)
    series = {
        'redis_db_keys{db="db0",instance="a"}': [(t, 90_000.0 - n * 20) for n, t in enumerate(times)],
        'redis_expired_keys_total{instance="a"}': [(t, 0.0) for t in times],
    }
    with prometheus(tmp_path, series) as address:
        report = examined(address)
    assert any("more keys went than came" in absent.reason for absent in report.absent)


@pytest.mark.integration
def test_two_exporters_of_one_server_are_one_and_two_servers_of_one_name_are_not(tmp_path: Path) -> None:
    times = np.arange(END - 2 * 86_400, END, 60.0)
    grows = np.arange(times.size) * 3.0
    series = {}
    for labels, keys in (
        ('instance="A",job="necropsy"', grows), ('instance="redis://10.0.0.4:6379",job="redis"', grows + 2),
        ('instance="B",cluster="one"', grows), ('instance="B",cluster="two"', 70_000 - grows),
    ):  # fmt: skip
        series[f'redis_db_keys{{db="db0",{labels}}}'] = list(zip(times, keys, strict=True))
    dump = tmp_path / "empty.rdb"
    dump.write_bytes(b"REDIS0009\xff" + bytes(8))
    stores = tuple(StoreSource(name, DumpPath(str(dump))) for name in ("A", "B"))
    with prometheus(tmp_path, series) as address:
        report = examined(address, stores=stores)
    assert {one.store for one in report.histories if one.source.startswith("http")} == {"A"}
    (reason,) = [absent.reason for absent in report.absent if "cannot tell" in absent.reason]
    assert reason.startswith("cannot tell which server is store B")


@pytest.mark.integration
def test_a_store_that_was_renamed_and_a_counter_that_came_later_say_from_when_on_they_are_known(tmp_path: Path) -> None:
    times = np.arange(END - 2 * 86_400, END, 60.0)
    keys = np.arange(times.size) * 3.0
    series = {
        'redis_db_keys{db="db0",instance="old"}': [(t, k) for t, k in zip(times, keys, strict=True) if t < ON],
        'redis_db_keys{db="db0",instance="new"}': [(t, k) for t, k in zip(times, keys, strict=True) if t >= ON],
        'redis_expired_keys_total{instance="new"}': [(t, 0.0) for t in times if t >= ON + 7_200],
    }
    dump = tmp_path / "empty.rdb"
    dump.write_bytes(b"REDIS0009\xff" + bytes(8))
    with prometheus(tmp_path, series) as address:
        report = examined(address, stores=(StoreSource("new", DumpPath(str(dump))),))
    notes = [one.note for one in report.sources if one.reader == "history"]
    assert any(note.startswith(f"history of 2 servers from {at(END - 2 * 86_400):%Y-%m-%d}") for note in notes)
    (own,) = [note for note in notes if note.startswith("history of store new")]
    assert (
        abs(datetime.strptime(own.partition(" from ")[2][:16], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp() - ON)
        < 600
    )
    (reason,) = [absent.reason for absent in report.absent if "redis_expired_keys_total" in absent.reason]
    assert reason.startswith("store new has no redis_expired_keys_total for ")
    assert reason.endswith("births in that time are unknown")
    assert any("no metric of evicted keys" in absent.reason for absent in report.absent)


@pytest.mark.parametrize("text", ["1s", "59m", "0h"])
def test_a_history_in_which_no_rate_can_be_seen_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"too short|not a duration"):
        parse_span(text)


NONE = np.full(5, np.nan)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([1, 2, 3, 4, 5], "from 1970-01-01 00:00 UTC"),
        ([np.nan, np.nan, 3, 4, 5], "from 1970-01-01 02:00 UTC, asked since 1970-01-01 00:00 UTC"),
        ([1, np.nan, 3, np.nan, 5], "from 1970-01-01 00:00 UTC, with 2 gaps, the longest of 2 hours"),
        ([1, np.nan, np.nan, np.nan, 5], "from 1970-01-01 00:00 UTC, with 1 gap of 4 hours"),
        ([np.nan] * 5, "without a sample"),
    ],
)
def test_gaps_of_a_history_are_said(keys: list[float], said: str) -> None:
    assert reach([StoreSeries(np.arange(5) * 3600.0, np.array(keys), NONE, NONE, NONE)], 0.0) == said


@pytest.mark.integration
def test_a_commit_of_the_configuration_stands_at_the_change(address: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("scrape_configs: []\n")
    moment = f"{round(ON - 100)} +0000"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-C", str(tmp_path)]
    environment = {
        "GIT_COMMITTER_DATE": moment,
        "GIT_AUTHOR_DATE": moment,
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "probe the root page"]):
        subprocess.run([*git, *command], check=True, env=environment)

    report = examined(address, prometheus=(str(tmp_path / "prometheus.yml"),))

    assert report.histories[0].changes[0].event.endswith("of prometheus.yml: probe the root page")


@pytest.mark.integration
def test_the_past_is_kept_in_the_case(address: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.case"
    first = autopsy.examine(Sources(history=(address,), now=at(END)), case_path=path)

    assert autopsy.report(path).histories == first.histories


@pytest.mark.integration
def test_an_event_in_the_future_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is in the future"):
        examined(address, f"{(datetime.now(UTC) + timedelta(days=2)).isoformat()}=a deploy to come")


def test_an_event_without_a_text_is_refused() -> None:
    with pytest.raises(UsageError, match="not TIME=TEXT"):
        examined("http://127.0.0.1:9", "2026-01-01T00:00")


def test_a_history_that_cannot_be_had_is_no_evidence() -> None:
    with pytest.raises(NoEvidence, match=r"127\.0\.0\.1:9"):
        examined("http://127.0.0.1:9")


DUMPS = Path(__file__).parents[2] / "assets"


def stores(**named: Path) -> Sources:
    return Sources(stores=tuple(StoreSource(name, DumpPath(str(path))) for name, path in named.items()))


def test_an_older_case_shows_what_the_store_held_then(tmp_path: Path) -> None:
    old = tmp_path / "old.case"
    dump = next((DUMPS / "spring").glob("*.rdb"))
    before = autopsy.examine(stores(A=dump), case_path=old)
    report = autopsy.examine(stores(A=dump).join(Sources(before=(str(old),))))

    (then,) = [history for history in report.histories if history.source == str(old)]
    assert {line.quantity for line in then.lines} >= {"sessions", "keys", "bytes"}
    (sessions,) = [line.points[-1][1] for line in then.lines if line.quantity == "sessions"]
    assert sessions == before.stores[0].sessions


def test_a_toml_file_names_the_past_beside_the_sources(tmp_path: Path) -> None:
    dump = next((DUMPS / "spring").glob("*.rdb"))
    autopsy.examine(stores(A=dump), case_path=tmp_path / "old.case")
    (tmp_path / "incident.toml").write_text(
        f'before = ["old.case"]\nevent = ["2026-01-02T14:00=version 14"]\n[[store]]\nname = "A"\nrdb = "{dump}"\n'
    )
    report = autopsy.examine(load(str(tmp_path / "incident.toml")))

    assert str(tmp_path / "old.case") in [history.source for history in report.histories]
    assert [event.text for event in report.events if event.kind == "given"] == ["version 14"]


def test_an_older_case_of_other_stores_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old.case"
    dump = next((DUMPS / "spring").glob("*.rdb"))
    autopsy.examine(stores(A=dump, B=dump), case_path=old)

    with pytest.raises(UsageError, match="is about other stores: A, B; this is about C"):
        autopsy.examine(stores(C=dump).join(Sources(before=(str(old),))))
