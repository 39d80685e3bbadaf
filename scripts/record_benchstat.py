"""Record what benchstat's statistics (golang.org/x/perf/benchmath) say, so that unit tests compare without Go.

.venv/bin/python scripts/record_benchstat.py     # the newest toolchain of .cache/go; fetches the module
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from benchstat_cases import RECORDED, ask, cases  # noqa: E402 - the tests' folder is no package
from toolchains import environment, go  # noqa: E402 - as above

SEED = 1

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        answers = ask(go(), cases(SEED), Path(folder), environment())
    RECORDED.write_bytes(b"[\n" + b",\n".join(map(msgspec.json.encode, answers)) + b"\n]\n")
