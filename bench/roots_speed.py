"""Measures how long the escape graph takes to build from warm facts, on large modules.

    .venv/bin/python -m bench.roots_speed [--program nats-server] [--repeats 5] [--go PATH]

Facts are read with CompiledPackages.load() and judged before the clock starts; sources are read while it runs, as a
scan does. `graph` takes all facts and finds the root of each; `hang` also puts findings under named roots.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from bench.real_sources import CACHE, GO_ENVIRONMENT, choose, fetch

from whyheap.app.scan_report import go_numbers
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.sources import SourceFiles
from whyheap.escape_graph import EscapeGraph, hang
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

_LIMIT_SECONDS = 2.0


def main() -> None:
    """Print seconds for each program named."""
    parser = argparse.ArgumentParser(description="the escape graph's speed")
    parser.add_argument("--program", default="nats-server,prometheus", help="module repositories (see real_sources.py)")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is built")
    parser.add_argument("--go", default="go", help="the go command")
    given = parser.parse_args()
    go = shutil.which(given.go)
    if go is None:
        sys.exit(f"no go command at {given.go}")
    os.environ.setdefault("WHYHEAP_CACHE", str(CACHE / "whyheap-cache"))
    for program in choose(given.program.split(",")):
        _measure(program.name, go, fetch(program, go), given.repeats)


def _measure(name: str, go: str, folder: Path, repeats: int) -> None:
    compiled = compile_packages(GoTool(go, GO_ENVIRONMENT), ScanOptions(folder))
    scan = compiled.load()
    findings = judge(join(scan, None).evidence, Context(go_numbers(scan.go), SourceFiles(scan)))
    graphs, hangs, cpus = [], [], []
    roots = 0
    gc.disable()
    for _ in range(repeats):
        sources = SourceFiles(scan)
        began, cpu = time.perf_counter(), time.process_time()
        graph = EscapeGraph(scan, sources)
        for number in graph.heap_facts:
            graph.hook_of(number)
        graphs.append(time.perf_counter() - began)
        roots = len(hang(findings, graph).roots)
        hangs.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    middle = statistics.median(hangs)
    heap = sum(1 for _ in graph.heap_facts)
    print(
        f"{name} {scan.go}: {heap:,} heap facts, {len(findings):,} findings, {roots:,} roots; "
        f"graph {statistics.median(graphs):.2f} s, with roots {min(hangs):.2f} / {middle:.2f} / {max(hangs):.2f} s "
        f"(CPU {statistics.median(cpus):.2f} s), "
        f"{'<=' if middle <= _LIMIT_SECONDS else 'MORE THAN'} {_LIMIT_SECONDS:g} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
