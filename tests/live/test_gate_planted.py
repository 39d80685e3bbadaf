"""Violations planted in a module are all found, and nothing else, on each supported Go."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cli_runs import Cli
from toolchains import go, versions

pytestmark = pytest.mark.live

PLANTED = Path(__file__).parent / "gate_planted"
_WANT = re.compile(r"// want (\w+)")
_VIOLATION = re.compile(r"^([^:]+):(\d+):\d+: ([\w-]+): .+$")
Found = set[tuple[str, int, str]]

NEW = {
    "my-pkg/new.go": "package mypkg\n\nfunc New() *[8]int {\n\treturn new([8]int)\n}\n",
    "my-pkg/new_generic.go": "package mypkg\n\nfunc NewOf[T any]() *T {\n\treturn new(T)\n}\n\nvar _ = NewOf[string]\n",
    "my-pkg/new_inlined.go": (
        "package mypkg\n\nvar kept2 *int\n\nfunc keep(p *int) { kept2 = p }\n\n"
        "func NewKept() {\n\tn := 4\n\tkeep(&n)\n}\n"
    ),
    "my-pkg/new_parameter.go": "package mypkg\n\nfunc NewParameter(\n\tn int,\n\tm int,\n) *int {\n\treturn &m\n}\n",
    "my-pkg/new_test.go": "package mypkg\n\nfunc NewInTest() *int {\n\tn := 4\n\treturn &n\n}\n",
    "my-pkg/new_tagged.go": (
        "//go:build planted\n\npackage mypkg\n\nfunc NewTagged() *int {\n\tn := 4\n\treturn &n\n}\n"
    ),
}
NEW_SITES = {
    ("my-pkg/new.go", 4, "new-site"),
    ("my-pkg/new_generic.go", 4, "new-site"),
    ("my-pkg/new_inlined.go", 8, "new-site"),
    ("my-pkg/new_parameter.go", 5, "new-site"),
    ("my-pkg/new_test.go", 4, "new-site"),
    ("my-pkg/new_tagged.go", 6, "new-site"),
}


def wanted(folder: Path) -> Found:
    """Return what `want` comments say: file, line, rule."""
    return {
        (file.relative_to(folder).as_posix(), number, rule)
        for file in sorted(folder.rglob("*.go"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        for rule in _WANT.findall(line)
    }


def violations(out: str) -> Found:
    """Return file, line and rule of each violation that was printed."""
    found = (_VIOLATION.match(line) for line in out.splitlines()[:-1] if not line.startswith("note: "))
    return {(one[1], int(one[2]), one[3]) for one in found if one is not None}


@pytest.mark.parametrize("version", versions())
def test_all_that_is_planted_is_found_and_nothing_else(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PLANTED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "left-out").mkdir()
    (tmp_path / "left-out" / "tagged.go").write_text(
        "//go:build never\n\npackage no\n\n//whyheap:noalloc\nfunc F() {}\n"
    )
    (tmp_path / "go.mod").write_text("module example.com/planted\n\ngo 1.22\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    cli = Cli(capsys)
    options = ("gate", "--go", go(version), "--tests", "--tags", "planted")
    assert cli(*options, "--update").code == 0
    for file, text in NEW.items():
        (tmp_path / file).write_text(text)
    ran = cli(*options)
    assert ran.code == 1, ran
    assert violations(ran.out) == wanted(tmp_path) | NEW_SITES
    assert "1 directive in generic functions not judged" in ran.out
    assert "1 directive not judged: this build leaves their files out" in ran.out


def test_a_method_with_type_parameters_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "go.mod").write_text("module example.com/planted\n\ngo 1.27\n")
    (tmp_path / "a.go").write_text(
        "package a\n\ntype T[K any] struct{ k K }\n\n//whyheap:noalloc\nfunc (t *T[K]) Many[V any](n int) []V {\n"
        "\treturn make([]V, n)\n}\n\n//gcassert:inline\nfunc (t *T[K]) Loop[V any](v V) V {\n\tdefer recover()\n\t"
        "return v\n}\n\nfunc Use(n int) any {\n\tt := &T[string]{}\n\tt.Loop[[]int](nil)\n\treturn t.Many[int](n)\n}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    ran = Cli(capsys)("gate", "--go", go("1.27.3"))
    assert violations(ran.out) == {("a.go", 7, "noalloc"), ("a.go", 18, "inline")}, ran
