from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    BLACKBOX_JOB,
    added,
    effect,
    linted,
)


def test_a_url_where_an_address_belongs_loses_its_scheme(tmp_path: Path) -> None:
    text = BLACKBOX_JOB.replace("'blackbox:9115'", '"http://blackbox:9115/"  # the exporter')
    finding = linted(tmp_path, prometheus__yml=text)["probes/dropped-target"]
    assert added(finding) == ['replacement: "blackbox:9115"  # the exporter']
    assert effect(finding) == "2 targets that were never probed before are probed"
