"""Measures `whyheap scan` against the go command that it runs, interleaved, and prints ratios.

    .venv/bin/python -m bench.scan_speed [--program caddy] [--repeats 3] [--go PATH] [--skip cold,std]

Warm: nothing has changed. go replays its cached -m=2 text; whyheap looks for changes and answers. As whyheap keeps the
answers to its last questions, the same scan is also measured with those thrown away ("judged anew").

Cold: every package under test is compiled, its dependencies are not. Each run gets a build cache of its own, a copy by
hard links of the user's, and a JSON folder that no build has seen, which is part of go's cache key: so both sides start
from the same state, and the user's cache neither loses nor gains anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.children import Cost, end_tidily, measure
from bench.real_sources import CACHE, GO_ENVIRONMENT, ROOT, choose, fetch, go_output

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
_HEAVY_MODULES = ("numpy", "rich", "jinja2")
_HELP_CPU_SECONDS = 0.150

Contender = Callable[[], Cost]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how often to measure. `whyheap_cache` is kept through all warm runs."""

    go: str
    folder: Path
    repeats: int
    whyheap_cache: Path

    @property
    def env(self) -> dict[str, str]:
        """What both sides run in."""
        return {**GO_ENVIRONMENT, "WHYHEAP_CACHE": str(self.whyheap_cache)}

    def scan(self, pattern: str) -> list[str]:
        """Return whyheap's side."""
        return [str(WHYHEAP), "scan", pattern, "--go", self.go]

    def replay(self, pattern: str, *flags: str) -> list[str]:
        """Return go's side."""
        return [self.go, "list", "-export", f"-gcflags={' '.join(['-m=2', *flags])}", pattern]


def main() -> None:
    """Print all ratios of the command line's choice."""
    parser = argparse.ArgumentParser(description="whyheap scan against go list")
    parser.add_argument("--program", default="caddy", help="the module repository to scan (see real_sources.py)")
    parser.add_argument("--repeats", type=int, default=3, help="measured pairs of each kind")
    parser.add_argument("--go", default="go", help="the go command to measure with")
    parser.add_argument("--skip", default="", help="parts to leave out, of: module,std,cold,help")
    given = parser.parse_args()
    end_tidily()
    go = shutil.which(given.go)
    if go is None:
        sys.exit(f"no go command at {given.go}")
    skipped = set(given.skip.split(","))
    (program,) = choose([given.program])
    bench = Bench(go, fetch(program, go), given.repeats, CACHE / "whyheap-cache")
    print(
        f"{program.name} {program.version}, {go_output(go, ['env', 'GOVERSION'], CACHE).strip()}, {os.cpu_count()} CPUs"
    )
    print(f"{'':34} {'ratio min / median / max':26} {'CPU ratio':>9}  seconds each")
    try:
        if "module" not in skipped:
            _warm(bench, f"warm {program.name}", "./...", limit=1.2)
        if "std" not in skipped:
            _warm(bench, "warm std", "std", limit=2.0)
        if "cold" not in skipped:
            _cold(bench, f"cold {program.name}", limit=1.15)
        if "help" not in skipped:
            _help(bench)
    except KeyboardInterrupt:
        sys.exit(130)


def _warm(bench: Bench, title: str, pattern: str, limit: float) -> None:
    """Compare scans in which nothing has changed; the first run of each side only fills its cache."""

    def scan() -> Cost:
        return measure(bench.scan(pattern), bench.folder, bench.env)

    def scan_anew() -> Cost:
        shutil.rmtree(bench.whyheap_cache / "answers", ignore_errors=True)
        return scan()

    def replay() -> Cost:
        return measure(bench.replay(pattern), bench.folder, bench.env)

    for prime in (scan, replay):
        prime()
    same, anew, base = _interleave([scan, scan_anew, replay], bench.repeats)
    _print_ratio(title, same, base, limit)
    _print_ratio(f"{title}, judged anew", anew, base, limit)


def _cold(bench: Bench, title: str, limit: float) -> None:
    """Compare scans for which every package under test is compiled."""
    go_output(bench.go, ["list", "-export", "./..."], bench.folder)  # the dependencies are in the cache from here on
    build_cache = Path(go_output(bench.go, ["env", "GOCACHE"], bench.folder).strip())

    def scan() -> Cost:
        with _fresh_caches(build_cache) as (go_cache, folder):
            env = {**bench.env, "GOCACHE": str(go_cache), "WHYHEAP_CACHE": str(folder)}
            return measure(bench.scan("./..."), bench.folder, env)

    def compile_plainly() -> Cost:
        with _fresh_caches(build_cache) as (go_cache, folder):
            env = {**bench.env, "GOCACHE": str(go_cache)}
            return measure(bench.replay("./...", f"-json=0,{folder}"), bench.folder, env)

    cold, base = _interleave([scan, compile_plainly], bench.repeats)
    _print_ratio(title, cold, base, limit)


@contextmanager
def _fresh_caches(build_cache: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a copy of the build cache, and an empty folder with a name of its own."""
    with tempfile.TemporaryDirectory(prefix="cold-", dir=CACHE) as folder:
        go_cache, empty = Path(folder, "go"), Path(folder, "own")
        shutil.copytree(build_cache, go_cache, copy_function=_link)
        empty.mkdir()
        yield go_cache, empty


def _link(source: str, target: str) -> None:
    """Link a file; copy it where the two folders are on different file systems."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _help(bench: Bench) -> None:
    """Measure the CPU of `whyheap --help`, and name the heavy modules that it imports."""
    command = [str(WHYHEAP), "--help"]
    measure(command, bench.folder)
    cpu = [measure(command, bench.folder).cpu_seconds for _ in range(max(bench.repeats, 5))]
    python = [str(WHYHEAP.parent / "python"), "-X", "importtime", *command]
    done = subprocess.run(python, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = [name for name in _HEAVY_MODULES if name in imported]
    print(
        f"whyheap --help: CPU {min(cpu) * 1000:.0f} / {statistics.median(cpu) * 1000:.0f} / {max(cpu) * 1000:.0f} ms "
        f"({_judge(statistics.median(cpu), _HELP_CPU_SECONDS)} 150 ms), "
        f"{len(imported)} modules, imports {', '.join(heavy) or 'no'} {'' if heavy else ' or '.join(_HEAVY_MODULES)}"
    )


def _interleave(contenders: Sequence[Contender], repeats: int) -> list[list[Cost]]:
    """Run the contenders in turn, every other round in reverse, so that none always follows the same one."""
    costs: list[list[Cost]] = [[] for _ in contenders]
    for number in range(repeats):
        order = range(len(contenders))
        for index in order if number % 2 == 0 else reversed(order):
            costs[index].append(contenders[index]())
    return costs


def _print_ratio(title: str, ours: Sequence[Cost], base: Sequence[Cost], limit: float) -> None:
    """Print the ratio of each round, so that a slow minute of the machine hits both sides."""
    pairs = list(zip(ours, base, strict=True))
    wall = [one.wall_seconds / other.wall_seconds for one, other in pairs]
    cpu = statistics.median(one.cpu_seconds / other.cpu_seconds for one, other in pairs)
    middle = statistics.median(wall)
    seconds = f"{_seconds(ours)} against {_seconds(base)}"
    ratios = f"{min(wall):.2f} / {middle:.2f} / {max(wall):.2f}"
    print(f"{title:34} {ratios:26} {cpu:9.2f}  {seconds}  {_judge(middle, limit)} {limit}", flush=True)


def _seconds(costs: Sequence[Cost]) -> str:
    return f"{statistics.median(cost.wall_seconds for cost in costs):.2f}"


def _judge(value: float, limit: float) -> str:
    return "<=" if value <= limit else "MORE THAN"


if __name__ == "__main__":
    main()
