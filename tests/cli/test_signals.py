"""Signals that are waited for, also those that the system gives to a thread that is not the main one."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from necropsy.cli.signals import told_of


@pytest.mark.process
def test_a_signal_that_another_thread_is_given_wakes_the_one_that_waits() -> None:
    def send() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)

    before = signal.getsignal(signal.SIGHUP)
    with told_of(signal.SIGHUP, signal.SIGUSR1) as next_signal:
        other = threading.Timer(0.2, send)
        other.start()
        assert next_signal() == signal.SIGHUP
        other.join()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert next_signal() == signal.SIGUSR1
    assert signal.getsignal(signal.SIGHUP) is before
