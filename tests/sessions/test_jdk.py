"""Java's streams read as data."""

from __future__ import annotations

import struct

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from necropsy.sessions import jdk
from sessions.keyspaces import FEW, integer, long, string

LONGS = st.integers(-(2**63), 2**63 - 1)
INTEGERS = st.integers(-(2**31), 2**31 - 1)
DECIMALS = st.integers(-(10**18) + 1, 10**18 - 1)


def modified_utf8(text: str) -> bytes:
    """What ``DataOutputStream.writeUTF`` writes, after its length."""
    units = text.encode("utf-16-be", "surrogatepass")
    encoded = b""
    for unit in struct.unpack(f">{len(units) // 2}H", units):
        encoded += b"\xc0\x80" if unit == 0 else chr(unit).encode("utf-8", "surrogatepass")
    return encoded


@FEW
@given(st.lists(LONGS))
def test_a_long_is_what_its_last_eight_bytes_say(values: list[int]) -> None:
    assert jdk.integers(pa.array([long(value) for value in values], pa.binary())).to_pylist() == values


@FEW
@given(st.lists(INTEGERS))
def test_an_integer_keeps_its_sign(values: list[int]) -> None:
    assert jdk.integers(pa.array([integer(value) for value in values], pa.binary())).to_pylist() == values


@FEW
@given(st.lists(st.tuples(DECIMALS, st.sampled_from(["{}", '"{}"', '["java.lang.Long",{}]', "{}L", " {} "]))))
def test_a_number_in_json_is_read_in_every_dress(values: list[tuple[int, str]]) -> None:
    column = pa.array([dress.format(value).encode() for value, dress in values], pa.binary())
    assert jdk.integers(column).to_pylist() == [value for value, _ in values]


@FEW
@given(
    st.lists(st.one_of(st.none(), st.binary(max_size=120), INTEGERS.map(integer), DECIMALS.map(lambda n: b"%d" % n)))
)
def test_whatever_the_bytes_a_column_of_numbers_has_as_many_rows(values: list[bytes | None]) -> None:
    answer = jdk.integers(pa.array(values, pa.binary()))
    assert len(answer) == len(values)
    assert all(number is None for number, value in zip(answer.to_pylist(), values, strict=True) if not value)


def test_a_number_with_a_byte_changed_in_its_header_is_none() -> None:
    forged = bytearray(long(7))
    forged[30] ^= 1
    assert jdk.integers(pa.array([bytes(forged)])).to_pylist() == [None]


def test_a_sliced_column_is_read_from_its_own_rows() -> None:
    column = pa.array([long(1), b"2", integer(3), b"?"]).slice(1, 2)
    assert jdk.integers(column).to_pylist() == [2, 3]


@FEW
@given(st.lists(st.text(max_size=40)))
def test_serialized_strings_lose_their_dress_and_nothing_else(texts: list[str]) -> None:
    wanted = [text.encode() for text in texts]
    assert jdk.texts(pa.array([string(text) for text in texts], pa.binary())).to_pylist() == wanted


@FEW
@given(st.lists(st.uuids().map(str)))
def test_an_id_is_the_same_from_an_expiration_set_of_either_serializer(ids: list[str]) -> None:
    column = [string(f"expires:{one}") for one in ids] + [f'"expires:{one}"'.encode() for one in ids]
    assert jdk.texts(pa.array(column, pa.binary()), b"expires:").to_pylist() == [one.encode() for one in ids] * 2


@FEW
@given(st.lists(st.one_of(st.none(), st.binary(max_size=40))))
def test_whatever_the_members_a_column_of_texts_has_as_many_rows(values: list[bytes | None]) -> None:
    assert len(jdk.texts(pa.array(values, pa.binary()), b"expires:")) == len(values)


@FEW
@given(st.lists(st.tuples(st.text(max_size=50), st.binary(max_size=9).map(lambda noise: noise.replace(b"t", b"-")))))
def test_the_walk_finds_every_string_between_any_bytes_without_its_tag(pieces: list[tuple[str, bytes]]) -> None:
    stream = jdk.STREAM_MAGIC
    for text, noise in pieces:
        encoded = modified_utf8(text)
        stream += b"t" + struct.pack(">H", len(encoded)) + encoded + noise
    assert [text for text, _ in jdk.walk(stream)] == [text for text, _ in pieces]


@given(st.binary(max_size=300), st.booleans())
def test_the_walk_ends_on_any_bytes(noise: bytes, magic: bool) -> None:
    assert all(text.encode("utf-8", "replace") is not None for text, _ in jdk.walk(jdk.STREAM_MAGIC * magic + noise))


def test_a_string_that_was_cut_off_is_not_half_read() -> None:
    assert list(jdk.walk(string("whole") + b"t\x00\x09cut o")) == [("whole", ord("t"))]
