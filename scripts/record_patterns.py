"""Record what the compiler prints for each pattern's example.go, for tests that need no Go.

    .venv/bin/python scripts/record_patterns.py                      all locked versions, from .cache/go
    .venv/bin/python scripts/record_patterns.py --go PATH --out DIR  one toolchain, into DIR

Writes tests/recorded/<go version>/patterns/<slug>.txt: the output of `go build -gcflags=-m=2`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from whyheap.patterns.catalogue import PATTERNS
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "recorded"
GO_LINE = "go 1.22"  # one meaning of loop variables for all versions


def main() -> None:
    """Record one toolchain, or all that `make test` has unpacked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", type=Path, help="a go command; needs --out")
    parser.add_argument("--out", type=Path, help="folder for the text files")
    parser.add_argument("--toolchains", type=Path, default=ROOT / ".cache" / "go", help="holds <version>/go/bin/go")
    chosen = parser.parse_args()
    if chosen.go is not None and chosen.out is not None:
        record(chosen.go, chosen.out)
        return
    for go in sorted(chosen.toolchains.glob("*/go/bin/go")):
        version = go.parents[2].name
        record(go, RECORDED / version / "patterns")
        print(f"recorded Go {version}")


def record(go: Path, out: Path) -> None:
    """Compile every example with one go command and write what it prints."""
    out.mkdir(parents=True, exist_ok=True)
    for pattern in PATTERNS:
        (out / f"{pattern.slug}.txt").write_text(compiled(go, pattern), encoding="utf-8")


def compiled(go: Path, pattern: Pattern) -> str:
    """Return the -m=2 output for one example, which must compile."""
    if pattern.folder is None:
        raise ValueError(f"{pattern.slug} has no folder")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(pattern.folder / "example.go", folder)
        (folder / "go.mod").write_text(f"module example.test/{pattern.slug}\n\n{GO_LINE}\n", encoding="utf-8")
        told = subprocess.run(
            [go, "build", "-trimpath", "-gcflags=-m=2", "."],
            cwd=folder,
            env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"},
            capture_output=True,
            text=True,
            check=False,
        )
    if told.returncode:
        raise SystemExit(f"{pattern.slug}: {told.stderr}")
    return told.stderr


if __name__ == "__main__":
    main()
