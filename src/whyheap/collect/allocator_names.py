"""Whether a toolchain's runtime has allocators that our table does not know: asked of its own sources.

What compiled code may call stands in cmd/compile/internal/typecheck/_builtin/runtime.go and internal/ssagen/ssa.go; the
copies of mallocgc for single sizes, which the compiler names by number, in runtime/malloc_generated.go (since 1.26). A
new Go is so noticed, not missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from whyheap.errors import ToolError
from whyheap.goruntime.allocators import is_allocator, never_returns
from whyheap.model.gauge import Gap

_CALLABLE = Path("src/cmd/compile/internal/typecheck/_builtin/runtime.go")
_LOOKED_UP_IN = Path("src/cmd/compile/internal/ssagen/ssa.go")
_RUNTIME = Path("src/runtime")
_DECLARED = re.compile(r"^func (\w+)\(", re.MULTILINE)
_LOOKED_UP = re.compile(r'LookupRuntimeFunc\("(\w+)"\)')
_BODY = re.compile(r"^func (\w+)\([^\n]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MADE = re.compile(r"\b(\w+)\(")
_ALIKE = re.compile(
    r"mallocgc\w*|new(?:object|array|proc|obj)\w*|make(?:slice|map|chan)\w*|grow\w+|move[Ss]lice\w*|conv[TI]\w*|concat\w+"
    r"|mapassign\w*|mapclone\w*|\w+to(?:string|slice(?:byte|rune))|intstring|deferproc\w*|deferrangefunc"
)
_NONE = frozenset({"deferprocStack"})  # runtime/panic.go: its record lies on the caller's stack


def unknown_allocators(goroot: Path) -> tuple[str, ...]:
    """Return functions of this toolchain's runtime that look like allocators and are not in our table, sorted.

    Raises `ToolError` when its sources are not there.
    """
    try:
        callable_ = set(_DECLARED.findall((goroot / _CALLABLE).read_text("utf-8")))
        callable_ |= set(_LOOKED_UP.findall((goroot / _LOOKED_UP_IN).read_text("utf-8")))
        sources = [path.read_text("utf-8") for path in _runtime_sources(goroot / _RUNTIME)]
    except OSError as error:
        raise ToolError(
            f"The sources of Go's runtime could not be read: {error.strerror} ({error.filename}).",
            "Use a toolchain with its sources: GOROOT/src.",
        ) from error
    bodies = _bodies(sources)
    copies = {name for name in bodies if name.startswith("mallocgc")}
    alike = (name for name in callable_ | copies if _looks_like(name, bodies.get(name, "")))
    return tuple(sorted(name for name in alike if not _known(name)))


def unknown_allocators_gap(goroot: Path, version: str) -> Gap | None:
    """Return what must be said of the machine code witness under this toolchain, None when all is known."""
    try:
        unknown = unknown_allocators(goroot)
    except ToolError as error:
        return Gap("machine code", error.message, error.hint)
    if not unknown:
        return None
    names = ", ".join(unknown)
    return Gap(
        "machine code",
        f"{version} has allocating functions that are not known yet, calls to them are not listed: {names}.",
        "Use a Go from 1.22 to 1.27, or a newer whyheap.",
    )


def _runtime_sources(folder: Path) -> Iterator[Path]:
    found = sorted(folder.glob("*.go"))
    if not found:
        raise FileNotFoundError(2, "No such file or directory", str(folder / "*.go"))
    return (path for path in found if not path.name.endswith("_test.go"))


def _bodies(sources: Iterable[str]) -> dict[str, str]:
    """Return what each function does, on all platforms together."""
    found: dict[str, str] = {}
    for source in sources:
        for name, body in _BODY.findall(source):
            found[name] = found.get(name, "") + body
    return found


def _looks_like(name: str, body: str) -> bool:
    if _ALIKE.fullmatch(name):
        return True
    return any(is_allocator(f"runtime.{called}") for called in _MADE.findall(body))


def _known(name: str) -> bool:
    symbol = f"runtime.{name}"
    return is_allocator(symbol) or never_returns(symbol) or name in _NONE
