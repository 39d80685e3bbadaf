r"""What the Go runtime says before it ends a process, and what each of its sentences means.

Texts and places, read in src/runtime of 1.22.10 and 1.27.3 (line numbers of 1.27.3; the same words in 1.23 to 1.26):

| text | where | means |
|---|---|---|
| `runtime: out of memory: cannot allocate N-byte block (M in use)` | mheap.go:1568 | no room; M = HeapSys |
| `fatal error: out of memory` | mcache.go:207-259, stack.go:202-424 | follows it |
| `fatal error: runtime: out of memory` | mem_linux.go:93,175 | mmap said ENOMEM |
| `fatal error: runtime: cannot allocate memory` | malloc.go:2363, mheap.go:550,3013, mprof.go:280 | metadata |
| `fatal error: runtime: cannot map pages in arena address space` | mem_linux.go:179 | mmap said another errno |
| `fatal error: out of memory allocating heap arena metadata` (map, allArenas) | malloc.go:866-896 | metadata |
| `fatal error: memory reservation exceeds address space limit` | malloc.go:838 | outside the usable addresses |
| `fatal error: failed to reserve page summary memory` | mpagealloc_64bit.go:81 | address space, at the start |
| `runtime: mmap: too much locked memory (check 'ulimit -l').` | mem_linux.go:29 | EAGAIN; exit 2 without more words |
| `runtime: goroutine stack exceeds N-byte limit`, `runtime: sp=P stack=[LO, HI]`, `fatal error: stack overflow` \
| stack.go:1202-1207 | debug.SetMaxStack, 1 GB by default on 64 bits |
| `runtime: failed to create new OS thread (have N already; errno=E)`, `fatal error: newosproc` | os_linux.go:195-199 \
| clone failed: pids or NPROC limit (EAGAIN), memory (ENOMEM) |
| `runtime/cgo: pthread_create failed: TEXT` | cgo/pthread_unix.c:58 (before 1.27 gcc_linux_*.c) | the same, cgo |
| `runtime: program exceeds N-thread limit`, `fatal error: thread exhaustion` | proc.go:989 | SetMaxThreads, 10,000 |
| `unexpected fault address A`, `fatal error: fault`, `[signal SIGBUS: ...]` | signal_unix.go:927 | a mapped file cut |
| `fatal error: concurrent map writes` | internal/runtime/maps (map.go:596 in 1.22) | not memory |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

MEMORY: Final = "memory"
STACK: Final = "stack"
THREADS: Final = "threads"
OTHER: Final = "other"

_ABOUT_MEMORY = (
    "out of memory",
    "runtime: out of memory",
    "runtime: cannot allocate memory",
    "runtime: cannot map pages",
    "runtime: cannot remap pages",
    "runtime: cannot reserve arena",
    "memory reservation exceeds",
    "failed to reserve page summary",
    "heapdump: out of memory",
    "too much locked memory",
)
_ABOUT_THREADS = ("newosproc", "thread exhaustion", "pthread_create failed")
_OWN_WORDS = (
    "runtime",
    "all goroutines are asleep",
    "no goroutines (main called runtime.Goexit)",
    "checkptr",
    "concurrent map",
    "fault",
    "sync: ",
    "unexpected signal",
    "stack overflow",
    "found bad pointer",
    "heapdump",
    "bad ",
    "sweep",
    "malloc",
    "racy ",
    "invalid ",
    "self deadlock",
    "index out of range",
)

_ERRNO: Mapping[int, str] = {1: "EPERM", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 22: "EINVAL"}
_DETAILS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, str]]], ...] = (
    (
        re.compile(r"runtime: out of memory: cannot allocate (\d{1,20})-byte block \((\d{1,20}) in use\)"),
        lambda match: {"asked": match[1], "in_use": match[2]},
    ),
    (
        re.compile(r"runtime: goroutine stack exceeds (\d{1,20})-byte limit"),
        lambda match: {"limit": match[1]},
    ),
    (
        re.compile(r"runtime: sp=0x[0-9a-f]{1,16} stack=\[0x([0-9a-f]{1,16}), 0x([0-9a-f]{1,16})\]"),
        lambda match: {"stack": str(max(int(match[2], 16) - int(match[1], 16), 0))},
    ),
    (
        re.compile(r"runtime: failed to create new OS thread \(have (\d{1,9}) already; errno=(\d{1,5})\)"),
        lambda match: {"threads": match[1], "error": _ERRNO.get(int(match[2]), f"errno {int(match[2])}")},
    ),
    (
        re.compile(r"runtime: program exceeds (\d{1,12})-thread limit"),
        lambda match: {"limit": match[1]},
    ),
    (
        re.compile(r"runtime: mmap\(0x[0-9a-f]{1,16}, (\d{1,20})\) returned 0x[0-9a-f]{1,16}, (\d{1,5})"),
        lambda match: {"asked": match[1], "error": _ERRNO.get(int(match[2]), f"errno {int(match[2])}")},
    ),
    (re.compile(r"unexpected fault address 0x[0-9a-f]{1,16}"), lambda _: {}),
)


def details(line: str) -> dict[str, str] | None:
    """Return what a sentence before the fatal error says, as labels of a crash; None when it is none of these."""
    if not line.startswith(("runtime: ", "unexpected fault")):
        return None
    for pattern, labels in _DETAILS:
        match = pattern.fullmatch(line)
        if match is not None:
            return labels(match)
    return None


def about(reason: str) -> str:
    """Return what a fatal error is about: MEMORY, STACK, THREADS or OTHER."""
    if reason.startswith(_ABOUT_MEMORY):
        return MEMORY
    if reason == "stack overflow":
        return STACK
    return THREADS if reason.startswith(_ABOUT_THREADS) else OTHER


def is_runtimes(reason: str) -> bool:
    """Whether these are words of the Go runtime, rather than of a program that also writes "fatal error:"."""
    return about(reason) != OTHER or reason.startswith(_OWN_WORDS)
