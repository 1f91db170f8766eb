"""The text files of a story, without a server."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import yaml

from necropsy.lab import access_log, configuration, error_log
from necropsy.lab.events import LoggedRequest
from necropsy.lab.story import ADMIN_A, BLACKBOX, NOW

A1 = ADMIN_A.servers[0]
AT = 1_558_723_294_137  # 2019-05-24T18:41:34.137Z
PROBE = LoggedRequest(AT, "172.12.1.189:80", "GET / HTTP/1.1", 302, 0, 10, "", "Go-http-client/1.1")


def test_a_line_is_that_of_the_incident_to_the_letter() -> None:
    assert access_log.line(PROBE) == (
        '{"@timestamp":"2019-05-24T18:41:34+00:00","remote_addr":"","host":"172.12.1.189:80","request":"GET / HTTP/1.1",'
        '"status": "302","body_bytes_sent":"0","request_time":"0.010","http_referrer":"",'
        '"http_user_agent":"Go-http-client/1.1"}'
    )


def test_the_log_format_of_nginx_has_the_keys_of_a_line_in_the_same_order() -> None:
    keys = re.findall(r'"([@a-z_]+)": ?"\$', configuration.nginx(ADMIN_A, A1))
    assert keys == list(json.loads(access_log.line(PROBE)))


def test_a_log_is_in_order_of_time_and_holds_only_its_window(tmp_path: Path) -> None:
    requests = [PROBE._replace(ended_ms=AT + offset) for offset in (5_000, 0, 10_000, -5_000)]
    (file,) = access_log.write(tmp_path, requests, (AT - 5_000, AT + 5_000), None)
    assert [json.loads(line)["@timestamp"] for line in file.read_text().splitlines()] == [
        "2019-05-24T18:41:34+00:00",
        "2019-05-24T18:41:39+00:00",
    ]


def test_a_rotated_log_has_its_older_half_in_a_compressed_file(tmp_path: Path) -> None:
    requests = [PROBE._replace(ended_ms=AT + offset) for offset in (-1, 0)]
    old, new = access_log.write(tmp_path, requests, (AT - 5_000, AT + 5_000), AT)
    assert len(gzip.decompress(old.read_bytes()).splitlines()) == len(new.read_text().splitlines()) == 1


def test_an_entry_of_the_error_log_holds_the_lines_that_the_operators_saw(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    assert error_log.write(path, [AT], [AT - 1_000], random.Random(1)) == 2
    text = path.read_text()
    assert text.startswith("2019-05-24 18:41:33.137 ERROR ")
    assert text.count("Caused by: com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out\n") == 2
    assert (
        "\norg.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is "
        "com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out\n"
        "\tat org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert"
        "(LettuceExceptionConverter.java:66)\n"
        "\tat org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert"
        "(LettuceExceptionConverter.java:41)\n"
    ) in text


def test_before_the_fix_prometheus_copies_the_bare_address() -> None:
    (job,) = yaml.safe_load(configuration.prometheus(BLACKBOX))["scrape_configs"]
    assert {"source_labels": ["__address__"], "target_label": "__param_target"} in job["relabel_configs"]
    assert [sd["server"][-8:] for sd in job["consul_sd_configs"]] == ["dns:8500"] * 3


def test_after_the_fix_prometheus_joins_the_health_endpoint() -> None:
    (job,) = yaml.safe_load(configuration.prometheus(replace(BLACKBOX, knows_health=True)))["scrape_configs"]
    assert {
        "source_labels": ["__address__", "__meta_consul_service_metadata_health_check_endpoint"],
        "target_label": "__param_target",
        "regex": r"(.*)(\/*);(.*)",
        "replacement": "$1/$3",
    } in job["relabel_configs"]


def test_consul_knows_three_instances_a_server_and_that_one_of_them_is_dead() -> None:
    answer = json.loads(configuration.consul_answer(ADMIN_A, random.Random(1)))
    seen = [
        (one["Node"]["Address"], one["Service"]["Port"], one["Checks"][1]["Status"])
        for one in answer
        if one["Service"]["Service"] == "admin-a" and one["Service"]["Tags"] == ["blackbox_exporter_http"]
    ]
    assert seen == [
        (address, port, "critical" if port == 8081 else "passing")
        for address in ("172.12.1.189", "172.12.1.190")
        for port in (80, 8080, 8081)
    ]


def test_only_a_fixed_server_tells_its_health_endpoint() -> None:
    before = json.loads(configuration.consul_definitions(ADMIN_A, A1))["services"]
    after = json.loads(configuration.consul_definitions(ADMIN_A, replace(A1, fixed_at=NOW)))["services"]
    assert [service.get("meta") for service in before] == [None] * 3
    assert [service["meta"] for service in after] == [{"health_check_endpoint": "health"}] * 3
    assert [service["check"]["http"] for service in before] == [
        "http://localhost/health",
        "http://localhost:8080/health",
        "http://localhost:8081/health",
    ]
