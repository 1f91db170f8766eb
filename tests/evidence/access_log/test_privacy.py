"""Nothing confidential of a log enters the case, and no stranger's text harms who reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from necropsy.case.store import Case
from necropsy.evidence.access_log.masking import LENGTH, mask
from necropsy.evidence.access_log.reader import read

SECRETS = (
    "Zm9vYmFyYmF6cXV4",
    "hunter2hunter2",
    "jo.doe@example.org",
    "frank.s",
    "9F3C2A1B7D5E",
    "eyJhbGciOiJIUzI1NiJ9",
)


def test_no_secret_of_a_log_is_anywhere_in_the_bytes_of_the_case(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    head = "203.0.113.9 - frank.s [24/May/2019:18:41:34 +0000]"
    log.write_text(
        f'{head} "GET /login;jsessionid=9F3C2A1B7D5E?token=Zm9vYmFyYmF6cXV4 HTTP/1.1" 302 1 "https://a.example/?p=hunter2hunter2" "curl/8"\n'
        f'{head} "GET /invite/jo.doe@example.org/9F3C2A1B7D5E HTTP/1.1" 200 1 "https://a.example/reset/eyJhbGciOiJIUzI1NiJ9" "curl/8"\n'
        f"damaged: Cookie: SESSION=Zm9vYmFyYmF6cXV4; user=frank.s Authorization: Basic eyJhbGciOiJIUzI1NiJ9 jo.doe@example.org\n"
        f'{head} "GET /x HTTP/1.1" 200 1 "-" "curl/8" damaged session hunter2hunter2\n'
    )
    with Case.create(tmp_path / "a.case") as case:
        read_log = read(case, [str(log)])
        case.append("blemish", [{"file": b.file, "sample": b.sample} for b in read_log.blemishes])
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("*.case*"))
    assert read_log.requests == 3  # the last line is combined with more after it
    for secret in SECRETS:
        assert secret.encode() not in stored, secret
        assert secret not in json.dumps([b.sample for b in read_log.blemishes]), secret


def test_addresses_are_kept_or_hashed_before_they_enter_the_case(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '203.0.113.{} - - [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8"\n'
    log.write_text("".join(line.format(number % 3) for number in range(9)) + line.replace("203.0.113.{}", "-"))
    with Case.create(tmp_path / "a.case") as case:
        read(case, [str(log)], hash_with=case.hashes)
        clients = {row["client"] for row in case.rows("SELECT client FROM visitor_class")}
        expected = case.hashes(pa.array([f"203.0.113.{number}" for number in range(3)])).to_pylist()
    assert clients == {"", *(f"#{number:016x}" for number in expected)}
    assert b"203.0.113." not in b"".join(path.read_bytes() for path in tmp_path.glob("*.case*"))


@given(st.text(max_size=400))
def test_a_sample_is_short_and_holds_nothing_that_a_terminal_obeys(line: str) -> None:
    sample = mask(line)
    assert len(sample) <= LENGTH
    assert sample.isprintable()


@given(
    st.sampled_from(
        [
            "Cookie: {}",
            "cookie={}",
            '"Set-Cookie": "{}"',
            "Authorization: Bearer {}",
            "?token={}",
            "PHPSESSID={}",
            "x {} y",
        ]
    ),
    st.from_regex(r"[a-z]{4}[0-9]{4}[a-zA-Z0-9]{8,40}", fullmatch=True),
)
def test_a_credential_is_masked_wherever_it_stands(form: str, secret: str) -> None:
    assert secret not in mask("GET /a " + form.format(secret) + " HTTP/1.1")


def test_a_sample_keeps_what_helps() -> None:
    line = '{"@timestamp":"2019-05-24T18:41:34+00:00","host":"172.12.1.189:80","request":"GET / HT'
    assert mask(line) == line
