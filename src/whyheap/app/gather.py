"""From targets to a Capture: everything that the witnesses say, before anything is concluded."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from whyheap.app.targets import Target, TargetKind, recognise
from whyheap.capture import Capture, load_capture
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.profile import ProfileReading, collect_profile
from whyheap.collect.runtime import collect_runtime
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries
from whyheap.collect.sources import SourceFiles
from whyheap.errors import ToolError, UsageError, WhyheapError
from whyheap.host.go import end_running, find_go
from whyheap.host.http import Access, fetch, scrub
from whyheap.model.gauge import Gap, Origin
from whyheap.model.scan import Scan

_LAST_WORDS_SECONDS = 0.8  # what witnesses have to finish after Ctrl-C
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """What `why` was asked. `seconds` is the window in which a service is observed, 0 for one moment.

    `binary` is the linked program whose machine code is read in place of the packages' own.
    """

    targets: tuple[str, ...]
    folder: Path
    seconds: float = 10.0
    go: str = ""
    go_env: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    gcflags: str = ""
    access: Access = field(default_factory=Access)
    binary: Path | None = None
    tests: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """A capture, and the errors of named targets that could not be read while others could.

    `files` are the sources of a scan made now; None for a capture that was loaded, whose folders are not to be trusted.
    `compiled` are the packages of that scan, with their machine code.
    """

    capture: Capture
    files: SourceFiles | None = None
    failures: tuple[WhyheapError, ...] = ()
    compiled: CompiledPackages | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while witnesses were speaking; `capture` is what they had said by then."""

    def __init__(self, capture: Capture) -> None:
        """Keep what was gathered."""
        super().__init__()
        self.capture = capture


def gather(request: WhyRequest, progress: Progress = lambda _: None) -> Gathered:
    """Ask all witnesses at once. Raises the first target's error when no target at all could be read.

    Raises:
        UsageError: the targets make no sense together.
        Interrupted: Ctrl-C; what was gathered is kept in it.
    """
    targets = [recognise(text) for text in request.targets]
    captures = [target for target in targets if target.kind is TargetKind.CAPTURE]
    live = [target for target in targets if target.kind in {TargetKind.URL, TargetKind.PROFILE}]
    packages = tuple(target.text for target in targets if target.kind is TargetKind.PACKAGES)
    if len(captures) + len(live) > 1:
        raise UsageError(
            "more than one service, profile or capture was named",
            "Name one of them, with the packages it was built from",
        )
    if captures and not packages:
        return Gathered(load_capture(Path(captures[0].text)))
    return _Gathering(request, progress).run(packages, live[0] if live else None, captures[0] if captures else None)


class _Gathering:
    """Witnesses at work side by side."""

    def __init__(self, request: WhyRequest, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self._stop = threading.Event()
        self._failures: list[WhyheapError] = []
        self._gaps: list[Gap] = []
        self._compiled: CompiledPackages | None = None

    def run(self, packages: Sequence[str], live: Target | None, saved: Target | None) -> Gathered:
        base = load_capture(Path(saved.text)) if saved else None
        pool = ThreadPoolExecutor(max_workers=3)
        try:
            scan = pool.submit(self._scan, packages, others=live is not None or base is not None) if packages else None
            profile = pool.submit(self._profile, live) if live else None
            runtime = pool.submit(self._runtime, live) if live and live.kind is TargetKind.URL else None
            try:
                for future in (profile, runtime, scan):
                    if future is not None:
                        _wait(future)
            except KeyboardInterrupt:
                self._stop.set()
                pending: list[Future[Any]] = [one for one in (profile, runtime, scan) if one is not None]
                wait(pending, _LAST_WORDS_SECONDS)
                end_running()
                raise Interrupted(self._capture(base, scan, profile, runtime)) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # a service that hangs must not hold us up
        capture = self._checked(base, scan, profile, runtime)
        scanned = scan is not None and (base is None or capture.scan is not base.scan)
        files = SourceFiles(capture.scan) if capture.scan is not None and scanned else None
        return Gathered(capture, files, tuple(self._failures), self._compiled if scanned else None)

    def _checked(
        self,
        base: Capture | None,
        scan: Future[Scan | None] | None,
        profile: Future[ProfileReading] | None,
        runtime: Future[RuntimeSeries] | None,
    ) -> Capture:
        capture = self._capture(base, scan, profile, runtime)
        if self._failures and capture.scan is None and not capture.profiles and not capture.gauges:
            raise self._failures[0]
        return capture

    def _scan(self, packages: Sequence[str], *, others: bool) -> Scan | None:
        request = self._request
        try:
            go = find_go(request.go, request.go_env)
            options = ScanOptions(request.folder, tuple(packages), request.tags, request.gcflags, tests=request.tests)
            compiled = compile_packages(go, options, self._progress, self._stop)
            scan = compiled.load()
            self._compiled = compiled
            if request.binary is not None:
                from whyheap.app.linked_code import link  # noqa: PLC0415 - only with --binary

                scan = link(scan, request.binary)
        except ToolError as error:
            if not others:
                raise
            self._gaps.append(Gap("compiler", f"the source was not scanned: {error.message}", error.hint))
            return None
        if compiled.failure is not None:
            self._failures.append(compiled.failure)
        return scan

    def _profile(self, target: Target) -> ProfileReading:
        seconds = self._request.seconds if target.kind is TargetKind.URL else 0.0
        return collect_profile(target.text, access=self._request.access, window_seconds=seconds, stop=self._stop)

    def _runtime(self, target: Target) -> RuntimeSeries:
        base = _base_url(target.text)
        access = self._request.access

        def read(path: str, timeout_seconds: float) -> bytes:
            return fetch(base + path, access, timeout_seconds)

        def show(sample: RuntimeSample) -> None:
            self._progress(f"observing {scrub(base)}: {sample.seconds:.0f} of {self._request.seconds:.0f} s")

        return collect_runtime(base, read, self._request.seconds, stop=self._stop, on_sample=show)

    def _capture(
        self,
        base: Capture | None,
        scan: Future[Scan | None] | None,
        profile: Future[ProfileReading] | None,
        runtime: Future[RuntimeSeries] | None,
    ) -> Capture:
        scanned = self._result(scan)
        reading = self._result(profile)
        series = self._result(runtime, is_named=profile is None)
        origins: list[Origin] = [*(base.origins if base else ())]
        gaps = [*(base.gaps if base else ()), *self._gaps]
        if scanned is not None:
            origins.append(scanned.origin)
        if reading is not None:
            origins.append(reading.origin)
            gaps += reading.gaps
        if series is not None:
            gaps += series.gaps
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Capture(
            targets=tuple(scrub(text) if "://" in text else text for text in self._request.targets),
            at=base.at if base else at,
            scan=scanned or (base.scan if base else None),
            profiles=reading.raw if reading else base.profiles if base else (),
            window_seconds=reading.window_seconds if reading else base.window_seconds if base else None,
            gauges=series.gauges if series else base.gauges if base else (),
            goroutines={sample.at: sample.goroutines for sample in series.samples if sample.goroutines}
            if series
            else base.goroutines
            if base
            else {},
            limit_name=series.limit_name if series else base.limit_name if base else "",
            pid=series.pid if series else base.pid if base else None,
            sources=base.sources if base and scanned is None else {},
            origins=tuple(origins),
            gaps=tuple(dict.fromkeys(gaps)),
        )

    def _result(self, future: Future[T] | None, *, is_named: bool = True) -> T | None:
        """Return what a witness said; an error becomes a failure, of a witness that nobody named a Gap."""
        if future is None or not future.done():
            return None
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, KeyboardInterrupt):
            return None
        if not isinstance(error, WhyheapError) or isinstance(error, UsageError):
            raise error
        if is_named:
            self._failures.append(error)
        else:
            self._gaps.append(Gap("runtime", error.message, error.hint))
        return None


def _wait(future: Future[Any]) -> None:
    """Wait in small steps, so that Ctrl-C is seen at once; errors are looked at later."""
    while not future.done():
        try:
            future.exception(timeout=0.2)
        except TimeoutError:
            continue


def _base_url(url: str) -> str:
    """Cut a profile's address down to the service's: what stands before /debug/pprof."""
    parts = urlsplit(url)
    path = parts.path.partition("/debug/pprof")[0].rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
