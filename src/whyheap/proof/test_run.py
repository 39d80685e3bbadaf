"""Runs a package's tests, as they are or with an overlay, and counts every allocation at given lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from whyheap.collect.profile import collect_profile
from whyheap.errors import FormatError, TargetError, ToolError
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.model.profile import HeapProfile

Place = tuple[str, int]
_GRACE_SECONDS = 30


class _Event(msgspec.Struct):
    Action: str = ""
    Test: str = ""
    Output: str = ""


@dataclass(frozen=True, slots=True)
class TestRun:
    """What one run of a package's tests showed.

    `failed` are the names of top-level tests that failed. `is_built`: the tests compiled; `words` are the first of
    what went wrong otherwise. `has_tests` is false for a package without test files.
    """

    __test__ = False

    failed: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    is_built: bool = True
    has_tests: bool = True
    timed_out: bool = False
    words: str = ""
    profile: HeapProfile | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Objects:
    """What was allocated at some lines."""

    count: int
    bytes: int


def run_tests(
    go: GoTool,
    package: str,
    folder: Path,
    work: Path,
    *,
    flags: Sequence[str] = (),
    only: Collection[str] = (),
    seconds: float,
    with_profile: bool = True,
) -> TestRun:
    """Run the tests of a package, `only` some of them when named; `folder` is where go is run, `work` our own."""
    profile = work / "mem.pb.gz"
    profile.unlink(missing_ok=True)
    command = [go.command, "test", "-json", "-count=1", "-vet=off", f"-timeout={seconds:g}s", *flags]
    if with_profile:
        command += ["-memprofilerate=1", f"-memprofile={profile}", f"-o={work / 'test.bin'}"]
    if only:
        command.append(f"-run=^({'|'.join(re.escape(name) for name in sorted(only))})$")
    try:
        done = run_program([*command, package], folder, env=go.env, seconds=seconds + _GRACE_SECONDS * 4)
    except ToolError as error:
        if "took longer" not in error.message:
            raise
        return TestRun(timed_out=True, words=error.message)
    return _read(done.stdout, done.stderr, done.returncode, profile if with_profile else None)


def _read(stdout: str, stderr: str, status: int, profile: Path | None) -> TestRun:
    failed, passed, output = set(), set(), []
    for line in stdout.splitlines():
        try:
            event = msgspec.json.decode(line, type=_Event)
        except msgspec.DecodeError:
            continue
        output.append(event.Output)
        if event.Test and "/" not in event.Test:
            if event.Action == "fail":
                failed.add(event.Test)
            elif event.Action == "pass":
                passed.add(event.Test)
    text = "".join(output)
    is_built = "[build failed]" not in text and "[setup failed]" not in text and not (status and not output)
    has_tests = "[no test files]" not in text
    words = next((line.strip() for line in (stderr + text).splitlines() if _tells(line)), "") if status else ""
    return TestRun(
        frozenset(failed),
        frozenset(passed),
        is_built,
        has_tests,
        "panic: test timed out" in text,
        words,
        _profile(profile),
    )


def _tells(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("# ", "=== ", "FAIL", "ok ", "---"))


def _profile(file: Path | None) -> HeapProfile | None:
    if file is None or not file.is_file():
        return None
    try:
        return collect_profile(str(file)).profile
    except (FormatError, TargetError):
        return None


def allocated(
    profile: HeapProfile, places: Mapping[str, frozenset[Place]], is_own: Callable[[str], bool]
) -> dict[str, Objects]:
    """Return what was allocated at the places of each name, by the lines themselves or by code of others they call.

    A sample counts where its innermost frame of one's own code (by file) stands.
    """
    by_place: dict[Place, list[str]] = {}
    for name, wanted in places.items():
        for place in wanted:
            by_place.setdefault(place, []).append(name)
    counts, sizes = profile.values["alloc_objects"], profile.values["alloc_space"]
    totals = {name: [0, 0] for name in places}
    for sample in range(len(profile)):
        place = _own_place(profile, sample, is_own)
        for name in by_place.get(place, ()):
            totals[name][0] += int(counts[sample])
            totals[name][1] += int(sizes[sample])
    return {name: Objects(*total) for name, total in totals.items()}


def _own_place(profile: HeapProfile, sample: int, is_own: Callable[[str], bool]) -> Place:
    for location in profile.stack_locations[profile.stack_offsets[sample] : profile.stack_offsets[sample + 1]]:
        for line in range(profile.line_offsets[location], profile.line_offsets[location + 1]):
            file = profile.function_files[profile.line_functions[line]]
            if is_own(file):
                return file, int(profile.line_numbers[line])
    return "", 0
