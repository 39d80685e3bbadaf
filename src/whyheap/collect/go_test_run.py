"""Witness: a package's own tests, run by go test with whyheap's hooks in package testing, through -overlay."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from whyheap.collect.fresh_output import follow_lines
from whyheap.collect.go_test_flags import GoTestFlags
from whyheap.collect.hook_overlay import read_overlay, write_overlay, write_settings
from whyheap.collect.leak_retention import RetentionReader, largest_heap
from whyheap.collect.unchanged import module_folders
from whyheap.errors import TargetError, ToolError, UsageError
from whyheap.goruntime.testing_hooks import FOLDER_VARIABLE, GOTMPDIR_VARIABLE
from whyheap.host.go import GoEnvironment, GoTool, first_line
from whyheap.host.program import kill_group
from whyheap.model.site import Site
from whyheap.parse.allocation_limits import AllocationLimit, WrongDirective, parse_limits
from whyheap.parse.go_list import ListedPackage, parse_go_list
from whyheap.parse.go_mod import module_path
from whyheap.parse.go_test_output import GoTestOutput, PackageOutcome
from whyheap.parse.hook_report import PackageReport, parse_hook_report
from whyheap.parse.source_path import SourceNames

Progress = Callable[[str], None]
_SYSTEMS = frozenset({"linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly", "solaris", "illumos", "aix"})
_PACKAGE_ENDS = ("ok ", "FAIL\t")
_CHECKPTR = "-gcflags=all=-d=checkptr"
_LISTED = "-json=ImportPath,Dir,Name,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Error,Module"


@dataclass(frozen=True, slots=True)
class GoTestOptions:
    """Which tests to run and how. `flags` are the user's own for go test, `patterns` as for go test."""

    folder: Path
    patterns: tuple[str, ...] = ("./...",)
    flags: tuple[str, ...] = ()
    tags: str = ""
    timeout: str = ""
    wait_seconds: float = 1.0
    checkptr: bool = False


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A test file of a package: its spelling, its text, and the directives in it."""

    package: str
    file: str
    source: str
    limits: tuple[AllocationLimit, ...] = ()
    wrong: tuple[WrongDirective, ...] = ()


@dataclass(slots=True)
class GoTestRun:
    """What go test printed and what the test binaries wrote; `command` is go test's own, without our overlay."""

    environment: GoEnvironment
    names: SourceNames
    flags: GoTestFlags
    files: list[CheckedFile]
    packages: frozenset[str] = frozenset()
    outcomes: list[PackageOutcome] = field(default_factory=list)
    reports: list[PackageReport] = field(default_factory=list)
    status: int = 0
    unread: int = 0
    has_benchmarks: bool = False

    def is_own(self, site: Site) -> bool:
        """Whether code is of the modules that are tested, and no library's."""
        package = site.package.removesuffix("_test")
        if any(package == module or package.startswith(f"{module}/") for module, _ in self.names.modules):
            return True
        return "vendor" not in site.file.split("/") and Path(self.names.root, site.file).is_file()

    def source(self, file: str) -> str:
        """Return the text of a file by its spelling, empty where it cannot be read."""
        known = next((one.source for one in self.files if one.file == file), None)
        if known is not None:
            return known
        for path in (self.names.to_path(file), str(Path(self.environment.GOROOT, "src", file))):
            try:
                return Path(path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
        return ""


def run_tests(go: GoTool, options: GoTestOptions, progress: Progress, show: Callable[[str], None]) -> GoTestRun:
    """Run the tests to their end; `show` gets go test's own output, line by line.

    Raises TargetError when no package was tested at all, UsageError for flags that whyheap test cannot run with.
    """
    environment = go.environment(options.folder)
    if environment.GOOS not in _SYSTEMS:
        raise UsageError(f"whyheap test runs tests on Unix, and GOOS is {environment.GOOS}", "Leave GOOS out")
    flags = GoTestFlags.read(options.flags, environment.GOFLAGS)
    _check(flags, options)
    replaced = {}
    if flags.value("overlay"):
        replaced = read_overlay(flags.value("overlay"), options.folder)
    run = GoTestRun(environment, _names(environment, options.folder), flags, [])
    with _workplace() as place:
        overlay = write_overlay(environment, place, replaced)
        progress("listing packages")
        listed = _packages(go, options, flags)
        run.packages = frozenset(package.path for package in listed)
        run.files = [file for package in listed for file in _checked_files(package, run.names, replaced)]
        limits = [(one.package, limit.function) for one in run.files for limit in one.limits]
        limited = [] if flags.distorts_allocations else limits
        own = list(_own_flags(options, run))
        is_unasked = run.has_benchmarks and not flags.has("bench")
        write_settings(place, options.wait_seconds, limited, largest_heap(place), is_unasked=is_unasked)
        progress("building and running tests")
        arguments = ["test", f"-overlay={overlay}", *own, *options.patterns]
        heaps = RetentionReader(place, run.names.spell)
        _run(go, [*arguments, *flags.for_test()], options.folder, place, run, show, heaps)
        for file in sorted(place.glob("report-*.jsonl")):
            run.reports += parse_hook_report(file.read_bytes(), run.names.spell)
        for report in run.reports:
            heaps.tell(report)
    return run


def _check(flags: GoTestFlags, options: GoTestOptions) -> None:
    if options.checkptr and flags.has("gcflags"):
        raise UsageError(
            f"--checkptr and -gcflags={flags.value('gcflags')} speak of the same: go uses one of them for a package",
            "Leave --checkptr out, and add -d=checkptr to your own:  -gcflags=all='-d=checkptr ...'",
        )
    if flags.covers_testing:  # cmd/go/internal/work/exec.go, Go 1.22 to 1.27: runs cover on files without their overlay
        raise UsageError(
            f"-coverpkg={flags.value('coverpkg')} covers package testing, too, and go covers it without our hooks",
            "Name your own packages:  -coverpkg=./...",
        )
    for option, name, is_given in (
        ("--timeout", "timeout", bool(options.timeout)),
        ("--tags", "tags", bool(options.tags)),
    ):
        if is_given and any(flag.name == name for flag in flags.given):
            raise UsageError(f"{option} and -{name} are the same", f"Give {option} alone")


def _own_flags(options: GoTestOptions, run: GoTestRun) -> Iterator[str]:
    if not run.flags.has("count"):
        yield "-count=1"  # any count keeps go from its cache of results
    if options.checkptr:
        yield _CHECKPTR
    if options.tags:
        yield f"-tags={options.tags}"
    if options.timeout:
        yield f"-timeout={options.timeout}"
    names = sorted({limit.function for one in run.files for limit in one.limits if limit.is_benchmark})
    is_asked = run.flags.has("bench") or not (run.flags.has("run") or run.flags.distorts_allocations)
    run.has_benchmarks = bool(names) and is_asked
    if run.has_benchmarks and not run.flags.has("bench"):
        # go test runs no benchmark unasked, and a limit that nobody measures is none
        yield f"-bench=^({'|'.join(names)})$"


def _run(
    go: GoTool,
    arguments: Sequence[str],
    folder: Path,
    place: Path,
    run: GoTestRun,
    show: Callable[[str], None],
    heaps: RetentionReader,
) -> None:
    printed = place / "output"
    output = GoTestOutput(run.names.spell, run.packages)
    given = {FOLDER_VARIABLE: str(place), GOTMPDIR_VARIABLE: go.given("GOTMPDIR")}
    tool = GoTool(go.command, {**go.env, **given})
    started = None
    try:
        with printed.open("wb") as sink, tool.start(arguments, folder, sink, sink) as process:
            started = process
            for line in follow_lines(printed, lambda: True, lambda: process.poll() is not None, "surrogateescape"):
                show(line)
                output.add(line.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
                if line.startswith(_PACKAGE_ENDS):
                    heaps.read()
            heaps.read()
            run.status = process.wait()
    except BaseException:
        if started is not None:
            kill_group(started)  # a test binary may catch what has ended go
        raise
    run.outcomes = output.packages if run.status else [one for one in output.packages if not one.outcome.is_bad]
    run.unread = int(output.is_cut)
    if not run.outcomes:
        words = printed.read_text(encoding="utf-8", errors="replace")
        raise TargetError(f"go test ran no package: {first_line(words).removeprefix('go: ')}", _hint(words))


def _hint(words: str) -> str:
    if "flag provided but not defined" in words or "usage: go test" in words:
        return "Flags of go test stand after --, and its own help is  go help test"
    return "Name packages as for go test:  whyheap test ./..."


def _packages(go: GoTool, options: GoTestOptions, flags: GoTestFlags) -> list[ListedPackage]:
    """Return the packages; what go list cannot say, go test will."""
    words = ["list", "-e", _LISTED, *flags.for_list()]
    words += [f"-tags={options.tags}"] if options.tags else []
    if flags.value("overlay"):
        words.append(f"-overlay={flags.value('overlay')}")
    listed = go.run([*words, *options.patterns], options.folder)
    if listed.returncode:
        raise TargetError(
            f"go list failed: {first_line(listed.stderr).removeprefix('go: ')}",
            "Name packages as for go test:  whyheap test ./...",
        )
    return list(parse_go_list(listed.stdout.encode()))


def _checked_files(package: ListedPackage, names: SourceNames, replaced: dict[str, str]) -> Iterator[CheckedFile]:
    """Yield the test files of a package, and those of its other files that have a limit in them: in vain."""
    for name in (*package.TestGoFiles, *package.XTestGoFiles):
        yield _checked_file(package, str(Path(package.Dir, name)), names, replaced)
    for name in (*package.GoFiles, *package.CgoFiles):
        file = _checked_file(package, str(Path(package.Dir, name)), names, replaced)
        if file.wrong:
            yield file


def _checked_file(package: ListedPackage, path: str, names: SourceNames, replaced: dict[str, str]) -> CheckedFile:
    try:
        source = Path(replaced.get(path) or path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        source = ""  # go test will say so
    found = list(parse_limits(source, is_test=path.endswith("_test.go")))
    return CheckedFile(
        package.path,
        names.spell(path),
        source,
        tuple(one for one in found if isinstance(one, AllocationLimit)),
        tuple(one for one in found if isinstance(one, WrongDirective)),
    )


def _names(environment: GoEnvironment, folder: Path) -> SourceNames:
    modules = []
    for inside in module_folders(environment):
        try:
            path = module_path((inside / "go.mod").read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        modules.append((path, str(inside)))
    modules.sort(key=lambda module: -len(module[0]))
    root = environment.root or str(folder)
    return SourceNames(root, tuple(modules), environment.GOROOT, environment.GOMODCACHE)


@contextmanager
def _workplace() -> Iterator[Path]:
    """Make the folder of the overlay and the reports, and remove it."""
    try:
        place = Path(tempfile.mkdtemp(prefix="whyheap-test-"))
    except OSError as error:
        raise ToolError(f"no folder for temporary files: {error.strerror}", "Name one:  TMPDIR=DIR") from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
