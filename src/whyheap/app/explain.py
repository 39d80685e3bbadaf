"""The job of `whyheap explain`: what to scan so that one line can be explained."""

from __future__ import annotations

from pathlib import Path

from whyheap.app.targets import TargetKind, recognise
from whyheap.errors import UsageError


def explain_targets(file: str, targets: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Add the package of `file` to the targets, unless packages or a capture were named.

    `file` may be a path, or the end of one below `folder`. Raises UsageError when there is no such file.
    """
    kinds = {recognise(text).kind for text in targets}
    if kinds & {TargetKind.PACKAGES, TargetKind.CAPTURE}:
        return targets
    path = folder / file
    if not path.is_file():
        matches = sorted(folder.glob(f"**/{file}")) if not Path(file).is_absolute() else []
        if not matches:
            raise UsageError(
                f"there is no file {file} here",
                "Run it in the module's folder, or name the package:  explain FILE:LINE PACKAGE",
            )
        path = matches[0]
    package = path.resolve().parent
    try:
        relative = package.relative_to(folder.resolve())
    except ValueError:
        return (str(package), *targets)
    return (f"./{relative}" if str(relative) != "." else ".", *targets)
