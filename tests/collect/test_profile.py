from __future__ import annotations

import gzip
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from host.live_server import body, serve
from whyheap.collect.profile import collect_profile
from whyheap.errors import FormatError, TargetError
from whyheap.host.http import Access
from whyheap.parse.pprof import parse_profile
from whyheap.parse.profile_math import flat_and_cumulative

RECORDED = Path(__file__).parents[1] / "recorded" / "profiles"
HEAP = RECORDED / "go1.27.3" / "heap.pb.gz"
TEXT = RECORDED / "go1.27.3" / "heap.txt"
GROWING = "heap profile: 0: 0 [0: 0] @ heap/2\n1: 100 [%d: %d00] @ 0x10\n#\t0xf\tmain.f+0x3\tm.go:7\n"


def at(path: str, content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an answer with the content at one path, 404 elsewhere."""
    return lambda handler: body(content)(handler) if handler.path == path else body(b"404 page", 404)(handler)


def test_a_file_is_read() -> None:
    reading = collect_profile(str(HEAP))
    assert reading.raw == (HEAP.read_bytes(),)
    assert sum(reading.profile.values["inuse_space"]) == sum(parse_profile(HEAP.read_bytes()).values["inuse_space"])
    assert (reading.origin.witness, reading.origin.tool, reading.origin.input) == ("profile", "file", str(HEAP))
    assert reading.gaps == ()
    assert reading.window_seconds is None


def test_a_text_file_brings_memstats() -> None:
    assert collect_profile(str(TEXT)).memstats["NumForcedGC"] == 1


def test_a_window_over_a_file_is_a_gap() -> None:
    assert "one moment" in collect_profile(str(HEAP), window_seconds=3).gaps[0].reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (HEAP.read_bytes()[:500], "cut short"),
        ((RECORDED / "go1.22.10" / "cpu.pb.gz").read_bytes(), "a CPU profile"),
    ],
)
def test_a_bad_file_is_named_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "some.pb.gz"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=sentence) as raised:
        collect_profile(str(path))
    assert raised.value.message.startswith(f"{path}: ")
    assert raised.value.message.endswith(".")
    assert "\n" not in raised.value.message


def test_unreadable_files_are_target_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path, "\0"):
        with pytest.raises(TargetError):
            collect_profile(str(path))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(HEAP.read_bytes(),))
    writer.start()
    assert len(collect_profile(str(pipe)).profile)
    writer.join()


@pytest.mark.parametrize(
    ("target", "served"),
    [
        ("", "/debug/pprof/heap"),
        ("/", "/debug/pprof/heap"),
        ("/debug/pprof/", "/debug/pprof/heap"),
        ("/debug/pprof/heap", "/debug/pprof/heap"),
        ("/debug/pprof/allocs", "/debug/pprof/allocs"),
        ("/admin", "/admin/debug/pprof/heap"),
        ("/admin/debug/pprof", "/admin/debug/pprof/heap"),
        ("/files/heap.pb.gz", "/files/heap.pb.gz"),
    ],
)
def test_a_service_is_read_at_its_address(target: str, served: str) -> None:
    with serve(at(served, HEAP.read_bytes())) as server:
        reading = collect_profile(server.url + target, access=Access(headers={"X-Key": "k"}))
        assert len(reading.profile)
        assert reading.origin.input == server.url + served
        assert all(headers["x-key"] == "k" for _, headers in server.requests)


def test_a_collection_is_never_forced() -> None:
    with serve(at("/debug/pprof/heap?debug=1", TEXT.read_bytes())) as server:
        reading = collect_profile(f"{server.url}/debug/pprof/heap?gc=1&debug=1")
        assert "gc=1 was left out" in reading.gaps[0].reason
        assert reading.memstats


def test_no_heap_profile_says_what_to_import() -> None:
    with serve(body(b"404 page not found", 404)) as server:
        with pytest.raises(TargetError) as raised:
            collect_profile(f"{server.url}?key=secret")
        assert raised.value.message == f"{server.url} answers, but has no heap profile (404 at /debug/pprof/heap)."
        assert "net/http/pprof" in raised.value.hint


def test_other_answers_are_named() -> None:
    with (
        serve(body(b"profiling is off\n", 500)) as server,
        pytest.raises(TargetError, match=r"500 \(profiling is off\)"),
    ):
        collect_profile(server.url)
    with serve(body(b"<html>x</html>")) as server, pytest.raises(FormatError, match="web page"):
        collect_profile(server.url)
    with serve(body(b"who knows")) as server, pytest.raises(FormatError, match=f"^{server.url}/debug/pprof/heap: "):
        collect_profile(server.url)


def test_a_proxys_compression_is_taken_off() -> None:
    with serve(body(gzip.compress(HEAP.read_bytes()), Content_Encoding="gzip")) as server:
        assert collect_profile(server.url).raw == (HEAP.read_bytes(),)
    with serve(body(HEAP.read_bytes(), Content_Encoding="gzip")) as server:
        assert collect_profile(server.url).raw == (HEAP.read_bytes(),)


def growing(*counts: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with one more profile each time; a count of -1 is an error."""
    left = list(counts)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        count = left.pop(0)
        content = (GROWING % (count, count)).encode()
        (body(b"", 503) if count < 0 else body(content))(handler)

    return answer


def test_a_window_gives_what_was_allocated_in_it() -> None:
    with serve(growing(10, 17)) as server:
        reading = collect_profile(server.url, window_seconds=0.1)
    assert flat_and_cumulative(reading.profile, "alloc_space") == {"main.f": (700, 700)}
    assert flat_and_cumulative(reading.profile, "inuse_space") == {"main.f": (100, 100)}
    assert len(reading.raw) == 2
    assert reading.window_seconds is not None
    assert 0.1 <= reading.window_seconds < 5
    assert reading.profile.duration_nanos == int(reading.window_seconds * 1e9)


def test_a_window_ends_early_when_told() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    with serve(growing(1, 2)) as server:
        reading = collect_profile(server.url, window_seconds=60, stop=stop)
    assert time.monotonic() - begun < 10
    assert reading.window_seconds is not None


def test_a_restart_within_the_window_is_a_gap() -> None:
    with serve(growing(10, 3)) as server:
        reading = collect_profile(server.url, window_seconds=0.05)
    assert "restarted" in reading.gaps[0].reason
    assert reading.window_seconds is None
    assert flat_and_cumulative(reading.profile, "alloc_space") == {"main.f": (300, 300)}


def test_a_service_that_dies_within_the_window_keeps_its_first_profile() -> None:
    with serve(growing(10, -1)) as server:
        reading = collect_profile(server.url, window_seconds=0.05)
    assert "second profile could not be read" in reading.gaps[0].reason
    assert flat_and_cumulative(reading.profile, "alloc_space") == {"main.f": (1000, 1000)}


def test_what_a_profile_lacks_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "heap.txt"
    path.write_text("heap profile: 0: 0 [0: 0] @ heap/2\n")
    assert "no samples" in collect_profile(str(path)).gaps[0].reason
    path.write_text("heap profile: 0: 0 [0: 0] @ heap/2\n1: 8 [1: 8] @ 0x1\n")
    assert "without function names" in collect_profile(str(path)).gaps[0].reason
