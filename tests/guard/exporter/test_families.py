"""What a server answers becomes metrics."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from necropsy.guard.exporter.families import CONFIG_NAMES, ServerReplies, families
from necropsy.guard.exposition import text_of

INFO = {
    "redis_version": "7.0.15", "redis_mode": "standalone", "role": "master", "uptime_in_seconds": "100",
    "used_memory": "1115936", "latest_fork_usec": "1500", "rdb_last_bgsave_status": "ok", "aof_last_write_status": "err",
    "total_error_replies": "7", "db0": "keys=50,expires=25,avg_ttl=999643",
    "cmdstat_config|get": "calls=4,usec=160,usec_per_call=40.00,rejected_calls=1,failed_calls=2",
    "latency_percentiles_usec_config|get": "p50=1.003,p99=5.023,p99.9=5.023", "errorstat_ERR": "count=3",
    "slave0": "ip=10.0.0.2,port=6379,state=online,offset=120,lag=1",
}  # fmt: skip


def lines(answers: ServerReplies, **options: bool) -> set[str]:
    return {line for line in text_of(families(answers, **options)).splitlines() if not line.startswith("#")}


def test_fields_of_info_become_their_metrics_in_seconds_and_words_become_numbers() -> None:
    shown = lines(ServerReplies(INFO, now_s=1_100))
    assert {
        "redis_memory_used_bytes 1.115936e+06", "redis_latest_fork_seconds 0.0015", "redis_rdb_last_bgsave_status 1",
        "redis_aof_last_write_status 0", "redis_total_error_replies 7", "redis_start_time_seconds 1000",
    } <= shown  # fmt: skip


def test_databases_without_keys_are_there_with_zero() -> None:
    shown = lines(ServerReplies(INFO, config={"databases": "3"}))
    assert {'redis_db_keys{db="db0"} 50', 'redis_db_keys{db="db2"} 0', 'redis_db_keys_expiring{db="db1"} 0',
            'redis_db_avg_ttl_seconds{db="db0"} 999.643'} <= shown  # fmt: skip


def test_the_fourth_field_of_a_database_is_named_for_what_it_counts() -> None:
    for text in ("keys=5,expires=1,avg_ttl=0,subexpiry=2", "keys=5,expires=1,avg_ttl=0,keys_with_volatile_items=2"):
        shown = lines(ServerReplies({**INFO, "db0": text}))
        assert 'redis_db_keys_with_expiring_items{db="db0"} 2' in shown
        assert not any("keys_cached" in line for line in shown)


def test_commands_have_calls_seconds_refusals_failures_and_percentiles() -> None:
    assert {
        'redis_commands_total{cmd="config|get"} 4', 'redis_commands_duration_seconds_total{cmd="config|get"} 0.00016',
        'redis_commands_rejected_calls_total{cmd="config|get"} 1', 'redis_commands_failed_calls_total{cmd="config|get"} 2',
        'redis_latency_percentiles_usec{cmd="config|get",quantile="99.9"} 5.023',
        'redis_latency_percentiles_usec_sum{cmd="config|get"} 160', 'redis_errors_total{err="ERR"} 3',
    } <= lines(ServerReplies(INFO))  # fmt: skip


def test_a_histogram_ends_with_infinity_and_its_bounds_are_whole_numbers() -> None:
    shown = lines(ServerReplies(INFO, histograms={"get": (3, [1, 2, 4, 3])}))
    assert {'redis_commands_latencies_usec_bucket{cmd="get",le="1"} 2', 'redis_commands_latencies_usec_bucket{cmd="get",le="+Inf"} 3',
            'redis_commands_latencies_usec_count{cmd="get"} 3'} <= shown  # fmt: skip


def test_replicas_of_a_primary_and_the_primary_of_a_replica_are_shown() -> None:
    assert 'redis_connected_slave_lag_seconds{slave_ip="10.0.0.2",slave_port="6379",slave_state="online"} 1' in lines(
        ServerReplies(INFO)
    )
    replica = {**INFO, "role": "slave", "master_host": "10.0.0.1", "master_port": "6379", "master_link_status": "down",
               "slave_read_only": "1"}  # fmt: skip
    shown = lines(ServerReplies(replica))
    assert 'redis_master_link_up{master_host="10.0.0.1",master_port="6379"} 0' in shown
    assert 'redis_slave_info{master_host="10.0.0.1",master_port="6379",read_only="1"} 1' in shown


def test_what_was_refused_is_absent_and_not_zero() -> None:
    shown = lines(ServerReplies(INFO))
    assert not any(line.startswith(("redis_config_", "redis_slowlog", "redis_cluster_state")) for line in shown)


def test_no_name_that_could_hold_a_password_is_asked_of_the_configuration() -> None:
    assert not any("pass" in name or "auth" in name or "user" in name for name in CONFIG_NAMES)


def test_system_memory_is_shown_on_request_only() -> None:
    info = {**INFO, "total_system_memory": "8000000000"}
    assert "redis_total_system_memory_bytes 8e+09" in lines(ServerReplies(info), with_system=True)
    assert not any("total_system_memory" in line for line in lines(ServerReplies(info)))


@given(
    st.dictionaries(st.one_of(st.sampled_from(sorted(INFO)), st.text(max_size=12)), st.text(max_size=40), max_size=8)
)
def test_fields_of_any_text_raise_nothing_but_a_value_error(info: dict[str, str]) -> None:
    """A stranger's answer is met by ``understood`` around this."""
    with contextlib.suppress(ValueError):
        text_of(families(ServerReplies(info)))
