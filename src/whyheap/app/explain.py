"""The job of `whyheap explain`: which file is meant, and what to scan so that one of its lines can be explained."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from whyheap.app.targets import TargetKind, recognise
from whyheap.capture import Capture
from whyheap.errors import UsageError
from whyheap.model.report import Report

_NO_CODE = frozenset({"vendor", "node_modules", "testdata"})
_SHOWN = 5


def explain_targets(file: str, targets: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Add the package of `file` to the targets, unless packages or a capture were named.

    `file` may be a path, a report's spelling of it, or the end of one below `folder`. Raises UsageError when there is
    no such file, or more than one.
    """
    kinds = {recognise(text).kind for text in targets}
    if kinds & {TargetKind.PACKAGES, TargetKind.CAPTURE}:
        return targets
    package = find_file(file, folder).parent
    try:
        relative = package.relative_to(folder.resolve())
    except ValueError:
        return (str(package), *targets)
    return (f"./{relative}" if str(relative) != "." else ".", *targets)


def find_file(file: str, folder: Path) -> Path:
    """Return the one file that is meant, as an absolute path."""
    for base in (folder, *_roots(folder)):
        if (base / file).is_file():
            return (base / file).resolve()
    found = [] if Path(file).is_absolute() else sorted(_below(folder, Path(file)))
    if not found:
        raise UsageError(
            f"there is no file {file} here",
            "Run it in the module's folder, or name a path from here",
        )
    _check_one(file, [str(path.relative_to(folder)) for path in found])
    return found[0].resolve()


def about_file(report: Report, capture: Capture, file: str, folder: str | Path) -> tuple[Report, str]:
    """Return the part of the report that speaks of one file, and the report's name for it.

    Raises UsageError when `file` is the end of more than one name.
    """
    packages = capture.scan.packages if capture.scan else ()
    name = spelled(capture, file, folder)
    names = [name] if name is not None else []
    if not names:
        scanned = {name for package in packages for name in package.files}
        names = _ending(file, scanned | {finding.site.file for finding in report.findings} | set(report.sources))
    if not names:
        return report, Path(file).name if Path(file).is_absolute() else file
    _check_one(file, names)
    findings = tuple(finding for finding in report.findings if finding.site.file == names[0])
    sources = {name: text for name, text in report.sources.items() if name == names[0]}
    return replace(report, findings=findings, sources=sources), names[0]


def spelled(capture: Capture, file: str, folder: str | Path) -> str | None:
    """Return the report's name of a file, be it a path or the end of that name; None when none or several fit."""
    here = (Path(folder) / file).resolve()
    packages = capture.scan.packages if capture.scan else ()
    names = {
        name
        for package in packages
        if package.folder == str(here.parent)
        for name in package.files
        if name.rpartition("/")[2] == here.name
    }
    if names:
        return min(names)
    ends = _ending(file, {name for package in packages for name in package.files})
    return ends[0] if len(ends) == 1 else None


def _ending(file: str, names: Iterable[str]) -> list[str]:
    """Return the names that `file` is the whole or else the end of."""
    wanted = os.path.normpath(file).replace(os.sep, "/")
    names = set(names)
    return [wanted] if wanted in names else sorted(name for name in names if name.endswith(f"/{wanted}"))


def _check_one(file: str, names: Sequence[str]) -> None:
    if len(names) > 1:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise UsageError(
            f"{file} may be any of {', '.join(names[:_SHOWN])}{more}",
            f"Name one of them:  whyheap explain {names[0]}:LINE",
        )


def _roots(folder: Path) -> Iterator[Path]:
    """Yield the folders that a report's names may be relative to: of go.work, and of go.mod."""
    above = [folder.resolve(), *folder.resolve().parents]
    for mark in ("go.work", "go.mod"):
        root = next((base for base in above if (base / mark).is_file()), None)
        if root is not None:
            yield root


def _below(folder: Path, file: Path) -> Iterator[Path]:
    """Yield the files below `folder` whose path ends so, in folders that the go command looks into."""
    for base, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_")) and name not in _NO_CODE]
        path = Path(base, file)
        if path.is_file():
            yield path
