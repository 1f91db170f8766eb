"""Advice is that of the framework whose sessions were seen: steps of the treatment, the report as text, and the page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.sources import DumpPath, Sources, StoreSource
from necropsy.cli.options import Format
from necropsy.cli.output import render
from necropsy.report.commands import treatment as text
from necropsy.sessions.registry import cure
from necropsy.treatment.patching import patches
from necropsy.treatment.steps import steps

WRITERS = Path(__file__).parents[1] / "writers"
STORES = {
    "php_session": ("php", "PHP (phpredis session handler)"),
    "rails_redis_store": ("rails", "Rails (redis-actionpack, redis-session-store)"),
    "go_scs": ("scs", "Go (scs)"),
    "express_redis": ("express", "Express (express-session with connect-redis)"),
}
WORDS = ("Spring", "Django", "Laravel", "Flask", "Express", "PHP", "Rails", "Go (", "Tomcat", "servlet")
HIDDEN = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)


@pytest.mark.process
@pytest.mark.parametrize("writer", STORES)
def test_no_text_names_another_framework_than_that_of_the_store(writer: str, tmp_path: Path) -> None:
    layout, framework = STORES[writer]
    dump = tmp_path / "dump.rdb"
    shutil.copy(WRITERS / writer / "store.rdb", dump)
    report = autopsy.examine(Sources(stores=(StoreSource("a", DumpPath(str(dump))),)))
    assert [store.layout for store in report.stores] == [layout]
    told = cure(layout)
    assert told is not None
    assert told.framework == framework
    plan = text.treatment(steps(report, patches(report), tmp_path / "a.case"), patches(report))
    assert f"Change the application: {framework}" in plan
    assert told.stop in " ".join(plan.split())  # wrapped in the plan
    page = HIDDEN.sub("", render(report, Format.HTML))
    for shown in (plan, render(report, Format.TEXT), page):
        assert [word for word in WORDS if word in shown and word not in framework] == []
