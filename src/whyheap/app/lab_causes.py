"""The job of `whyheap lab causes`: run programs that run out of memory, record them, demand the right verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from whyheap.app.analyse import View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.app.lab import toolchains_of
from whyheap.app.lab_machine import run_in_machine
from whyheap.app.record import RecordRequest, record
from whyheap.app.targets import TargetKind, recognise
from whyheap.causes.catalogue import get
from whyheap.errors import TargetError, UsageError, WhyheapError
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.host.memory_group import group_version
from whyheap.lab.scenario_build import MODULE, ScenarioModule, scenario_module
from whyheap.lab.scenario_run import Ending, run_scenario
from whyheap.lab.scenarios import Scenario, scenarios
from whyheap.model.report import Report

Say = Callable[[str], None]
DEFAULT_JOBS = 3
HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class CausesRequest:
    """Which scenarios to run: of these causes (all when none is named), on these Go versions, `runs` times each.

    `healthy` is a folder of programs that must get no cause at all, `record` one that keeps the captures. `in_machine`
    runs them in a machine with cgroup v2, as is done also where this host lets no memory group be made.
    """

    slugs: tuple[str, ...] = ()
    go: str = ""
    runs: int = 1
    jobs: int = DEFAULT_JOBS
    healthy: Path | None = None
    record: Path | None = None
    in_machine: bool = False


class ScenarioResult(msgspec.Struct, frozen=True):
    """What one run gave. `causes` are those named, in order; `failure` says in words why it does not hold, "" = holds.

    `limit` is what limited it, `ending` how it ended, `seconds` how long it ran.
    """

    scenario: str
    go: str
    run: int
    limit: str
    ending: str
    seconds: float
    causes: tuple[str, ...]
    summary: str
    failure: str


def prove_causes(request: CausesRequest, progress: Say, announce: Say) -> Iterator[ScenarioResult]:
    """Yield a result for each run, as they end. Raises UsageError for an unknown cause, ToolError without a Go."""
    for slug in request.slugs:
        if slug != HEALTHY:
            get(slug.partition("/")[0])
    chosen = list(scenarios(request.slugs, request.healthy))
    if not chosen:
        raise UsageError(f"there is no scenario {', '.join(request.slugs)}", "Name a cause, or CAUSE/VARIANT")
    for go in toolchains_of(request.go, announce):
        yield from _prove_with(go, chosen, request, progress)


def _prove_with(
    go: GoTool, chosen: Sequence[Scenario], request: CausesRequest, progress: Say
) -> Iterator[ScenarioResult]:
    with scenario_module(go) as module, ThreadPoolExecutor(max_workers=request.jobs) as pool:
        waiting: set[Future[ScenarioResult]] = set()
        try:
            for number, scenario in enumerate(chosen, 1):
                progress(f"Go {module.name}: {scenario.name} ({number} of {len(chosen)})")
                try:
                    binary = module.build(scenario)
                except WhyheapError as error:
                    yield _failed(scenario, module.name, 1, error.message)
                    continue
                for run in range(1, request.runs + 1):
                    waiting.add(pool.submit(_run, module, scenario, binary, run, request))
                    while len(waiting) >= request.jobs:
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in waiting:
                future.cancel()


def _run(module: ScenarioModule, scenario: Scenario, binary: Path, run: int, request: CausesRequest) -> ScenarioResult:
    """Run, record and judge once; what goes wrong is a failure of this run alone."""
    with TemporaryDirectory(prefix="whyheap-lab-") as folder:
        file, words = Path(folder, "run.whyheap"), Path(folder, "stderr.txt")

        def watch(target: str, stop: threading.Event) -> None:
            with suppress(TargetError):  # it died before it could be looked at: its last words are left
                record(RecordRequest((target,), file, wait_seconds=0.0), stop=stop)

        in_machine = request.in_machine or (scenario.limit_bytes is not None and group_version() is None)
        try:
            if in_machine:
                result = run_in_machine(scenario, binary)
                ending = result.ending or Ending(None, 0.0, "none", b"")
                if result.capture:
                    file.write_bytes(result.capture)
            else:
                ending = run_scenario(scenario, binary, watch)
            words.write_bytes(ending.last_words)
            report = _judge(module, scenario, file, words)
        except WhyheapError as error:
            return _failed(scenario, module.name, run, error.message)
        if request.record is not None and file.is_file():
            name = scenario.name.replace("/", "-") + (f"-{run}" if request.runs > 1 else "")
            target = request.record / module.name / "causes" / f"{name}.whyheap"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, file.read_bytes(), 0o644)
    return _result(scenario, module.name, run, ending, report)


def _judge(module: ScenarioModule, scenario: Scenario, file: Path, words: Path) -> Report:
    """Read the recording and the program's last words as a user would: with the package that it was built from."""
    targets = [f"{MODULE}/{scenario.name}"]
    if file.is_file():
        targets.append(str(file))
    if words.stat().st_size and recognise(str(words)).kind is TargetKind.LOG:
        targets.append(str(words))
    request = WhyRequest(tuple(targets), module.root, go=module.go.command, go_env=module.go.env)
    try:
        gathered = gather(request)
    except TargetError:  # what it wrote last says nothing of memory
        others = tuple(one for one in targets if one != str(words))
        gathered = gather(replace(request, targets=others))
    return analyse(gathered.capture, View(with_flame=False), gathered.files).report


def _result(scenario: Scenario, go: str, run: int, ending: Ending, report: Report) -> ScenarioResult:
    causes = tuple(cause.cause for cause in report.verdict.causes) if report.verdict else ()
    wanted = (scenario.cause, *scenario.accepted)
    if not scenario.cause:
        failure = f"a healthy program got {', '.join(causes)}" if causes else ""
        if report.verdict is None:
            failure = "health could not be judged: " + "; ".join(gap.reason for gap in report.gaps)
    elif not causes:
        failure = "no cause was named: " + ("; ".join(gap.reason for gap in report.gaps) or "judged healthy")
    else:
        failure = "" if causes[0] in wanted else f"{causes[0]} came first, not {scenario.cause}"
    summary = report.verdict.causes[0].summary if report.verdict and report.verdict.causes else ""
    return ScenarioResult(
        scenario.name,
        go,
        run,
        ending.limit,
        _spell_code(ending.code),
        round(ending.seconds, 1),
        causes,
        summary,
        failure,
    )


def _failed(scenario: Scenario, go: str, run: int, reason: str) -> ScenarioResult:
    return ScenarioResult(scenario.name, go, run, "none", "", 0.0, (), "", reason)


def _spell_code(code: int | None) -> str:
    if code is None:
        return "still running"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
