from __future__ import annotations

from dataclasses import replace

import pytest

from necropsy.examine.interface import Examiner, examine_all
from necropsy.examine.registry import EXAMINERS, SLUGS
from necropsy.model.finding import Confidence, Finding, Severity

from .cases import scene, slugs


def test_every_examiner_has_a_slug_of_its_own_and_a_meaning() -> None:
    assert len(SLUGS) == len(EXAMINERS)
    assert all(meaning.endswith(".") for meaning in SLUGS.values())


def test_an_examiner_cannot_find_what_is_worse_than_it_declares() -> None:
    finding = Finding(Severity.CRITICAL, Confidence.LOW, "x", slug="misspelled")
    examiner = Examiner("area/name", "It is meant.", Severity.WARNING, (), lambda _: [finding])
    with scene() as s:
        with pytest.raises(ValueError, match="area/name declares warning"):
            examine_all(s.case, [examiner])
        (stamped,) = examine_all(s.case, [replace(examiner, severity=Severity.CRITICAL)]).findings
    assert (stamped.slug, stamped.meaning) == ("area/name", "It is meant.")


def test_what_was_not_looked_at_is_unexamined_and_never_fine() -> None:
    with scene() as s:
        examination = s.examine()
    assert not examination.findings
    assert not examination.cleared
    assert {u.slug for u in examination.unexamined} == set(SLUGS) - {"sessions/application-settings"}
    assert all(u.missing and u.hint.startswith("needs --") for u in examination.unexamined)


def test_an_empty_store_was_looked_at() -> None:
    with scene() as s:
        examination = s.source("rdb").examine()
    assert "sessions/immortal" not in {u.slug for u in examination.unexamined}
    assert slugs(examination) == set()


def test_keys_of_no_known_layout_leave_the_sessions_unexamined() -> None:
    with scene() as s:
        s.case.append(
            "key_family",
            [{"store": "a", "pattern": "sess:*", "role": "other", "keys": 500, "bytes": 72_000, "without_expiry": 1}],
        )
        examination = s.source("rdb").examine()
    unexamined = {u.slug: u.hint for u in examination.unexamined if u.missing == ("session",)}
    assert {"sessions/immortal", "probes/creates-sessions", "healthy"} <= set(unexamined)
    assert set(unexamined.values()) == {
        "store a: 500 keys of an unknown layout, possibly sessions; `necropsy keys` shows them"
    }


def test_a_finding_carries_the_slug_of_its_examiner() -> None:
    with scene() as s:
        examination = s.source("rdb").sessions(30, lifetime_s=2**31 - 1).examine()
    assert slugs(examination) == {"sessions/immortal"}
