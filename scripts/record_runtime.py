"""Record the runtime witness on the scenario programs of the causes and on healthy programs.

Writes tests/recorded/runtime/<program>-<go version>.json, one series each, and both forms of a goroutine profile to
tests/recorded/goroutines. Run it for each Go version whose behaviour the recordings shall show:

    python scripts/record_runtime.py --go /path/to/go1.22/bin/go --go go

Scenarios that need a memory limit run in a cgroup v1 memory group; without one that may be written they are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from whyheap.collect.runtime import collect_runtime
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries
from whyheap.host.http import fetch

REPOSITORY = Path(__file__).resolve().parent.parent
CAUSES = REPOSITORY / "src" / "whyheap" / "causes"
HEALTHY = REPOSITORY / "tests" / "causes" / "healthy"
RECORDED = REPOSITORY / "tests" / "recorded" / "runtime"
GOROUTINES = REPOSITORY / "tests" / "recorded" / "goroutines"
MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")
SECONDS = 12.0
RECORDED_PROGRAMS = (
    "gc_headroom.search_index",
    "goroutine_leak.late_answers",
    "unbounded_cache.session_map",
    "cache_eviction",
    "flat",
    "sawtooth",
    "warm_up",
)
"""What is recorded unless others are named; the lab runs all of them."""
_DIRECTIVE = re.compile(r"^//lab:(\w+) (\S.*)$", re.MULTILINE)
_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}


@contextlib.contextmanager
def memory_group(limit_bytes: int) -> Iterator[Path]:
    """Make a group with this limit; its processes must have ended when it is left."""
    group = MEMORY_GROUPS / f"whyheap-{os.getpid()}-{time.monotonic_ns()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit_bytes))
        yield group
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def build(go: str, source: Path, binary: Path) -> None:
    """Build one program, with paths that tell nothing of this machine."""
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    command = [go, "build", "-trimpath", "-o", str(binary), source.name]
    subprocess.run(command, check=True, env=environment, cwd=source.parent)


@contextlib.contextmanager
def running(binary: Path, arguments: tuple[str, ...] = (), group: Path | None = None) -> Iterator[str]:
    """Run a program that prints its address, in a memory group if given, and yield the address."""
    command = [str(binary), *arguments]
    if group is not None:
        command = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


def observe(url: str, seconds: float = SECONDS) -> RuntimeSeries:
    """Sample a running program."""
    return collect_runtime(url, lambda path, timeout: fetch(url + path, timeout_seconds=timeout), seconds)


def programs() -> dict[str, Path]:
    """Return every program by its name: "cause.variant", or the healthy one's folder."""
    scenarios = {
        f"{path.parents[2].name}.{path.parent.name}": path for path in sorted(CAUSES.glob("*/scenario/*/main.go"))
    }
    return {**scenarios, **{path.parent.name: path for path in sorted(HEALTHY.glob("*/main.go"))}}


def directives(source: Path) -> dict[str, list[str]]:
    """Return what a program's `//lab:` lines ask for, by their word."""
    found: dict[str, list[str]] = {}
    for word, value in _DIRECTIVE.findall(source.read_text(encoding="utf-8").partition("\npackage ")[0]):
        found.setdefault(word, []).append(value.strip())
    return found


def arguments(source: Path) -> tuple[str, ...]:
    """Return the arguments that a program is started with."""
    return tuple(" ".join(directives(source).get("args", ())).split())


def limit_bytes(source: Path) -> int | None:
    """Return the limit of the memory group that a program is run in; None for one that needs none."""
    for size in directives(source).get("limit", ()):
        return int(size[:-3]) << _UNITS[size[-3:]]
    return None


def slim(series: RuntimeSeries) -> RuntimeSeries:
    """Keep the stacks of the program itself; those of the HTTP server are the same everywhere."""

    def trim(sample: RuntimeSample) -> RuntimeSample:
        own = tuple(group for group in sample.goroutines if any(site.package == "main" for site in group.stack))
        return replace(sample, goroutines=own)

    return replace(series, samples=tuple(trim(sample) for sample in series.samples), pid=None, limit_name="test group")


def record(name: str, source: Path, go: str, version: str) -> None:
    """Build, run and record one program."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        binary = Path(folder) / name
        build(go, source, binary)
        limit = limit_bytes(source)
        group = stack.enter_context(memory_group(limit)) if limit else None
        url = stack.enter_context(running(binary, arguments(source), group))
        series = observe(url)
    target = RECORDED / f"{name}-{version}.json"
    target.write_bytes(msgspec.json.encode(slim(series)) + b"\n")
    print(f"{target.relative_to(REPOSITORY)}: {len(series.samples)} samples, {target.stat().st_size} bytes")


def record_goroutines(go: str, version: str) -> None:
    """Record the text and the binary form of one goroutine profile."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "waits"
        build(go, GOROUTINES / "program" / "main.go", binary)
        with running(binary) as url:
            (GOROUTINES / f"{version}.txt").write_bytes(fetch(f"{url}/debug/pprof/goroutine?debug=1"))
            (GOROUTINES / f"{version}.pb.gz").write_bytes(fetch(f"{url}/debug/pprof/goroutine"))
    print(f"tests/recorded/goroutines/{version}.txt and .pb.gz")


def main() -> None:
    """Record all programs with each Go named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--go", action="append", default=[], help="a go command (repeatable)")
    parser.add_argument("names", nargs="*", help="programs to record, a few by default")
    options = parser.parse_args()
    RECORDED.mkdir(parents=True, exist_ok=True)
    for go in options.go or ["go"]:
        command = [go, "env", "GOVERSION"]
        environment = {**os.environ, "GOTOOLCHAIN": "local"}
        version = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout.strip()
        if not options.names or "goroutines" in options.names:
            record_goroutines(go, version)
        for name, source in programs().items():
            if name not in (options.names or RECORDED_PROGRAMS):
                continue
            if limit_bytes(source) and not os.access(MEMORY_GROUPS, os.W_OK):
                print(f"{name}: left out, {MEMORY_GROUPS} may not be written")
                continue
            record(name, source, go, version)


if __name__ == "__main__":
    main()
