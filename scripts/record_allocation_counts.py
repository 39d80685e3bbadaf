"""Record what machine code tells of the corpus and what its functions allocate, for docs/allocation-verdicts.md.

    .venv/bin/python scripts/record_allocation_counts.py [VERSION...]   # of the toolchains in .cache/go; default all

Recordings: tests/recorded/<version>/allocation_counts.json; scripts/make_docs.py writes the page from them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from whyheap.host.go import GoTool
from whyheap.lab.allocation_counts import RECORDING, compare, dump

ROOT = Path(__file__).resolve().parent.parent
TOOLCHAINS = ROOT / ".cache" / "go"


def main(versions: list[str]) -> None:
    """Measure, write and sum up."""
    for version in versions or sorted(folder.name for folder in TOOLCHAINS.iterdir()):
        found = compare(GoTool(str(TOOLCHAINS / version / "go" / "bin" / "go"), {"GOTOOLCHAIN": "local"}))
        file = ROOT / "tests" / "recorded" / version / RECORDING
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(dump(found))
        print(f"{version}: {found.right} of {found.sure} right, may and unknown {found.unsure_share:.1%}")
        for miss in found.misses:
            print(f"  {miss.name}: told {miss.told}, measured {miss.allocs:g}")


if __name__ == "__main__":
    main(sys.argv[1:])
