"""The benchmarks of two revisions, package by package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.app.source_tree import SourceTree, patterns_in
from whyheap.collect.compiler import Progress, ScanOptions
from whyheap.collect.test_binary import build_tests
from whyheap.errors import TargetError, UsageError
from whyheap.host.go import first_line
from whyheap.model.benchmark import Comparison
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import Revision
from whyheap.parse.go_list import ListedPackage, parse_go_list
from whyheap.proof.benchmarks import BENCHTIME, ROUNDS, check_options, compare

_DECLARATION = b"func Benchmark"


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """Which benchmarks to run, how often and for how long; raises UsageError for numbers that make no sense."""

    regex: str
    rounds: int = ROUNDS
    benchtime: str = BENCHTIME

    def __post_init__(self) -> None:
        """Refuse before anything is built."""
        check_options(self.rounds, self.benchtime)


def compare_benchmarks(
    trees: Sequence[SourceTree],
    revisions: tuple[Revision, Revision],
    options: ScanOptions,
    request: BenchmarkRequest,
    progress: Progress,
) -> tuple[tuple[Comparison, ...], list[Gap], TargetError | None]:
    """Compare the benchmarks of each package that both revisions have; also says which could not be compared.

    The error is that of a benchmark that failed, or of tests that do not build where nothing else was compared.

    Raises UsageError when no benchmark matches.
    """
    old, new = (_with_benchmarks(tree, options) for tree in trees)
    found: list[Comparison] = []
    gaps = [
        Gap("benchmarks", f"only {revision.title} has benchmarks in {package}", "")
        for mine, other, revision in ((old, new, revisions[0]), (new, old, revisions[1]))
        for package in sorted(mine.keys() - other.keys())
    ]
    failed: TargetError | None = None
    not_built: TargetError | None = None
    names = (revisions[0].name, revisions[1].name)
    with TemporaryDirectory(prefix="whyheap-bench-") as folder:
        before, after = Path(folder, "before.test"), Path(folder, "after.test")
        for package in sorted(old.keys() & new.keys()):
            try:
                for program, tree, revision in zip((before, after), trees, revisions, strict=True):
                    progress(f"{revision.name}: compiling the tests of {package}")
                    program.unlink(missing_ok=True)
                    _build(program, package, tree, revision, options)
            except TargetError as error:
                not_built = not_built or error
                gaps.append(Gap("benchmarks", error.message, error.hint))
                continue
            try:
                compared = compare(
                    before,
                    after,
                    request.regex,
                    request.rounds,
                    folder=Path(old[package]),
                    folder_after=Path(new[package]),
                    names=names,
                    benchtime=request.benchtime,
                    progress=progress,
                    note=lambda text: gaps.append(Gap("benchmarks", text, "")),
                )
            except TargetError as error:
                failed = failed or error
                gaps.append(Gap("benchmarks", error.message, error.hint))
                continue
            found += (replace(one, package=one.package or package) for one in compared)
    if not found and not gaps:
        raise UsageError(
            f"no benchmark of {' '.join(options.patterns)} matches {request.regex}", "See:  go test -list ."
        )
    return tuple(found), gaps, failed or (None if found else not_built)


def _build(program: Path, package: str, tree: SourceTree, revision: Revision, options: ScanOptions) -> None:
    try:
        build_tests(tree.go, package, tree.folder, program, tags=options.tags, gcflags=options.gcflags)
    except TargetError as error:
        raise TargetError(f"{revision.title}: {error.message}", error.hint) from error


def _with_benchmarks(tree: SourceTree, options: ScanOptions) -> dict[str, str]:
    """Return the folder of each package whose tests declare a benchmark, by import path."""
    arguments = ["list", "-e", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"]
    arguments += [f"-tags={options.tags}"] if options.tags else []
    done = tree.go.run([*arguments, *patterns_in(tree.folder, options)], tree.folder)
    if done.returncode != 0:
        raise TargetError(f"go list failed: {first_line(done.stderr)}")
    return {package.ImportPath: package.Dir for package in parse_go_list(done.stdout.encode()) if _declares(package)}


def _declares(package: ListedPackage) -> bool:
    for name in (*package.TestGoFiles, *package.XTestGoFiles):
        try:
            if _DECLARATION in Path(package.Dir, name).read_bytes():
                return True
        except OSError:
            continue
    return False
