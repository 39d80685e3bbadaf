"""Reading memory: our own process is the target, so that the expected bytes are at hand."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.errors import TargetError
from whyheap.host.process_access import NotPermittedError, refused
from whyheap.host.process_memory import MOST_BYTES, ProcessMemory, UnreadableAddressError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")

PAGE = mmap.PAGESIZE
PAGES = 6


@pytest.fixture(scope="module")
def memory() -> Iterator[ProcessMemory]:
    with ProcessMemory(os.getpid()) as opened:
        yield opened


@pytest.fixture(scope="module")
def block() -> Iterator[tuple[int, bytes]]:
    """Pages with counted words; the fourth one is not there."""
    mapped = mmap.mmap(-1, PAGES * PAGE)
    words = np.arange(PAGES * PAGE // 8, dtype=np.uint64).tobytes()
    mapped.write(words)
    holder = (ctypes.c_char * len(words)).from_buffer(mapped)
    address = ctypes.addressof(holder)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.munmap(ctypes.c_void_p(address + 3 * PAGE), ctypes.c_size_t(PAGE)) == 0
    yield address, words
    libc.mmap.restype = ctypes.c_void_p
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10  # MAP_FIXED: so that unmapping the whole finds it whole
    libc.mmap(ctypes.c_void_p(address + 3 * PAGE), ctypes.c_size_t(PAGE), 3, flags, -1, ctypes.c_long(0))


def test_bytes_are_those_of_the_process(memory: ProcessMemory, block: tuple[int, bytes]) -> None:
    address, words = block
    assert memory.read(address + 8, 24) == words[8:32]
    assert memory.read_word(address + 40) == 5


def test_a_hole_is_an_error_and_not_the_end(memory: ProcessMemory, block: tuple[int, bytes]) -> None:
    address, _ = block
    for start, size in ((3 * PAGE, 8), (3 * PAGE - 4, 8), (0, 4 * PAGE)):
        with pytest.raises(UnreadableAddressError):
            memory.read(address + start, size)


@pytest.mark.parametrize(("address", "size"), [(-1, 8), (0, 8), (1 << 62, 8), (1 << 64, 8), (4096, MOST_BYTES + 1)])
def test_addresses_that_no_process_has_are_refused(memory: ProcessMemory, address: int, size: int) -> None:
    with pytest.raises(UnreadableAddressError):
        memory.read(address, size)


@given(st.lists(st.tuples(st.integers(0, PAGES * PAGE - 8), st.integers(0, 300)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_many_ranges_come_in_order_and_holes_are_none(ranges: list[tuple[int, int]]) -> None:
    mapped = mmap.mmap(-1, PAGES * PAGE)
    words = np.arange(PAGES * PAGE // 8, dtype=np.uint64).tobytes()
    mapped.write(words)
    address = ctypes.addressof((ctypes.c_char * len(words)).from_buffer(mapped))
    inside = [(start, min(size, len(words) - start)) for start, size in ranges]
    with ProcessMemory(os.getpid()) as memory:
        found = memory.read_many([(address + start, size) for start, size in inside] + [(8, 8), (-5, 2)])
    assert found == [words[start : start + size] for start, size in inside] + [None, None]


def test_words_and_records_skip_holes(memory: ProcessMemory, block: tuple[int, bytes]) -> None:
    address, words = block
    at = np.arange(0, PAGES * PAGE - 64, 40, dtype=np.int64)
    columns, known = memory.read_words(at + address, [0, 16], 24)
    there = (at + 24 <= 3 * PAGE) | (at >= 4 * PAGE)
    assert known.tolist() == there.tolist()
    assert columns[0][known].tolist() == (at[there] // 8).tolist()
    assert columns[1][known].tolist() == (at[there] // 8 + 2).tolist()
    assert not columns[:, ~known].any()
    records, known = memory.read_records(at + address, 24)
    assert known.tolist() == there.tolist()
    assert records[known].tobytes() == b"".join(words[start : start + 24] for start in at[there].tolist())


def test_a_process_that_ended_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with ProcessMemory(process.pid) as memory:
        process.communicate(b"\n")
        with pytest.raises(TargetError, match="has ended"):
            memory.read(4096, 8)
        with pytest.raises(TargetError, match="has ended"):
            memory.read_words(np.array([4096], np.int64), [0], 8)
    with pytest.raises(TargetError, match="let go of"):
        memory.read(4096, 8)


def test_no_process_of_that_number() -> None:
    with pytest.raises(TargetError, match="no process") as caught:
        ProcessMemory(1 << 22)
    assert "shareProcessNamespace" in caught.value.hint


@pytest.mark.parametrize(
    ("scope", "owner", "words"),
    [
        ("3", os.geteuid(), "lets nobody"),
        ("1", os.geteuid(), "kernel.yama.ptrace_scope is 1"),
        ("0", os.geteuid() + 1, f"belongs to user {os.geteuid() + 1}"),
        ("0", os.geteuid(), "not dumpable"),
    ],
)
def test_a_refusal_names_the_capability_or_the_option(tmp_path: Path, scope: str, owner: int, words: str) -> None:
    yama = tmp_path / "sys" / "kernel" / "yama"
    yama.mkdir(parents=True)
    (yama / "ptrace_scope").write_text(scope)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text(f"Name:\tx\nUid:\t{owner}\t{owner}\t{owner}\t{owner}\n")
    error = refused(7, PermissionError(13, "Permission denied"), tmp_path)
    assert isinstance(error, NotPermittedError)
    assert words in error.message
    assert scope == "3" or "SYS_PTRACE" in error.hint
