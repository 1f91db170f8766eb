"""Metric families of a server's answers: pure.

From INFO, beside the fields of the table ``info_fields``::

    # Commandstats                                      redis_commands_total{cmd="get"} 3
    cmdstat_get:calls=3,usec=2,usec_per_call=0.67   ->  redis_commands_duration_seconds_total{cmd="get"} 2e-06
    # Keyspace
    db0:keys=50,expires=25,avg_ttl=999643           ->  redis_db_keys{db="db0"} 50
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from necropsy.guard.exporter.info_fields import (
    CLUSTER_FIELDS,
    COUNTER,
    GAUGE,
    INFO_FIELDS,
    SENTINEL_FIELDS,
    STATES,
    InfoField,
)
from necropsy.guard.exposition import Family, Sample, labelled

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_MICROSECONDS: Final = 1e6
_MILLISECONDS: Final = 1e3


@dataclass(slots=True)
class ServerReplies:
    """Answers of one server; refused ones stay empty."""

    info: Mapping[str, str]
    config: Mapping[str, str] = field(default_factory=dict)
    cluster: Mapping[str, str] = field(default_factory=dict)
    """CLUSTER INFO; empty where no cluster is."""
    slow: Sequence[Sequence[Any]] | None = None
    """SLOWLOG GET 1: the newest entry; None: refused."""
    slow_length: int = 0
    spikes: Sequence[Sequence[Any]] = ()
    """LATENCY LATEST: event, Unix time, last and longest milliseconds."""
    histograms: Mapping[str, tuple[int, Sequence[int]]] = field(default_factory=dict)
    """LATENCY HISTOGRAM: of each command its calls, and upper bounds in microseconds with their counts by turns."""
    masters: Sequence[Mapping[str, str]] = ()
    """SENTINEL MASTERS."""
    now_s: float = 0.0
    """Unix time of the scrape."""


class MetricFamilies:
    """Families by name, in one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._families: dict[str, Family] = {}

    def add(self, name: str, value: float, help_text: str, kind: str = GAUGE, **labels: str) -> None:
        """Add a sample."""
        self._family(name, kind, help_text).add(value, **labels)

    def add_sample(self, name: str, kind: str, help_text: str, sample: Sample) -> None:
        """Add a sample of a histogram or summary."""
        self._family(name, kind, help_text).samples.append(sample)

    def all(self) -> list[Family]:
        """Return all of them."""
        return list(self._families.values())

    def _family(self, name: str, kind: str, help_text: str) -> Family:
        full = f"{self._namespace}_{name}"
        return self._families.setdefault(full, Family(full, kind, help_text))


def families(
    answers: ServerReplies, namespace: str = "redis", *, with_system: bool = False, with_empty: bool = True
) -> list[Family]:
    """Return every family of one server; ``with_empty``: also databases that have no key."""
    made = MetricFamilies(namespace)
    _fields(made, INFO_FIELDS, answers.info, "INFO")
    _fields(made, CLUSTER_FIELDS, answers.cluster, "CLUSTER INFO")
    _fields(made, SENTINEL_FIELDS, answers.info, "INFO sentinel")
    if with_system and (memory := _value(answers.info.get("total_system_memory", ""))) is not None:
        made.add("total_system_memory_bytes", memory, "Memory of the server's machine.")
    _instance(made, answers)
    _databases(made, answers, with_empty=with_empty)
    _commands(made, answers.info)
    _errors(made, answers.info)
    _replication(made, answers.info)
    _configuration(made, answers.config)
    _latency(made, answers)
    _sentinel(made, answers.masters)
    return made.all()


def _fields(made: MetricFamilies, table: Iterable[InfoField], given: Mapping[str, str], source: str) -> None:
    for entry in table:
        value = _value(given.get(entry.field, ""))
        if value is not None:
            made.add(entry.metric, value / entry.per_unit, f"{source}: {entry.field}.", entry.type)


def _value(text: str) -> float | None:
    """Return what a field says as a number; None when it says none.

    >>> [_value(text) for text in ("12", "1.09", "ok", "err", "0.00%", "")]
    [12.0, 1.09, 1.0, 0.0, None, None]
    """
    if text in STATES:
        return STATES[text]
    return float(text) if _NUMBER.fullmatch(text) else None


def pairs(text: str) -> dict[str, str]:
    """Return the pairs of a field that has several.

    >>> pairs("keys=50,expires=25")
    {'keys': '50', 'expires': '25'}
    """
    return dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)


_INSTANCE: Final = (
    "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id", "process_id",
    "master_replid",
)  # fmt: skip
_OF_VALKEY: Final = ("valkey_version", "valkey_release_stage")


def _instance(made: MetricFamilies, answers: ServerReplies) -> None:
    info = answers.info
    if "redis_version" not in info:
        return
    labels = {name: info.get(name, "") for name in _INSTANCE} | {
        name: info[name] for name in _OF_VALKEY if name in info
    }
    made.add("instance_info", 1, "The server: its role, version and policy.", **labels)
    if (uptime := _value(info.get("uptime_in_seconds", ""))) is not None:
        made.add("start_time_seconds", float(int(answers.now_s) - uptime), "Unix time at which the server started.")


def _databases(made: MetricFamilies, answers: ServerReplies, *, with_empty: bool) -> None:
    """Databases without keys are there with 0, as many as the configuration says, unless nobody wants them."""
    found = {name: pairs(text) for name, text in answers.info.items() if re.fullmatch(r"db\d+", name)}
    count = _value(answers.config.get("databases", ""))
    if (
        with_empty
        and "redis_version" in answers.info
        and answers.info.get("redis_mode") != "sentinel"
        and count is not None
    ):
        for number in range(1 if answers.info.get("cluster_enabled") == "1" else int(count)):
            found.setdefault(f"db{number}", {})
    for name in sorted(found):
        said = found[name]
        made.add("db_keys", float(said.get("keys", 0)), "Keys by database.", db=name)
        made.add("db_keys_expiring", float(said.get("expires", 0)), "Keys with an expiry by database.", db=name)
        if "avg_ttl" in said:
            average = float(said["avg_ttl"]) / _MILLISECONDS
            made.add("db_avg_ttl_seconds", average, "Average time to live by database, sampled by the server.", db=name)
        volatile = said.get("subexpiry", said.get("keys_with_volatile_items"))
        if volatile is not None:
            made.add("db_keys_with_expiring_items", float(volatile), "Keys whose fields expire by themselves.", db=name)


def _commands(made: MetricFamilies, info: Mapping[str, str]) -> None:
    for name, text in info.items():
        command = name.removeprefix("cmdstat_")
        if command == name:
            continue
        said = pairs(text)
        for metric, key, scale, help_text in (
            ("commands_total", "calls", 1.0, "Calls by command."),
            ("commands_duration_seconds_total", "usec", _MICROSECONDS, "Time spent by command."),
            ("commands_rejected_calls_total", "rejected_calls", 1.0, "Calls refused before they ran, by command."),
            ("commands_failed_calls_total", "failed_calls", 1.0, "Calls that ended in an error, by command."),
        ):
            if key in said:
                made.add(metric, float(said[key]) / scale, help_text, COUNTER, cmd=command)


def _errors(made: MetricFamilies, info: Mapping[str, str]) -> None:
    for name, text in info.items():
        if name.startswith("errorstat_"):
            count = float(pairs(text).get("count", 0))
            made.add("errors_total", count, "Error replies by kind.", COUNTER, err=name.removeprefix("errorstat_"))


def _replication(made: MetricFamilies, info: Mapping[str, str]) -> None:
    for name, text in info.items():
        if re.fullmatch(r"slave\d+", name) and "ip" in (said := pairs(text)):
            labels = {"slave_ip": said["ip"], "slave_port": said.get("port", ""), "slave_state": said.get("state", "")}
            for metric, key, help_text in (
                ("connected_slave_offset_bytes", "offset", "Replication offset of a replica."),
                ("connected_slave_lag_seconds", "lag", "Seconds since a replica last acknowledged."),
            ):
                if (value := _value(said.get(key, ""))) is not None:
                    made.add(metric, value, help_text, **labels)
    if "master_host" not in info:
        return
    master = {"master_host": info["master_host"], "master_port": info.get("master_port", "")}
    for metric, key, help_text in (
        ("master_link_up", "master_link_status", "Whether the link to the primary is up."),
        ("master_last_io_seconds_ago", "master_last_io_seconds_ago", "Seconds since the primary was last heard."),
        ("master_sync_in_progress", "master_sync_in_progress", "Whether the primary sends its whole dataset."),
        ("slave_repl_offset", "slave_repl_offset", "Replication offset of this replica."),
    ):
        if (value := _value(info.get(key, ""))) is not None:
            made.add(metric, value, help_text, **master)
    read_only = info.get("slave_read_only", "")
    made.add("slave_info", 1, "This replica and its primary.", **master, read_only=read_only)


_CONFIGURED: Final = (
    ("config_io_threads", "io-threads", "Configured number of I/O threads."),
    ("config_maxclients", "maxclients", "Configured limit of clients."),
    ("config_maxmemory", "maxmemory", "Configured limit of memory in bytes; 0: none."),
    ("config_repl_backlog_size", "repl-backlog-size", "Configured size of the replication backlog in bytes."),
)
CONFIG_NAMES: Final = (*(name for _, name, _ in _CONFIGURED), "client-output-buffer-limit", "databases")
"""Names for CONFIG GET; none whose value may be a password."""


def _configuration(made: MetricFamilies, config: Mapping[str, str]) -> None:
    for metric, name, help_text in _CONFIGURED:
        if (value := _value(config.get(name, ""))) is not None:
            made.add(metric, value, help_text)
    words = config.get("client-output-buffer-limit", "").split()
    for kind, hard, soft, seconds in zip(*[iter(words)] * 4, strict=False):
        limits = "Configured limits of clients' output buffers in bytes."
        made.add("config_client_output_buffer_limit_bytes", float(hard), limits, **{"class": kind, "limit": "hard"})
        made.add("config_client_output_buffer_limit_bytes", float(soft), limits, **{"class": kind, "limit": "soft"})
        made.add(
            "config_client_output_buffer_limit_overcome_seconds",
            float(seconds),
            "Seconds for which a client may be over its soft limit.",
            **{"class": kind, "limit": "soft"},
        )


def _latency(made: MetricFamilies, answers: ServerReplies) -> None:
    if answers.slow is not None:
        newest = answers.slow[0] if answers.slow else (0, 0, 0)
        made.add("slowlog_length", answers.slow_length, "Entries in the slow log.")
        made.add("slowlog_last_id", float(newest[0]), "Number of the newest entry in the slow log.")
        took = float(newest[2]) / _MICROSECONDS
        made.add("last_slow_execution_duration_seconds", took, "How long the newest command in the slow log took.")
    for event, at, last, *_ in answers.spikes:
        name = event.decode(errors="replace") if isinstance(event, bytes) else str(event)
        made.add("latency_spike_last", float(at), "Unix time of the last latency spike.", event_name=name)
        made.add(
            "latency_spike_duration_seconds",
            float(last) / _MILLISECONDS,
            "Length of the last latency spike.",
            event_name=name,
        )
    _percentiles(made, answers.info)
    _histograms(made, answers)


def _percentiles(made: MetricFamilies, info: Mapping[str, str]) -> None:
    name, help_text = "latency_percentiles_usec", "Percentiles of the latency by command, in microseconds."
    for field_name, text in info.items():
        command = field_name.removeprefix("latency_percentiles_usec_")
        if command == field_name:
            continue
        for quantile, value in pairs(text).items():
            labels = labelled({"cmd": command, "quantile": _shortest(quantile.removeprefix("p"))})
            made.add_sample(name, "summary", help_text, Sample(labels, float(value)))
        for sample in _sums(command, pairs(info.get(f"cmdstat_{command}", ""))):
            made.add_sample(name, "summary", help_text, sample)


def _histograms(made: MetricFamilies, answers: ServerReplies) -> None:
    name, help_text = "commands_latencies_usec", "Histogram of the latency by command, in microseconds."
    for command, (calls, bounds) in sorted(answers.histograms.items()):
        for upper, count in zip(bounds[::2], bounds[1::2], strict=False):
            sample = Sample(labelled({"cmd": command, "le": str(upper)}), float(count), "_bucket")
            made.add_sample(name, "histogram", help_text, sample)
        infinite = Sample(labelled({"cmd": command, "le": "+Inf"}), float(calls), "_bucket")
        made.add_sample(name, "histogram", help_text, infinite)
        said = pairs(answers.info.get(f"cmdstat_{command}", ""))
        for sample in _sums(command, {"usec": said.get("usec", "0"), "calls": str(calls)}):
            made.add_sample(name, "histogram", help_text, sample)


def _sums(command: str, said: Mapping[str, str]) -> Iterator[Sample]:
    labels = labelled({"cmd": command})
    yield Sample(labels, float(said.get("usec", 0)), "_sum")
    yield Sample(labels, float(said.get("calls", 0)), "_count")


def _shortest(quantile: str) -> str:
    """Return a percentile as Go writes it.

    >>> _shortest("99.900"), _shortest("50")
    ('99.9', '50')
    """
    return quantile.rstrip("0").rstrip(".") if "." in quantile else quantile


_OF_A_MASTER: Final = (
    ("sentinel_master_config_epoch", "config-epoch", 1.0),
    ("sentinel_master_last_ok_ping_reply_seconds", "last-ok-ping-reply", _MILLISECONDS),
    ("sentinel_master_sentinels", "num-other-sentinels", 1.0),
    ("sentinel_master_setting_ckquorum", "quorum", 1.0),
    ("sentinel_master_setting_down_after_milliseconds", "down-after-milliseconds", 1.0),
    ("sentinel_master_setting_failover_timeout", "failover-timeout", 1.0),
    ("sentinel_master_setting_parallel_syncs", "parallel-syncs", 1.0),
    ("sentinel_master_slaves", "num-slaves", 1.0),
)


def _sentinel(made: MetricFamilies, masters: Sequence[Mapping[str, str]]) -> None:
    for master in masters:
        labels = {
            "master_address": f"{master.get('ip', '')}:{master.get('port', '')}",
            "master_name": master.get("name", ""),
        }
        flags = master.get("flags", "").split(",")
        status = (
            "ok"
            if flags == ["master"]
            else "odown"
            if "o_down" in flags
            else "sdown"
            if "s_down" in flags
            else "unknown"
        )
        made.add("sentinel_master_status", 1, "A primary that this Sentinel watches.", **labels, master_status=status)
        for metric, key, scale in _OF_A_MASTER:
            if (value := _value(master.get(key, ""))) is not None:
                own = 1.0 if key == "num-other-sentinels" else 0.0  # it counts the others
                made.add(metric, (value + own) / scale, f"SENTINEL MASTERS: {key}.", **labels)
