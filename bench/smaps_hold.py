"""How long a process is held up while its memory is told apart: longest mmap and page fault, in ms.

    python bench/smaps_hold.py --go .cache/go/1.27.3/go/bin/go --mebibytes 1024

A program keeps so much resident and maps a little more, again and again. One of its seconds each: nobody looks, smaps,
smaps_rollup, and the page map as host/page_map.py reads it; the whole is repeated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from whyheap.host.page_map import read_resident

SOURCE = Path(__file__).resolve().parent / "smaps_hold"


def read(pid: int, name: str) -> None:
    """Read a file of /proc/PID as a whole."""
    Path(f"/proc/{pid}/{name}").read_bytes()


def main() -> None:
    """Build, run, look, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--go", required=True)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    looks: dict[str, Callable[[int], object]] = {
        "nobody looks": lambda _: None,
        "smaps": lambda pid: read(pid, "smaps"),
        "smaps_rollup": lambda pid: read(pid, "smaps_rollup"),
        "page map": read_resident,
    }
    print(
        f"{arguments.mebibytes} MiB resident: longest mmap and longest fault of a second, and what the look took, in ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, "hold")
        env = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
        subprocess.run([arguments.go, "build", "-o", str(binary), "main.go"], cwd=SOURCE, env=env, check=True)
        command = [str(binary), "-mebibytes", str(arguments.mebibytes)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            lines = iter(process.stdout or ())
            next(lines)
            for _ in range(arguments.rounds):
                for name, look in looks.items():
                    next(lines)
                    begun = time.perf_counter()
                    look(process.pid)
                    took = (time.perf_counter() - begun) * 1e3
                    mapping, fault = next(lines).split()
                    print(f"{name:14} {mapping:>8} {fault:>8} {took:8.2f}")
            process.kill()


if __name__ == "__main__":
    main()
