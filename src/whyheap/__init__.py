"""whyheap: why is this value on the heap, and why does this Go process run out of memory?

The public API: `why` and `scan` answer with a `Report`, `load_capture` reads a saved one's facts, every error is a
`WhyheapError`. All types are frozen dataclasses. Importing this package imports its version and nothing else:
names come when used.
"""

from __future__ import annotations

from whyheap.version import VERSION

TYPE_CHECKING = False  # typing.TYPE_CHECKING costs an import
if TYPE_CHECKING:
    import os
    import re
    from collections.abc import Mapping

    from whyheap.capture import Capture, load_capture
    from whyheap.errors import FormatError, OutputError, TargetError, ToolError, UsageError, WhyheapError
    from whyheap.host.http import Access
    from whyheap.model.account import AccountPart, MemoryAccount
    from whyheap.model.event import Event, EventKind
    from whyheap.model.evidence import Agreement, CalleeBytes
    from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep, GoroutineGroup
    from whyheap.model.finding import Certainty, Finding, Fix, FixKind
    from whyheap.model.gauge import Gap, Gauge, Origin
    from whyheap.model.measure import Measure
    from whyheap.model.report import EntryPoint, FlameNode, Report, Totals
    from whyheap.model.scan import Scan, ScannedPackage
    from whyheap.model.site import Position, Site
    from whyheap.model.verdict import CauseVerdict, Statement, Verdict

__version__ = VERSION

__all__ = [
    "Access",
    "AccountPart",
    "Agreement",
    "AllocatorCall",
    "CalleeBytes",
    "Capture",
    "CauseVerdict",
    "Certainty",
    "CompilerFact",
    "EntryPoint",
    "Event",
    "EventKind",
    "FactKind",
    "Finding",
    "Fix",
    "FixKind",
    "FlameNode",
    "Flow",
    "FlowStep",
    "FormatError",
    "Gap",
    "Gauge",
    "GoroutineGroup",
    "Measure",
    "MemoryAccount",
    "Origin",
    "OutputError",
    "Position",
    "Report",
    "Scan",
    "ScannedPackage",
    "Site",
    "Statement",
    "TargetError",
    "ToolError",
    "Totals",
    "UsageError",
    "Verdict",
    "WhyheapError",
    "__version__",
    "load_capture",
    "scan",
    "why",
]

_HOMES = {
    "whyheap.capture": "Capture load_capture",
    "whyheap.errors": "FormatError OutputError TargetError ToolError UsageError WhyheapError",
    "whyheap.host.http": "Access",
    "whyheap.model.account": "AccountPart MemoryAccount",
    "whyheap.model.event": "Event EventKind",
    "whyheap.model.evidence": "Agreement CalleeBytes",
    "whyheap.model.facts": "AllocatorCall CompilerFact FactKind Flow FlowStep GoroutineGroup",
    "whyheap.model.finding": "Certainty Finding Fix FixKind",
    "whyheap.model.gauge": "Gap Gauge Origin",
    "whyheap.model.measure": "Measure",
    "whyheap.model.report": "EntryPoint FlameNode Report Totals",
    "whyheap.model.scan": "Scan ScannedPackage",
    "whyheap.model.site": "Position Site",
    "whyheap.model.verdict": "CauseVerdict Statement Verdict",
}


def why(
    *targets: str | os.PathLike[str],
    folder: str | os.PathLike[str] = ".",
    seconds: float = 10.0,
    focus: str = "",
    go: str = "",
    go_env: Mapping[str, str] | None = None,
    tags: str = "",
    gcflags: str = "",
    access: Access | None = None,
    keep_sources: bool = True,
) -> Report:
    """Say why a Go process runs out of memory, which lines are to blame and why they are on the heap.

    Args:
        *targets: package patterns, one address of a service, one heap profile or one capture; "." when none is named.
        folder: where package patterns are relative to, and where the go command runs.
        seconds: how long a service is observed; 0 reads one moment.
        focus: a regular expression: only functions, files or patterns that it finds.
        go: a go command or a version; the one on PATH when empty.
        go_env: environment of the go command that differs from ours, such as GOOS.
        tags: build tags of the real build.
        gcflags: compiler flags of the real build.
        access: headers, timeouts and certificates for a service; never stored.
        keep_sources: whether the report may hold source text.

    Returns:
        The report. A target that could not be read while others could is one of its gaps, witness "target".

    Raises:
        UsageError: the targets make no sense, alone or together.
        TargetError: no target at all could be read.
        ToolError: the go command is needed, and missing or failed.
    """
    from dataclasses import replace  # noqa: PLC0415 - importing whyheap stays cheap
    from pathlib import Path  # noqa: PLC0415 - as above

    from whyheap.app.analyse import View, analyse  # noqa: PLC0415 - as above
    from whyheap.app.gather import WhyRequest, gather  # noqa: PLC0415 - as above
    from whyheap.host.http import Access  # noqa: PLC0415 - as above
    from whyheap.model.gauge import Gap  # noqa: PLC0415 - as above

    view = View(_pattern(focus), keep_sources=keep_sources)
    request = WhyRequest(
        tuple(map(str, targets)) or (".",),
        Path(folder),
        seconds,
        go,
        dict(go_env or {}),
        tags,
        gcflags,
        access or Access(),
    )
    gathered = gather(request)
    report = analyse(gathered.capture, view, gathered.files).report
    failures = (Gap("target", error.message, error.hint) for error in gathered.failures)
    return replace(report, gaps=(*report.gaps, *failures))


def scan(
    *packages: str,
    folder: str | os.PathLike[str] = ".",
    focus: str = "",
    go: str = "",
    go_env: Mapping[str, str] | None = None,
    tags: str = "",
    gcflags: str = "",
    tests: bool = False,
    keep_sources: bool = True,
) -> Report:
    """Say which lines allocate on the heap and why, from the compiler's decisions; nothing is run.

    Args:
        *packages: package patterns as for go build; "./..." when none is named.
        folder: where they are relative to, and where the go command runs.
        focus: a regular expression: only functions, files or patterns that it finds.
        go: a go command or a version; the one on PATH when empty.
        go_env: environment of the go command that differs from ours, such as GOOS.
        tags: build tags of the real build.
        gcflags: compiler flags of the real build.
        tests: also the packages' tests.
        keep_sources: whether the report may hold source text.

    Returns:
        The report, without a verdict and without bytes.

    Raises:
        UsageError: `focus` or `go` cannot be understood.
        TargetError: no package could be compiled.
        ToolError: the go command is missing or failed.
    """
    from pathlib import Path  # noqa: PLC0415 - importing whyheap stays cheap

    from whyheap.app.scan import ScanRequest  # noqa: PLC0415 - as above
    from whyheap.app.scan_report import scan_report  # noqa: PLC0415 - as above
    from whyheap.collect.compiler import ScanOptions, compile_packages  # noqa: PLC0415 - as above
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    options = ScanOptions(Path(folder), packages or ("./...",), tags, gcflags, tests=tests)
    request = ScanRequest(options, _pattern(focus), keep_sources=keep_sources)
    return scan_report(compile_packages(find_go(go, go_env), options), request)


def _pattern(focus: str) -> re.Pattern[str] | None:
    import re  # noqa: PLC0415 - importing whyheap stays cheap

    from whyheap.errors import UsageError  # noqa: PLC0415 - as above

    try:
        return re.compile(focus) if focus else None
    except re.error as error:
        raise UsageError(f"focus {focus!r} is no regular expression: {error}") from error


def __getattr__(name: str) -> object:
    """Import a public name from the module that defines it, when it is first used."""
    home = next((module for module, names in _HOMES.items() if name in names.split()), None)
    if home is None:
        raise AttributeError(f"module 'whyheap' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - importing whyheap stays cheap

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return __all__
