"""The job of `whyheap scan`: which lines allocate on the heap and why, without running anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from whyheap import __version__
from whyheap.collect.compiler import CompiledPackages, Progress, ScanOptions, compile_packages
from whyheap.collect.sources import SourceFiles
from whyheap.host.cache import cache_folder
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.finding import Finding
from whyheap.model.report import Report, Totals
from whyheap.model.scan import Scan
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

_ANSWERS_KEPT = 16
_UNKNOWN = b'{"kind":"unknown",'


class Answer(msgspec.Struct, frozen=True):
    """What a scan prints: the rendered report, and a note for standard error about lines not understood."""

    output: bytes
    unknown: int


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan and which part of it to report."""

    options: ScanOptions
    focus: re.Pattern[str] | None = None
    keep_sources: bool = True


def scan_report(compiled: CompiledPackages, request: ScanRequest) -> Report:
    """Judge all lines of the compiled packages."""
    scan = compiled.load()
    sources = SourceFiles(scan) if request.keep_sources else None
    joined = join(scan, None)
    findings = judge(joined.evidence, Context(go_numbers(scan.go), sources))
    if request.focus is not None:
        findings = [finding for finding in findings if in_focus(finding, request.focus)]
    return Report(
        targets=request.options.patterns,
        go=scan.go,
        verdict=None,
        findings=tuple(findings),
        gaps=scan.gaps,
        totals=Totals(heap_sites=len(findings), packages=count_packages(scan)),
        sources=shown_sources(findings, sources) if sources is not None else {},
        title=title(scan),
    )


def answer_scan(
    go: GoTool,
    request: ScanRequest,
    rendering: str,
    render: Callable[[Report], bytes],
    progress: Progress,
) -> Answer:
    """Return the rendered scan; when nothing changed since an equal question, the answer given then.

    `rendering` names all that `render` depends on besides the report (format, width, colours).
    """
    compiled = compile_packages(go, request.options, progress)
    question = repr((compiled.key, __version__, request.focus, request.keep_sources, request.options, rendering))
    folder = cache_folder() / "answers"
    file = folder / hashlib.blake2b(question.encode(), digest_size=16).hexdigest()
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=Answer)
    except (OSError, msgspec.DecodeError):
        pass
    progress("judging")
    report = scan_report(compiled, request)
    answer = Answer(render(report), sum(package.unknown for package in compiled.load().packages))
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(file, msgspec.msgpack.encode(answer))
    _drop_old(folder)
    return answer


def fact_lines(go: GoTool, options: ScanOptions, progress: Progress) -> Iterator[bytes]:
    """Yield all facts as JSON lines, package by package; lines that were not understood come last in theirs."""
    return compile_packages(go, options, progress).fact_lines()


def count_unknown(lines: bytes) -> int:
    """Count the lines of one package that were not understood."""
    last = lines.rfind(b"\n", 0, -1) + 1
    return lines.count(_UNKNOWN) if lines.startswith(_UNKNOWN, last) else 0


def in_focus(finding: Finding, focus: re.Pattern[str]) -> bool:
    """Whether a finding's function, file or pattern matches."""
    site = finding.site
    return any(focus.search(text) for text in (site.symbol, str(site.position), finding.pattern))


def go_numbers(version: str) -> tuple[int, int]:
    """Turn `go1.27.3` into (1, 27); (0, 0) when it does not say."""
    found = re.search(r"go(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def title(scan: Scan) -> str:
    """Return what a report calls the program: the module's last element, else the folder."""
    return re.sub(r"/v\d+$", "", scan.module).rsplit("/", 1)[-1] or Path(scan.root).name


def count_packages(scan: Scan) -> int:
    """Count the packages that could be scanned."""
    return sum(not package.error for package in scan.packages)


def shown_sources(findings: list[Finding], sources: SourceFiles, limit: int = 200) -> dict[str, str]:
    """Return the text of the files that the first findings stand in, for excerpts."""
    shown: dict[str, str] = {}
    for finding in findings:
        if len(shown) >= limit:
            break
        text = sources.get(finding.site.file)
        if text is not None:
            shown[finding.site.file] = text
    return shown


def _drop_old(folder: Path) -> None:
    answers = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in answers[_ANSWERS_KEPT:]:
        old.unlink(missing_ok=True)
