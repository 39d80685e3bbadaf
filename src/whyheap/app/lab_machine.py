"""The lab's machine, inside and outside: scenarios under a real cgroup v2 on hosts that have none."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.app.record import RecordRequest, record
from whyheap.errors import ToolError
from whyheap.host.machine import run_machine
from whyheap.lab.machine_image import write_image
from whyheap.lab.machine_run import MachineResult, received, run_job, send
from whyheap.lab.scenarios import Scenario

_BOOT_SECONDS = 60.0
_SLOWER = 3.0
"""A processor in software is slower: the program's seconds are the same, what surrounds them is not."""


def main() -> None:
    """Run inside: record the job, send it out."""
    send(run_job(_record))


def _record(target: str, file: Path, stop: threading.Event) -> None:
    record(RecordRequest((target,), file, wait_seconds=0.0), stop=stop)


def run_in_machine(scenario: Scenario, binary: Path) -> MachineResult:
    """Run one scenario in a machine of its own. Raises ToolError when that is not possible, or it failed inside."""
    with TemporaryDirectory(prefix="whyheap-machine-") as folder:
        image = Path(folder, "initramfs")
        write_image(image, scenario, binary)
        said = run_machine(image, memory_mebibytes=1536, seconds=_BOOT_SECONDS + _SLOWER * scenario.seconds)
    result = received(said)
    if not isinstance(result, MachineResult):
        raise ToolError(result.reason, result.hint)
    if result.error:
        raise ToolError(f"inside the machine: {result.error}", "")
    return result
