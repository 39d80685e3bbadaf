"""Witness: the heap profile, from a file or a running service.

What it costs the target: one heap profile formats what the runtime has sampled already; no collection is forced
(`?gc=1` is never sent), nothing is stopped for longer than it takes to copy the samples.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from whyheap.errors import FormatError, TargetError
from whyheap.host.http import Access, Response, get, scrub, status_hint
from whyheap.model.gauge import Gap, Origin
from whyheap.model.profile import HeapProfile
from whyheap.parse.gzip_stream import MAGIC, read_gzip
from whyheap.parse.heap_text import parse_memstats
from whyheap.parse.pprof import parse_profile
from whyheap.parse.profile_math import subtract

WITNESS = "profile"
HEAP_PATH = "/debug/pprof/heap"
_PPROF_PATH = "/debug/pprof"
_OK = 200
_NOT_FOUND = 404
_MOST_FILE_BYTES = 2 << 30
_DEFAULT_ACCESS = Access()


@dataclass(frozen=True, slots=True)
class ProfileReading:
    """What was read from one target.

    `profile` is the newest one; over a window its alloc_* are those of the window, and `window_seconds` is how long
    that really was (None: one read, alloc_* since the process began). `raw` are the bodies as they came, oldest first.
    `memstats` is what a text profile says below its samples.
    """

    profile: HeapProfile
    raw: tuple[bytes, ...]
    origin: Origin
    gaps: tuple[Gap, ...] = ()
    window_seconds: float | None = None
    memstats: dict[str, float] = field(default_factory=dict)


def collect_profile(
    target: str,
    *,
    access: Access = _DEFAULT_ACCESS,
    window_seconds: float = 0.0,
    stop: threading.Event | None = None,
) -> ProfileReading:
    """Read a heap profile from a file, a service (`http://host:port`) or the address of a profile.

    With a window a service is read twice, that many seconds apart (less when `stop` is set); files have none.

    Raises:
        TargetError: it could not be read.
        FormatError: what was read is no heap profile.
    """
    if target.startswith(("http://", "https://")):
        return _from_service(target, access, window_seconds, stop or threading.Event())
    return _from_file(Path(target), window_seconds)


def _from_file(path: Path, window_seconds: float) -> ProfileReading:
    body = _read_file(path)
    profile = _parse(body, str(path))
    gaps = list(_gaps_of(profile))
    if window_seconds > 0:
        gaps.append(
            Gap(WITNESS, f"{path.name} is one moment: there is no rate of allocation", "Name the service itself.")
        )
    return ProfileReading(profile, (body,), _origin("file", str(path)), tuple(gaps), memstats=_memstats(body))


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > _MOST_FILE_BYTES:
                raise TargetError(f"{path} is larger than 2 GiB, which no heap profile is.")
            return stream.read(_MOST_FILE_BYTES)
    except FileNotFoundError as error:
        raise TargetError(f"{path} does not exist.", "Check the file's name.") from error
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except ValueError as error:
        raise TargetError(f"{str(path)!a} is not a file name.") from error


def collect_process_profile(
    read: Callable[[], bytes | None], name: str, window_seconds: float, stop: threading.Event
) -> ProfileReading | None:
    """Read the heap profile that a process of this machine keeps in its memory, twice with a window; None: it has none.

    `read` returns a profile or None, `name` names the process ("pid:4242"). Raises TargetError.
    """
    body = read()
    if body is None:
        return None
    return _over_window(_Read(body, _parse(body, name)), window_seconds, stop, read, _origin("/proc/PID/mem", name))


@dataclass(frozen=True, slots=True)
class _Read:
    """One profile, as it came and decoded."""

    body: bytes
    profile: HeapProfile


def _from_service(target: str, access: Access, window_seconds: float, stop: threading.Event) -> ProfileReading:
    url, gaps = _without_gc(target)
    url, body, profile = _first_read(url, access)
    origin = _origin("net/http/pprof", scrub(url))
    return _over_window(_Read(body, profile), window_seconds, stop, lambda: _body_of(get(url, access)), origin, gaps)


def _over_window(
    first: _Read,
    window_seconds: float,
    stop: threading.Event,
    read: Callable[[], bytes | None],
    origin: Origin,
    gaps: tuple[Gap, ...] = (),
) -> ProfileReading:
    """Return the first reading, and with a window the difference to a second one."""
    begun = time.monotonic()
    body, profile = first.body, first.profile
    if window_seconds <= 0:
        return ProfileReading(profile, (body,), origin, (*gaps, *_gaps_of(profile)), memstats=_memstats(body))
    stop.wait(window_seconds)
    try:
        later_body = read() or b""
        later = _parse(later_body, origin.input)
    except TargetError as error:
        reason = f"the second profile could not be read, so that alloc is since start: {error.message}"
        gaps = (*gaps, Gap(WITNESS, reason, error.hint))
        return ProfileReading(profile, (body,), origin, (*gaps, *_gaps_of(profile)), memstats=_memstats(body))
    seconds = time.monotonic() - begun
    memstats = _memstats(later_body)
    if _restarted(profile, later):
        gap = Gap(WITNESS, "the process restarted meanwhile: alloc is since that start", "Watch it again.")
        return ProfileReading(later, (body, later_body), origin, (*gaps, gap, *_gaps_of(later)), memstats=memstats)
    if later.time_nanos > profile.time_nanos > 0:
        seconds = (later.time_nanos - profile.time_nanos) / 1e9
    delta = subtract(later, profile)
    if not delta.duration_nanos:
        delta = replace(delta, duration_nanos=int(seconds * 1e9))
    return ProfileReading(delta, (body, later_body), origin, (*gaps, *_gaps_of(later)), seconds, memstats)


def _first_read(target: str, access: Access) -> tuple[str, bytes, HeapProfile]:
    """Return the address that has the profile, its body and the profile. A bare host means /debug/pprof/heap."""
    parts = urlsplit(target)
    path = parts.path.rstrip("/")
    base = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if path in ("", _PPROF_PATH) or path.endswith(_PPROF_PATH):
        prefix = path.removesuffix(_PPROF_PATH)
        url = f"{base}{prefix}{HEAP_PATH}" + (f"?{parts.query}" if parts.query else "")
        return _profile_at(url, access, scrub(base + prefix), prefix + HEAP_PATH)
    if _PPROF_PATH in path:
        return _profile_at(target, access, scrub(base), path)
    answer = get(target, access)
    if answer.status == _OK:
        try:
            body = _body_of(answer)
            return target, body, parse_profile(body)
        except FormatError:
            pass  # a page of the service: its profile may stand below it
    return _profile_at(f"{base}{path}{HEAP_PATH}", access, scrub(base + path), path + HEAP_PATH)


def _profile_at(url: str, access: Access, service: str, path: str) -> tuple[str, bytes, HeapProfile]:
    answer = get(url, access)
    if answer.status == _NOT_FOUND:
        raise TargetError(
            f"{service} answers, but has no heap profile (404 at {path}).",
            "Import net/http/pprof in the service, or read the process directly:  whyheap why pid:PID",
        )
    body = _body_of(answer)
    return url, body, _parse(body, scrub(url))


def _body_of(answer: Response) -> bytes:
    """Return the body of a good answer, without the compression that a proxy added."""
    if answer.status != _OK:
        said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
        detail = f" ({said})" if said and said.isprintable() and "<" not in said else ""
        raise TargetError(f"{answer.url} answers with status {answer.status}{detail}.", status_hint(answer.status))
    body = answer.body
    if answer.headers.get("content-encoding", "").lower() == "gzip" and body.startswith(MAGIC):
        unpacked = b"".join(read_gzip(body, 1 << 20, raw_limit_bytes=512 << 20))
        if unpacked.startswith((MAGIC, b"heap profile:")):
            return unpacked
    return body


def _parse(body: bytes, name: str) -> HeapProfile:
    try:
        return parse_profile(body)
    except FormatError as error:
        raise FormatError(f"{name}: {error.message}.", error.hint) from error


def _without_gc(target: str) -> tuple[str, tuple[Gap, ...]]:
    """Drop gc=1 from an address: a collection in the target is never forced."""
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if name != "gc"]
    if len(kept) == len(query):
        return target, ()
    gap = Gap(WITNESS, "gc=1 was left out of the address: whyheap forces no collection in a service", "")
    return urlunsplit(parts._replace(query=urlencode(kept))), (gap,)


def _restarted(old: HeapProfile, new: HeapProfile) -> bool:
    """Whether a process began anew: what it allocated since its start became less."""
    before, after = (sum(map(int, profile.values.get("alloc_space", ()))) for profile in (old, new))
    return after < before


def _gaps_of(profile: HeapProfile) -> tuple[Gap, ...]:
    """Name what a profile lacks."""
    gaps = []
    if len(profile) == 0:
        reason = "the profile has no samples: the process allocated less than the sampling rate, or sampling is off"
        gaps.append(Gap(WITNESS, reason, "Put load on the service, and leave runtime.MemProfileRate as it is."))
    elif not len(profile.function_names):
        gaps.append(Gap(WITNESS, "the profile has addresses without function names", "Take it from /debug/pprof/heap."))
    if "alloc_space" not in profile.values:
        gaps.append(Gap(WITNESS, "the profile says what is in use, but not what was allocated", ""))
    return tuple(gaps)


def _memstats(body: bytes) -> dict[str, float]:
    return parse_memstats(body.decode("utf-8", "replace")) if body.startswith(b"heap profile:") else {}


def _origin(tool: str, source: str) -> Origin:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Origin(WITNESS, tool, "", source, now)
