"""Measures what `whyheap record` costs the service that it records: requests a second with and without it, interleaved.

    .venv/bin/python -m bench.recorder_cost [--rounds 4] [--pairs 4] [--seconds 8] [--by pid|url]

Each round starts examples/oomshop anew with a recorder at the default schedule and puts it under as many requests as
its load generator's workers can make, in pairs of equal stretches: in one the recorder runs, in the other it is stopped
(SIGSTOP), in an order drawn by lot. So both are of one process with one heap, and what it takes to start a recorder,
which is once, is left out. Ratios only: requests a second with the recorder to those without, and the same for
processor time a request, the service's and the recorder's together, which others on the machine disturb less. The
recorder's own peak of resident memory (VmHWM) is printed beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.real_sources import ROOT

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
SHOP = ROOT / "examples" / "oomshop"
_SENT = re.compile(r"(\d+) requests in ([\d.]+) s")
_WORKERS = "4"
_START_SECONDS = 10.0
_SETTLE_SECONDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--by", choices=("pid", "url"), default="url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for binary, package in (("shop", "."), ("load", "./loadgen")):
            subprocess.run(["go", "build", "-o", str(folder / binary), package], cwd=SHOP, check=True)
        pairs: list[tuple[Stretch, Stretch]] = []
        peak_bytes = 0
        for number in range(options.rounds):
            with recorded(folder, options.by) as service:
                for _ in range(options.pairs):
                    found = {is_on: service.stretch(options.seconds, is_on=is_on) for is_on in shuffled()}
                    pairs.append((found[True], found[False]))
                peak_bytes = max(peak_bytes, _peak_bytes(service.recorder))
            tell(f"round {number + 1}, requests a second", [one.rate / other.rate for one, other in pairs])
    tell(f"requests a second, by {options.by}", [one.rate / other.rate for one, other in pairs])
    tell("processor time a request", [one.cost / other.cost for one, other in pairs])
    share = statistics.median(one.share for one, _ in pairs)
    print(f"the recorder: {peak_bytes / 2**20:.1f} MiB peak RSS, {share:.2%} of one CPU under load")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Requests a second, processor seconds a request, and the recorder's share of a CPU."""

    rate: float
    cost: float
    share: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """A service that is recorded, the recorder at the head of a process group of its own."""

    folder: Path
    url: str
    shop: int
    recorder: int

    def stretch(self, seconds: int, *, is_on: bool) -> Stretch:
        """Measure once, with the recorder at work or stopped."""
        os.killpg(self.recorder, signal.SIGCONT if is_on else signal.SIGSTOP)
        before = _cpu_seconds(self.shop), _cpu_seconds(self.recorder)
        requests, took = self.load(seconds)
        own = _cpu_seconds(self.recorder) - before[1]
        os.killpg(self.recorder, signal.SIGCONT)
        return Stretch(requests / took, (_cpu_seconds(self.shop) - before[0] + own) / requests, own / took)

    def load(self, seconds: int) -> tuple[int, float]:
        """Send as many requests as the workers can; return how many and in how many seconds."""
        command = [str(self.folder / "load"), "-url", self.url, "-seconds", str(seconds), "-rate", "20000"]
        done = subprocess.run([*command, "-workers", _WORKERS], capture_output=True, text=True, check=True)
        sent = _SENT.search(done.stdout + done.stderr)
        if sent is None:
            raise SystemExit(f"the load generator did not say what it sent: {done.stdout!r}")
        return int(sent[1]), float(sent[2])


def shuffled() -> list[bool]:
    """Return on and off in an order drawn by lot."""
    return random.sample((True, False), 2)


def tell(what: str, ratios: list[float]) -> None:
    """Print the ratios with the recorder to without, and the standard error of their mean."""
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    error = statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else float("nan")
    mean = f"mean {statistics.fmean(ratios):.4f} +- {error:.4f}"
    print(f"{what}: {low:.4f} / {middle:.4f} / {high:.4f} (min/median/max of {len(ratios)}), {mean}", flush=True)


@contextlib.contextmanager
def recorded(folder: Path, by: str) -> Iterator[Recorded]:
    """Run a service and its recorder until both have settled under load; end both afterwards."""
    shop = subprocess.Popen([folder / "shop", "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    capture = folder / "run.whyheap"
    recorder: subprocess.Popen[bytes] | None = None
    try:
        line = shop.stdout.readline() if shop.stdout else ""
        url = re.search(r"http://[\d.:]+", line)
        if url is None:
            raise SystemExit(f"oomshop did not start: {line!r}")
        target = f"pid:{shop.pid}" if by == "pid" else url[0]
        recorder = subprocess.Popen([str(WHYHEAP), "record", target, "-o", str(capture), "-q"], start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while not capture.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        service = Recorded(folder, url[0], shop.pid, recorder.pid)
        service.load(_SETTLE_SECONDS)
        yield service
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
