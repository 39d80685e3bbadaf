"""The job of `whyheap scan`: which lines allocate on the heap and why, without running anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from whyheap import __version__
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.errors import TargetError, WhyheapError
from whyheap.host.cache import cache_folder, private_folder
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.rules.rule import UserRules

if TYPE_CHECKING:
    from whyheap.collect.compiled_packages import CompiledPackages
    from whyheap.model.report import Report

_ANSWERS_KEPT = 16
_UNKNOWN = b'{"kind":"unknown",'


class Answer(msgspec.Struct, frozen=True):
    """What a scan prints: the rendered report, and for standard error what was not understood and what is left out."""

    output: bytes
    unknown: int
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan and which part of it to report."""

    options: ScanOptions
    focus: re.Pattern[str] | None = None
    keep_sources: bool = True
    rules: UserRules = field(default_factory=UserRules)
    binary: Path | None = None

    @property
    def question(self) -> str:
        """Return what the answer depends on besides the compiled packages; equal questions are equal texts."""
        program = ""
        if self.binary is not None:
            with suppress(OSError):  # what is not there is refused when it is opened
                status = self.binary.stat()
                program = repr((str(self.binary.resolve()), status.st_ino, status.st_size, status.st_mtime_ns))
        return repr((self.focus, self.keep_sources, self.options, self.rules.key, program))


class Answers:
    """The answers to one request, in several formats: it is judged once, and only if an answer is not known yet."""

    def __init__(self, compiled: CompiledPackages, request: ScanRequest, progress: Progress) -> None:
        """Nothing is judged before the first answer."""
        self._compiled = compiled
        self._request = request
        self._progress = progress
        self._report: Report | None = None

    def answer(self, rendering: str, render: Callable[[Report], tuple[bytes, str]]) -> Answer:
        """Return the rendered scan; when nothing changed since an equal question, the answer given then.

        `rendering` names all that `render` depends on besides the report (format, width, colours); it gives the output
        and what that leaves out.
        """
        compiled = self._compiled
        question = repr((compiled.key, __version__, _own_code(), self._request.question, rendering))
        file = cache_folder() / "answers" / hashlib.blake2b(question.encode(), digest_size=16).hexdigest()
        try:
            return msgspec.msgpack.decode(file.read_bytes(), type=Answer)
        except (OSError, msgspec.DecodeError):
            pass
        output, left_out = render(self._judged())
        answer = Answer(output, compiled.unknown, left_out)
        if compiled.is_current() and not any(compiled.library.gaps()):  # the answer quotes sources
            with suppress(OSError, WhyheapError):  # what cannot be kept is answered all the same
                private_folder("answers")
                write_atomically(file, msgspec.msgpack.encode(answer))
                _drop_old(file.parent)
        return answer

    def _judged(self) -> Report:
        if self._report is None:
            self._progress("judging")
            from whyheap.app.scan_report import scan_report  # noqa: PLC0415 - a warm scan needs no join, no patterns

            self._report = scan_report(self._compiled, self._request)
        return self._report


def _own_code() -> str:
    """Return what changes when a source checkout of whyheap is edited; empty for an installed release."""
    package = Path(__file__).resolve().parent.parent
    if not (package.parent.parent / "pyproject.toml").is_file():
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file}\0{file.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def fact_lines(go: GoTool, options: ScanOptions, progress: Progress) -> tuple[Iterator[bytes], TargetError | None]:
    """Return all facts as JSON lines, package by package, and the error of packages that could not be built.

    Lines that were not understood come last in their package.
    """
    compiled = compile_packages(go, options, progress, facts_only=True)
    return compiled.fact_lines(), compiled.failure


def count_unknown(lines: bytes) -> int:
    """Count the lines of one package that were not understood."""
    last = lines.rfind(b"\n", 0, -1) + 1
    return lines.count(_UNKNOWN) if lines.startswith(_UNKNOWN, last) else 0


def _drop_old(folder: Path) -> None:
    answers = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in answers[_ANSWERS_KEPT:]:
        old.unlink(missing_ok=True)
