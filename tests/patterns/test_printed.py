"""Printed Go expressions and symbols, read by their text."""

from __future__ import annotations

import pytest

from whyheap.patterns.printed import callee_of, concatenates, converts, is_literal, left_side
from whyheap.patterns.symbol import is_same_function


@pytest.mark.parametrize(
    ("expr", "callee"),
    [
        ("fmt.Sprintf(f, ... argument...)", "fmt.Sprintf"),
        ("keep(&x)", "keep"),
        ("(*Float).Append(x, make([]byte, 0, cap))", "(*Float).Append"),
        ("(*sync.HashTrieMap[go.shape.interface {},go.shape.int]).LoadOrStore(m, k)", None),
        ("m[f(x)].Put(y)", "m[f(x)].Put"),
        ("x", ""),
        ("(a + b)", ""),
    ],
)
def test_callee_of_a_printed_call(expr: str, callee: str | None) -> None:
    assert callee_of(expr) == (expr.rpartition("(")[0] if callee is None else callee)


@pytest.mark.parametrize(
    ("expr", "is_sum"),
    [
        ("a + b", True),
        ('"a + b"', False),
        ("f(a + b)", False),
        ('f("(") + b', True),
        ("x[i + 1]", False),
        ('"\\"" + s', True),
    ],
)
def test_concatenation_is_a_plus_outside_of_brackets_and_quotes(expr: str, *, is_sum: bool) -> None:
    assert concatenates(expr) is is_sum


@pytest.mark.parametrize(
    ("expr", "is_conversion"),
    [
        ("string(b)", True),
        ("([]byte)(s)", True),
        ("string(b) + x", False),
        ("stringer(b)", False),
        ("([]rune)(f(s))", True),
    ],
)
def test_conversion_spans_the_whole_expression(expr: str, *, is_conversion: bool) -> None:
    assert converts(expr) is is_conversion


@pytest.mark.parametrize("text", ['"a"', "7", "-1.5", "true", "'x'", "1e+06", '"with \\" quote"'])
def test_literals(text: str) -> None:
    assert is_literal(text)


@pytest.mark.parametrize("text", ["x", "_x", '"a" + b', "f(1)", "e1", 'x + "a"', "a.b"])
def test_no_literals(text: str) -> None:
    assert not is_literal(text)


@pytest.mark.parametrize(
    ("expr", "left"), [("M[k] = v", "M[k]"), ("x := 1", "x"), ("a, b = f()", "a"), ("m[i, j] = 1", "m[i, j]")]
)
def test_left_side(expr: str, left: str) -> None:
    assert left_side(expr) == left


def test_left_side_of_a_pair_is_the_one_that_gets_the_value() -> None:
    assert left_side("p, dec.err = (**T)(.autotmp_7), .autotmp_8", ".autotmp_8") == "dec.err"
    assert left_side("h, m[k, f(a, b)] := g(x, y), &v", "&v") == "m[k, f(a, b)]"
    assert left_side("_p384B, _ = (*E)(.autotmp_0), 0", ".autotmp_0") == "_p384B"


@pytest.mark.parametrize(
    ("printed", "symbol", "same"),
    [
        ("fmt.Sprintf", "fmt.Sprintf", True),
        ("keep", "example.test/shop.keep", True),
        ("keep", "main.keep", True),
        ("keep", "other.test/shop.keep", False),
        ("(*Float).Append", "example.test/shop.(*Float).Append", True),
        ("(*big.Float).Append", "math/big.(*Float).Append", True),
        ("(*big.Float).Append", "math/big.(*Int).Append", False),
        ("yaml.Marshal", "gopkg.in/yaml%2ev3.Marshal", True),
        ("redis.New", "github.com/go-redis/redis/v9.New", True),
        ("Sprint", "fmt.Sprintf", False),
        ("Map[go.shape.int]", "example.test/shop.Map[...]", True),
    ],
)
def test_printed_callee_and_linker_symbol(printed: str, symbol: str, *, same: bool) -> None:
    assert is_same_function(printed, symbol, "example.test/shop") is same
