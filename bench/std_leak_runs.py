"""Runs `whyheap test` over tests of std that leave nothing behind, again and again, and prints each false alarm.

    .venv/bin/python -m bench.std_leak_runs [--runs 50] [--go PATH] [PACKAGE ...]

go's test cache is not used (`whyheap test` never does), so each run is a new process of each package's tests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.children import answer, end_tidily
from bench.real_sources import GO_ENVIRONMENT, ROOT, go_output

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
_PACKAGES = ("context", "sync", "net/http/httptest")


def main() -> None:
    """Run, and exit with 1 when something was said of what is clean."""
    parser = argparse.ArgumentParser(description="whyheap test over std, again and again")
    parser.add_argument("packages", nargs="*", default=_PACKAGES, help="packages of std")
    parser.add_argument("--runs", type=int, default=50, help="how often to run the tests")
    parser.add_argument("--go", default="go", help="the go command to test with")
    given = parser.parse_args()
    end_tidily()
    go = shutil.which(given.go)
    if go is None:
        sys.exit(f"no go command at {given.go}")
    go = str(Path(go).absolute())
    try:
        alarms = _repeat(go, given.packages, given.runs)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if alarms else 0)


def _repeat(go: str, packages: Sequence[str], runs: int) -> int:
    """Print what came of the runs; return the number of false alarms."""
    goroot, version = go_output(go, ["env", "GOROOT", "GOVERSION"], Path.cwd()).splitlines()
    command = [str(WHYHEAP), "test", *packages, "--go", go, "--format", "json"]
    print(f"{' '.join(packages)}: {version}, {os.cpu_count()} CPUs", flush=True)
    endings: Counter[str] = Counter()
    tests = alarms = 0
    began = time.monotonic()
    for number in range(1, runs + 1):
        status, output, errors = answer(command, Path(goroot, "src"), GO_ENVIRONMENT)
        if not output:
            sys.exit(f"exit status {status}: {' '.join(command)}\n{errors.decode(errors='replace')}")
        judged = json.loads(output)
        tests += judged["checked"]["tests"]
        alarms += len(judged["violations"])
        endings["with a false alarm" if judged["violations"] else "clean" if status == 0 else "not judged"] += 1
        for one in judged["violations"]:
            print(f"run {number}: {json.dumps(one)}", flush=True)
        if status not in (0, 1):
            print(f"run {number}: exit status {status}: {'; '.join(judged['notes'])}", flush=True)
    ended = ", ".join(f"{count} {ending}" for ending, count in endings.most_common())
    print(f"{runs} runs in {time.monotonic() - began:.0f} s, {tests} tests: {ended}; {alarms} false alarms")
    return alarms


if __name__ == "__main__":
    main()
