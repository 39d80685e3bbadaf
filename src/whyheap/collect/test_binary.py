"""Compiles the tests of a package into a program of their own, as `go test -c` does."""

from __future__ import annotations

from pathlib import Path

from whyheap.errors import TargetError
from whyheap.host.go import GoTool, first_line
from whyheap.host.program import run_program

_SECONDS = 900.0


def build_tests(
    go: GoTool,
    package: str,
    folder: Path,
    output: Path,
    *,
    overlay: Path | None = None,
    tags: str = "",
    gcflags: str = "",
) -> bool:
    """Write the test program of `package` (a path or pattern of one, seen from `folder`) to `output`.

    Returns False when the package has no tests. Raises TargetError when they do not build, ToolError without go.
    """
    options = [f"-overlay={overlay}"] if overlay is not None else []
    options += [f"-tags={tags}"] if tags else []
    options += [f"-gcflags={gcflags}"] if gcflags else []
    command = [go.command, "test", "-c", "-vet=off", "-o", str(output), *options, package]
    done = run_program(command, folder, env=go.env, seconds=_SECONDS)
    if done.returncode != 0:
        words = first_line("\n".join(line for line in done.stderr.split("\n") if not line.startswith("# ")))
        raise TargetError(f"the tests of {package} could not be built: {words}")
    return output.is_file()
