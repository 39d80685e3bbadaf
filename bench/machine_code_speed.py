"""Measures the machine-code witness over a big executable against `go tool objdump` of it, interleaved.

    .venv/bin/python bench/machine_code_speed.py [--binary FILE] [--repeats 3] [--go PATH] [--check]

Ours is a fresh Python process that writes every allocator call as a JSON line, with type and inline stack; objdump
disassembles the program, as there is no shorter way to its calls. Both write to /dev/null. `--check` first compares the
calls one by one: address, callee, file and line. The default is the Prometheus that `bench/real_programs.py` builds.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that both `python bench/machine_code_speed.py` and `python -m` find the folder

from bench.children import Cost, measure  # noqa: E402 -- after the line above

from whyheap.collect.binary_file import open_binary  # noqa: E402 -- as above
from whyheap.goruntime.allocators import is_allocator  # noqa: E402 -- as above

DEFAULT = ROOT / ".cache" / "real" / "bin" / "prometheus"
LIMIT = 0.15
_OURS = """
import sys
from pathlib import Path
from whyheap.collect.binary_file import open_binary
from whyheap.report.calls_jsonl import write_calls
for piece in write_calls(open_binary(Path(sys.argv[1])).allocator_calls()):
    sys.stdout.buffer.write(piece)
"""
_CALL = re.compile(r"^\s+(\S+):(\d+)\t+0x([0-9a-f]+)\t.*\tCALL (\S+)\(SB\)\s*$")


def main() -> None:
    """Measure one executable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--go", default="go", help="the go command to compare with")
    parser.add_argument("--check", action="store_true", help="compare the calls themselves")
    options = parser.parse_args()
    go = shutil.which(options.go)
    if go is None:
        sys.exit(f"{options.go} is not on PATH")
    if not options.binary.is_file():
        sys.exit(f"{options.binary} is missing: build it, or name another with --binary")
    binary = options.binary.resolve()
    objdump = find_objdump(go)
    print(f"{binary.name}  {binary.stat().st_size / 1e6:.1f} MB  {open_binary(binary).arch}")
    if options.check:
        compare(objdump, binary)
    rounds = [(measure_ours(binary), measure([*objdump, str(binary)], ROOT)) for _ in range(options.repeats)]
    tell(rounds)


def find_objdump(go: str) -> list[str]:
    """Return the tool's own command: since 1.25 `go tool` builds it at first use, which is not measured."""
    subprocess.run([go, "tool", "objdump", "-h"], check=False, capture_output=True)
    return [go, "tool", "objdump"]


def measure_ours(binary: Path) -> Cost:
    """Measure a fresh process of ours."""
    return measure([sys.executable, "-c", _OURS, str(binary)], ROOT)


def compare(objdump: list[str], binary: Path) -> None:
    """Compare all calls; print how many differ."""
    expected = set()
    with subprocess.Popen([*objdump, str(binary)], stdout=subprocess.PIPE, text=True, errors="replace") as child:
        for line in child.stdout or ():
            call = _CALL.match(line) if "CALL " in line else None
            if call and is_allocator(call[4]):
                expected.add((int(call[3], 16), call[4].removesuffix(".abi0"), call[1], int(call[2])))
    calls = open_binary(binary).allocator_calls()
    ours = {(call.address, call.callee, Path(call.site.file).name, call.site.line) for call in calls}
    print(f"calls: {len(ours):,} ours, {len(expected):,} objdump's, {len(ours ^ expected):,} different")


def tell(rounds: list[tuple[Cost, Cost]]) -> None:
    """Print the ratios and what each took."""
    ratios = sorted(ours.wall_seconds / theirs.wall_seconds for ours, theirs in rounds)
    cpu = statistics.median(ours.cpu_seconds / theirs.cpu_seconds for ours, theirs in rounds)
    print(f"wall ratio min/median/max: {ratios[0]:.3f} / {statistics.median(ratios):.3f} / {ratios[-1]:.3f}", end="  ")
    print(f"(aim {LIMIT})   CPU ratio: {cpu:.3f}")
    for name, costs in zip(("whyheap", "objdump"), zip(*rounds, strict=True), strict=True):
        wall = statistics.median(cost.wall_seconds for cost in costs)
        peak = max(cost.peak_bytes for cost in costs) / 2**20
        print(f"{name:8} {wall:7.2f} s  peak RSS {peak:6.0f} MiB")


if __name__ == "__main__":
    main()
