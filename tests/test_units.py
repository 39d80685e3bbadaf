"""Sizes, durations and shares: what people type is read, what is printed can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import UsageError
from whyheap.units import (
    format_bytes,
    format_count,
    format_duration,
    format_large_count,
    format_rate,
    format_share,
    parse_bytes,
    parse_bytes_or_share,
    parse_duration,
    parse_share,
    spell_bytes,
    spell_duration,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", MIB),
        ("512MiB", 512 * MIB),
        ("512 MiB", 512 * MIB),
        ("512mib", 512 * MIB),
        ("64Ki", 64 << 10),
        ("1.5GB", 1_500_000_000),
        ("1.5G", 1_500_000_000),
        (".5KiB", 512),
        ("10b", 10),
        (" 1TiB ", 1 << 40),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1.2.3", "512m", "5 parsecs", "1e9", "9EiB", "nan", "٣MiB", "1\n2"])
def test_other_sizes_are_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bytes(text)
    assert "512MiB" in caught.value.hint
    assert "\n" not in caught.value.message


def test_a_share_of_a_limit() -> None:
    assert parse_bytes_or_share("90%", 1000) == 900
    assert parse_bytes_or_share("1KiB", 1000) == 1024
    with pytest.raises(UsageError, match="not a size") as caught:
        parse_bytes_or_share("lots", 1000)
    assert "90%" in caught.value.hint


@pytest.mark.parametrize(("text", "share"), [("90%", 0.9), ("0.25", 0.25), ("100 %", 1.0), ("0", 0.0)])
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["120%", "2", "-1%", "half"])
def test_other_shares_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_share(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("1.5h", 5400), ("30", 30), ("2us", 2e-6), ("0", 0)],
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5 minutes", "1h 30m", "-5s", "m", "1d", "9999999h"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@given(st.integers(0, 2**62))
def test_a_spelled_size_reads_back_exactly(size: int) -> None:
    assert parse_bytes(spell_bytes(size)) == size


@given(st.integers(0, 2**62))
def test_a_printed_size_reads_back_within_its_digits(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == pytest.approx(size, rel=0.06)


@given(st.integers(0, 10**12))
def test_a_spelled_duration_reads_back_to_the_millisecond(milliseconds: int) -> None:
    assert parse_duration(spell_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=0.0006)


@given(st.floats(0, 2**62))
def test_a_printed_size_has_at_most_four_digits_before_its_unit(size: float) -> None:
    number, unit = format_bytes(size).split(" ")
    assert len(number) <= 4
    assert unit.endswith("B")
    assert not (unit != "B" and number.startswith("0"))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1024 * 1023.7, "1.0 MiB"),
        (3.14 * MIB, "3.1 MiB"),
        (99.97 * MIB, "100 MiB"),
        (201.4 * MIB, "201 MiB"),
        (-3.14 * MIB, "-3.1 MiB"),
    ],
)
def test_sizes_for_reading(size: float, text: str) -> None:
    assert format_bytes(size) == text


def test_rates_keep_a_decimal_so_that_columns_align() -> None:
    assert format_rate(61 * MIB) == "61.0 MiB/s"
    assert format_rate(512 * 1024) == "512 KiB/s"
    assert format_rate(0) == "0 B/s"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.023, "2.3 %"),
        (0.0996, "10 %"),
        (0.58, "58 %"),
        (0.996, "99.6 %"),
        (0.9999, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares_never_round_to_all_or_nothing(share: float, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (0.9999, "1 s"),
        (1.5, "1.5 s"),
        (75, "75 s"),
        (300, "5 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (-75, "-75 s"),
    ],
)
def test_durations_for_reading(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_counts() -> None:
    assert format_count(61_204) == "61,204"
    assert format_large_count(61_204) == "61,204"
    assert format_large_count(2_700_000) == "2.7 M"
