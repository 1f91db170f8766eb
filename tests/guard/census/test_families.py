"""Labels of the metrics of a census: bounded, and nothing secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from necropsy._internal.serialization import to_plain
from necropsy.autopsy import reporting
from necropsy.case.store import Case
from necropsy.guard.census.families import CREATORS, families
from necropsy.guard.exposition import text_of
from necropsy.model.verdict import Verdict

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC).replace(tzinfo=None)


def text(claims: list[dict[str, object]]) -> str:
    with Case.create(None) as case:
        case.set_meta("now", "2026-11-30T12:00:00+00:00")
        case.append("source", [{"reader": "redis", "locator": "redis://127.0.0.1", "store": "A", "taken_at": NOW}])
        case.append("birth_claim", [{"store": "A", "births": 9.0, **claim} for claim in claims])
        case.append("verdict", [{"value": json.dumps(to_plain(Verdict((), (), (), (), 0.0)))}])
        return text_of(families(case, reporting.report(case, {}), ["A"]))


def test_a_creator_is_shown_without_password_token_and_characters_that_repaint() -> None:
    shown = text([
        {"creator": "probe", "label": "http://bob:S3CRET@10.0.0.1/?token=S3CRET", "births_per_hour": 36.0},
        {"creator": "visitor", "label": "curl\x1b[2J GET /a;jsessionid=S3CRET", "births_per_hour": 36.0},
    ])  # fmt: skip
    assert 'creator="http://10.0.0.1/?token=***",store="A"} 0.01' in shown
    assert "S3CRET" not in shown
    assert "\x1b" not in shown


def test_many_creators_are_no_more_series_than_there_is_room_for_and_add_up() -> None:
    claims = [{"creator": "visitor", "label": f"bot-{number}", "births_per_hour": 36.0} for number in range(500)]
    rates = [float(line.rsplit(" ", 1)[1]) for line in text(claims).splitlines()
             if line.startswith("necropsy_session_births_per_second{")]  # fmt: skip
    assert len(rates) == CREATORS + 1
    assert abs(sum(rates) - 5.0) < 1e-9
