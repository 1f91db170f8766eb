from __future__ import annotations

import random

import pytest
import xxhash

from necropsy.probes import targets
from necropsy.probes.prometheus.targets.scrape_phase import (
    Observation,
    encode_labels,
    fnv1a_64,
    go_quote,
    phase,
    seed,
    solve_host,
    target_hash,
)
from necropsy.probes.prometheus.targets.scraped import Target
from necropsy.probes.prometheus.version import prometheus_version

DEBIAN, OFFICIAL_2, OFFICIAL_3 = (prometheus_version(v) for v in ("2.53.3+ds1", "2.44.0", "3.5.0"))


def some(count: int, interval: str = "15s") -> list[Target]:
    configuration = {
        "scrape_configs": [
            {"job_name": "web", "scrape_interval": interval, "static_configs": [{"targets": [f"10.0.0.{i}:80" for i in range(count)]}]}
        ]
    }  # fmt: skip
    return targets(configuration)


@pytest.mark.parametrize(
    ("text", "value"), [("", 0xCBF29CE484222325), ("foobar", 0x85944171F73967E8), ("a", 0xAF63DC4C8601EC8C)]
)
def test_fnv_agrees_with_its_authors_vectors(text: str, value: int) -> None:
    assert fnv1a_64(text.encode()) == value


def test_each_build_hashes_labels_in_its_own_encoding() -> None:
    labels = {"b": "x" * 300, "a": "é"}
    value = b"x" * 300
    assert encode_labels(labels, DEBIAN) == b"a\xff\xc3\xa9\xffb\xff" + value + b"\xff"
    assert encode_labels(labels, prometheus_version("2.43")) == encode_labels(labels, DEBIAN)
    assert encode_labels(labels, OFFICIAL_2) == b"\x01a\x02\xc3\xa9\x01b\xac\x02" + value
    assert encode_labels(labels, OFFICIAL_3) == b"\x01a\x02\xc3\xa9\x01b\xff\x2c\x01\x00" + value
    assert encode_labels(labels, prometheus_version("3.5.0+ds")) == encode_labels(labels, OFFICIAL_3)


def test_the_hash_covers_internal_labels_and_the_url() -> None:
    target = some(1)[0]
    inner = xxhash.xxh64(encode_labels(target.labels, OFFICIAL_3)).intdigest()
    assert target_hash(target, OFFICIAL_3) == fnv1a_64(f"{inner:016d}http://10.0.0.0:80/metrics".encode())
    assert "__scrape_interval__" in target.labels


def test_the_seed_is_made_of_the_host_and_sorted_quoted_external_labels() -> None:
    version = prometheus_version("2.42")
    assert seed("host", {}, version) == fnv1a_64(b"host{}")
    assert seed("host", {"b": 'x"', "a": "é\n"}, version) == fnv1a_64('host{a="é\\n", b="x\\""}'.encode())
    assert seed("host", {"a-b": "x"}, OFFICIAL_3) == fnv1a_64(b'host{"a-b"="x"}')


def test_texts_are_quoted_as_go_quotes_them() -> None:
    assert go_quote('\\"\x00\x7f\u00a0\u200bé😀\U000e0001') == '"\\\\\\"\\x00\\x7f\\u00a0\\u200bé😀\\U000e0001"'


def test_a_phase_lies_within_its_interval_and_phases_spread_over_it() -> None:
    found = [phase(target, "host", {}) for target in some(200, "10s")]
    assert all(0 <= value < 10 for value in found)
    assert {int(value) for value in found} == set(range(10))


def test_host_and_external_labels_move_the_phase() -> None:
    target = some(1)[0]
    assert len({phase(target, "a", {}), phase(target, "b", {}), phase(target, "a", {"replica": "1"})}) == 3


def test_the_host_is_found_among_candidates_by_what_was_observed() -> None:
    noise = random.Random(1)
    observations = [
        Observation(target, (phase(target, "prometheus-1.example", {}) + noise.gauss(0.002, 0.001)) % 15)
        for target in some(8)
    ]
    observations.append(Observation(some(1)[0], 3.3))  # somebody else's request
    solution = solve_host([f"host-{i}" for i in range(500)] + ["prometheus-1.example"], observations)
    assert solution is not None
    assert (solution.host, solution.explained, solution.observed) == ("prometheus-1.example", 8, 9)
    assert solution.median_error_s < 0.01
    assert solution.chance < 1e-9


def test_no_host_is_better_than_one_that_fits_by_chance() -> None:
    noise = random.Random(2)
    observations = [Observation(target, noise.uniform(0, 15)) for target in some(8)]
    assert solve_host([f"host-{i}" for i in range(500)], observations) is None
    assert solve_host([], observations) is None
    assert solve_host(["localhost"], []) is None


def test_whole_seconds_need_more_targets() -> None:
    observations = [Observation(t, float(int(phase(t, "localhost", {}))), tolerance_s=1.0) for t in some(12)]
    assert solve_host(["a", "localhost"], observations[:3]) is None
    solution = solve_host(["a", "localhost"], observations)
    assert solution is not None
    assert solution.host == "localhost"
