"""Which functions of an example are run, and with what."""

from __future__ import annotations

import pytest

from whyheap.lab.functions import Function, functions, harness_file


def only(text: str) -> Function:
    found = functions(f"package example\n\n{text}\n")
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("", ()),
        ("n int, b byte", ("int(1000)", "byte(7)")),
        ("a, b string", ("harness.Text", "harness.Text")),
        ("p []byte", ("[]byte(harness.Text)",)),
        ("r io.Reader", ("io.Reader(harness.Reader{})",)),
        ("ids []int64", ("[]int64(harness.Many(int64(1000), 100))",)),
        ("m map[string]int", ("map[string]int{harness.Text: int(1000)}",)),
        ("p *T", ("new(T)",)),
        ("p *int", ("harness.Pointer(int(1000))",)),
        ("f func(int) string", ("func(int) string { return *new(string) }",)),
        ("f func()", ("func() {}",)),
        ("in <-chan int", ("harness.Fed[int]()",)),
        ("out chan<- T", ("harness.Drained[T]()",)),
        ("d time.Duration", ("*new(time.Duration)",)),
        ("a [4]int", ("[4]int{}",)),
    ],
)
def test_makes_ordinary_arguments(parameters: str, arguments: tuple[str, ...]) -> None:
    assert only(f"func BadX({parameters}) {{}}").arguments == arguments


def test_knows_the_files_own_types() -> None:
    found = functions("package example\n\ntype hook func(int)\ntype row struct{}\nfunc BadX(h hook, r row) {}\n")
    assert found[0].arguments == ("hook(func(int) {})", "*new(row)")


def test_variadic_parameters_take_a_slice() -> None:
    found = only("func BadX(n int, values ...int) {}")
    assert found.variadic
    assert "BadX(a1, a2...)" in harness_file("", [found])


def test_generic_functions_are_run_with_ints() -> None:
    assert only("func GoodX[T any](values []T) {}").arguments == ("harness.Count(100)",)
    assert "run comment" in only("func GoodX[T shape](value T) {}").unmeasured


def test_a_run_comment_gives_arguments_and_what_follows() -> None:
    text = '// About it.\n//\n// run make(chan int, 1), []string{"a,b;c", "d"}; <-a1\n//\n//go:noinline\nfunc BadX() {}'
    found = only(text)
    assert found.arguments == ("make(chan int, 1)", '[]string{"a,b;c", "d"}')
    assert found.after == "<-a1"
    written = harness_file("package example\n", [found])
    assert "a1 := make(chan int, 1)" in written
    assert "return func() { BadX(a1, a2); <-a1 }" in written


def test_a_statement_is_run_once_before_all_calls() -> None:
    found = only("// run-once kept = make([]int, n)\n//\n//go:noinline\nfunc BadX(n int) {}")
    assert found.arguments == ("int(1000)",)
    written = harness_file("package example\n", [found])
    assert written.index("kept = make([]int, n)") < written.index("a1 :=")


def test_what_is_never_run_says_why() -> None:
    found = only("// run never it ends the process\nfunc BadX() {}")
    assert found.unmeasured == "it ends the process"
    assert "BadX" not in harness_file("", [found])


def test_an_interface_of_the_file_has_no_ordinary_value() -> None:
    found = functions("package example\n\ntype store interface{ Put(int) }\nfunc BadX(s store) {}\n")
    assert "store" in found[0].unmeasured


def test_other_functions_are_left_alone() -> None:
    assert functions("package example\n\nfunc keep(n int) {}\nfunc Badly() {}\nfunc (t T) BadX() {}\n") == []


def test_imports_what_the_arguments_name() -> None:
    source = 'package example\n\nimport (\n\ttext "strings"\n)\n'
    found = [Function("BadX", 1, ('text.NewReader("io.EOF")', "new(sync.Mutex)"))]
    written = harness_file(source, found)
    assert '\ttext "strings"\n' in written
    assert '\t"sync"\n' in written
    assert '"io"' not in written
