"""Recognises targets by form and content, as CONTRACT lists them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from whyheap import capture
from whyheap.errors import TargetError, UsageError
from whyheap.parse.log_kind import recognise_text

_KNOWN = (
    "Targets are packages (., ./..., ./cmd/api), http(s)://HOST:PORT of a service with net/http/pprof, pid:N, "
    "k8s:NAMESPACE/POD[:PORT], heap profiles, crash output, gctrace text and saved captures (*.whyheap)"
)
_HEAD_BYTES = 1 << 16
_TAIL_BYTES = 1 << 16
_GZIP = b"\x1f\x8b"
_IMPORT_PATH = re.compile(r"^[A-Za-z0-9_~.@+-]+(?:/[A-Za-z0-9_~.@+-]+)*(?:/\.\.\.)?$")
_PID = re.compile(r"pid:([1-9]\d{0,9})", re.ASCII)
_POD = re.compile(r"k8s:([a-z0-9.-]+)/([a-z0-9.-]+)(?::(\d{1,5}))?", re.ASCII)
_LARGEST_PORT = 65535
_PROFILE_NAME = re.compile(r"\.(pb\.gz|pprof|prof|gz|heap|out)$")


class TargetKind(StrEnum):
    """What a target is."""

    PACKAGES = "packages"
    URL = "url"
    PID = "pid"
    POD = "pod"
    LOG = "log"
    PROFILE = "profile"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Target:
    """One word of the command line, recognised."""

    kind: TargetKind
    text: str

    @property
    def pid(self) -> int:
        """The number of a PID target."""
        return int(self.text.removeprefix("pid:"))

    @property
    def is_live(self) -> bool:
        """Whether it is a process that can be observed over time."""
        return self.kind in {TargetKind.URL, TargetKind.PID, TargetKind.POD}


def recognise(text: str) -> Target:
    """Tell what a target is. Raises UsageError when it is nothing known, TargetError when a named file is not there."""
    if re.match(r"^https?://", text):
        return Target(TargetKind.URL, text)
    if text.startswith("pid:"):
        return _pid(text)
    if text.startswith("k8s:"):
        return _pod(text)
    path = Path(text)
    if path.is_file():
        return _file(path, text)
    if text.endswith("...") or path.is_dir() or text in {".", ".."} or text.startswith(("./", "../", "/")):
        if not text.endswith("...") and not path.is_dir():
            raise TargetError(f"{text}: there is no such file or folder", _KNOWN)
        return Target(TargetKind.PACKAGES, text)
    if path.suffix == ".whyheap" or _PROFILE_NAME.search(text):
        raise TargetError(f"{text}: there is no such file", _KNOWN)
    if _IMPORT_PATH.match(text) and ":" not in text:
        return Target(TargetKind.PACKAGES, text)
    raise UsageError(f"{text!r} is no target that can be read", _KNOWN)


def _pid(text: str) -> Target:
    if _PID.fullmatch(text) is None:
        raise UsageError(f"{text!a} names no process", "Give its number:  whyheap why pid:4242")
    return Target(TargetKind.PID, text)


def _pod(text: str) -> Target:
    match = _POD.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!a} names no pod", "Give its namespace and name:  whyheap why k8s:NAMESPACE/POD[:PORT]")
    if match[3] and not 0 < int(match[3]) <= _LARGEST_PORT:
        raise UsageError(f"{text}: there is no port {match[3]}", "Give the port that net/http/pprof listens on")
    return Target(TargetKind.POD, text)


def _file(path: Path, text: str) -> Target:
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD_BYTES)
            handle.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            tail = handle.read(_TAIL_BYTES)
    except OSError as error:
        raise TargetError(f"{text}: {error.strerror}") from error
    if path.suffix == ".whyheap" or head.startswith(capture.MAGIC):
        return Target(TargetKind.CAPTURE, text)
    if path.suffix == ".go":
        raise UsageError(f"{text} is a source file", f"Name its package:  whyheap why ./{path.parent}")
    if head.startswith(_GZIP):
        head = _inflated(head)
    if head.startswith((b"go1.7 heap dump", b"go1.8 heap dump")):
        raise UsageError(f"{text} is a heap dump, which cannot be read yet", "Take a heap profile: /debug/pprof/heap")
    if head.startswith(b"\x7fELF"):
        raise UsageError(f"{text} is a program or a core, which cannot be read yet", _KNOWN)
    is_empty_log = not head and not _PROFILE_NAME.search(text)  # there is nothing in it to tell it by
    if is_empty_log or recognise_text(head, tail) is not None:
        return Target(TargetKind.LOG, text)
    if _TEXT.fullmatch(head) and not head.startswith(_OTHER_TEXTS) and not _PROFILE_NAME.search(path.name):
        raise UsageError(f"{text} is a text that says nothing of a Go process's memory or end", _KNOWN)
    return Target(TargetKind.PROFILE, text)


_TEXT = re.compile(rb"[^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]+")
_OTHER_TEXTS = (b"heap profile:", b"goroutine profile:", b"<")  # which are told by name
_PROFILE_NAME = re.compile(r"\.(pb\.gz|pprof|prof|gz|heap|out)$")


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
    except zlib.error:
        return b""
