from __future__ import annotations

from dataclasses import replace

from examine.cases import PROBE, cleared, scene, slugs

SLUG = "monitoring/store-unwatched"


def test_a_configuration_without_a_redis_exporter_leaves_the_store_unwatched() -> None:
    with scene() as s:
        assert SLUG in slugs(s.source("rdb", "prometheus").sessions(50).probe(PROBE).examine())


def test_an_exporter_watches() -> None:
    exporter = replace(PROBE, prober="prometheus/stores", kind="scrape", url="http://10.0.0.9:9121/metrics")
    with scene() as s:
        said = s.source("rdb", "prometheus").sessions(50).probe(PROBE, exporter).examine()
    assert SLUG in cleared(said)


def test_other_probers_watch_no_store_and_nobody_says_they_should() -> None:
    with scene() as s:
        said = s.source("rdb", "haproxy").sessions(50).probe(PROBE).examine()
    assert SLUG not in slugs(said)
    assert SLUG not in cleared(said)
