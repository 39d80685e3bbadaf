"""Which function a line belongs to, from where functions begin and where braces close."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.go_functions import FunctionMap

SOURCE = b"""package p

func OneLine() int { return 1 } // a comment

var after = new(int)

func (t *T) Method(a struct{ x int }, f func() interface{}) map[string]struct{} {
	text := "a } brace" + `
}
raw ` + string('}') // }
	/* }
}
*/
	outer := func(n int) func() *int {
		inner := func() *int { return &n }
		return inner
	}
	use(outer)
	return nil
}

var table = []func(){
	func() { use(1) },
}

func Assembly(p uintptr) interface{}

func Range(s []int) {
	for v := range Iterate(T{1}, s) {
		use(v)
		go use(T{v},
			v)
		use(v)
	}
	use(s)
}

func Last() { use(
	1)
}
"""
STARTS = [
    (3, 6, "OneLine"),
    (7, 13, "(*T).Method"),
    (14, 11, "(*T).Method.func1"),
    (15, 12, "(*T).Method.func1.1"),
    (23, 2, "init.func1"),
    (26, 6, "Assembly"),
    (28, 6, "Range"),
    (29, 2, "Range-range1"),
    (31, 3, "Range.gowrap1"),
    (38, 6, "Last"),
]  # fmt: skip


def function_at(line: int, column: int = 0) -> str:
    return FunctionMap(SOURCE, STARTS).function_at(line, column)


@pytest.mark.parametrize(
    ("line", "column", "function"),
    [
        (1, 1, ""),
        (3, 22, "OneLine"),
        (5, 13, ""),
        (7, 20, "(*T).Method"),
        (8, 10, "(*T).Method"),
        (9, 1, "(*T).Method"),
        (10, 8, "(*T).Method"),
        (14, 11, "(*T).Method"),
        (14, 16, "(*T).Method.func1"),
        (15, 12, "(*T).Method.func1"),
        (15, 32, "(*T).Method.func1.1"),
        (16, 3, "(*T).Method.func1"),
        (18, 2, "(*T).Method"),
        (19, 0, "(*T).Method"),
        (22, 13, ""),
        (23, 11, "init.func1"),
        (24, 1, ""),
        (26, 15, "Assembly"),
        (27, 1, ""),
        (29, 2, "Range"),
        (29, 6, "Range-range1"),
        (30, 3, "Range-range1"),
        (31, 3, "Range-range1"),
        (31, 8, "Range.gowrap1"),
        (32, 4, "Range.gowrap1"),
        (33, 3, "Range-range1"),
        (35, 2, "Range"),
        (39, 2, "Last"),
        (41, 1, ""),
    ],
)  # fmt: skip
def test_the_innermost_function(line: int, column: int, function: str) -> None:
    assert function_at(line, column) == function


def test_without_a_source_only_the_first_lines_are_named() -> None:
    there = FunctionMap(None, STARTS)
    assert there.function_at(7, 30) == "(*T).Method"
    assert there.function_at(8, 1) == ""


def test_instances_of_a_generic_function_take_turns() -> None:
    names = ["Box[go.shape.int]", "Box[go.shape.string]", "Box[int]", "Box[string]"]
    there = FunctionMap(b"func Box[V any](v V) *V { return &v }\n", [(1, 6, name) for name in names])
    assert [there.function_at(1, 17, ordinal) for ordinal in range(3)] == [names[0], names[1], names[0]]
    assert [there.function_at(1, 6, ordinal) for ordinal in range(2)] == names[2:]


def test_copies_of_a_closure_come_after_it() -> None:
    source = b"func F() {\n\tg(func() {\n\t\tx()\n\t})\n}\n"
    there = FunctionMap(source, [(1, 6, "F"), (2, 4, "F.func1"), (2, 4, "H.F.func2")])
    assert [there.function_at(3, 3, ordinal) for ordinal in range(2)] == ["F.func1", "H.F.func2"]
    assert there.function_at(2, 4) == "F"


def test_stale_places_beyond_the_end() -> None:
    assert FunctionMap(b"package p\n", [(90, 6, "F")]).function_at(90, 7) == "F"
    assert FunctionMap(b"", [(1, 6, "F"), (1, 9, "F.func1")]).function_at(1, 20) in {"F", "F.func1"}


FRAGMENTS = st.lists(
    st.sampled_from(
        [b"func F() ", b"{", b"}", b"(", b")", b'"', b"`", b"'", b"\\", b"\n", b"//", b"/*", b"*/", b"x", b"\xff"]
    )
).map(b"".join)


@given(
    FRAGMENTS,
    st.lists(
        st.tuples(
            st.integers(0, 9), st.integers(0, 20), st.sampled_from(["F", "F.func1", "F-range1", "F.gowrap1", "G[int]"])
        )
    ),
    st.integers(0, 9),
    st.integers(0, 20),
)
def test_any_bytes_and_any_places_give_one_of_the_names(
    source: bytes, starts: list[tuple[int, int, str]], line: int, column: int
) -> None:
    assert FunctionMap(source, starts).function_at(line, column) in {"", *(name for _, _, name in starts)}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_nested_closures_of_gofmt_shape(depths: list[int]) -> None:
    """Every line of a nest of closures belongs to the closure whose braces are the nearest around it."""
    lines, starts, wanted = ["func F() {"], [(1, 6, "F")], ["F"]
    stack = ["F"]
    for depth in depths:
        while len(stack) - 1 > depth:
            stack.pop()
            lines.append("\t" * len(stack) + "}")
            wanted.append("")
        name = f"{stack[-1]}.func{len(starts)}"
        lines.append("\t" * len(stack) + "f := func() {")
        starts.append((len(lines), lines[-1].index("func") + 1, name))
        wanted.append(stack[-1])
        stack.append(name)
        lines.append("\t" * len(stack) + "use(f)")
        wanted.append(name)
    while stack:
        stack.pop()
        lines.append("\t" * len(stack) + "}")
        wanted.append("")
    there = FunctionMap("\n".join(lines).encode() + b"\n", starts)
    for number, (line, name) in enumerate(zip(lines, wanted, strict=True), 1):
        if name and re.match(r"\t", line):
            assert there.function_at(number, len(line) - len(line.lstrip()) + 1) == name, "\n".join(lines)
