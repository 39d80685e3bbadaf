"""Every function of the runtime that the compiler calls: it makes objects, or makes none, or never returns."""

from __future__ import annotations

import re

import pytest

from toolchains import go, versions
from whyheap.goruntime.quiet_calls import GO_RUNTIME

pytestmark = pytest.mark.live

_DECLARED = re.compile(r"^func (\w+)\(", re.MULTILINE)
_LOOKED_UP = re.compile(r'LookupRuntimeFunc\("(\w+)"\)')
_BUILTINS = "src/cmd/compile/internal/typecheck/_builtin/runtime.go"
_SSAGEN = "src/cmd/compile/internal/ssagen/ssa.go"
_RUNS_DEFERRED = {"deferreturn"}  # function_code.py reads it as a call of the closures
_DECLARES_COVERAGE = {"addCovMeta"}  # called once, by the init of a program built with -cover


@pytest.mark.parametrize("version", versions())
def test_the_compilers_calls_are_all_known(version: str) -> None:
    root = go(version).parent.parent
    names = set(_DECLARED.findall((root / _BUILTINS).read_text(encoding="utf-8")))
    names |= set(_LOOKED_UP.findall((root / _SSAGEN).read_text(encoding="utf-8")))
    assert len(names) > 150
    unknown = {
        name
        for name in names - _RUNS_DEFERRED - _DECLARES_COVERAGE
        if not GO_RUNTIME.is_allocator(f"runtime.{name}")
        and not GO_RUNTIME.makes_no_object(f"runtime.{name}")
        and not GO_RUNTIME.never_returns(f"runtime.{name}")
    }
    assert unknown == set()
