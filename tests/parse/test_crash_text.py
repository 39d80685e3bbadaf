from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.model.event import EventKind
from whyheap.parse.crash_text import Crash, CrashReader

RECORDED = Path(__file__).parents[1] / "recorded" / "crash"
VERSIONS = ("1.22.10", "1.27.3")


def read(text: str) -> CrashReader:
    reader = CrashReader()
    for line in text.split("\n"):
        reader.add("", line)
    reader.end()
    return reader


def recorded(version: str, name: str) -> Crash:
    (crash,) = read((RECORDED / version / f"{name}.txt").read_text()).crashes
    return crash


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (
            "address_space",
            {"reason": "out of memory", "about": "memory", "asked": "8388608", "place": "./main.go:12", "depth": "2"},
        ),
        ("large_block", {"reason": "runtime: out of memory", "about": "memory", "error": "ENOMEM"}),
        (
            "deep_recursion",
            {"reason": "stack overflow", "about": "stack", "limit": "16777216", "function": "main.(*node).depth"},
        ),
        ("process_limit", {"reason": "newosproc", "about": "threads", "error": "EAGAIN"}),
        ("thread_limit", {"reason": "thread exhaustion", "about": "threads", "limit": "12"}),
        ("concurrent_map", {"reason": "concurrent map writes", "about": "other", "place": "./main.go:8"}),
        ("deadlock", {"reason": "all goroutines are asleep - deadlock!", "about": "other"}),
        ("truncated_file", {"reason": "fault", "signal": "SIGBUS", "about": "other", "place": "./main.go:9"}),
        (
            "nil_pointer",
            {
                "reason": "panic: runtime error: invalid memory address or nil pointer dereference",
                "signal": "SIGSEGV",
                "goroutine": "5",
            },
        ),
    ],
)
def test_each_death_says_what_it_was(version: str, name: str, labels: dict[str, str]) -> None:
    crash = recorded(version, name)
    assert labels.items() <= crash.labels.items()
    assert crash.event.kind is EventKind.CRASH
    assert crash.event.labels["reason"] == labels["reason"]


@pytest.mark.parametrize("version", VERSIONS)
def test_sentences_name_limits_and_places(version: str) -> None:
    assert "limit of 16 MiB, in main.(*node).depth (./main.go:8)" in recorded(version, "deep_recursion").event.text
    assert "8 MiB more could not be had for the heap, which had " in recorded(version, "address_space").event.text
    assert "a thread could not be started (EAGAIN)" in recorded(version, "process_limit").event.text
    assert "it had 12 threads, which is its limit" in recorded(version, "thread_limit").event.text


@pytest.mark.parametrize("version", VERSIONS)
def test_goroutines_are_grouped_by_state_stack_and_creator(version: str) -> None:
    crash = recorded(version, "address_space")
    waiting, dying = crash.goroutines
    assert (waiting.count, waiting.state, waiting.stack[0].symbol) == (2, "chan receive", "main.wait")
    assert waiting.created_by is not None
    assert waiting.created_by.symbol == "main.main"
    assert (dying.state, dying.stack[0].symbol) == ("running", "main.fill")
    assert (crash.count, crash.is_whole) == (3, True)
    assert recorded(version, "process_limit").count == 101


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deep_stack_tells_how_deep(version: str) -> None:
    crash = recorded(version, "deep_recursion")
    assert int(crash.labels["depth"]) > 500_000
    assert len(crash.goroutines[0].stack) < 120


@pytest.mark.parametrize("version", VERSIONS)
def test_a_panics_own_words_are_not_kept(version: str) -> None:
    crash = recorded(version, "own_panic")
    assert crash.labels["reason"] == "panic"
    assert not crash.is_whole
    assert "hunter2" not in repr(crash)
    assert "abc" not in repr(crash)


def test_headers_with_minutes_threads_bubbles_and_labels_are_understood() -> None:
    text = """fatal error: all goroutines are asleep - deadlock!

goroutine 1 [select (no cases), 12 minutes, locked to thread]:
main.main()
\t/src/main.go:4 +0x18

goroutine 8 gp=0xc01 m=nil [sync.WaitGroup.Wait (durable), 3 minutes, synctest bubble 1] {user: "a ] b"}:
main.(*T).wait[...](0xc0000, {0x1, 0x2, ...})
\t/src/main.go:9 +0x18 fp=0xc0 sp=0xc1 pc=0x47
...23 frames elided...
created by main.start in goroutine 1
\t/src/main.go:2 +0x8a
[originating from goroutine 1]:
main.start(...)
\t/src/main.go:1 +0x8a
created by main.init
\t/src/main.go:0 +0x8a
"""
    (crash,) = read(text).crashes
    states = {group.state: group for group in crash.goroutines}
    assert set(states) == {"select (no cases)", "sync.WaitGroup.Wait"}
    waiting = states["sync.WaitGroup.Wait"]
    assert [site.function for site in waiting.stack] == ["(*T).wait[...]"]
    assert waiting.created_by is not None
    assert str(waiting.created_by.position) == "/src/main.go:2"
    assert "user" not in repr(crash)


def test_other_lines_between_do_not_matter_and_two_deaths_are_two() -> None:
    one = (RECORDED / "1.27.3" / "address_space.txt").read_text()
    mixed = one.replace("\n\ngoroutine", '\n\nlevel=info msg="still here"\ngoroutine')
    reader = read(f"starting\n{mixed}exit status 2\nstarting\n{one}")
    assert [crash.count for crash in reader.crashes] == [3, 3]
    assert not reader.strays


def test_a_kill_is_an_exit_by_signal_9() -> None:
    for line in ("signal: killed", "Killed", "run.sh: line 3:  4242 Killed                  ./shop -p 80"):
        (event,) = read(f"started\n{line}\n").events
        assert (event.kind, event.labels) == (EventKind.EXIT, {"signal": "9", "known": "yes"})


def test_cgo_says_why_a_thread_could_not_start() -> None:
    text = (
        "runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\nPC=0x7f m=3 sigcode=1\n"
    )
    (crash,) = read(text).crashes
    assert crash.labels["about"] == "threads"
    assert crash.labels["error"] == "Resource temporarily unavailable"


def test_asked_for_by_signal() -> None:
    text = "SIGQUIT: quit\nPC=0x47 m=0 sigcode=0\n\ngoroutine 7 [chan receive, 5 minutes]:\nmain.f()\n\t/m.go:3 +0x1\n"
    (crash,) = read(text).crashes
    assert crash.labels["reason"] == "SIGQUIT"


@pytest.mark.parametrize(
    "text",
    [
        "fatal error: cannot open the configuration\nbye\n",
        "panic: is what I did\nbut I went on\n",
        "2024/05/01 http: panic serving 10.0.0.1: boom\ngoroutine 7 [running]:\nmain.f()\n\t/m.go:1 +0x1\n",
    ],
)
def test_a_programs_own_lines_are_no_death(text: str) -> None:
    assert not read(text).crashes


def test_goroutines_without_a_beginning_are_counted() -> None:
    text = (RECORDED / "1.27.3" / "address_space.txt").read_text()
    assert read(text[text.index("goroutine 3 ") :]).strays == text.count("\ngoroutine ") - 2


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    read(text)
    read(f"fatal error: out of memory\n{text}\ngoroutine 1 [running]:\n{text}\n\t/a.go:1 +0x1\n")


PIECES = [
    "fatal error: out of memory",
    "panic: runtime error: x",
    "\tpanic: y",
    "goroutine 1 [running]:",
    "goroutine 99999999999999999999 [running]:",
    "runtime stack:",
    "main.f(0x1)",
    "\t/a.go:12 +0x1f",
    "\t/a.go:99999999999 +0x1",
    "created by main.f in goroutine 1",
    "...99999999999 frames elided...",
    "runtime: sp=0xffffffffffffffff stack=[0xffffffffffffffff, 0x0]",
    "runtime: out of memory: cannot allocate 99999999999999999999-byte block (99999999999999999999 in use)",
    "runtime: program exceeds 999999999999-thread limit",
    "fatal error: thread exhaustion",
    "[signal SIGBUS: bus error code=0x2 addr=0x7 pc=0x4]",
    "exit status 2",
    "Killed",
    "",
    "SIGQUIT: quit",
    "PC=0x1 m=0 sigcode=0",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_order_of_its_lines_is_read(lines: list[str]) -> None:
    for crash in read("\n".join(lines)).crashes:
        assert crash.event.text


@pytest.mark.parametrize("piece", ["goroutine 1 [a", "\t/a.go:1", "created by a in goroutine ", "{0x1, ", "f(", ": "])
def test_long_lines_take_no_time(piece: str) -> None:
    line = piece * (60_000 // len(piece))
    begun = time.process_time()
    read("fatal error: out of memory\ngoroutine 1 [running]:\n" + f"{line}\n" * 50)
    assert time.process_time() - begun < 2
