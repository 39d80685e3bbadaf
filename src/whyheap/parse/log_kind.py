"""Tells by content whether a file is a log that says how a Go process used memory or died."""

from __future__ import annotations

import re
from enum import StrEnum

from whyheap.parse.crash_words import is_runtimes


class LogKind(StrEnum):
    """What a log says. One that holds several is of the first kind that fits, in this order."""

    CRASH = "crash"
    GCTRACE = "gctrace"
    KERNEL = "kernel"


# A collector's words may stand before these, and `\n` is two characters in Docker's JSON.
_FATAL = re.compile(rb"(?:^|[\n \"])fatal error: ([^\n\\]{1,300})")
_TRACE = re.compile(rb"(?:^|[\n \"])goroutine \d{1,18}(?: gp=[^\n]{1,80})? \[[^\]\n]{1,200}\][^\n]{0,200}:")
_PANIC = re.compile(rb"(?:^|[\n \"])panic: ")
_WORDS = re.compile(
    rb"runtime: goroutine stack exceeds \d|runtime: failed to create new OS thread|runtime: program exceeds \d|"
    rb"runtime: out of memory: cannot allocate|runtime/cgo: pthread_create failed|(?:^|\n)signal: killed"
)
_COLLECTION = re.compile(rb"(?:^|[\n\s:|\"])gc \d{1,12} @\d{1,10}\.\d{1,3}s \d{1,3}%[^\n]{0,300} MB goal")
_KERNEL = re.compile(rb"oom-kill:constraint=|invoked oom-killer:|Out of memory: Killed process|Killed process \d+ \(")
_PROFILE = (b"heap profile:", b"goroutine profile:", b"\x1f\x8b")


def recognise_text(head: bytes, tail: bytes = b"") -> LogKind | None:
    """Return what a file's first and last bytes show, None when it is no such log.

    A crash stands at a log's end: give some ten KiB of `tail` for a file that is longer than its `head`.
    """
    if b"\0" in head or head.startswith(_PROFILE):
        return None
    for part in (head, tail):
        fatal = any(is_runtimes(match[1].decode("utf-8", "replace")) for match in _FATAL.finditer(part))
        traced = (_FATAL.search(part) or _PANIC.search(part)) and _TRACE.search(part)
        if fatal or traced or _WORDS.search(part):
            return LogKind.CRASH
    if _COLLECTION.search(head) or _COLLECTION.search(tail):
        return LogKind.GCTRACE
    return LogKind.KERNEL if _KERNEL.search(head) or _KERNEL.search(tail) else None
