"""Runs `whyheap why` on servers that we did not write, under load, and prints how much of their allocation it explains.

    .venv/bin/python -m bench.real_programs [--seconds 15] [--go PATH] [--profiles-only] [NAME ...]

Sources come through the Go module proxy at exact versions (real_sources.py); everything else stays on loopback. The
tables are Markdown, for docs/real-programs.md.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.children import Children, end_tidily, free_ports, wait_until_served
from bench.reach import Reach, Stack, measure_reach
from bench.real_sources import (
    CACHE,
    GO_ENVIRONMENT,
    ROOT,
    Place,
    Program,
    build,
    build_helpers,
    choose,
    fetch,
    go_output,
)

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
_WARM_UP_SECONDS = 10
_LONGEST_ANSWER_SECONDS = 600
_SHOWN = 10
_FRAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    go: str
    seconds: int
    profiles_only: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a scan found, counted from its facts; `messages` are its words on standard error."""

    heap: int = 0
    unknown: int = 0
    seconds: float = 0
    messages: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A ranked line of the answer."""

    alloc_bytes: int
    place: str
    function: str
    reasons: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything measured on one program. `report` is empty when only profiles were taken."""

    program: Program
    go: str
    packages: int
    reach: Reach
    load: str
    facts: Facts = field(default_factory=Facts)
    report: dict[str, Any] = field(default_factory=dict)
    why_seconds: float = 0


def main() -> None:
    """Measure the programs named on the command line, all of them by default."""
    parser = argparse.ArgumentParser(description="whyheap on real programs")
    parser.add_argument("names", nargs="*", metavar="NAME", help="prometheus, nats-server, caddy")
    parser.add_argument("--go", default="go", help="the go command to build and scan with")
    parser.add_argument("--seconds", type=int, default=15, help="window of the measurement")
    parser.add_argument("--profiles-only", action="store_true", help="take profiles under load, do not run whyheap")
    given = parser.parse_args()
    end_tidily()
    go = shutil.which(given.go)
    if go is None:
        sys.exit(f"no go command at {given.go}")
    options = Options(go, given.seconds, given.profiles_only)
    outcomes = []
    try:
        for program in choose(given.names):
            outcome = _measure(program, options)
            outcomes.append(outcome)
            print(*_details(outcome), sep="\n")
    except KeyboardInterrupt:
        sys.exit(130)
    print(*_summary(outcomes), sep="\n")


def _measure(program: Program, options: Options) -> Outcome:
    """Fetch, build, scan, then ask under load."""
    _say(f"{program.name} {program.version}: fetching and building")
    fetch(program, options.go)
    helpers = build_helpers(options.go)
    binary = build(program, options.go)
    packages = len(go_output(options.go, ["list", "./..."], program.folder).split())
    facts = Facts() if options.profiles_only else _scan(program, options)

    place_folder = CACHE / "run" / program.name
    shutil.rmtree(place_folder, ignore_errors=True)
    place_folder.mkdir(parents=True)
    longest = _WARM_UP_SECONDS + options.seconds + _LONGEST_ANSWER_SECONDS
    place = Place(place_folder, binary, helpers, free_ports(3), longest)
    run = program.plan(place)
    pprof = f"http://{run.pprof}"
    profiles = [place_folder / "heap-0.pb.gz", place_folder / "heap-1.pb.gz"]
    report, why_seconds = dict[str, Any](), 0.0
    with Children() as children:
        for number, command in enumerate(run.before):
            children.start(command, place_folder, place_folder / f"before-{number}.log")
        log = place_folder / "server.log"
        server = children.start(run.server, place_folder, log)
        wait_until_served(f"{pprof}/debug/pprof/cmdline", server, log)
        logs = [place_folder / f"load-{number}.log" for number in range(len(run.load))]
        loads = [children.start(command, place_folder, log) for command, log in zip(run.load, logs, strict=True)]
        _say(f"under load for {_WARM_UP_SECONDS} s, then asking for {options.seconds} s")
        time.sleep(_WARM_UP_SECONDS)
        _save_profile(pprof, profiles[0])
        if options.profiles_only:
            time.sleep(options.seconds)
        else:
            report, why_seconds = _ask(program, options, pprof, place_folder / "result.json")
        _save_profile(pprof, profiles[1])
        if server.poll() is not None or any(load.poll() is not None for load in loads):
            sys.exit(f"the server or its load ended early: see {place_folder}")
    reach = measure_reach(options.go, profiles[0], profiles[1], program.owns)
    said = "; ".join(log.read_text().strip() for log in logs)
    version = go_output(options.go, ["env", "GOVERSION"], program.folder).strip()
    return Outcome(program, version, packages, reach, said, facts, report, why_seconds)


def _scan(program: Program, options: Options) -> Facts:
    """Scan all packages and count the facts as they come: there can be gigabytes of them."""
    _say("scanning")
    command = [str(WHYHEAP), "scan", "./...", "--facts", "--format", "jsonl", "--go", options.go]
    started = time.monotonic()
    heap = unknown = 0
    messages = CACHE / "scan-messages.log"
    with Children() as children:
        child = children.start(command, program.folder, messages, GO_ENVIRONMENT, stdout=subprocess.PIPE)
        for line in child.stdout or ():
            kind = json.loads(line)["kind"]
            heap += kind == "heap"
            unknown += kind == "unknown"
        status = child.wait()
    words = messages.read_text(errors="replace").strip()
    if status != 0:
        sys.exit(f"whyheap scan failed with exit status {status} in {program.folder}\n{words}")
    return Facts(heap, unknown, time.monotonic() - started, words)


def _ask(program: Program, options: Options, target: str, result: Path) -> tuple[dict[str, Any], float]:
    """Run `whyheap why` in the module's folder; returns its JSON report and how long it took."""
    command = [str(WHYHEAP), "why", "./...", target, "--seconds", str(options.seconds), "--go", options.go]
    command += ["--format", "json", "-o", str(result)]
    started = time.monotonic()
    with Children() as children:
        log = result.with_suffix(".log")
        status = children.start(command, program.folder, log, GO_ENVIRONMENT).wait(_LONGEST_ANSWER_SECONDS)
    if status != 0:
        sys.exit(f"whyheap why failed with exit status {status} in {program.folder}\n{log.read_text(errors='replace')}")
    report: dict[str, Any] = json.loads(result.read_bytes())
    return report, time.monotonic() - started


def _save_profile(pprof: str, file: Path) -> None:
    with urllib.request.urlopen(f"{pprof}/debug/pprof/heap", timeout=30) as response:  # noqa: S310  loopback
        file.write_bytes(response.read())


def _summary(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the table of all programs."""
    yield "\n| program | go | packages | heap sites | lines not understood | allocated | explained | on own stacks |"
    yield "|---|---|---|---|---|---|---|---|"
    for outcome in outcomes:
        program, reach = outcome.program, outcome.reach
        sites, unknown, explained, allocated = "-", "-", "-", reach.bytes
        if outcome.report:
            totals = outcome.report["totals"]
            column = totals["alloc"]
            sites, unknown = f"{totals['heap_sites']:,}", str(outcome.facts.unknown)
            allocated = column["profile_bytes"]
            explained = f"{column['explained_bytes'] / max(allocated, 1):.1%}"
        yield (
            f"| {program.name} {program.version} | {outcome.go} | {outcome.packages} | {sites} | {unknown} "
            f"| {_mib(allocated)} | {explained} | {reach.share:.1%} |"
        )


def _details(outcome: Outcome) -> Iterator[str]:
    """Yield one program's figures, top lines, and what no line of its own code can carry."""
    program, reach = outcome.program, outcome.reach
    yield f"\n## {program.name} {program.version}"
    yield f"`{program.module}`, {outcome.packages} packages, {outcome.go}. Load: {outcome.load}."
    yield f"Profile of the window: {_mib(reach.bytes)} on {reach.samples:,} stacks."
    yield f"Own code is on the stack of {reach.share:.1%} of bytes, the leaf of {_share(reach.own_leaf_bytes, reach)}."
    if outcome.report:
        facts = outcome.facts
        yield (
            f"Scan: {facts.heap:,} heap facts, {facts.unknown} lines not understood, {facts.seconds:.1f} s. "
            f"Answer: {outcome.why_seconds:.1f} s."
        )
        yield from ([f"Standard error of the scan: {facts.messages}"] if facts.messages else [])
        yield "\n| allocated | line | function | why |\n|---|---|---|---|"
        for line in _lines(outcome.report)[:_SHOWN]:
            share = line.alloc_bytes / max(outcome.report["totals"]["alloc"]["profile_bytes"], 1)
            yield f"| {share:.1%} | `{line.place}` | `{line.function}` | {line.reasons} |"
        yield from (f"- gap, {gap['witness']}: {gap['reason']}" for gap in outcome.report["gaps"])
    yield f"\nStacks without own code, {_share(sum(size for size, _ in reach.foreign), reach)}, by where they begin:\n"
    yield "| allocated | begins in | allocates in |\n|---|---|---|"
    for size, root, leaf in _foreign_groups(reach)[:_SHOWN]:
        yield f"| {_share(size, reach)} | `{root}` | `{leaf}` |"
    yield "\nThe biggest of them, leaf first:\n"
    yield from (f"- {_share(size, reach)} {_shorten(stack)}" for size, stack in reach.foreign[:_SHOWN])


def _lines(report: dict[str, Any]) -> list[Line]:
    """Return the report's lines by bytes; bytes that several findings of a line share count once."""
    sums: dict[tuple[str, int], int] = defaultdict(int)
    reasons: dict[tuple[str, int], list[str]] = defaultdict(list)
    functions: dict[tuple[str, int], str] = {}
    counted: set[str] = set()
    for finding in report["findings"]:
        profile, site = finding["witnesses"]["profile"], finding["site"]
        if not profile or not profile["alloc_bytes"]:
            continue
        place = (site["file"], site["line"])
        functions[place] = site["function"]
        if finding["id"] not in counted:
            sums[place] += profile["alloc_bytes"]
        counted.update([finding["id"], *profile["shared_with"]])
        callees = ", ".join(list(dict.fromkeys(callee["callee"] for callee in profile["callees"]))[:2])
        reason = f"{finding['pattern']} ({callees})" if callees else finding["pattern"]
        if reason not in reasons[place]:
            reasons[place].append(reason)
    ranked = sorted(sums, key=lambda place: -sums[place])
    return [
        Line(sums[place], f"{place[0]}:{place[1]}", functions[place], "; ".join(reasons[place])) for place in ranked
    ]


def _foreign_groups(reach: Reach) -> list[tuple[int, str, str]]:
    """Group stacks without own code by the function they begin in; names the leaf that allocates most."""
    sums: dict[str, int] = defaultdict(int)
    leaves: dict[str, str] = {}
    for size, stack in reach.foreign:
        root = _symbol(stack[-1].function)
        leaves.setdefault(root, _symbol(stack[0].function))
        sums[root] += size
    return [(sums[root], root, leaves[root]) for root in sorted(sums, key=lambda root: -sums[root])]


def _shorten(stack: Stack) -> str:
    """Print a stack's both ends."""
    if len(stack) <= 2 * _FRAMES_SHOWN:
        return " < ".join(map(str, stack))
    ends = [*map(str, stack[:_FRAMES_SHOWN]), "...", *map(str, stack[-_FRAMES_SHOWN:])]
    return " < ".join(ends)


def _symbol(function: str) -> str:
    """Shorten the import path of third-party code: the last element says enough."""
    return re.sub(r"^.*/", "", function)


def _share(size: int, reach: Reach) -> str:
    return f"{size / max(reach.bytes, 1):.1%}"


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
