"""The machine of a server, where it is this one; and nothing where it only looks so."""

from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.evidence.redis.host import host_facts
from necropsy.wire.redis.address import Endpoint

KB = 1024


def process(proc: Path, number: int, name: str, resident: int, swapped: int = 0) -> None:
    folder = proc / str(number)
    folder.mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "status").write_text(f"Name:\t{name}\nVmRSS:\t{resident} kB\nVmSwap:\t{swapped} kB\nThreads:\t4\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with a server, two others, and a program that is none."""
    for number, name, resident in ((7, "redis-server", 100), (8, "redis-server", 200), (9, "valkey-server", 300)):
        process(tmp_path, number, name, resident, swapped=11 if number == 7 else 0)
    process(tmp_path, 10, "nginx", 5000)
    (tmp_path / "meminfo").write_text(
        "MemTotal:  1000 kB\nMemAvailable:  400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\nHugePages_Total: 0\n"
    )
    return tmp_path


def test_memory_swap_and_neighbours_are_told_in_bytes(proc: Path) -> None:
    assert host_facts({"process_id": "7"}, local=True, proc=proc) == {
        "host:memory-total": str(1000 * KB),
        "host:memory-available": str(400 * KB),
        "host:swap-total": str(50 * KB),
        "host:swap-free": str(20 * KB),
        "host:server-swapped": str(11 * KB),
        "host:neighbours": "2",
        "host:neighbours-resident": str(500 * KB),
    }


@pytest.mark.parametrize("number", ["10", "99", "", "../7", "-7"])
def test_a_number_that_is_another_programs_here_tells_nothing(proc: Path, number: str) -> None:
    # As in a container whose port is forwarded: process 1 there is not process 1 here.
    assert host_facts({"process_id": number}, local=True, proc=proc) == {}


def test_a_server_elsewhere_tells_nothing(proc: Path) -> None:
    assert host_facts({"process_id": "7"}, local=False, proc=proc) == {}


def test_what_cannot_be_read_is_left_out(proc: Path) -> None:
    (proc / "meminfo").unlink()
    (proc / "7" / "status").write_text("VmSwap: many kB\n\n:\nVmRSS")
    assert host_facts({"process_id": "7"}, local=True, proc=proc) == {
        "host:neighbours": "2",
        "host:neighbours-resident": str(500 * KB),
    }


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        (Endpoint(path="/run/redis.sock"), True),
        (Endpoint("127.0.0.1"), True),
        (Endpoint("::1"), True),
        (Endpoint("localhost"), True),
        (Endpoint("10.0.0.7"), False),
        (Endpoint("cache.example"), False),
    ],
)
def test_loopback_and_sockets_are_of_this_machine(endpoint: Endpoint, local: bool) -> None:
    assert endpoint.local is local
