"""Measures what `whyheap record` costs the service that it records: requests a second with and without it, interleaved.

    .venv/bin/python -m bench.recorder_cost [--rounds 7] [--seconds 12] [--by pid|url]

Each round starts examples/oomshop anew twice, once recorded at the default schedule, once not, in an order drawn by
lot, and puts it under as many requests as its load generator's workers can make. Ratios only: requests a second with
the recorder to those without, and the same for processor time a request, the service's and the recorder's together,
which others on the machine disturb less. The recorder's own peak of resident memory (VmHWM) is printed beside them.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.real_sources import ROOT

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
SHOP = ROOT / "examples" / "oomshop"
_SENT = re.compile(r"(\d+) requests in ([\d.]+) s")
_WORKERS = "4"
_START_SECONDS = 10.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--by", choices=("pid", "url"), default="url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for binary, package in (("shop", "."), ("load", "./loadgen")):
            subprocess.run(["go", "build", "-o", str(folder / binary), package], cwd=SHOP, check=True)
        runs: dict[bool, list[Run]] = {True: [], False: []}
        for number in range(options.rounds):
            for recorded in random.sample((True, False), 2):
                runs[recorded].append(run(folder, options.seconds, options.by if recorded else ""))
            pair = runs[True][-1], runs[False][-1]
            print(
                f"round {number + 1}: {pair[0].rate / pair[1].rate:.4f}, {pair[0].cost / pair[1].cost:.4f}", flush=True
            )
    pairs = list(zip(runs[True], runs[False], strict=True))
    tell(f"requests a second, by {options.by}", [one.rate / other.rate for one, other in pairs])
    tell("processor time a request", [one.cost / other.cost for one, other in pairs])
    print(
        f"the recorder: {max(one.peak_bytes for one in runs[True]) / 2**20:.1f} MiB peak RSS, "
        f"{statistics.median(one.share for one in runs[True]):.2%} of one CPU under load"
    )


@dataclass(frozen=True, slots=True)
class Run:
    """Requests a second, processor seconds a request, and of the recorder its peak RSS and its share of a CPU."""

    rate: float
    cost: float
    peak_bytes: int
    share: float


def tell(what: str, ratios: list[float]) -> None:
    """Print the ratios with the recorder to without."""
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(f"{what}: {low:.4f} / {middle:.4f} / {high:.4f} (min/median/max), mean {statistics.fmean(ratios):.4f}")


def run(folder: Path, seconds: int, by: str) -> Run:
    """Measure once; `by` says how it is recorded, "" that it is not."""
    shop = subprocess.Popen([folder / "shop", "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    recorder: subprocess.Popen[bytes] | None = None
    capture = folder / "run.whyheap"
    try:
        line = shop.stdout.readline() if shop.stdout else ""
        url = re.search(r"http://[\d.:]+", line)
        if url is None:
            raise SystemExit(f"oomshop did not start: {line!r}")
        if by:
            target = f"pid:{shop.pid}" if by == "pid" else url[0]
            recorder = subprocess.Popen([str(WHYHEAP), "record", target, "-o", str(capture), "-q"])
            deadline = time.monotonic() + _START_SECONDS
            while not capture.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        command = [
            str(folder / "load"),
            "-url",
            url[0],
            "-seconds",
            str(seconds),
            "-rate",
            "20000",
            "-workers",
            _WORKERS,
        ]
        before = _cpu_seconds(shop.pid), _cpu_seconds(recorder.pid) if recorder else 0.0
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        sent = _SENT.search(done.stdout + done.stderr)
        if sent is None:
            raise SystemExit(f"the load generator did not say what it sent: {done.stdout!r}")
        own = _cpu_seconds(recorder.pid) - before[1] if recorder else 0.0
        requests = int(sent[1])
        return Run(
            requests / float(sent[2]),
            (_cpu_seconds(shop.pid) - before[0] + own) / requests,
            _peak_bytes(recorder.pid) if recorder else 0,
            own / float(sent[2]),
        )
    finally:
        if recorder is not None:
            recorder.terminate()
            recorder.wait()
            capture.unlink(missing_ok=True)
        shop.terminate()
        shop.wait()
        if shop.stdout:
            shop.stdout.close()


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
