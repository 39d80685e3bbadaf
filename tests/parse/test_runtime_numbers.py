from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import FormatError
from whyheap.parse.expvar import parse_expvar
from whyheap.parse.prometheus_text import parse_prometheus

METRICS = """\
# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 42
go_gc_gogc_percent 100
go_gc_gomemlimit_bytes 9.223372036854776e+18
process_resident_memory_bytes 1.2e+07 1700000000000
go_threads{} 9
http_requests_total{path="/a b",code="200"} 5
go_memstats_heap_alloc_bytes NaN
go_goroutines 7
"""


def test_known_metrics_only_and_the_first_of_each() -> None:
    found = parse_prometheus(METRICS)
    assert found["go_goroutines"] == 42
    assert found["process_resident_memory_bytes"] == 1.2e7
    assert found["go_threads"] == 9
    assert found["go_gc_gogc_percent"] == 100
    assert "http_requests_total" not in found
    assert "go_memstats_heap_alloc_bytes" not in found


def test_a_page_is_no_metrics() -> None:
    with pytest.raises(FormatError):
        parse_prometheus("<html><body>404</body></html>")


@given(st.text(max_size=200))
def test_any_text_is_metrics_or_refused(text: str) -> None:
    try:
        parse_prometheus(text)
    except FormatError:
        return


def test_expvar_keeps_memstats_and_nothing_else() -> None:
    body = json.dumps(
        {
            "cmdline": ["/shop", "-password=x"],
            "secret": 1,
            "memstats": {"HeapAlloc": 5, "NextGC": 9, "PauseNs": [1, 2], "EnableGC": True},
        }
    )
    assert parse_expvar(body) == {"HeapAlloc": 5.0, "NextGC": 9.0}


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"memstats": 3}', "[" * 100_000, b"\xff\xfe"])
def test_other_json_is_refused(body: str | bytes) -> None:
    with pytest.raises(FormatError):
        parse_expvar(body)


@pytest.mark.parametrize("number", ["1e999", "-Infinity", "NaN", "1e300", "9" * 400])
def test_numbers_that_are_not_finite_are_left_out(number: str) -> None:
    assert parse_expvar(f'{{"memstats": {{"NextGC": {number}, "Sys": 5}}}}') == {"Sys": 5.0}
    assert parse_prometheus(f"go_gc_gogc_percent {number[:40]}\ngo_threads 4\n") == {"go_threads": 4.0}
