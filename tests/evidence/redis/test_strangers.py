"""Servers that answer what no Redis answers: an error that says so, or the figures of what came before."""

from __future__ import annotations

import pytest

from fuzz.tapes import BETWEEN, FOLDER, PAUSE, play
from necropsy.model.errors import UnreadableSource

TAPES = sorted(FOLDER.iterdir())
HELLO = PAUSE.join([b"+PONG\r\n", b"+OK\r\n+OK\r\n"])


@pytest.mark.parametrize("tape", TAPES, ids=lambda path: path.stem)
def test_what_a_real_server_sent_is_read_without_it(tape: object) -> None:
    rows, facts, blemishes, *_ = play(tape.read_bytes())  # type: ignore[attr-defined]
    assert (rows, blemishes) == (9 if "cluster" in str(tape) else 21, [])
    assert facts["redis-ver"]


@pytest.mark.parametrize("answer", [b":7\r\n", b"*2\r\n:1\r\n:2\r\n", b"$-1\r\n", b"+\xff\r\n"])
def test_an_answer_of_another_shape_is_named(answer: bytes) -> None:
    spoken = BETWEEN.join([PAUSE.join([HELLO, b"$5\r\n# Srv\r\n"]), PAUSE.join([HELLO, answer * 40])])
    with pytest.raises(UnreadableSource) as raised:
        play(b"script\n" + spoken)
    assert "does not answer like Redis" in raised.value.message or "cannot be used" in raised.value.message
    assert raised.value.hint


def test_what_is_no_reply_in_the_middle_is_named() -> None:
    with pytest.raises(UnreadableSource, match="does not speak the protocol of Redis"):
        play(b"script\n" + PAUSE.join([HELLO, b"HTTP/1.1 400 Bad Request\r\n\r\n"]))


def test_a_scan_that_turns_odd_keeps_what_was_handed_out_and_says_so() -> None:
    script = next(path for path in TAPES if path.stem == "redis-7.0-pipeline").read_bytes()
    at = script.rindex(b"*2\r\n$1\r\n0\r\n*")  # the answer to SCAN
    rows, _, blemishes, *_ = play(script[:at] + b"*2\r\n:1\r\n:2\r\n" + script[at:])
    assert rows == 0
    assert "does not answer like Redis: none of about 21" in blemishes[0].why


def test_a_sentinel_whose_master_has_no_name_is_a_stranger() -> None:
    tape = next(path for path in TAPES if path.stem == "redis-7.0-sentinel").read_bytes()
    with pytest.raises(UnreadableSource):
        play(tape.replace(b"$4\r\nname\r\n", b"$4\r\nnone\r\n").replace(b"$2\r\nip\r\n", b"$2\r\nno\r\n"))


def test_a_stream_of_which_something_came_unasked_is_not_read() -> None:
    tape = next(path for path in TAPES if path.stem == "redis-7.0-stream").read_bytes()
    head, _, dump = tape.rpartition(PAUSE)
    with pytest.raises(UnreadableSource, match="sends more than was requested"):
        play(head + dump)
