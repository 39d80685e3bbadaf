"""Results of go test -bench are read as printed, and nothing that is printed can do harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.benchmark_text import LONGEST_LINE, MOST_KEYS, parse_benchmarks

# Of a package of ours: go test -bench . -benchmem -benchtime 100x, Go 1.27.3.
PRINTED = """goos: linux
goarch: amd64
pkg: example.com/bt
cpu: AMD EPYC
BenchmarkPlain-2     \t     100\t        34.15 ns/op\t      88 B/op\t       2 allocs/op
hello out
BenchmarkPrints-2    \thello out
     100\t       224.4 ns/op\t      12 B/op\t       1 allocs/op
BenchmarkLog-2       \t     100\t       174.6 ns/op\t      18 B/op\t       1 allocs/op
--- BENCH: BenchmarkLog-2
    a_test.go:7: log
BenchmarkSub/n=1-2   \t     100\t       140.1 ns/op\t   7.14 MB/s\t  3.000 things/op\t      32 B/op\t       2 allocs/op
Unit things/op better=higher assume=exact
--- FAIL: BenchmarkFail
    a_test.go:10: bad luck
FAIL
"""


def test_what_go_prints() -> None:
    output = parse_benchmarks(PRINTED)
    assert [one.name for one in output.results] == [
        "BenchmarkPlain-2",
        "BenchmarkPrints-2",
        "BenchmarkLog-2",
        "BenchmarkSub/n=1-2",
    ]
    plain, prints, _, sub = output.results
    assert (plain.iterations, plain.values) == (100, {"ns/op": 34.15, "B/op": 88.0, "allocs/op": 2.0})
    assert prints.values["ns/op"] == 224.4
    assert sub.values["things/op"] == 3.0
    assert sub.configuration == {"goos": "linux", "goarch": "amd64", "pkg": "example.com/bt", "cpu": "AMD EPYC"}
    assert output.units == {("things/op", "better"): "higher", ("things/op", "assume"): "exact"}
    assert (output.failed, output.unknown, output.begun) == (("BenchmarkFail",), 0, "")


def test_a_benchmark_that_has_begun_is_told() -> None:
    assert parse_benchmarks("BenchmarkHang-2   \t").begun == "BenchmarkHang-2"
    assert parse_benchmarks("BenchmarkHang\n").begun == "BenchmarkHang"  # with -v
    assert parse_benchmarks("BenchmarkX-2 \t--- SKIP: BenchmarkX-2\n").skipped == ("BenchmarkX-2",)


def test_configuration_holds_until_it_changes() -> None:
    text = "pkg: a\nBenchmarkA 1 1 ns/op\npkg: b\nnote:\nBenchmarkA 1 2 ns/op\npkg:\nBenchmarkA 1 3 ns/op\n"
    assert [one.configuration for one in parse_benchmarks(text).results] == [{"pkg": "a"}, {"pkg": "b"}, {}]


@pytest.mark.parametrize(
    "line",
    [
        "BenchmarkA-2 100 NaN ns/op",
        "BenchmarkA-2 100 +Inf ns/op",
        "BenchmarkA-2 100 1e999 ns/op",
        "BenchmarkA-2 100 1_0 ns/op",
        "BenchmarkA-2 100 \uff11 ns/op",
        "BenchmarkA-2 100",
        "BenchmarkA-2 0 1 ns/op",
        "BenchmarkA-2 -5 1 ns/op",
        "BenchmarkA-2 99999999999999999999 1 ns/op",
        "xBenchmarkA-2 \tx     100\t 551.4 ns/op",
        f"Benchmark{'a' * LONGEST_LINE} 1 1 ns/op",
    ],
)
def test_what_is_no_result_is_counted(line: str) -> None:
    output = parse_benchmarks(line)
    assert (output.results, output.unknown) == ((), 1)
    assert output.examples


def test_a_value_that_is_no_number_costs_only_itself() -> None:
    output = parse_benchmarks("BenchmarkA-2 100 1 ns/op NaN odd 2 B/op 3")
    assert output.results[0].values == {"ns/op": 1.0, "B/op": 2.0}
    assert output.unknown == 1


@pytest.mark.parametrize("line", ["Benchmarks are fun", "ok  \texample.com/bt\t1.2s", "panic: oh", "PASS", ""])
def test_words_for_people_are_passed_over(line: str) -> None:
    assert parse_benchmarks(line).unknown == 0


def test_keys_are_bounded() -> None:
    text = "".join(f"key{number}: value\n" for number in range(1000)) + "BenchmarkA 1 1 ns/op\n"
    assert len(parse_benchmarks(text).results[0].configuration) == MOST_KEYS


NAMES = st.from_regex(r"Benchmark[A-Z]\w{0,8}(?:/[\w=.]{1,8})?-\d{1,2}", fullmatch=True)
UNITS = st.sampled_from(["ns/op", "B/op", "allocs/op", "MB/s", "p99-ns/op"])


@given(st.lists(st.tuples(NAMES, st.integers(1, 10**9), st.dictionaries(UNITS, st.floats(0, 1e12), min_size=1))))
def test_what_is_printed_is_read_back(results: list[tuple[str, int, dict[str, float]]]) -> None:
    text = "\n".join(
        f"{name} \t{count}\t" + "\t".join(f"{value!r} {unit}" for unit, value in values.items())
        for name, count, values in results
    )
    output = parse_benchmarks(text)
    assert [(one.name, one.iterations, dict(one.values)) for one in output.results] == results
    assert output.unknown == 0


PIECES = st.sampled_from(
    [
        "BenchmarkA",
        "Benchmark",
        "-2",
        " ",
        "\t",
        "\n",
        "100",
        "1.5",
        "ns/op",
        "NaN",
        "pkg:",
        "Unit",
        "a=b",
        "--- FAIL: ",
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=80).map("".join))
def test_any_text_is_read_without_harm(text: str) -> None:
    for given_ in (text, text.encode("utf-8", "surrogatepass")):
        output = parse_benchmarks(given_)
        assert len(output.results) + output.unknown <= 2 * (text.count("\n") + 1)
        assert all(math.isfinite(value) for one in output.results for value in one.values.values())
        assert all(one.iterations > 0 and one.values for one in output.results)
