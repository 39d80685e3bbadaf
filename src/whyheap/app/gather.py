"""From targets to a Capture: everything that the witnesses say, before anything is concluded."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from whyheap.app.live_targets import LiveTarget, open_live
from whyheap.app.targets import Target, TargetKind, recognise
from whyheap.capture import Capture, load_capture
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.leak_profile import with_leaked
from whyheap.collect.profile import ProfileReading, collect_profile
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries, joined_series, samples_from_gauges
from whyheap.collect.series import observe
from whyheap.collect.sources import SourceFiles
from whyheap.errors import ToolError, UsageError, WhyheapError
from whyheap.host import kubectl
from whyheap.host.go import end_running, find_go
from whyheap.host.http import Access, scrub
from whyheap.model.gauge import Gap, Origin
from whyheap.model.scan import Scan

if TYPE_CHECKING:
    from whyheap.app.pod_target import HistoryOptions

_LAST_WORDS_SECONDS = 0.8  # what witnesses have to finish after Ctrl-C
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """What `why` was asked. `seconds` is the window in which a service is observed, 0 for one moment.

    `binary` is the linked program whose machine code is read in place of the packages' own; `history` says where the
    time before is known from; `goroutineleak` forces a collection in the service, to find goroutines that can never go
    on.
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
    history: HistoryOptions | None = None
    goroutineleak: bool = False


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
    named = _Named.of([recognise(text) for text in request.targets])
    if named.capture is not None and not named.packages and not named.logs and request.history is None:
        return Gathered(load_capture(Path(named.capture.text)))
    return _Gathering(request, progress).run(named)


@dataclass(frozen=True, slots=True)
class _Named:
    """What was named: one service, pod, profile or capture at most, with one process beside a service or profile."""

    packages: tuple[str, ...] = ()
    source: Target | None = None
    process: Target | None = None
    capture: Target | None = None
    logs: tuple[Target, ...] = ()

    @classmethod
    def of(cls, targets: Sequence[Target]) -> _Named:
        """Sort targets by what they are for. Raises UsageError for two of a kind that allows one."""
        kinds = TargetKind
        of_kind: dict[str, list[Target]] = {kind: [one for one in targets if one.kind is kind] for kind in kinds}
        sources = of_kind[kinds.URL] + of_kind[kinds.POD] + of_kind[kinds.PROFILE]
        captures, processes = of_kind[kinds.CAPTURE], of_kind[kinds.PID]
        if len(sources) + len(captures) > 1 or len(processes) > 1 or (captures and processes):
            raise UsageError(
                "more than one service, process, profile or capture was named",
                "Name one of them, with the packages it was built from",
            )
        return cls(
            tuple(one.text for one in of_kind[kinds.PACKAGES]),
            sources[0] if sources else None,
            processes[0] if processes else None,
            captures[0] if captures else None,
            tuple(of_kind[kinds.LOG]),
        )


class _Asked(NamedTuple):
    """What was asked of the witnesses; None: not asked."""

    scan: Future[Scan | None] | None
    profile: Future[ProfileReading | None] | None
    runtime: Future[RuntimeSeries] | None
    logs: Future[RuntimeSeries] | None


class _Gathering:
    """Witnesses at work side by side."""

    def __init__(self, request: WhyRequest, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self._stop = threading.Event()
        self._failures: list[WhyheapError] = []
        self._gaps: list[Gap] = []
        self._compiled: CompiledPackages | None = None

    def run(self, named: _Named) -> Gathered:
        base = load_capture(Path(named.capture.text)) if named.capture else None
        pool = ThreadPoolExecutor(max_workers=5)
        with_others = any((named.source, named.process, base, named.logs, self._request.history))
        try:
            scan = pool.submit(self._scan, named.packages, others=with_others) if named.packages else None
            asked = _Asked(
                scan,
                *self._observed(pool, named),
                pool.submit(self._told, named) if named.logs or self._request.history else None,
            )
            try:
                for future in asked:
                    if future is not None:
                        _wait(future)
            except KeyboardInterrupt:
                self._stop.set()
                pending: list[Future[Any]] = [one for one in asked if one is not None]
                wait(pending, _LAST_WORDS_SECONDS)
                end_running()
                kubectl.end_running()
                raise Interrupted(self._capture(base, asked)) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # a service that hangs must not hold us up
        capture = self._checked(base, asked)
        scanned = scan is not None and (base is None or capture.scan is not base.scan)
        files = SourceFiles(capture.scan) if capture.scan is not None and scanned else None
        return Gathered(capture, files, tuple(self._failures), self._compiled if scanned else None)

    def _observed(
        self, pool: ThreadPoolExecutor, named: _Named
    ) -> tuple[Future[ProfileReading | None] | None, Future[RuntimeSeries] | None]:
        """Open what is live, then read its profile and its numbers side by side; a process's numbers go first."""
        source = named.source
        if source is not None and source.kind is TargetKind.PROFILE:
            file = source.text
            profile: Future[ProfileReading | None] = pool.submit(collect_profile, file)
            process = pool.submit(self._open, named.process) if named.process else None
            return profile, pool.submit(self._runtime, process) if process else None
        opened = [pool.submit(self._open, one) for one in (source, named.process) if one is not None]
        if not opened:
            return None, None
        return pool.submit(self._profile, opened[0]), pool.submit(self._runtime, opened[-1])

    def _open(self, target: Target) -> LiveTarget:
        return open_live(target, self._request.access, self._progress, self._request.history)

    def _checked(self, base: Capture | None, asked: _Asked) -> Capture:
        capture = self._capture(base, asked)
        spoke = capture.scan or capture.profiles or capture.gauges or capture.events or capture.goroutines
        if self._failures and not spoke:
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

    def _profile(self, opened: Future[LiveTarget]) -> ProfileReading | None:
        read = opened.result().read_profile
        return read(self._request.seconds, self._stop) if read else None

    def _runtime(self, opened: Future[LiveTarget]) -> RuntimeSeries:
        target = opened.result()

        def show(sample: RuntimeSample) -> None:
            self._progress(f"observing {target.name}: {sample.seconds:.0f} of {self._request.seconds:.0f} s")

        told = target.told or RuntimeSeries(())
        if target.witness is None:
            return told
        series = observe(target.witness, self._request.seconds, stop=self._stop, on_sample=show)
        if self._request.goroutineleak:
            self._progress(f"{target.name} looks for leaked goroutines")
            series = with_leaked(series, target.witness, target.find_leaked)
        return joined_series(told, series)

    def _told(self, named: _Named) -> RuntimeSeries:
        """Read logs, and the history of a process that is no pod (a pod's is read with it)."""
        series = RuntimeSeries(())
        for target in named.logs:
            from whyheap.collect.log_text import read_log  # noqa: PLC0415 - only where a log was named

            series = joined_series(series, read_log(Path(target.text)))
        history = self._request.history
        if history is not None and (named.source is None or named.source.kind is not TargetKind.POD):
            from whyheap.app.pod_target import process_history  # noqa: PLC0415 - only where it is asked for

            series = joined_series(series, process_history(history, self._progress))
        return series

    def _capture(self, base: Capture | None, asked: _Asked) -> Capture:
        scanned = self._result(asked.scan)
        reading = self._result(asked.profile)
        observed = self._result(asked.runtime, is_named=asked.profile is None)
        logged = self._result(asked.logs)
        base = base or Capture((), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        series = joined_series(_saved_series(base), *(one for one in (observed, logged) if one is not None))
        origins: list[Origin] = [*base.origins]
        if scanned is not None:
            origins.append(scanned.origin)
        if reading is not None:
            origins.append(reading.origin)
        return replace(
            base,
            targets=tuple(scrub(text) if "://" in text else text for text in self._request.targets),
            scan=scanned or base.scan,
            profiles=reading.raw if reading else base.profiles,
            profile_times=() if reading else base.profile_times,
            window_seconds=reading.window_seconds if reading else base.window_seconds,
            gauges=series.gauges,
            goroutines={sample.at: sample.goroutines for sample in series.samples if sample.goroutines},
            limit_name=series.limit_name,
            pid=series.pid,
            sources={} if scanned is not None else base.sources,
            origins=tuple(origins),
            gaps=tuple(dict.fromkeys((*self._gaps, *(reading.gaps if reading else ()), *series.gaps))),
            events=series.events,
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


def _saved_series(base: Capture) -> RuntimeSeries:
    """Return what a capture holds, as if it had been observed now."""
    samples = samples_from_gauges(base.gauges, base.goroutines)
    return RuntimeSeries(samples, base.gaps, base.pid, base.limit_name, base.events)
