"""The overlay that puts whyheap's hooks into package testing, merged with the user's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from whyheap.errors import ToolError, UsageError
from whyheap.goruntime.harmless_goroutines import HARMLESS
from whyheap.goruntime.testing_hooks import FILES, hooked
from whyheap.host.go import GoEnvironment


def read_overlay(file: str, folder: Path) -> dict[str, str]:
    """Return what the user's overlay replaces, with absolute names. Raises UsageError when it is none."""
    path = folder / file
    try:
        replaced = json.loads(path.read_bytes())["Replace"]
        pairs = [(str(name), str(by)) for name, by in replaced.items()]
    except OSError as error:
        raise UsageError(f"-overlay {file}: {error.strerror}", "Name a file that can be read") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f'-overlay {file} is no overlay: it must be JSON with "Replace"', "See: go help build"
        ) from error
    return {str(folder / name): str(folder / by) if by else "" for name, by in pairs}


def write_overlay(environment: GoEnvironment, place: Path, replaced: Mapping[str, str]) -> Path:
    """Write package testing with hooks into `place`, and the overlay that names it; `replaced` is the user's.

    Raises ToolError when this Go's package testing is unknown.
    """
    package = Path(environment.GOROOT, "src", "testing")
    ours: dict[str, str] = {}
    for name in FILES:
        original = str(package / name)
        try:
            source = Path(replaced.get(original) or original).read_text(encoding="utf-8")
        except OSError as error:
            raise ToolError(f"{original} cannot be read: {error.strerror}", "Name a whole Go:  --go PATH") from error
        file = place / name
        file.write_text(hooked(name, source, environment.GOVERSION), encoding="utf-8")
        ours[original] = str(file)
    overlay = place / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {**replaced, **ours}}), encoding="utf-8")
    return overlay


def write_settings(
    place: Path,
    wait_seconds: float,
    limited: Iterable[tuple[str, str]],
    largest_heap_bytes: int,
    *,
    is_unasked: bool = False,
) -> None:
    """Write what a test binary reads: how long to wait, what is harmless, which functions have limits.

    `largest_heap_bytes` is how large a heap may be that is written where goroutines were left. `is_unasked`: of the
    benchmarks only those with limits run.
    """
    lines = [f"wait\t{round(wait_seconds * 1000)}ms", f"dump\t{largest_heap_bytes}"]
    lines += ["\t".join(("harmless", rule.name, *rule.functions)) for rule in HARMLESS]
    lines += [f"limit\t{package}\t{function}" for package, function in limited]
    lines += ["unasked"] if is_unasked else []
    (place / "settings").write_text("\n".join(lines), encoding="utf-8")
