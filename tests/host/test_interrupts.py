"""Ctrl-C while a program is being started leaves no program behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import whyheap
from whyheap.host.interrupts import uninterrupted

SOURCES = Path(whyheap.__file__).parent
SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


def started(*signals: int, children: list[int]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(SLEEPS, start_new_session=True)
    children.append(process.pid)
    for number in signals:
        os.kill(os.getpid(), number)
    return process


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type] # a handler, or SIG_IGN
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_raised_when_what_was_started_has_ended(number: int) -> None:
    children: list[int] = []
    with handled(number, signal.default_int_handler):
        with pytest.raises(KeyboardInterrupt):
            uninterrupted(lambda: started(number, children=children))
        assert signal.getsignal(number) is signal.default_int_handler
    assert not is_running(children[0])


def test_who_ignores_interrupts_is_not_interrupted_and_its_programs_ignore_them_too() -> None:
    with handled(signal.SIGINT, signal.SIG_IGN):
        process = uninterrupted(lambda: started(signal.SIGINT, children=[]))
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.1)
        assert process.poll() is None
        process.kill()
        process.wait()


def test_a_program_that_cannot_be_started_is_an_error_and_the_interrupt_comes_after_it() -> None:
    def nothing() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["/nowhere/at/all"])

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(FileNotFoundError):
        uninterrupted(nothing)
    assert signal.getsignal(signal.SIGINT) is before


def test_every_program_is_started_so() -> None:
    starts = re.compile(r"^.*subprocess\.Popen\(.*$", re.MULTILINE)
    found = [line for file in SOURCES.rglob("*.py") for line in starts.findall(file.read_text(encoding="utf-8"))]
    assert found
    assert not [line for line in found if not line.strip().startswith("lambda: subprocess.Popen(")]
