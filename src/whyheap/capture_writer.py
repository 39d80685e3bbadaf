"""Writing a capture while it is gathered: one transaction a sample, so that the file is whole at any moment.

SQLite's rollback journal undoes a half-written sample when the file is next opened (https://sqlite.org/lockingv3.html):
a recorder that is killed loses its last sample at most. The file keeps below a size: old samples are thinned, evenly,
and old profiles given up, the first one last.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from whyheap.capture import Capture, head_bytes, packed, save_capture, scan_of
from whyheap.errors import OutputError
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gauge
from whyheap.model.scan import Scan

DEFAULT_MOST_BYTES = 256 << 20
SMALLEST_BYTES = 1 << 20
_PAGE_BYTES = 4096
_ROOM_BYTES = 16 * _PAGE_BYTES  # what a sample may take in pages beyond its own size: the table's and the index's nodes
_ROOM_SHARE = 1.02  # each page of a long value gives 4 bytes to a pointer
_KEPT_SHARE = 0.75
"""Of the allowed size, that thinning comes down to: it need not be done at each sample."""
_NEWEST_SHARE = 0.25
"""Of the samples, the newest, which are never thinned."""
_THINNED = ("goroutines", "gauges")
_ROWS_AT_ONCE = 256
"""Rows that one transaction of thinning deletes: its journal, which comes on top of the file, stays small."""

Mark = Mapping[str, int]
"""How far each kind of row had come at a moment: see CaptureWriter.mark."""


class CaptureWriter:
    """One capture file, appended to. All methods but `close` raise OutputError when the file cannot be written."""

    def __init__(self, path: Path, capture: Capture, version: str, most_bytes: int = DEFAULT_MOST_BYTES) -> None:
        """Make the file, readable by its owner alone; `capture` gives its head. A file that is there is not touched."""
        self.path = path
        self._most_bytes = max(most_bytes, SMALLEST_BYTES)
        self._lock = threading.Lock()
        self._positions: dict[str, int] = {}
        self._scan: Scan | None = None
        self._latest = head = _only_head(capture)
        self._head = head_bytes(head)
        _make_file(path, save_capture(head, version))
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.executescript(
                "pragma journal_mode = delete; pragma synchronous = normal; pragma cache_size = -512;"
                "pragma secure_delete = off;"
            )
        except sqlite3.Error as error:
            path.unlink(missing_ok=True)
            raise self._failed(error) from error

    def set_head(self, capture: Capture) -> None:
        """Replace targets, gaps, origins and the limit's name; the rest of `capture` is not looked at."""
        self._latest = _only_head(capture)
        data = head_bytes(replace(self._latest, scan=self._scan))
        if data == self._head:
            return
        with self._writing():
            self._database.execute("insert or replace into items values ('head', 0, '', ?)", (data,))
        self._head = data

    def add_scan(self, file: Path) -> None:
        """Put the scan of another capture of ours into this one, row by row: it may be larger than our memory."""
        try:
            self._make_room(file.stat().st_size)
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as other:
                scan = scan_of(other)
                head = head_bytes(replace(self._latest, scan=scan))
                with self._writing():
                    self._database.execute("insert or replace into items values ('head', 0, '', ?)", (head,))
                    rows = other.execute("select kind, position, name, data from items where kind = 'package'")
                    self._database.executemany("insert or replace into items values (?, ?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            raise OutputError(f"{self.path} cannot take the scan: {' '.join(str(error).split())}.") from error
        self._scan, self._head = scan, head

    def add(
        self,
        gauges: Iterable[Gauge] = (),
        goroutines: tuple[str, tuple[GoroutineGroup, ...]] | None = None,
        profile: tuple[str, bytes] | None = None,
        events: Iterable[Event] = (),
    ) -> None:
        """Append what was seen at one moment, whole or not at all; goroutines and profile come with their moment."""
        told = tuple(gauges)
        rows: list[tuple[str, str, bytes]] = []
        if told:
            rows.append(("gauges", told[0].at, packed(told)))
        if goroutines is not None and goroutines[1]:
            rows.append(("goroutines", goroutines[0], packed(goroutines[1])))
        if profile is not None:
            rows.append(("profile", profile[0], zlib.compress(profile[1], 1)))
        rows += [("event", event.at, packed(event)) for event in events]
        if not rows:
            return
        self._make_room(sum(len(data) for *_, data in rows))
        positions = dict(self._positions)
        numbered = []
        for kind, name, data in rows:
            position = positions.get(kind, 0)
            positions[kind] = position + 1
            numbered.append((kind, position, name, data))
        with self._writing():
            self._database.executemany("insert into items values (?, ?, ?, ?)", numbered)
            self._positions = positions

    @property
    def used_bytes(self) -> int:
        """What the file holds; pages that became free are used again before it grows."""
        pages, free = (
            self._database.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        return int(pages - free) * _PAGE_BYTES

    def mark(self) -> Mark:
        """Return where the file stands now, for `forget_before`."""
        return dict(self._positions)

    def forget_before(self, mark: Mark) -> None:
        """Give up samples, goroutines and profiles from before a mark, the first profile excepted; events stay."""
        for kind in (*_THINNED, "profile"):
            positions = self._positions_of(kind)
            old = [position for position in positions if position < mark.get(kind, 0)]
            self._delete(kind, old[1:] if kind == "profile" else old)

    def close(self) -> None:
        """End writing; the file stays."""
        self._database.close()

    def _make_room(self, size: int) -> None:
        """Give up every second of the older samples and older profiles, where `size` bytes more were too many.

        Old events go last: there are few, unless a group hits its limit for hours.
        """
        try:
            if self.used_bytes + _ROOM_SHARE * size + _ROOM_BYTES <= self._most_bytes:
                return
            wanted = int(_KEPT_SHARE * self._most_bytes) - size
            while self.used_bytes > wanted:
                before = self.used_bytes
                for kind in _THINNED:
                    self._halve(kind)
                self._drop_profiles()
                if self.used_bytes >= before:
                    self._halve("event")
                if self.used_bytes >= before:
                    return
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _halve(self, kind: str) -> None:
        positions = self._positions_of(kind)
        older = positions[: int(len(positions) * (1 - _NEWEST_SHARE))]
        self._delete(kind, older[1::2])

    def _drop_profiles(self) -> None:
        """Give up the older half of the profiles between the first and the last."""
        between = self._positions_of("profile")[1:-1]
        self._delete("profile", between[: (len(between) + 1) // 2])

    def _positions_of(self, kind: str) -> list[int]:
        query = "select position from items where kind = ? order by position"
        return [row[0] for row in self._database.execute(query, (kind,))]

    def _delete(self, kind: str, positions: Sequence[int]) -> None:
        for start in range(0, len(positions), _ROWS_AT_ONCE):
            rows = [(kind, position) for position in positions[start : start + _ROWS_AT_ONCE]]
            with self._writing():
                self._database.executemany("delete from items where kind = ? and position = ?", rows)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All that is done inside, or nothing. Raises OutputError."""
        try:
            with self._lock:
                self._database.execute("begin immediate")
                try:
                    yield
                    self._database.execute("commit")
                except BaseException:  # also Ctrl-C
                    if self._database.in_transaction:
                        self._database.execute("rollback")
                    raise
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> OutputError:
        said = " ".join(str(error).split())
        if "full" in said:
            return OutputError(f"{self.path} cannot be written: the disk is full.", "What was recorded is kept")
        return OutputError(f"{self.path} cannot be written: {said}.", "Name a file on a local file system")


def _only_head(capture: Capture) -> Capture:
    return replace(capture, profiles=(), profile_times=(), gauges=(), goroutines={}, sources={}, events=())


def _make_file(path: Path, data: bytes) -> None:
    """Put a whole file in a place where none is yet: it is there with all its tables, or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(name, path)
            except FileExistsError:
                raise
            except OSError:  # a file system without links
                with path.open("xb") as stream:
                    path.chmod(0o600)
                    stream.write(data)
        finally:
            with contextlib.suppress(OSError):
                Path(name).unlink()
    except FileExistsError as error:
        raise OutputError(
            f"{path} is there already.", "Name another file: a recording is never written over"
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(f"{path} cannot be written: {reason}.", "Name another file:  -o FILE") from error
