from __future__ import annotations

import gzip
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parse.profile_proto import PackedProfile, UnpackedProfile
from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.gzip_stream import read_gzip
from whyheap.parse.pprof import SMALL_RAW_BYTES, parse_profile
from whyheap.parse.pprof_columns import decode_columns
from whyheap.parse.pprof_rows import decode_rows
from whyheap.parse.profile_math import FlatCumulative, flat_and_cumulative
from whyheap.parse.protobuf_wire import write_varint

RECORDED = Path(__file__).parents[1] / "recorded" / "profiles"
HEAPS = sorted(RECORDED.glob("go*/heap.pb.gz"))
RAW = gzip.decompress(HEAPS[-1].read_bytes())
COLUMNS = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")
_TOP_LINE = re.compile(r"\s*(-?\d+)B?\s+\S+\s+\S+\s+(-?\d+)B?\s+\S+\s+(.*?)(?: \((?:partial-)?inline\))?$")

Decoder = Callable[[bytes], HeapProfile]


def by_columns(raw: bytes) -> HeapProfile:
    return decode_columns([raw])


DECODERS = pytest.mark.parametrize("decode", [decode_rows, by_columns], ids=["rows", "columns"])


def plain(profile: HeapProfile) -> dict[str, Any]:
    """Return a profile with its columns as lists."""

    def as_list(column: Any) -> Any:
        return column.tolist() if hasattr(column, "tolist") else column

    shown = {name: as_list(getattr(profile, name)) for name in HeapProfile.__slots__}
    shown["values"] = {name: as_list(column) for name, column in profile.values.items()}
    return shown


def outcome(decode: Decoder, raw: bytes) -> dict[str, Any] | None:
    """Return the profile, None if it is refused; anything else than FormatError is a bug."""
    try:
        return plain(decode(raw))
    except FormatError:
        return None


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("path", HEAPS, ids=lambda path: path.parent.name)
@DECODERS
def test_flat_and_cumulative_equal_pprofs_for_every_function(path: Path, column: str, decode: Decoder) -> None:
    top = path.with_name(f"heap.{column}.top.txt").read_text(encoding="utf-8")
    wanted = {
        match[3]: FlatCumulative(int(match[1]), int(match[2]))
        for match in map(_TOP_LINE.match, top.splitlines())
        if match
    }
    assert len(wanted) > 10
    assert flat_and_cumulative(decode(gzip.decompress(path.read_bytes())), column) == wanted


@pytest.mark.parametrize("path", HEAPS, ids=lambda path: path.parent.name)
def test_both_decoders_say_the_same(path: Path) -> None:
    raw = gzip.decompress(path.read_bytes())
    profile = plain(decode_rows(raw))
    assert profile == plain(by_columns(raw))
    assert profile == plain(parse_profile(path.read_bytes())) == plain(parse_profile(raw))
    assert profile["period"] == 2048
    assert profile["mappings"][0].file.endswith("program")
    assert all(
        profile["object_bytes"][index] for index, count in enumerate(profile["values"]["alloc_objects"]) if count
    )


def test_a_small_profile_needs_no_numpy() -> None:
    code = "import sys; from whyheap.parse.pprof import parse_profile; from whyheap.parse.profile_math import *\n"
    code += "flat_and_cumulative(parse_profile(open(sys.argv[1], 'rb').read()), 'inuse_space')\n"
    code += "assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(HEAPS[0])], check=True, timeout=30)


# Random profiles, against the protobuf runtime


NUMBERS = st.one_of(st.integers(0, 300), st.integers(-(2**63), 2**63 - 1))
IDENTITIES = st.one_of(st.integers(1, 40), st.integers(1, 2**64 - 1))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def profiles(draw: st.DrawFn) -> Any:
    """Return a valid heap profile as a protobuf message, packed or not."""
    message = draw(st.sampled_from([PackedProfile, UnpackedProfile]))()
    names = draw(st.permutations(COLUMNS))[: draw(st.integers(1, 4))]
    message.string_table.extend(["", "bytes", "count", *names, *draw(st.lists(WORDS, max_size=5))])
    strings = st.integers(0, len(message.string_table) - 1)
    for index in range(len(names)):
        message.sample_type.add(type=3 + index, unit=1)
    for identity in draw(st.lists(IDENTITIES, unique=True, max_size=5)):
        message.function.add(
            id=identity, name=draw(strings), system_name=draw(strings), filename=draw(strings), start_line=draw(NUMBERS)
        )
    functions = [function.id for function in message.function]
    for identity in draw(st.lists(IDENTITIES, unique=True, max_size=6)):
        location = message.location.add(id=identity, mapping_id=1, address=draw(st.integers(0, 2**64 - 1)))
        for function in draw(st.lists(st.sampled_from(functions), max_size=4)) if functions else ():
            location.line.add(function_id=function, line=draw(NUMBERS), column=draw(NUMBERS))
    locations = [location.id for location in message.location]
    for _ in range(draw(st.integers(0, 6))):
        sample = message.sample.add(value=[draw(NUMBERS) for _ in names])
        sample.location_id.extend(draw(st.lists(st.sampled_from(locations), max_size=8)) if locations else ())
        for _ in range(draw(st.integers(0, 3))):
            if draw(st.booleans()):
                sample.label.add(key=1, num=draw(NUMBERS), num_unit=draw(strings))
            else:
                sample.label.add(key=draw(strings), str=draw(st.integers(1, 4)))
    message.mapping.add(id=1, memory_start=4096, memory_limit=2**40, filename=draw(strings), build_id=draw(strings))
    message.time_nanos, message.period = draw(st.integers(0, 2**62)), draw(st.integers(0, 2**31))
    message.comment.extend(draw(st.lists(strings, max_size=3)))
    return message


def expected(message: Any) -> dict[str, Any]:
    """Return what a profile should be decoded to, from the oracle's message."""
    strings = list(message.string_table)
    functions = {function.id: index for index, function in enumerate(message.function)}
    locations = {location.id: index for index, location in enumerate(message.location)}
    names = [strings[kind.type] for kind in message.sample_type]
    sizes = []
    for sample in message.sample:
        numeric = [label.num for label in sample.label if strings[label.key] == "bytes" and not label.str and label.num]
        sizes.append(numeric[0] if numeric else 0)
    offsets, line_offsets = [0], [0]
    for sample in message.sample:
        offsets.append(offsets[-1] + len(sample.location_id))
    for location in message.location:
        line_offsets.append(line_offsets[-1] + len(location.line))
    return {
        "values": {name: [sample.value[index] for sample in message.sample] for index, name in enumerate(names)},
        "object_bytes": sizes,
        "stack_offsets": offsets,
        "stack_locations": [locations[each] for sample in message.sample for each in sample.location_id],
        "addresses": [location.address for location in message.location],
        "line_offsets": line_offsets,
        "line_functions": [functions[line.function_id] for location in message.location for line in location.line],
        "line_numbers": [line.line for location in message.location for line in location.line],
        "function_names": [strings[function.name] for function in message.function],
        "function_files": [strings[function.filename] for function in message.function],
        "function_start_lines": [function.start_line for function in message.function],
        "period": message.period,
        "time_nanos": message.time_nanos,
        "comments": tuple(strings[index] for index in message.comment),
    }


@given(profiles(), st.integers(1, 300))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_profiles_are_read_as_the_protobuf_runtime_does(message: Any, piece_bytes: int) -> None:
    raw = message.SerializeToString()
    pieces = [raw[start : start + piece_bytes] for start in range(0, len(raw), piece_bytes)]
    wanted = expected(message)
    for profile in (plain(decode_rows(raw)), plain(by_columns(raw)), plain(decode_columns(pieces))):
        assert {name: profile[name] for name in wanted} == wanted
    for column in wanted["values"]:
        if all(abs(value) < 2**50 for value in wanted["values"][column]):
            assert flat_and_cumulative(decode_rows(raw), column) == flat_and_cumulative(by_columns(raw), column)


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    assert outcome(decode_rows, raw) == outcome(by_columns, raw)
    outcome(parse_profile, raw)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_profiles_are_refused_or_read_alike(data: st.DataObject) -> None:
    raw = bytearray(RAW)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                raw[at:at] = data.draw(st.binary(min_size=1, max_size=12))
    assert outcome(decode_rows, bytes(raw)) == outcome(by_columns, bytes(raw))


UNKNOWN = [b"\xfd\x07\x01\x02\x03\x04", b"\xfa\x07\x02\xff\xff", b"\xf9\x07" + bytes(8), b"\xf8\x07\x05"]


@given(profiles(), st.lists(st.sampled_from(UNKNOWN)))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_unknown_fields_are_passed_over(message: Any, unknown: list[bytes]) -> None:
    wanted = plain(decode_rows(message.SerializeToString()))
    extra = b"".join(unknown)
    for group in (message.sample, message.location, message.function):
        for each in group:
            each.MergeFromString(extra)
    for location in message.location:
        for line in location.line:
            line.MergeFromString(extra)
    raw = message.SerializeToString() + extra
    assert plain(decode_rows(raw)) == wanted
    assert plain(by_columns(raw)) == wanted


# What is refused, in one sentence each


def small(**changes: Any) -> Any:
    """Return a valid profile of one sample."""
    message = PackedProfile(string_table=["", "inuse_space", "bytes", "main.main", "main.go"], **changes)
    message.sample_type.add(type=1, unit=2)
    message.function.add(id=1, name=3, filename=4)
    message.location.add(id=1).line.add(function_id=1, line=7)
    message.sample.add(location_id=[1], value=[10])
    return message


def changed(change: Callable[[Any], object]) -> bytes:
    message = small()
    change(message)
    return bytes(message.SerializeToString())


BROKEN = {
    "a sample has 2 values": lambda profile: profile.sample[0].value.append(1),
    "a sample names a location that is not there": lambda profile: profile.sample[0].location_id.append(9),
    "a line names a function that is not there": lambda profile: profile.location[0].line.add(function_id=9),
    "a name is missing in its table": lambda profile: setattr(profile.function[0], "name", 99),
    "two locations have the same id": lambda profile: profile.location.add(id=1),
    "two functions have the same id": lambda profile: profile.function.add(id=1),
    "or one has none": lambda profile: profile.function.add(id=0),
    "it is not a pprof profile": lambda profile: profile.ClearField("string_table"),
    "names no kind of sample": lambda profile: (profile.ClearField("sample_type"), profile.ClearField("sample")),
}


@pytest.mark.parametrize("sentence", BROKEN)
@DECODERS
def test_what_does_not_fit_together_is_named(sentence: str, decode: Decoder) -> None:
    with pytest.raises(FormatError, match=sentence):
        decode(changed(BROKEN[sentence]))


@pytest.mark.parametrize("index", [-1, 5, 2**62, -(2**63)])
@DECODERS
def test_an_index_outside_of_its_table_is_refused(index: int, decode: Decoder) -> None:
    for change in (
        lambda profile: setattr(profile.function[0], "filename", index),
        lambda profile: setattr(profile.sample_type[0], "type", index),
        lambda profile: profile.sample[0].label.add(key=index, num=5),
        lambda profile: profile.mapping.add(id=1, filename=index),
        lambda profile: profile.comment.append(index),
    ):
        with pytest.raises(FormatError):
            decode(changed(change))


@DECODERS
def test_two_profiles_in_a_row_are_refused(decode: Decoder) -> None:
    raw = small(time_nanos=5).SerializeToString()
    with pytest.raises(FormatError, match="one after another"):
        decode(raw + raw)


@DECODERS
def test_a_profile_cut_short_is_refused_or_shorter(decode: Decoder) -> None:
    for end in range(0, len(RAW), 97):
        outcome(decode, RAW[:end])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "it is empty"),
        (gzip.compress(b""), "it is an empty profile"),
        (b"<!DOCTYPE html><html></html>", "it is a web page"),
        (b"hello, this is no profile at all", "damaged|not a pprof profile"),
        (b"goroutine 1 [running]:", "goroutine profile"),
        (HEAPS[0].read_bytes()[:-20], "cut short"),
        (HEAPS[0].read_bytes()[:900], "cut short"),
        (HEAPS[0].read_bytes()[:200] + b"\xff" * 40 + HEAPS[0].read_bytes()[240:], "gzip data is damaged"),
        (HEAPS[0].read_bytes()[:-6] + b"abcdef", "gzip data is damaged"),
        (b"\x1f\x8b", "cut short"),
        ((RECORDED / "go1.22.10" / "cpu.pb.gz").read_bytes(), "it is a CPU profile"),
        ((RECORDED / "go1.22.10" / "goroutine.pb.gz").read_bytes(), "it is a goroutine profile"),
        ((RECORDED / "go1.22.10" / "goroutine.txt").read_bytes(), "it is a goroutine profile"),
    ],
)
def test_bad_bodies_get_one_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence) as raised:
        parse_profile(body)
    assert "\n" not in raised.value.message
    assert not raised.value.message.endswith(".")  # who adds the target's name ends the sentence


def test_members_and_padding_are_read_as_gzip_does() -> None:
    body = gzip.compress(RAW[:5000]) + gzip.compress(RAW[5000:]) + bytes(16)
    assert plain(parse_profile(body)) == plain(parse_profile(RAW))


BOMBS = {
    "zeros": bytes(100 << 20),
    "empty strings": b"2\x00" * (6 << 20),
    "one endless message": b"\x12\xff\xff\xff\xff\x07" + bytes(100 << 20),
}
_REFUSES = """
import re, sys
from whyheap.errors import FormatError
from whyheap.parse.pprof import parse_profile
try:
    parse_profile(sys.stdin.buffer.read())
except FormatError:
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.parametrize("name", BOMBS)
def test_gzip_bombs_are_refused_in_bounded_memory(name: str) -> None:
    bomb = gzip.compress(BOMBS[name], 6)
    child = subprocess.run([sys.executable, "-c", _REFUSES], input=bomb, capture_output=True, check=True, timeout=60)
    assert int(child.stdout) < 150 << 10  # KiB


def test_the_raw_size_has_a_limit() -> None:
    with pytest.raises(FormatError, match="unpacks to more than"):
        for _ in read_gzip(gzip.compress(RAW), 1 << 10, raw_limit_bytes=5_000):
            pass


def many_fields() -> bytes:
    """Return a sample with 200,000 unpacked locations, which lockstep reading would be slow for."""
    body = b"\x08\x01" * 200_000 + b"\x10\x0a"
    return bytes(small().SerializeToString() + b"\x12" + write_varint(len(body)) + body)


def many_keys() -> bytes:
    """Return 20,000 samples of a key of their own each."""
    messages = [b"\x08\x01\x10\x0a" + write_varint(number << 3) + b"\x01" for number in range(20, 20_000)]
    return bytes(small().SerializeToString() + b"".join(b"\x12" + write_varint(len(each)) + each for each in messages))


@pytest.mark.parametrize("raw", [many_fields(), many_keys()], ids=["fields", "keys"])
def test_odd_messages_cost_no_more_than_plain_python(raw: bytes) -> None:
    begun = time.monotonic()
    wanted = plain(decode_rows(raw))
    middle = time.monotonic()
    assert plain(by_columns(raw)) == wanted
    assert time.monotonic() - middle < 10 * (middle - begun) + 1


def test_a_big_profile_is_columns_and_a_small_one_is_not() -> None:
    message = small()
    padding = bytes(SMALL_RAW_BYTES)
    message.MergeFromString(b"\xfa\x07" + write_varint(len(padding)) + padding)
    big = parse_profile(gzip.compress(message.SerializeToString(), 1))
    assert hasattr(big.stack_locations, "dtype")
    assert plain(big) == plain(parse_profile(small().SerializeToString()))
