"""Ours against the real thing: Debian's Prometheus and promtool on the loopback interface."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from necropsy.model.errors import ConfigurationError
from necropsy.probes import targets
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.relabel.actions import lower, upper

from .comparison import collides, compare
from .moments import phase_errors
from .oracle import RELEASES, discover, refusals, running, use, version
from .random_rules import jobs
from .refused import ACCEPTED, LATER, REFUSED

pytestmark = pytest.mark.integration


@pytest.fixture(params=RELEASES, ids=lambda number: f"debian-{number}", autouse=True)
def release(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Each test runs once with each Prometheus that Debian has."""
    use(request.param, monkeypatch)
    return int(request.param)


def as_yaml(configuration: dict[str, Any]) -> str:
    """JSON is YAML; but not with escaped surrogates."""
    return json.dumps(configuration, ensure_ascii=False)


def test_the_labels_and_urls_of_hundreds_of_random_jobs_are_the_same(tmp_path: Path) -> None:
    found = compare(seed=20190524, count=400, folder=tmp_path)
    assert found.ours == found.theirs
    assert found.ours.total() > 1000
    assert found.left_out < 40


# 2.24 has no such command; 2.53 and later panic when one target of a job cannot be built.
@pytest.mark.parametrize("release", [12], indirect=True)
def test_promtool_discovers_the_same_labels(tmp_path: Path) -> None:
    made = jobs(seed=8970, count=12)
    path = tmp_path / "prometheus.yml"
    path.write_text(as_yaml({"scrape_configs": made}), encoding="utf-8")
    ours = targets(parse_prometheus(path.read_text("utf-8"), "prometheus.yml", prometheus=version()))
    compared = 0
    for job in made:
        mine = [target for target in ours if target.job == job["job_name"]]
        if any(collides(target) for target in mine):
            continue
        # Groups arrive in any order, and equal targets are not told apart.
        theirs = Counter(
            frozenset(target["labels"].items()) for target in discover(path, job["job_name"]) if target["labels"]
        )
        kept = [target for target in mine if not target.dropped_because or target.duplicate_of]
        assert Counter(frozenset(target.labels.items()) for target in kept).keys() == theirs.keys()
        compared += len(kept)
    assert compared > 20


def refused_by_ours(text: str) -> str:
    """Why ours would not load a configuration; empty where it would."""
    try:
        parse_prometheus(text, "prometheus.yml", prometheus=version())
    except ConfigurationError as error:
        return error.reason
    return ""


def test_prometheus_loads_what_ours_takes_and_nothing_else(tmp_path: Path) -> None:
    # 2.24 takes an action that is null, and crashes when it is used.
    texts = [*ACCEPTED, *(text for text, _ in REFUSED if "action:\n" not in text), *LATER]
    answers = refusals(tmp_path, texts)
    ours = [refused_by_ours(text) for text in texts]
    wrong = [found for found in zip(texts, ours, answers, strict=True) if bool(found[1]) != bool(found[2])]
    assert wrong == []
    assert 20 < sum(map(bool, ours)) < len(texts) - 20


def test_random_broken_rules_are_refused_by_both_or_by_none(tmp_path: Path) -> None:
    fields = {
        "regex": ["(", "a**", "(?P<n", "\\8", "[[:word:]]", "(?i)x", "x{2,1}", "\\pN", "\\Qa", "(?s-m:.)", "[a", "*"],
        "target_label": ["$1", "${x}y", "a$", "${1", "1a", "_", "a b", "ü", "$$"],
        "replacement": ["$", "", "a-b", "${1}_x", "$1$2"],
        "action": ["labelmap", "HASHMOD", "labelKeep", "keepequal", "uppercase", "Drop", "", "replace "],
        "modulus": [0, 1, 2**65, "x"],
        "source_labels": [["a"], ["a-b"], [""], "a", []],
        "separator": [";", "", ["x"]],
    }
    rules = [
        {"target_label": "x", first: one, second: other}
        for i, first in enumerate(fields)
        for second in list(fields)[i + 1 :]
        for one, other in zip(fields[first], fields[second][::-1], strict=False)
    ]
    texts = [as_yaml({"scrape_configs": [{"job_name": "a", "relabel_configs": [rule]}]}) for rule in rules]
    theirs = refusals(tmp_path, texts)
    ours = [refused_by_ours(text) for text in texts]
    wrong = [found for found in zip(texts, ours, theirs, strict=True) if bool(found[1]) != bool(found[2])]
    assert wrong == []
    assert 20 < sum(map(bool, theirs)) < len(rules) - 10


@pytest.mark.parametrize("release", [12, 13, 14], indirect=True)  # 2.24 has no such actions
def test_every_letter_is_mapped_to_the_same_case(tmp_path: Path) -> None:
    # Debian 12 builds with Unicode 13; letters that are newer than that map to themselves there.
    letters = [chr(code) for code in range(0x20, 0x1E944) if not 0xD800 <= code < 0xE000]
    cased = [
        letter for letter in letters if letter.isprintable() and (upper(letter), lower(letter)) != (letter, letter)
    ]
    newer = set("ꟀꟁꟐꟑꟖꟗꟘꟙⰯⱟ") | {chr(code) for code in range(0x10570, 0x105C0)}
    text = "".join(letter for letter in cased if letter not in newer) + "ßŉǰﬁ"
    chunks = [text[start : start + 400] for start in range(0, len(text), 400)]
    job = {
        "job_name": "letters",
        "scrape_interval": "2h",
        "static_configs": [{"targets": [f"h-{i}:1"], "labels": {"a": chunk}} for i, chunk in enumerate(chunks)],
        "relabel_configs": [
            {"source_labels": ["a"], "target_label": case, "action": case} for case in ("uppercase", "lowercase")
        ],
    }
    with running(tmp_path, as_yaml({"scrape_configs": [job]})) as prometheus:
        theirs = prometheus.active_targets()
    assert len(theirs) == len(chunks) > 5
    for target in theirs:
        labels = target["labels"]
        assert (labels["uppercase"], labels["lowercase"]) == (upper(labels["a"]), lower(labels["a"]))


def test_sixty_targets_are_asked_for_their_urls_at_their_moments(tmp_path: Path) -> None:
    errors = phase_errors(tmp_path, seconds=16)
    assert len(errors) > 150
    assert median(errors) <= 0.005
