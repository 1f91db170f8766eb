from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import Simulation, simulate
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node
from necropsy.treat.fixes.attach import attach_fixes
from necropsy.treat.fixes.registry import BY_SLUG, FIXES
from treat.configurations import (
    BLACKBOX_JOB,
    MODULES,
    NGINX,
    said,
)


def test_lines_that_are_added_end_as_the_others_do(tmp_path: Path) -> None:
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB.replace("\n", "\r\n"), "prometheus"),
        ConfigurationFile("nginx.conf", NGINX, "nginx"),
    )
    (finding,) = attach_fixes([said("probes/idle-backend")], files, simulate(files), simulate)
    assert finding.remedy is not None
    (patch,) = finding.remedy.patches
    assert [line[-1] for line in patch.diff.split("\n") if line.startswith("+ ")] == ["\r"] * 3


def test_a_patch_that_breaks_something_else_is_not_offered() -> None:
    files = (ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),)
    files += (ConfigurationFile("blackbox.yml", MODULES["no http section"], "blackbox"),)
    accused = said("probes/redirect-leaves-health", "GET http://10.0.0.1:8080/health")

    def nobody(patched: Sequence[ConfigurationFile]) -> Simulation:
        return Simulation()

    (finding,) = attach_fixes([accused], files, simulate(files), nobody)
    assert finding == accused


def test_a_finding_without_a_fix_stays_as_it_is() -> None:
    finding = said("probes/labelmap-collision")
    assert attach_fixes([finding], (), Simulation(), simulate) == (finding,)


def test_findings_of_one_reason_are_simulated_once_and_each_text_is_parsed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = (ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"), ConfigurationFile("n", NGINX, "nginx"))
    before = simulate(files)
    parsed: list[str] = []
    simulated: list[Simulation] = []

    def parse(text: str, file: str) -> Node:
        parsed.append(file)
        return parse_yaml(text, file)

    def again(patched: Sequence[ConfigurationFile]) -> Simulation:
        simulated.append(simulate(patched))
        return simulated[-1]

    monkeypatch.setattr("necropsy.treat.fixes.interface.parse_yaml", parse)
    one, two = attach_fixes([said("probes/idle-backend"), said("probes/idle-backend")], files, before, again)
    assert one == two
    assert one.remedy is not None
    assert one.remedy.patches
    assert len(simulated) == 1
    assert parsed == ["prometheus.yml"]


def test_every_fix_is_of_slugs_that_exist_and_is_found_by_each_of_them() -> None:
    from necropsy.examine.registry import SLUGS

    assert {slug for fix in FIXES for slug in fix.slugs} == set(BY_SLUG) <= set(SLUGS)
    assert all(fix in BY_SLUG[slug] for fix in FIXES for slug in fix.slugs)
