"""Allocations of benchmarks, as go test prints them."""

from __future__ import annotations

from whyheap.parse.benchmark_text import BenchmarkAllocations, parse_benchmarks

TEXT = """goos: linux
pkg: example.com/shop/render
cpu: anything
BenchmarkRow-2         	     100	       123.4 ns/op	  81.02 MB/s	      16 B/op	       2 allocs/op
BenchmarkRow/small     	     100	       123 ns/op	       3.5 rows/op	       0 B/op	       0 allocs/op
BenchmarkOdd	printed by the benchmark
    render_test.go:5: a log line
PASS
ok  	example.com/shop/render	0.1s
"""


def test_lines_of_benchmarks_are_read_and_others_passed_over() -> None:
    assert list(parse_benchmarks(TEXT)) == [
        BenchmarkAllocations("example.com/shop/render", "BenchmarkRow-2", 16, 2),
        BenchmarkAllocations("example.com/shop/render", "BenchmarkRow/small", 0, 0),
    ]
