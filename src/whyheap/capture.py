"""Saving and loading a Capture: what was collected, so that the analysis can be run later, without Go and the target.

A capture is one SQLite file. It is opened read-only and distrusted: sizes are bounded, what is damaged is refused.
"""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, count
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from whyheap.errors import FormatError, TargetError
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import LARGEST_VALUE, Gap, Gauge, Origin
from whyheap.model.scan import Scan, ScannedPackage

SCHEMA = 2
MAGIC = b"SQLite format 3\0"
APPLICATION_ID = 0x57484550  # "WHEP"
_LARGEST_TOTAL_BYTES = 4 << 30
# Facts and profiles shrink 5 to 50 times, deflate's limit is 1,032. Small captures may do as they like.
_LARGEST_RATIO = 200
_RATIO_FROM_BYTES = 64 << 20
_MOST_SQL_STEPS = 500  # of 100,000 instructions each: a capture has a few thousand rows
_NEVER_SCHEMA = 0
_INTERRUPTED_WRITE = frozenset({sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_JOURNAL_HEADER_BYTES = 1 << 17  # at most two sectors of 64 KiB
_MOST_JOURNAL_RATIO = 2  # each page once, with a number and a checksum
TABLES = """
create table meta (key text primary key, value text not null);
create table items (kind text not null, position integer not null, name text not null, data blob not null,
                    primary key (kind, position));
"""


@dataclass(frozen=True, slots=True)
class Capture:
    """Everything that the witnesses said. `profiles` are raw heap profiles, oldest first.

    `window_seconds` lies between the first and the last of several profiles. `goroutines` are by the moment of their
    gauges. `profile_times` are the moments of a recording's profiles (RFC 3339 UTC), empty where they are not known.
    """

    targets: tuple[str, ...]
    at: str
    scan: Scan | None = None
    profiles: tuple[bytes, ...] = ()
    window_seconds: float | None = None
    gauges: tuple[Gauge, ...] = ()
    goroutines: Mapping[str, tuple[GoroutineGroup, ...]] = field(default_factory=dict)
    limit_name: str = ""
    pid: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    gaps: tuple[Gap, ...] = ()
    events: tuple[Event, ...] = ()
    profile_times: tuple[str, ...] = ()


class _Head(msgspec.Struct, frozen=True):
    """The small parts of a capture, stored as one value."""

    targets: tuple[str, ...]
    at: str
    window_seconds: float | None
    limit_name: str
    pid: int | None
    origins: tuple[Origin, ...]
    gaps: tuple[Gap, ...]
    scan: Scan | None


def save_capture(capture: Capture, version: str) -> bytes:
    """Return the file's bytes; `version` is this tool's own."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"pragma application_id = {APPLICATION_ID}")
        database.executescript(TABLES)
        database.executemany(
            "insert into meta values (?, ?)", [("schema", str(SCHEMA)), ("tool", f"whyheap {version}")]
        )
        database.executemany("insert into items values (?, ?, ?, ?)", _rows(capture))
        database.commit()
        return bytes(database.serialize())


def head_bytes(capture: Capture) -> bytes:
    """Return the small parts of a capture as they are stored."""
    scan = capture.scan
    head = _Head(
        capture.targets,
        capture.at,
        capture.window_seconds,
        capture.limit_name,
        capture.pid,
        capture.origins,
        capture.gaps,
        replace(scan, packages=()) if scan else None,
    )
    return packed(head)


def _rows(capture: Capture) -> Iterator[tuple[str, int, str, bytes]]:
    yield "head", 0, "", head_bytes(capture)
    for position, package in enumerate(capture.scan.packages if capture.scan else ()):
        yield "package", position, package.package, packed(package)
    for position, profile in enumerate(capture.profiles):
        at = capture.profile_times[position] if position < len(capture.profile_times) else ""
        yield "profile", position, at, zlib.compress(profile, 1)
    if capture.gauges:
        yield "gauges", 0, "", packed(capture.gauges)
    for position, (at, groups) in enumerate(capture.goroutines.items()):
        yield "goroutines", position, at, packed(groups)
    for position, event in enumerate(capture.events):
        yield "event", position, event.at, packed(event)
    for position, (file, text) in enumerate(sorted(capture.sources.items())):
        yield "source", position, file, zlib.compress(text.encode("utf-8", "surrogateescape"), 6)


def load_capture(path: Path) -> Capture:
    """Read a capture. Raises TargetError when it cannot be opened, FormatError when it is none or of a newer schema."""
    try:
        with path.open("rb") as handle:
            start = handle.read(len(MAGIC))
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise TargetError(f"{str(path)!a} is not a file name") from error
    if start != MAGIC:
        raise FormatError(f"{path} is not a capture of whyheap", "Captures are written with -o FILE.whyheap")
    try:
        try:
            with closing(_open(path)) as database:
                return _load(path, database)
        except sqlite3.OperationalError as error:
            if _code(error) not in _INTERRUPTED_WRITE or not _journal(path).is_file():
                raise
            return _load_recovered(path)
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}") from error
    except sqlite3.OperationalError as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            raise TargetError(f"{path} is being written just now", "Try again in a moment") from error
        raise _damaged(path, error) from error
    except (sqlite3.Error, msgspec.MsgspecError, zlib.error, UnicodeError, OverflowError) as error:
        raise _damaged(path, error) from error


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's code; 0 where Python itself could not read a value, as a text that is not UTF-8."""
    return getattr(error, "sqlite_errorcode", 0)


def _damaged(path: Path, error: Exception) -> FormatError:
    said = " ".join(str(error).split())
    return FormatError(f"{path} is damaged: {said}")


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _load_recovered(path: Path) -> Capture:
    """Read a capture whose recorder was killed while it wrote: SQLite undoes the last sample, in a copy of ours."""
    _check_journal(path)
    with TemporaryDirectory(prefix="whyheap-") as folder:
        copy = Path(folder, "capture")
        shutil.copyfile(path, copy)
        shutil.copyfile(_journal(path), _journal(copy))
        _check_journal(copy)  # what was copied may be another than what was looked at
        with closing(sqlite3.connect(copy)) as database:
            database.execute("select count(*) from sqlite_schema").fetchone()
        with closing(_open(copy)) as database:
            return _load(path, database)


def _check_journal(path: Path) -> None:
    """Refuse a journal that no recorder wrote: larger than all pages, or of several files, whose list is deleted.

    https://sqlite.org/fileformat2.html section 3, and readSuperJournal and pager_delsuper in SQLite's pager.c.
    """
    journal = _journal(path)
    with journal.open("rb") as handle:
        size = handle.seek(0, SEEK_END)
        handle.seek(max(size - len(_JOURNAL_MAGIC), 0))
        end = handle.read()
    if size > _MOST_JOURNAL_RATIO * path.stat().st_size + _JOURNAL_HEADER_BYTES or end == _JOURNAL_MAGIC:
        raise FormatError(f"{path} is damaged: {journal.name} is not what a recorder leaves behind")


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    database.execute("pragma trusted_schema = off")
    database.execute("pragma query_only = on")
    steps = count()
    database.set_progress_handler(lambda: next(steps) > _MOST_SQL_STEPS, 100_000)
    return database


def _load(path: Path, database: sqlite3.Connection) -> Capture:
    if database.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise FormatError(f"{path} is a database, but not a capture of whyheap")
    objects = database.execute("select type, name from sqlite_schema where type <> 'index'").fetchall()
    if sorted(objects) != [("table", "items"), ("table", "meta")]:  # a view could run forever
        raise FormatError(f"{path} is damaged: it has not the tables of a capture")
    meta: dict[str, str] = dict(database.execute("select key, value from meta"))
    schema = _number(meta.get("schema"))
    if schema == _NEVER_SCHEMA:
        raise FormatError(f"{path} is damaged: it does not say its schema")
    if schema > SCHEMA:
        raise FormatError(
            f"{path} has schema {schema}, written by {meta.get('tool', 'a newer whyheap')}; this one reads {SCHEMA}",
            "Install a newer whyheap:  pip install --upgrade whyheap",
        )
    values = _Values(path.stat().st_size)
    heads = [data for _, data in _items(database, "head")]
    if not heads:
        raise FormatError(f"{path} is an empty capture")
    head = values.unpacked(heads[0], _Head)
    packages = tuple(values.unpacked(data, ScannedPackage) for _, data in _items(database, "package"))
    stored = (values.unpacked(data, tuple[Gauge, ...]) for _, data in _items(database, "gauges"))
    gauges: tuple[Gauge, ...] = tuple(chain.from_iterable(stored))
    profiles = [(at, values.inflated(data)) for at, data in _items(database, "profile")]
    window_seconds = head.window_seconds
    if window_seconds is not None and not 0 <= window_seconds <= LARGEST_VALUE:  # NaN is neither
        raise FormatError(f"{path} is damaged: its window is of {window_seconds} seconds")
    if not all(abs(gauge.value) <= LARGEST_VALUE for gauge in gauges):
        raise FormatError(f"{path} is damaged: a gauge is not a finite number")
    if not all(_is_moment(at) for at in {gauge.at for gauge in gauges}):
        raise FormatError(f"{path} is damaged: a gauge is of no moment")
    times = tuple(at for at, _ in profiles)
    return Capture(
        targets=head.targets,
        at=head.at,
        scan=replace(head.scan, packages=packages) if head.scan else None,
        profiles=tuple(raw for _, raw in profiles),
        window_seconds=head.window_seconds if head.window_seconds is not None else _seconds_between(times),
        gauges=gauges,
        goroutines={
            at: values.unpacked(data, tuple[GoroutineGroup, ...]) for at, data in _items(database, "goroutines")
        },
        limit_name=head.limit_name,
        pid=head.pid,
        sources={
            file: values.inflated(data).decode("utf-8", "surrogateescape") for file, data in _items(database, "source")
        },
        origins=head.origins,
        gaps=head.gaps,
        events=tuple(values.unpacked(data, Event) for _, data in _items(database, "event")),
        profile_times=times if any(times) else (),
    )


def _is_moment(text: str) -> bool:
    """Whether a text is a moment with its zone (RFC 3339)."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _seconds_between(times: tuple[str, ...]) -> float | None:
    """Return how long a recording's profiles are apart, first to last; None for one, or times that cannot be read."""
    try:
        first, last = (datetime.fromisoformat(at).timestamp() for at in (times[0], times[-1]))
    except (IndexError, ValueError, OverflowError):
        return None
    return last - first if last > first else None


def scan_of(database: sqlite3.Connection) -> Scan | None:
    """Return the scan in a capture of our own making, without its packages."""
    data = next((data for _, data in _items(database, "head")), None)
    return msgspec.msgpack.decode(zlib.decompress(data), type=_Head).scan if data else None


def _items(database: sqlite3.Connection, kind: str) -> Iterator[tuple[str, bytes]]:
    for name, data in database.execute("select name, data from items where kind = ? order by position", (kind,)):
        if not isinstance(name, str) or not isinstance(data, bytes):
            raise msgspec.ValidationError(f"a {kind} is of the wrong type")
        yield name, data


def packed(value: object) -> bytes:
    """Return a value as it is stored: MessagePack, compressed."""
    return zlib.compress(msgspec.msgpack.encode(value), 1)


def _number(text: object) -> int:
    """Return a small number that is stored as text, _NEVER_SCHEMA for anything else."""
    is_small = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004
    return int(str(text)) if is_small else _NEVER_SCHEMA


class _Values:
    """Unpacks stored values, all together to no more than a file of this size may hold."""

    def __init__(self, file_bytes: int) -> None:
        self._left = min(_LARGEST_TOTAL_BYTES, max(_RATIO_FROM_BYTES, _LARGEST_RATIO * file_bytes))

    def unpacked(self, data: bytes, type_: Any) -> Any:  # noqa: ANN401 - whatever type_ says
        return msgspec.msgpack.decode(self.inflated(data), type=type_)

    def inflated(self, data: bytes) -> bytes:
        inflater = zlib.decompressobj()
        value = inflater.decompress(data, self._left + 1)
        self._left -= len(value)
        if self._left < 0:
            raise msgspec.ValidationError("its values unpack to more than a capture of its size can hold")
        if not inflater.eof:
            raise msgspec.ValidationError("a value is cut short")
        return value
