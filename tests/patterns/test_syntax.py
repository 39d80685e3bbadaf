"""Syntax questions, asked at the compiler's positions."""

from __future__ import annotations

import pytest

from whyheap.patterns.syntax import GoFile, package_names

TEXT = """package shop

import (
\t"fmt"
\tlogging "log"
)

var cache = map[string]int{}

type server struct {
\tnames map[string]bool
\titems []string
}

func (s *server) run(ids []int) (err error) {
\tü := "x"; use(fmt.Sprint(ü))
\tfor _, id := range ids {
\t\tgo func() { use(id) }()
\t}
\treturn nil
}

func top() { f(func() int { return 1 }) }
"""


@pytest.fixture
def file() -> GoFile:
    return GoFile(TEXT)


def test_columns_are_bytes(file: GoFile) -> None:
    line = TEXT.splitlines()[15]
    column = len(line[: line.index("(ü")].encode()) + 1
    call = file.call_at(16, column)
    assert call is not None
    assert call.text() == "fmt.Sprint(ü)"
    assert file.call_at(16, column + 1) is None


def test_declarations(file: GoFile) -> None:
    assert file.imports >= {"fmt", "logging"}
    assert file.package_variables == {"cache"}
    assert file.maps == {"cache", "names"}
    assert file.slices == {"ids", "items"}
    assert file.locals(17) == {"s", "ids", "err", "ü", "id", "_"}
    assert file.results(16) >= {"err"}
    assert file.declared_type("ids", 17) == "[]int"
    assert "ü" in file.strings


def test_loops(file: GoFile) -> None:
    assert file.loop(18) is None  # the func literal on that line runs once per goroutine
    assert file.loop(17) is None
    assert file.loop(20) is None


def test_captures(file: GoFile) -> None:
    assert not file.captures_nothing(18, 6)
    assert file.captures_nothing(23, 16)
    assert not file.captures_nothing(23, 1)


@pytest.mark.parametrize("text", ["", "not go", "package p\nfunc (", "\x00"])
def test_broken_source_is_no_error(text: str) -> None:
    broken = GoFile(text)
    assert broken.loop(1) is None
    assert broken.locals(1) == frozenset()
    assert not broken.captures_nothing(1, 1)


def test_package_names() -> None:
    assert "redis" in package_names("github.com/go-redis/redis/v9")
    assert "yaml" in package_names("gopkg.in/yaml.v3")
    assert "sqlite3" in package_names("github.com/mattn/go-sqlite3")
