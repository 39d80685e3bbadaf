"""Proves patterns on one Go version: compiles their examples, checks every want, runs and measures every function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.kept_checks import checks_by_line, kept_checks, with_checks
from whyheap.collect.profile import collect_profile
from whyheap.errors import TargetError, ToolError
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.join import join
from whyheap.lab.check import Failure, failures, judged, place
from whyheap.lab.functions import functions
from whyheap.lab.recording import LineRecord, Numbers, Recording, today
from whyheap.lab.wants import version
from whyheap.lab.workspace import FILE, MODULE, Workspace, compile_error, workspace
from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.finding import Finding, PatternKind
from whyheap.model.scan import Scan
from whyheap.patterns.pattern import Pattern

Progress = Callable[[str], None]
_MOST_SECONDS = 60
_WAITING = threading.Event()


class _NotRunError(ToolError):
    """The functions of one example cannot be run: that is a failure of this example alone."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One pattern on one Go version. `text` is the compiler's -m=2 output, empty when it was not asked for."""

    recording: Recording
    failures: tuple[Failure, ...]
    text: str = ""


def prove(
    go: GoTool,
    patterns: Sequence[Pattern],
    progress: Progress,
    *,
    with_text: bool = False,
    stop: threading.Event = _WAITING,
) -> Iterator[Proof]:
    """Yield the proof of each pattern; setting `stop` ends the compiler and raises KeyboardInterrupt.

    Raises ToolError when go fails altogether; an example that does not compile is a failure of its own.
    """
    environment = go.environment(Path.cwd())
    name = environment.release
    with workspace(go, name) as space:
        space.prepare(patterns)
        progress(f"Go {name}: compiling {len(patterns)} examples")
        compiled = _compiled(space, patterns, progress, stop)
        scan = compiled.load()
        broken = {one.package.rsplit("/", 1)[-1]: one.error for one in scan.packages if one.error}
        sound = [one for one in patterns if one.slug not in broken]
        progress(f"Go {name}: building what measures them")
        binary = space.build(sound) if sound else Path()
        for number, pattern in enumerate(patterns, 1):
            progress(f"Go {name}: {pattern.slug} ({number} of {len(patterns)})")
            if pattern.slug in broken:
                yield _broken(pattern, name, broken[pattern.slug])
                continue
            try:
                checks = _checks(compiled, pattern) if pattern.kind is PatternKind.HAZARD else []
                proof = _prove(space, binary, scan, pattern, name, checks)
            except _NotRunError as error:
                proof = _broken(pattern, name, error.message, "to run")
            recording = msgspec.structs.replace(proof.recording, platform=environment.platform, date=today())
            yield replace(proof, recording=recording, text=space.explain(pattern) if with_text else "")


def _compiled(
    space: Workspace, patterns: Sequence[Pattern], progress: Progress, stop: threading.Event
) -> CompiledPackages:
    """Read the examples as `whyheap scan` does: the compiler's facts, and machine code where scans read some."""
    options = ScanOptions(space.plain, tuple(f"./{one.slug}" for one in patterns))
    try:
        return compile_packages(space.go, options, progress, stop)
    except TargetError as error:
        raise ToolError(f"no example could be compiled: {error.message}", error.hint) from error


def _checks(compiled: CompiledPackages, pattern: Pattern) -> list[CompilerFact]:
    """Return the bounds checks that the compiler kept in an example, where its code stands."""
    kept = kept_checks(compiled.lines_of(f"{MODULE}/{pattern.slug}"))
    return [one for one in kept if one.site == one.printed_at and one.site.file == place(pattern)]


def _prove(
    space: Workspace, binary: Path, scan: Scan, pattern: Pattern, go: str, checks: Sequence[CompilerFact]
) -> Proof:
    profile_file, numbers_file = (space.measured / f"{pattern.slug}.{end}" for end in ("pb.gz", "json"))
    try:
        numbers = _numbers(binary, pattern, numbers_file)
        _measure(binary, "profile", pattern, profile_file)
        profile = collect_profile(str(profile_file)).profile
    finally:
        for file in (profile_file, numbers_file):
            file.unlink(missing_ok=True)
    only = replace(scan, packages=tuple(one for one in scan.packages if one.package.endswith(f"/{pattern.slug}")))
    evidence = [one for one in join(only, profile).evidence if one.site.file == place(pattern)]
    evidence = with_checks(evidence, checks_by_line(f"{MODULE}/{pattern.slug}", checks))
    found = judged(pattern, evidence, version(go))
    failed = failures(pattern, found, evidence, version(go))
    failed += [Failure(0, f"{one.name} to run", one.error) for one in numbers if one.error]
    lines = tuple(record for one in evidence if (record := _line(one, found.get(one.site.line, []))) is not None)
    recording = Recording(pattern.slug, go, functions=tuple(numbers), lines=lines, failures=tuple(map(str, failed)))
    return Proof(recording, tuple(failed))


def _line(evidence: Evidence, findings: list[Finding]) -> LineRecord | None:
    """Keep what was seen of a line; None where nothing was."""
    checks = tuple(sorted({one.site.column for one in evidence.facts if one.kind is FactKind.BOUNDS}))
    if not (findings or evidence.calls or evidence.measure or checks):
        return None
    verdicts = tuple((one.pattern, compiler_word(one), str(one.agreement)) for one in findings)
    return LineRecord(evidence.site.line, verdicts, evidence.calls, evidence.direct, evidence.callees, checks)


def compiler_word(finding: Finding) -> str:
    """Return what the compiler says of a finding: heap, that it kept a bounds check, or nothing of the kind."""
    if any(fact.kind is FactKind.BOUNDS for fact in finding.facts):
        return "check kept"
    return "heap" if any(fact.kind is FactKind.HEAP for fact in finding.facts) else "silent"


def _numbers(binary: Path, pattern: Pattern, file: Path) -> list[Numbers]:
    """Run every function of an example and return what it costs, in source order."""
    _measure(binary, "numbers", pattern, file)
    measured = {one.name: one for one in msgspec.json.decode(file.read_bytes(), type=list[Numbers])}
    return [
        measured.get(one.name) or Numbers(one.name, unmeasured=one.unmeasured) for one in functions(pattern.example)
    ]


def _measure(binary: Path, what: str, pattern: Pattern, file: Path) -> None:
    command = [str(binary), what, pattern.slug, str(file)]
    try:
        done = run_program(command, binary.parent, seconds=_MOST_SECONDS)
    except ToolError as error:
        raise _NotRunError(error.message) from error
    if done.returncode or not file.is_file():
        raise _NotRunError(compile_error(done.stderr))


def _broken(pattern: Pattern, go: str, error: str, want: str = "to compile") -> Proof:
    failure = Failure(0, f"{FILE} {want}", error)
    return Proof(Recording(pattern.slug, go, failures=(str(failure),)), (failure,))
