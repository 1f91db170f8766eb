"""Payloads read and sealed without a server, and what real servers say to them."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.treat.purge.frames import Frames, JournalError
from necropsy.treat.purge.payload import Unreadable, end_of_value, logical, seal, unsealed, value_of, version_of
from servers import NAMES, running

_VALUES = {
    "number": b"12", "large number": b"-123456789", "text": b"x" * 10, "long text": b"abc" * 200, "random": bytes(range(256)),
    "empty": b"",
}  # fmt: skip


@given(data=st.binary(max_size=200), code=st.sampled_from([0, 4, 13, 16, 2, 255]))
def test_no_bytes_make_reading_raise_anything_but_unreadable(data: bytes, code: int) -> None:
    for call in (lambda: logical(bytes([code]) + data), lambda: end_of_value(data, code, 0)):
        with contextlib.suppress(Unreadable, IndexError):
            call()


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_payloads_of_real_servers_are_read_and_sealed_as_theirs(name: str) -> None:
    with running(name) as server:
        client = server.client()
        hashes: dict[str, dict[bytes, bytes]] = {
            "small": {b"a": b"1", b"b": b"-70000", b"c": b"x" * 40, b"d": b"9" * 18},
            "large": {b"field%d" % number: b"v%d" % number * 30 for number in range(300)},
        }
        for key, text in _VALUES.items():
            client.set(key, text)
        for key, fields in hashes.items():
            client.hset(key, mapping=fields)
        for key in (*_VALUES, *hashes):
            payload = client.dump(key)
            assert logical(payload) == (hashes.get(key) or _VALUES.get(key, b""))
            value = value_of(payload)
            assert end_of_value(value, value[0], 1) == len(value)
            assert seal([unsealed(value, version_of(payload))]) == [payload]
        mixed = [unsealed(value_of(client.dump(key)), version_of(client.dump(key))) for key in (*_VALUES, *hashes)]
        assert seal(mixed) == [client.dump(key) for key in (*_VALUES, *hashes)]


@settings(max_examples=60)
@given(bodies=st.lists(st.binary(max_size=50), max_size=6), cut=st.integers(0, 400), flip=st.integers(0, 400))
def test_frames_that_are_cut_or_changed_never_give_what_was_not_written(
    bodies: list[bytes], cut: int, flip: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        frames = Frames(path, b"k")
        for body in bodies:
            frames.append(1, body, sync=False)
        frames.close()
        whole = path.read_bytes() if path.exists() else b""
        path.write_bytes(whole[: len(whole) - cut])
        assert [f.body for f in Frames(path, b"k").read()] == bodies[: len(list(Frames(path, b"k").read()))]
        if whole:
            place = flip % len(whole)
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            got: list[bytes] = []
            try:
                for frame in Frames(path, b"k").read():
                    got.append(frame.body)  # noqa: PERF401 -- what came before the error counts
            except JournalError:
                pass
            assert got == bodies[: len(got)]
            assert len(got) < len(bodies)
