"""What is said on standard error while something lasts."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from whyheap.cli import output
from whyheap.cli.output import Progress


class Log(io.StringIO):
    """A standard error that is no terminal, and tells when a line was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def listen(monkeypatch: pytest.MonkeyPatch, patience: float = 0.01) -> Log:
    log = Log()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", patience)
    return log


def test_a_log_hears_of_what_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    log = listen(monkeypatch)
    progress = Progress(quiet=False)
    progress("compiling")
    assert log.written.wait(10)
    progress.clear()
    assert log.getvalue().startswith("whyheap: compiling (0 min 0 s so far)\n")
    assert "\r" not in log.getvalue()


def test_a_log_hears_nothing_of_what_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    log = listen(monkeypatch, patience=600)
    progress = Progress(quiet=False)
    progress("compiling")
    progress.clear()
    assert log.getvalue() == ""


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    log = listen(monkeypatch)
    progress = Progress(quiet=True)
    progress("compiling")
    assert not log.written.wait(0.1)
