from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import Simulation, simulate
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
    accused = said("probes/redirect-leaves-health", "GET http://10.0.0.1:8080/health is answered 302")

    def nobody(patched: Sequence[ConfigurationFile]) -> Simulation:
        return Simulation()

    (finding,) = attach_fixes([accused], files, simulate(files), nobody)
    assert finding == accused


def test_a_finding_without_a_fix_stays_as_it_is() -> None:
    finding = said("probes/labelmap-collision")
    assert attach_fixes([finding], (), Simulation(), simulate) == (finding,)


def test_every_fix_is_of_a_slug_that_exists() -> None:
    from necropsy.examine.registry import SLUGS

    assert set(BY_SLUG) <= set(SLUGS)
    assert len(BY_SLUG) == len(FIXES)
