"""Reads the layout of a program's runtime in a second process, once for each build of the program.

Its debug information takes some 10 to 80 MiB while it is read. A recorder that runs beside a service for weeks is not
to keep them: they go back with the process that read them, and what it found is in the cache.
"""

from __future__ import annotations

import time

from whyheap.collect.process_image import open_image
from whyheap.collect.runtime_layout_store import DEBUG_SECTIONS, kept_file
from whyheap.errors import WhyheapError
from whyheap.goruntime.allocators import type_argument
from whyheap.host import second_process
from whyheap.host.running_program import open_running_program
from whyheap.parse.machine_code.program import Program
from whyheap.parse.source_path import spell_foreign

LONGEST_SECONDS = 60.0
_LOOK_SECONDS = 0.02


def read_ahead(pid: int) -> None:
    """See to it that the layout of this process is in the cache, where a second process can do that.

    What cannot be read is left to those who need it, and say so; so is a stripped program, whose Go is asked perhaps.
    """
    try:
        if not _is_missing(pid):
            return
    except WhyheapError:
        return
    process = second_process.start(__name__, str(pid).encode("ascii"))
    deadline = time.monotonic() + LONGEST_SECONDS
    while process is not None and second_process.is_running(process) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _is_missing(pid: int) -> bool:
    """Whether the program has a layout to be read that is not kept yet. Raises WhyheapError: it is not understood."""
    running = open_running_program(pid)
    program = Program(memoryview(running.data), spell_foreign, type_argument)
    return bool(DEBUG_SECTIONS & set(program.image.sections)) and not kept_file(program, running.data).is_file()


def main() -> None:
    """Read the layout of the process that we were asked for."""
    try:
        open_image(int(second_process.read_job())).memory.close()
    except WhyheapError:
        return


if __name__ == "__main__":
    main()
