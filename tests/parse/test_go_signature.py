"""Signatures and printed calls are cut into their parts; anything else gives nothing, and never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.go_expression import call_parts, named, split_list
from whyheap.parse.go_signature import GoSource

SOURCE = """package shop

import "io"

var one, other int

var (
	kept  *Item
	cache = map[string]int{}
)

type Store interface {
	io.Closer
	// Put keeps it.
	Put(item *Item, more ...any) error // always
	Get(string) (*Item, bool)
}

type Sink interface{ Write(b []byte) }

func plain(a, b *Item, größe int) (*Item, error) { return a, nil }

func (s *shelf) Each(f func(item *Item, n int) bool, names ...string) (found []*Item, err error) {
	later(func(inner *Item) { kept = inner })
	if names == nil {
		return found, &first
	}
	return
}

func generic[K comparable, V any](m map[K]V) chan<- V { return nil }

func (t table[K, V]) Len() int { return 0 }
"""


@pytest.fixture
def source() -> GoSource:
    return GoSource(SOURCE)


def place(text: str) -> tuple[int, int]:
    before = SOURCE[: SOURCE.index(text)]
    return before.count("\n") + 1, len(before.rpartition("\n")[2].encode()) + 1


@pytest.mark.parametrize(
    ("function", "parameters", "results"),
    [
        ("plain", [("a", "*Item"), ("b", "*Item"), ("größe", "int")], [("", "*Item"), ("", "error")]),
        (
            "(*shelf).Each",
            [("s", "*shelf"), ("f", "func(item *Item, n int) bool"), ("names", "...string")],
            [("found", "[]*Item"), ("err", "error")],
        ),
        ("generic[...]", [("m", "map[K]V")], [("", "chan<- V")]),
        ("table[...].Len", [("t", "table[K, V]")], [("", "int")]),
    ],
)
def test_a_declaration(
    source: GoSource, function: str, parameters: list[tuple[str, str]], results: list[tuple[str, str]]
) -> None:
    signature = source.declared(function)
    assert signature is not None
    assert list(signature.parameters) == parameters
    assert list(signature.results) == results


def test_the_signature_around_a_parameter(source: GoSource) -> None:
    outer = source.around(*place("names ...string"))
    assert outer is not None
    assert outer.names == ("s", "f", "names")
    inner = source.around(*place("inner *Item) {"))
    assert inner is not None
    assert inner.names == ("inner",)
    assert source.around(1, 1) is None
    assert source.around(1000, 1) is None


def test_interfaces_and_what_is_declared_around_them(source: GoSource) -> None:
    found = {name: (method.interface, method.text, method.types) for name, method in source.interfaces()}
    assert found == {
        "Put": ("Store", "Put(item *Item, more ...any) error", ("*Item", "...any")),
        "Get": ("Store", "Get(string) (*Item, bool)", ("string",)),
        "Write": ("Sink", "Write(b []byte)", ("[]byte",)),
    }
    assert {"kept", "cache", "one"} <= source.variables
    assert source.returned("(*shelf).Each") == {"found", "first"}
    assert source.declared("missing") is None
    assert source.called_at(*place("(func(inner")) == "later"


@pytest.mark.parametrize(
    ("expr", "parts"),
    [
        ("f(x)", ("f", ("x",))),
        ("f()", ("f", ())),
        ('(*T).M(x, g(y, z), "a, (")', ("(*T).M", ("x", "g(y, z)", '"a, ("'))),
        ("fmt.Sprintf(f, ... argument...)", ("fmt.Sprintf", ("f", "... argument..."))),
        ("f(a)(b)", ("f(a)", ("b",))),
        ("G[go.shape.[]int](x)", ("G[go.shape.[]int]", ("x",))),
        ('f("cut off..., x)', ("f", ('"cut off...', "x"))),
        ('f("cut (off..., x)', ("f", ('"cut (off...', "x"))),
        ('f("cut (off, x)', ("f", ())),
        ("x = y", None),
        ("", None),
        (")", None),
    ],
)
def test_a_printed_call(expr: str, parts: tuple[str, tuple[str, ...]] | None) -> None:
    assert call_parts(expr) == parts


@given(st.text(alphabet="()[]{}\"'`,. *&funcx\n\t\\="))
def test_no_text_is_too_odd(text: str) -> None:
    call_parts(text)
    named(text)
    assert "".join(split_list(text)).replace(" ", "") is not None
    source = GoSource(f"package p\nfunc {text}\ntype T interface {text}")
    source.interfaces()
    source.declared("f")
    source.returned("f")
    for column in range(1, 12):
        source.around(2, column)
        source.called_at(2, column)
