"""Allocators that a toolchain has and our table does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.collect.allocator_names import unknown_allocators, unknown_allocators_gap
from whyheap.errors import ToolError

BUILTIN = "package runtime\n\nfunc newobject(typ *byte) *any\nfunc mapclear(m *byte)\nfunc throwinit()\n"
LOOKUPS = 'ir.Syms.Defer = typecheck.LookupRuntimeFunc("deferprocStack")\n'
RUNTIME = "package runtime\n\nfunc newobject(t *_type) unsafe.Pointer {\n\treturn mallocgc(t.Size_, t, true)\n}\n"


def goroot(folder: Path, builtin: str = BUILTIN, lookups: str = LOOKUPS, runtime: str = RUNTIME) -> Path:
    for name, text in {
        "src/cmd/compile/internal/typecheck/_builtin/runtime.go": builtin,
        "src/cmd/compile/internal/ssagen/ssa.go": lookups,
        "src/runtime/malloc.go": runtime,
        "src/runtime/malloc_test.go": "package runtime\n\nfunc mallocgcOdd_() {\n}\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_toolchain_whose_allocators_are_known_has_no_gap(tmp_path: Path) -> None:
    assert unknown_allocators_gap(goroot(tmp_path), "go1.27.3") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"builtin": BUILTIN + "func makeslicefoo(n int) unsafe.Pointer\n"},
        {"lookups": LOOKUPS + 'x := typecheck.LookupRuntimeFunc("makeslicefoo")\n'},
        {
            "builtin": BUILTIN + "func odd(n int)\n",
            "runtime": RUNTIME + "\nfunc odd(n int) {\n\tx := newobject(nil)\n}\n",
        },
    ],
)
def test_a_new_allocator_is_told(tmp_path: Path, changes: dict[str, str]) -> None:
    (name,) = unknown_allocators(goroot(tmp_path, **changes))
    gap = unknown_allocators_gap(tmp_path, "go1.99")
    assert gap is not None
    assert name in gap.reason
    assert "go1.99" in gap.reason


def test_a_toolchain_without_sources_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="could not be read"):
        unknown_allocators(tmp_path)
    gap = unknown_allocators_gap(tmp_path, "go1.27.3")
    assert gap is not None
    assert gap.hint
