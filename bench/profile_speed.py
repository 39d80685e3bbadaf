"""Measures reading a heap profile against `go tool pprof -top`, interleaved, and prints ratios.

    .venv/bin/python bench/profile_speed.py [--repeats 3] [--go PATH] [--profile FILE]

The big profile has 100,000 samples and 8,000 functions (11 MB raw), the small one is of 32 KB (80 KB raw); both are
written by google/pprof's own encoder (bench/big_profile). Ours is a fresh Python process that decodes a file and prints
flat and cumulative sums of every function; pprof prints its top table. A third row decodes alone. Before measuring, the
sums of every function are compared with pprof's.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that both `python bench/profile_speed.py` and `python -m` find the folder

from bench.children import Cost, measure  # noqa: E402 -- after the line above

GENERATOR = ROOT / "bench" / "big_profile"
CACHE = ROOT / ".cache" / "bench" / "profile_speed"
SIZES = {"big": (100_000, 8_000), "small": (400, 240)}
LIMITS = {"big": (0.3, 0.5), "small": (0.5, None)}
_TOP = ("tool", "pprof", "-top", "-sample_index=inuse_space")
_EVERYTHING = ("-unit=B", "-nodefraction=0", "-nodecount=0", "-edgefraction=0")
_TOP_LINE = re.compile(r"\s*(-?\d+)B?\s+\S+\s+\S+\s+(-?\d+)B?\s+\S+\s+(.*?)(?: \((?:partial-)?inline\))?$")
_OURS = """
import sys
from whyheap.parse.pprof import parse_profile
from whyheap.parse.profile_math import flat_and_cumulative
with open(sys.argv[1], "rb") as stream:
    profile = parse_profile(stream.read())
sums = flat_and_cumulative(profile, "inuse_space")
lines = (f"{flat} {total} {name}" for name, (flat, total) in sorted(sums.items(), key=lambda item: -item[1].flat))
sys.stdout.write("\\n".join(lines))
"""
_DECODE = "import sys\nfrom whyheap.parse.pprof import parse_profile\nparse_profile(open(sys.argv[1], 'rb').read())"


def main() -> None:
    """Measure the generated profiles, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--go", default="go", help="the go command to compare with")
    parser.add_argument("--profile", type=Path, help="measure this profile instead")
    options = parser.parse_args()
    go = shutil.which(options.go)
    if go is None:
        sys.exit(f"{options.go} is not on PATH")
    profiles = {"big": options.profile.resolve()} if options.profile else generate(go)
    for name, path in profiles.items():
        compare(name, path, go, options.repeats)


def generate(go: str) -> dict[str, Path]:
    """Write the profiles once; they are the same with every seed, so that figures of two days compare."""
    CACHE.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, (samples, functions) in SIZES.items():
        paths[name] = CACHE / f"{name}-{samples}-{functions}.pb.gz"
        if not paths[name].exists():
            part = paths[name].with_suffix(".part")
            command = [go, "run", ".", "-samples", str(samples), "-functions", str(functions), "-o", str(part)]
            subprocess.run(command, cwd=GENERATOR, check=True)
            part.rename(paths[name])
    return paths


def compare(name: str, path: Path, go: str, repeats: int) -> None:
    """Check the figures, measure in turns and print the ratios of the medians."""
    check_sums(path, go)
    raw_bytes = raw_size(path)
    commands = {
        "pprof -top": [go, *_TOP, str(path)],
        "ours": [sys.executable, "-c", _OURS, str(path)],
        "ours, decoding alone": [sys.executable, "-c", _DECODE, str(path)],
    }
    costs: dict[str, list[Cost]] = {what: [] for what in commands}
    for _ in range(repeats):
        for what, command in commands.items():
            costs[what].append(measure(command, ROOT))
    print(f"\n{name}: {path.stat().st_size:,} bytes, {raw_bytes:,} raw; {repeats} interleaved runs, medians")
    base = medians(costs["pprof -top"])
    wall_limit, memory_limit = LIMITS[name]
    for what, runs in costs.items():
        wall, cpu, peak = medians(runs)
        ratio = f"{wall / base[0]:6.2f} x wall {cpu / base[1]:6.2f} x CPU {peak / base[2]:6.2f} x RSS"
        print(f"  {what:<22}{wall:8.3f} s {cpu:8.3f} s CPU {peak / 2**20:7.0f} MiB   {ratio}")
    wall, _, peak = medians(costs["ours"])
    print(f"  wall {verdict(wall / base[0], wall_limit)}")
    if memory_limit is not None:
        print(f"  RSS  {verdict(peak / base[2], memory_limit)}")


def raw_size(path: Path) -> int:
    """Count piece by piece: a child's peak RSS is never below what its parent had when it started."""
    with gzip.open(path) as stream:
        return sum(len(piece) for piece in iter(lambda: stream.read(1 << 16), b""))


def medians(runs: list[Cost]) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak bytes."""
    return (
        statistics.median(run.wall_seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        statistics.median(run.peak_bytes for run in runs),
    )


def verdict(ratio: float, limit: float) -> str:
    """Say whether a target is met."""
    return f"{ratio:.2f} x, target <= {limit}: {'met' if ratio <= limit else 'MISSED'}"


def check_sums(path: Path, go: str) -> None:
    """Compare flat and cumulative sums of every function; end when any differs."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    ours = subprocess.run(
        [sys.executable, "-c", _OURS, str(path)], check=True, capture_output=True, text=True, env=environment
    ).stdout
    theirs = subprocess.run([go, *_TOP, *_EVERYTHING, str(path)], check=True, capture_output=True, text=True).stdout
    found = {parts[2]: (int(parts[0]), int(parts[1])) for parts in (line.split(" ", 2) for line in ours.splitlines())}
    wanted = {match[3]: (int(match[1]), int(match[2])) for match in map(_TOP_LINE.match, theirs.splitlines()) if match}
    different = [function for function in found.keys() | wanted.keys() if found.get(function) != wanted.get(function)]
    if different or not wanted:
        sys.exit(f"{path}: {len(different)} of {len(wanted)} functions differ, first {sorted(different)[:3]}")
    print(f"{path.name}: flat and cumulative equal pprof's for {len(wanted)} of {len(wanted)} functions")


if __name__ == "__main__":
    main()
