"""What a directive speaks of, by where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.app.directives import Directive, find_directives


def directives(body: str) -> list[Directive]:
    return find_directives("a.go", f"package a\n\n{body}")


def one(body: str) -> Directive:
    found = directives(body)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("func f() {\n\t//gcassert:bce\n\tx := s[0]\n}", {5}),
        ("func f() {\n\tx := s[0] //gcassert:bce\n}", {4}),
        ("func f() {\n\tx := s[0] // gcassert:bce because it is hot\n}", {4}),
        ("func f() {\n\tx := s[0] // the first //gcassert:bce\n}", {4}),
        ("func f() {\n\t// The first.\n\t//gcassert:bce\n\t//\n\t// More.\n\tx := s[0]\n}", {8}),
        ("func f() {\n\t//whyheap:noescape\n\tx := T{\n\t\ta: 1,\n\t\tb: g(2),\n\t}\n}", {5, 6, 7, 8}),
        ("func f() {\n\tx := T{ //whyheap:noescape\n\t\ta: 1,\n\t}\n}", {4, 5, 6}),
        ("func f() {\n\tx := T{\n\t\ta: 1,\n\t} //whyheap:noescape\n}", {4, 5, 6}),
        ("func f() {\n\tx := T{\n\t\ta: g(1), //whyheap:noescape\n\t\tb: 2,\n\t}\n}", {5}),
        ("func f() {\n\t//gcassert:bce\n\tfor i := range s[2:] {\n\t\tuse(i)\n\t}\n}", {5}),
        ("func f() {\n\tif s[0] > 1 { //gcassert:bce\n\t\tuse(s[1])\n\t}\n}", {4}),
        ("func f() {\n\t//whyheap:noescape\n\tgo func() {\n\t\tuse(1)\n\t\tuse(2)\n\t}()\n}", {5, 8}),
        ("func f() {\n\tx := s[0]\n\t//gcassert:bce\n\n\ty := s[1]\n}", {4}),
        ("func f() {\n\n\t//gcassert:bce\n\n\ty := s[1]\n}", {7}),
        ("func f(\n\t//gcassert:noescape\n\ta int,\n) *int {\n\treturn &a\n}", {5}),
        ("//gcassert:noescape\nfunc f(\n\ta int,\n) *int {\n\treturn &a\n}", {4}),
        ("//whyheap:noescape\nfunc f(\n\ta int,\n) *int {\n\treturn &a\n}", {4, 5, 6, 7, 8}),
        ("//whyheap:noalloc\nvar x = f(1)", {4}),
        ("func f() {\n\t/* a */ //whyheap:noalloc\n\tx := s[0]\n}", {5}),
        ("func f() {\n\t/* a\n\tb */ //whyheap:noalloc\n\tx := s[0]\n}", {6}),
        ("func f() {\n\t/* a */ x := s[0] /* b */ //whyheap:noalloc\n}", {4}),
        ("func f() {\n\tswitch x {\n\t//whyheap:noescape\n\tcase g(1):\n\t\tuse(2)\n\t}\n}", {6}),
    ],
)
def test_lines_that_a_directive_speaks_of(body: str, lines: set[int]) -> None:
    found = one(body)
    assert (set(found.lines), found.problem) == (lines, "")


@pytest.mark.parametrize(
    ("receiver", "name", "is_generic"),
    [
        ("", "f", False),
        ("(t T) ", "T.f", False),
        ("(t *T) ", "(*T).f", False),
        ("(*T) ", "(*T).f", False),
        ("(s *Stack[K, V]) ", "(*Stack).f", True),
        ("(Stack[K]) ", "Stack.f", True),
    ],
)
def test_functions_are_named_as_in_stack_traces(receiver: str, name: str, is_generic: bool) -> None:  # noqa: FBT001
    found = one(f"//gcassert:inline\nfunc {receiver}f() {{\n}}")
    assert found.function is not None
    assert (found.function.name, found.function.is_generic) == (name, is_generic)


def test_a_method_with_type_parameters_of_its_own() -> None:
    found = one("//whyheap:noalloc\nfunc (s *Stack) Map[V any, L ~[]V](v V) L {\n\treturn nil\n}")
    assert found.function is not None
    assert (found.function.name, found.function.is_generic, found.is_unread) == ("(*Stack).Map", True, False)


def test_where_go_is_not_understood() -> None:
    found = directives("//whyheap:noalloc\nfunc f() {\n\tx := what is this\n}\n\n//whyheap:noalloc\nfunc g() {}")
    assert [one.is_unread for one in found] == [True, False]


@pytest.mark.parametrize("named", ["//line x.y:7", "/*line x.y:7*/"])
def test_lines_that_the_compiler_names_otherwise(named: str) -> None:
    above, below = directives(f"//whyheap:noalloc\nfunc f() {{}}\n\n{named}\n\n//whyheap:noalloc\nfunc g() {{\n}}")
    assert above.problem == ""
    assert f"stands below '{named}'" in below.problem


def test_a_list_of_words_is_a_directive_each() -> None:
    found = directives("func f() {\n\tx := g(s[0]) //gcassert:bce,inline\n}")
    assert [(one.word, one.text, one.column) for one in found] == [
        ("bce", "//gcassert:bce", 15),
        ("inline", "//gcassert:inline", 15),
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("func f() {\n\tg() //gcassert:noalloc\n}", "is unknown: gcassert knows bce, inline, noescape"),
        ("func f() {\n\tg() //whyheap:no-escape\n}", "is unknown: whyheap knows"),
        ("func f() {\n\tg() //whyheap:limits\n}", "is unknown: whyheap knows"),
        ("func f() {\n\tg() //whyheap:noescape,\n}", "//whyheap: is unknown"),
        ("func f() {\n\tg() //whyheap:\n}", "//whyheap: is unknown"),
        ("func f() {\n\tg()\n\n\t//whyheap:noescape\n}", "stands above no code"),
        ("func f() {}\n\n//whyheap:noescape", "stands above no code"),
        ("func f() {\n\t{ //whyheap:noescape\n\t\tg()\n\t}\n}", "stands above no code"),
        ("//whyheap:noescape\ntype t struct{}", "a declaration without code"),
        ('//whyheap:noalloc\nimport "fmt"', "a declaration without code"),
        ("//whyheap:noescape\nfunc f()", "a function without a body"),
        ("func f() {\n\tx++ //gcassert:inline\n}", "calls nothing"),
        ("func f() {\n\tx++ //gcassert:bce\n}", "indexes and calls nothing"),
    ],
)
def test_directives_that_make_no_sense(body: str, problem: str) -> None:
    found = [one for one in directives(body) if one.problem]
    assert len(found) == 1
    assert problem in found[0].problem


@pytest.mark.parametrize(
    "body",
    [
        'var x = "//whyheap:noescape"',
        "var x = `\n//gcassert:inline\n`",
        "// whyheap: a tool\nvar x = 1",
        "// Write //whyheap:noescape above it.\nvar x = 1",
        "/* //whyheap:noescape */\nvar x = 1",
        "//nolint:gcassert\nvar x = 1",
    ],
)
def test_texts_and_prose_are_no_directives(body: str) -> None:
    assert directives(body) == []


@given(
    st.lists(
        st.sampled_from(
            ["//gcassert:bce", "//whyheap:noalloc,x", "x := s[", "}", "{", "func f(", "\n", "\t", "é", "`", '"']
        )
    )
)
def test_no_text_is_too_broken(parts: list[str]) -> None:
    for found in directives(" ".join(parts)):
        assert found.line > 2


def test_a_limit_is_for_the_tests() -> None:
    assert (
        find_directives("a_test.go", "package a\n\n//whyheap:limit allocs=0\nfunc BenchmarkA(b *testing.B) {}\n") == []
    )
