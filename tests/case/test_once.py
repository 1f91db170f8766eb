from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from necropsy.case.once import Once


def test_however_many_ask_at_once_it_is_made_once() -> None:
    made: list[object] = []
    together = Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    value = Once(make)

    def ask(_: int) -> object:
        together.wait()
        return value()

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(ask, range(8)))
    assert given == [made[0]] * 8
    assert len(made) == 1


def test_what_fails_is_tried_again() -> None:
    answers = [1, 0]
    value = Once(lambda: 1 / answers.pop())
    with pytest.raises(ZeroDivisionError):
        value()
    assert value() == 1


def test_after_its_end_there_is_none_and_none_is_made() -> None:
    ended: list[int] = []
    value = Once(lambda: 7)
    value.end(ended.append)
    assert not ended
    with pytest.raises(RuntimeError, match="after its end"):
        value()
    value = Once(lambda: 7)
    value()
    for _ in range(2):
        value.end(ended.append)
    assert ended == [7]
