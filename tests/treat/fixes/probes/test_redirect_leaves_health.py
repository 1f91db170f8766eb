from __future__ import annotations

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
from necropsy.treat.fixes.attach import attach_fixes
from treat.configurations import (
    BLACKBOX_JOB,
    MODULES,
    added,
    effect,
    said,
)


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES.keys())
def test_the_module_follows_no_redirects_any_more(module: str) -> None:
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),
        ConfigurationFile("blackbox.yml", module, "blackbox"),
    )
    accused = said(
        "probes/redirect-leaves-health",
        "GET http://10.0.0.1:8080/health",
        "GET http://10.0.0.1:8081/health",
    )
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    assert "follow_redirects: false" in added(finding)
    assert effect(finding) == "2 probes send one request and follow no redirect"
