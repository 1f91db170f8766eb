"""The demo's end: both stores are purged while their users work, and one batch is undone."""

from __future__ import annotations

import pytest

from necropsy.lab.purging import purge_while_users_work

pytestmark = pytest.mark.integration


def test_both_stores_are_purged_and_no_user_notices() -> None:
    results = list(purge_while_users_work(3, lambda _what: None, most=3000))
    assert [one.name for one in results] == ["admin-a", "admin-b"]
    for one in results:
        assert one.noticed == 0
        assert one.users > 10
        assert one.visits > 10
        assert 1000 < one.deleted <= one.planned
        assert one.deleted + one.kept == one.planned
        assert one.freed > 0
        assert one.undone > 0
