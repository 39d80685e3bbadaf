"""Records the profiles in tests/recorded/profiles: python scripts/record_profiles.py GO...

Each GO is a go command; its version names the folder. With the profiles, what `go tool pprof -top` of the first GO says
of them is recorded: the figures that ours must equal.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "recorded" / "profiles"
# One version is enough of what only has to be refused.
REFUSED = ("cpu.pb.gz", "goroutine.pb.gz", "goroutine.txt")
COLUMNS = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")


def main(go_commands: list[str]) -> None:
    """Record with every Go, oldest first."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "PPROF_TMPDIR": tempfile.gettempdir()}
    for index, go in enumerate(go_commands):
        version = run([go, "env", "GOVERSION"], environment).strip()
        folder = RECORDED / version
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            binary = str(Path(scratch) / "program")
            run([go, "build", "-trimpath", "-o", binary, "."], environment, RECORDED / "program")
            run([binary, str(folder)], environment)
        for name in REFUSED:
            if index:
                (folder / name).unlink()
        for column in COLUMNS:
            top = run(
                [
                    *(go_commands[0], "tool", "pprof", "-top", "-nodefraction=0", "-nodecount=0", "-edgefraction=0"),
                    *("-unit=B", f"-sample_index={column}", str(folder / "heap.pb.gz")),
                ],
                environment,
            )
            (folder / f"heap.{column}.top.txt").write_text(top, encoding="utf-8")
        print(f"recorded {version}: {sum(file.stat().st_size for file in folder.iterdir())} bytes")


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    """Return a command's output; its errors go to the terminal."""
    return subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:] or ["go"])
