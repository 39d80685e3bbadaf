"""What runs inside the lab's machine: a scenario under cgroup v2, recorded; the recording goes out by a serial port."""

from __future__ import annotations

import os
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

import msgspec

from whyheap.lab.machine_image import MachineJob
from whyheap.lab.scenario_run import Ending, run_scenario
from whyheap.model.gauge import Gap

PORT = Path("/dev/ttyS1")
_JOB = Path("/job.json")
_FILE = Path("/tmp/run.whyheap")  # noqa: S108 - the machine's own
_BEGIN, _END = b"WHYHEAP-BEGIN", b"WHYHEAP-END"

Record = Callable[[str, Path, threading.Event], None]


class MachineResult(msgspec.Struct, frozen=True):
    """What came of it: how the program ended and the recording, "" and empty with an `error`."""

    ending: Ending | None
    capture: bytes
    error: str = ""


def run_job(record: Record) -> MachineResult:
    """Run the job that the image was made for."""
    job = msgspec.json.decode(_JOB.read_bytes(), type=MachineJob, dec_hook=_decoded)

    def watch(target: str, stop: threading.Event) -> None:
        record(target, _FILE, stop)

    try:
        ending = run_scenario(job.scenario, Path(job.binary), watch, by_pid=True)
    except Exception as error:  # noqa: BLE001 - told outside, where somebody reads it
        return MachineResult(None, b"", f"{type(error).__name__}: {error}")
    return MachineResult(ending, _FILE.read_bytes() if _FILE.is_file() else b"")


def _decoded(type_: type, value: object) -> object:
    """Let paths be read from text."""
    return type_(value)


def send(result: MachineResult) -> None:
    """Write a result to the serial port, byte for byte."""
    handle = os.open(PORT, os.O_WRONLY | os.O_NOCTTY)
    try:
        tty.setraw(handle, termios.TCSANOW)
        data = msgspec.msgpack.encode(result)
        for part in (_BEGIN, data, _END):
            left = memoryview(part)
            while left:
                left = left[os.write(handle, left) :]
        termios.tcdrain(handle)
    finally:
        os.close(handle)


def received(said: bytes) -> MachineResult | Gap:
    """Read what the serial port gave; a Gap when the machine ended before it told."""
    _, begin, rest = said.partition(_BEGIN)
    body, end, _ = rest.rpartition(_END)
    if not begin or not end:
        return Gap("lab", "the machine ended before it told what it saw", "Run it again; it needs 1.5 GiB of memory.")
    return msgspec.msgpack.decode(body, type=MachineResult)
