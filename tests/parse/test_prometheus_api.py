from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import FormatError, TargetError, UsageError
from whyheap.model.gauge_units import UNITS
from whyheap.parse.prometheus_api import parse_label_sets, parse_matrix
from whyheap.parse.prometheus_names import CONTAINER_NAMES, PROCESS_NAMES, container_values, process_values
from whyheap.parse.rfc3339 import read_moment

NOW = 1_714_533_120.0  # 2024-05-01T03:12:00Z


def answer(*rows: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode()


def test_series_are_in_order_and_finite() -> None:
    (series,) = parse_matrix(
        answer(
            {
                "metric": {"__name__": "up", "job": "shop"},
                "values": [[20, "2"], [10.5, "1"], [30, "NaN"], [40, "+Inf"]],
            },
            {"metric": {"__name__": "down"}, "values": [[10, "NaN"]]},
        )
    )
    assert (series.name, series.labels, series.points) == ("up", {"job": "shop"}, ((10.5, 1.0), (20.0, 2.0)))


def test_prometheus_own_words_are_shown() -> None:
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error:\nunexpected"}).encode()
    with pytest.raises(TargetError, match="refuses the query: parse error: unexpected"):
        parse_matrix(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status":"success","data":{"resultType":"vector"}}'])
def test_other_answers_are_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        parse_matrix(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(JSON | st.fixed_dictionaries({"metric": JSON, "values": st.lists(st.lists(JSON, max_size=3))})))
def test_any_rows_give_finite_points_or_nothing(rows: list[object]) -> None:
    for series in parse_matrix(answer(*rows)):
        assert all(abs(value) <= 2**64 for _, value in series.points)
    parse_label_sets(json.dumps({"data": rows}).encode())


@given(st.binary(max_size=100))
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    for parse in (parse_matrix, parse_label_sets):
        try:
            parse(body)
        except TargetError:
            continue


def test_every_name_leads_to_a_gauge_that_exists() -> None:
    assert {*PROCESS_NAMES.values(), *CONTAINER_NAMES.values()} <= UNITS.keys()


def test_what_means_none_is_left_out() -> None:
    scraped = {
        "go_gc_gomemlimit_bytes": 9.223372036854776e18,
        "go_memstats_next_gc_bytes": 1.8446744073709552e19,
        "go_gc_gogc_percent": 1.8446744073709552e19,
        "process_virtual_memory_max_bytes": 1.8446744073709552e19,
        "go_memstats_mspan_sys_bytes": 3.0,
        "go_memstats_gc_sys_bytes": 4.0,
    }
    assert process_values(scraped) == {"runtime_metadata": 7.0, "gogc": -1.0}
    assert process_values({"go_gc_gogc_percent": -1.0}) == {"gogc": -1.0}
    assert container_values({"container_spec_memory_limit_bytes": 0.0, "container_memory_cache": 0.0}) == {
        "container_file": 0.0
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T03:12:00Z", NOW),
        ("2024-05-01 05:10:00+02:00", NOW - 120),
        ("1714533000", NOW - 120),
        ("now", NOW),
        ("90m ago", NOW - 5400),
        ("2024-05-01T03:12:30Z", NOW),
    ],
)
def test_moments_as_people_write_them(text: str, seconds: float) -> None:
    assert read_moment(text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2024-05-01T03:12:00", "2030-01-01T00:00:00Z", "x ago", "12"])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_moment(text, NOW)


@given(st.text(max_size=40))
def test_any_moment_is_read_or_refused(text: str) -> None:
    try:
        assert read_moment(text, NOW) <= NOW
    except UsageError:
        return
