"""`whyheap test` and checkptr: a bad pointer is told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from checked_packages import TEST, run, write

pytestmark = pytest.mark.live


def test_pointer_checks_point_at_the_line(tmp_path: Path) -> None:
    body = "\tkeep = (*int64)(unsafe.Pointer(uintptr(unsafe.Pointer(&space[0])) + 64))\n"
    source = TEST.format(package="p", body=body).replace('import "testing"', 'import (\n\t"testing"\n\t"unsafe"\n)')
    source += "\nvar keep *int64\nvar space = make([]byte, 8)\n"
    write(tmp_path, {"go.mod": "module example.test/p\n\ngo 1.22\n", "x_test.go": source})
    # Of this package alone: with --checkptr all of std is compiled, which takes a minute in an empty build cache.
    status, lines, said = run(tmp_path, "--", "-gcflags=-d=checkptr")
    assert status == 1, said
    assert lines[0].startswith(
        "x_test.go:11:1: checkptr: pointer arithmetic result points to invalid allocation; it ended"
    )
