from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from children import started
from necropsy.cli import following
from necropsy.model.errors import NoEvidence, UnreadableSource, UsageError
from necropsy.model.traffic import Beat
from necropsy.report.commands import traffic_live, traffic_rows
from necropsy.traffic.follow import follow
from nginx import Logging, logging_nginx

pytestmark = pytest.mark.process

LOG = Path(__file__).parents[1] / "assets" / "access_log" / "nginx_json_prober_is_redirected.log"
COMMAND = [sys.executable, "-m", "necropsy.cli.main", "traffic", "--follow"]


@contextmanager
def beats(*logs: Path, stopped: Callable[[], bool] = lambda: False, **options: Any) -> Iterator[Iterator[Beat]]:
    names = [str(log) for log in logs]
    with closing(follow(names, interval_s=0.01, stopped=stopped, **options)) as following:
        yield following


def test_a_log_is_followed_until_somebody_stops_it(tmp_path: Path) -> None:
    log, stopped = tmp_path / "access.log", Event()
    lines = LOG.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:5]))
    with beats(log, stopped=stopped.is_set) as following:
        first = next(following)
        with log.open("ab") as out:
            out.writelines(lines[5:])
        second = next(following)
        stopped.set()
        last = next(following)
        assert list(following) == []
    assert (first.lines, second.lines, last.lines) == (5, len(lines) - 5, 0)
    assert (first.last, second.last, last.last) == (False, False, True)
    assert second.traffic is not None
    prober = second.traffic.visitors[0]
    assert (prober.agent, prober.period_s, prober.sessions, prober.log) == ("Go net/http", 10.0, "likely", str(log))
    assert [source.locator for source in second.traffic.sources] == [str(log)]
    assert last.traffic is second.traffic  # nothing came: nothing was read again


def test_an_empty_log_and_one_that_is_none_are_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    with beats(log) as following:
        assert (next(following).traffic, next(following).waiting_for) == (None, "the first line")
        log.write_text("no access log\n")
        waiting = next(following)
    assert (waiting.traffic, waiting.lines) == (None, 1)
    assert waiting.waiting_for.startswith(f"{log}: ")


def test_hashes_stay_the_same_while_a_log_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '203.0.113.7 - - [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 17 "-" "curl/8.5.0"\n'
    log.write_text(line)
    clients = []
    with beats(log, hash_clients=True) as following:
        for _ in range(2):
            beat = next(following)
            assert beat.traffic is not None
            clients += [visitor.client for visitor in beat.traffic.visitors]
            with log.open("a") as out:
                out.write(line)
    assert len(set(clients)) == 1
    assert clients[0].startswith("#")


def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    for logs, error in (([], NoEvidence), ([LOG, LOG], UsageError), ([tmp_path / "missing.log"], UnreadableSource)):
        with pytest.raises(error), beats(*logs) as following:
            next(following)


def test_a_line_of_json_an_interval_is_valid_by_the_published_schema(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    live, whole = (json.loads(text) for text in (traffic_live.schema(), traffic_rows.schema()))
    both = {**live, "$defs": {"traffic": whole}}  # a schema inside is found by its $id
    validator = Draft202012Validator(both, format_checker=FormatChecker())
    with beats(log) as following:
        for _ in range(2):
            text = traffic_live.as_json_line(next(following))
            assert text.count("\n") == 1
            validator.validate(json.loads(text))
            log.write_bytes(LOG.read_bytes())
    broken = json.loads(text)
    broken["traffic"]["visitors"][0]["visits"] = "many"
    assert not validator.is_valid(broken)


def test_a_pipe_is_followed_to_its_end() -> None:
    done = subprocess.run(
        [*COMMAND, "-", "--format", "json", "--interval", "0.1"],
        input=LOG.read_bytes(),
        capture_output=True,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said[-1]["last"]
    assert said[-1]["lines_total"] == len(LOG.read_bytes().splitlines())
    assert said[-1]["traffic"]["visitors"][0]["period_s"] == 10.0
    assert sum(beat["lines"] for beat in said) == said[-1]["lines_total"]


@pytest.mark.parametrize(
    "more", [["--output", "x.json"], ["--format", "html"], ["--window", "many"], ["--since", "2019-05-24"]]
)
def test_what_makes_no_sense_live_is_a_mistake(more: list[str]) -> None:
    done = subprocess.run([*COMMAND, str(LOG), *more], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "hint:" in done.stderr


def test_ctrl_c_ends_with_a_summary_and_no_error() -> None:
    with started("traffic", "--follow", str(LOG), "--interval", "0.2") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert "21 lines" in line
    assert (process.returncode, said) == (0, "")
    assert "TRAFFIC  15 visits (21 requests) of 3 client groups" in rest
    assert "Followed for" in rest


def test_a_signal_at_whatever_moment_ends_it(tmp_path: Path) -> None:
    """A handler runs between any two steps of the program: it must not wait for what the program holds just then."""
    log = tmp_path / "access.log"
    log.touch()
    chance = random.Random(7)
    before = signal.getsignal(signal.SIGALRM)
    try:
        for _ in range(300):
            with following.stoppable() as stopped:
                handler = signal.getsignal(signal.SIGTERM)
                assert callable(handler)
                signal.signal(signal.SIGALRM, handler)
                with closing(follow([str(log)], interval_s=0.0, stopped=stopped)) as beats_of_it:
                    next(beats_of_it)
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 1e-3))
                    assert list(beats_of_it)[-1].last
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_terminal_shows_one_screen_that_is_drawn_again_and_a_summary_at_the_end() -> None:
    ours, theirs = pty.openpty()
    os.set_inheritable(theirs, True)
    shown = b""
    with (
        started("traffic", "--follow", str(LOG), "--interval", "0.2", out=theirs) as process,
        os.fdopen(ours, "rb", buffering=0) as terminal,
    ):
        os.close(theirs)
        while shown.count(b"Ctrl-C ends") < 2:
            shown += terminal.read(65536)
        process.send_signal(signal.SIGINT)
        try:
            while part := terminal.read(65536):
                shown += part
        except OSError:  # Linux: the other side has hung up
            pass
        assert process.wait(timeout=60) == 0
    assert b"\x1b[2K" in shown  # the screen before is wiped, line by line
    assert b"Followed for" in shown.rsplit(b"Ctrl-C ends", 1)[1]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Logging]:
    with logging_nginx(tmp_path) as running:
        yield running


@pytest.mark.integration
def test_a_log_that_nginx_writes_is_followed_through_its_rotation_and_its_truncation(nginx: Logging) -> None:
    """``mv`` and reopen, as logrotate does it with ``create``; then emptied, as it does with ``copytruncate``."""
    with started("traffic", "--follow", str(nginx.log), "--format", "json", "--interval", "0.2") as process:
        assert process.stdout is not None

        def until(lines: int, rotations: int) -> dict[str, Any]:
            assert process.stdout is not None
            for line in process.stdout:
                beat: dict[str, Any] = json.loads(line)
                if (beat["lines_total"], beat["rotations"]) == (lines, rotations):
                    return beat
            pytest.fail("it ended before the lines came")

        nginx.ask("/", times=3)
        until(3, 0)
        nginx.rotate()
        nginx.ask("/shop/42", times=4)
        until(7, 1)
        nginx.log.write_bytes(b"")
        until(7, 2)
        nginx.ask("/health", times=2)
        until(9, 2)
        process.send_signal(signal.SIGINT)
        last = json.loads(process.stdout.read().splitlines()[-1])
        assert process.wait(timeout=60) == 0
    assert last["last"]
    visits = {visitor["path"]: visitor["visits"] for visitor in last["traffic"]["visitors"]}
    assert visits == {"/": 3, "/shop/*": 4, "/health": 2}
    assert {visitor["user_agent"] for visitor in last["traffic"]["visitors"]} == {"necropsy-test/1"}
