from __future__ import annotations

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import simulate
from necropsy.treat.fixes.attach import attach_fixes
from treat.configurations import (
    BLACKBOX_JOB,
    added,
    effect,
    said,
)


@pytest.mark.parametrize(
    ("server", "line"),
    [
        ("listen 8080;\n        access_log off;", "access_log /var/log/nginx/access.log;"),
        ("listen 8080;", "access_log /var/log/nginx/access.log;"),
    ],
)
def test_a_server_that_is_probed_and_logs_nothing_gets_its_log_back(server: str, line: str) -> None:
    text = f"http {{\n    access_log off;\n    server {{\n        {server}\n    }}\n}}\n"
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),
        ConfigurationFile("nginx.conf", text, "nginx"),
    )
    (finding,) = attach_fixes([said("monitoring/log-blind-spot")], files, simulate(files), simulate)
    assert added(finding) == [line]
    assert effect(finding) == "requests to port 8080 are logged"
