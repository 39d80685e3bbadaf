"""Record heap dumps of a small program by each Go, for the tests of their reader.

    .venv/bin/python scripts/record_heap_dumps.py [VERSION...]   # of the toolchains in .cache/go; default all

Recordings: tests/recorded/heap_dumps/<version>.gz, of main.go beside them. The program is built without paths and runs
without an environment, so that nothing of this machine is in them.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLCHAINS = ROOT / ".cache" / "go"
RECORDED = ROOT / "tests" / "recorded" / "heap_dumps"


def main(versions: list[str]) -> None:
    """Build, run and compress."""
    for version in versions or sorted(folder.name for folder in TOOLCHAINS.iterdir()):
        go = TOOLCHAINS / version / "go" / "bin" / "go"
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "go.mod").write_text("module example.test/held\n\ngo 1.22\n", encoding="utf-8")
            (place / "main.go").write_bytes((RECORDED / "main.go").read_bytes())
            env = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": ""}
            subprocess.run([go, "build", "-trimpath", "-o", "held", "."], cwd=place, env=env, check=True)
            subprocess.run([place / "held"], cwd=place, env={}, check=True)
            dump = (place / "heap.dump").read_bytes()
        file = RECORDED / f"{version}.gz"
        file.write_bytes(gzip.compress(dump, mtime=0))
        print(f"{version}: {len(dump):,} B, compressed {file.stat().st_size:,} B")


if __name__ == "__main__":
    main(sys.argv[1:])
