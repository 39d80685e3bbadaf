"""The lab's machine, inside and outside: scenarios under a real cgroup v2 on hosts that have none."""

from __future__ import annotations

import mmap
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.app.record import RecordRequest, record
from whyheap.collect.runtime_layout_store import PLACE as LAYOUTS
from whyheap.collect.runtime_layout_store import find_layout, kept_file
from whyheap.errors import ToolError
from whyheap.goruntime.allocators import type_argument
from whyheap.host.machine import run_machine
from whyheap.lab.machine_image import CACHE, write_image
from whyheap.lab.machine_run import MachineResult, received, run_job, send
from whyheap.lab.scenarios import Scenario
from whyheap.parse.machine_code.program import Program
from whyheap.parse.source_path import spell_foreign

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
        layout = _layout(binary)
        write_image(image, scenario, binary, {f"{CACHE}/{LAYOUTS}/{layout.name}": layout})
        said, console = run_machine(image, memory_mebibytes=1536, seconds=_BOOT_SECONDS + _SLOWER * scenario.seconds)
    result = received(said)
    if not isinstance(result, MachineResult):
        last = console.strip().splitlines()[-1:] or [""]
        raise ToolError(f"{result.reason}: {last[0][:300]}", result.hint)
    if result.error:
        raise ToolError(f"inside the machine: {result.error}", "")
    return result


def _layout(binary: Path) -> Path:
    """Work out the layout of the program's runtime here, where that takes a second; return the file that keeps it."""
    with binary.open("rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    program = Program(memoryview(data), spell_foreign, type_argument)
    find_layout(program, data)
    return kept_file(program, data)
