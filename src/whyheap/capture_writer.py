"""Writing a capture while it is gathered: one transaction a sample, so that the file is whole at any moment.

SQLite's rollback journal undoes a half-written sample when the file is next opened (https://sqlite.org/lockingv3.html):
a recorder that is killed loses its last sample at most. The file keeps below a size: old samples are thinned, evenly,
and old profiles given up, the first one last.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from whyheap.capture import APPLICATION_ID, SCHEMA, TABLES, Capture, head_bytes, packed
from whyheap.errors import OutputError
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gauge

DEFAULT_MOST_BYTES = 256 << 20
SMALLEST_BYTES = 1 << 20
_PAGE_BYTES = 4096
_KEPT_SHARE = 0.75
"""Of the allowed size, that thinning comes down to: it need not be done at each sample."""
_NEWEST_SHARE = 0.25
"""Of the samples, the newest, which are never thinned."""
_THINNED = ("goroutines", "gauges")


class CaptureWriter:
    """One capture file, appended to. All methods but `close` raise OutputError when the file cannot be written."""

    def __init__(self, path: Path, capture: Capture, version: str, most_bytes: int = DEFAULT_MOST_BYTES) -> None:
        """Make the file, readable by its owner alone; `capture` gives its head. A file that is there is not touched."""
        self.path = path
        self._most_bytes = max(most_bytes, SMALLEST_BYTES)
        self._lock = threading.Lock()
        self._head = b""
        self._positions: dict[str, int] = {}
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError as error:
            raise OutputError(
                f"{path} is there already.", "Name another file: a recording is never written over"
            ) from error
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}.", "Name another file:  -o FILE") from error
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.executescript(
                f"pragma page_size = {_PAGE_BYTES}; pragma application_id = {APPLICATION_ID};"
                "pragma journal_mode = delete; pragma synchronous = normal; pragma cache_size = -512;" + TABLES
            )
            with _transaction(self._database):
                self._database.executemany(
                    "insert into meta values (?, ?)", [("schema", str(SCHEMA)), ("tool", f"whyheap {version}")]
                )
        except sqlite3.Error as error:
            path.unlink(missing_ok=True)
            raise self._failed(error) from error
        self.set_head(capture)

    def set_head(self, capture: Capture) -> None:
        """Replace targets, gaps, origins and the limit's name; the rest of `capture` is not looked at."""
        data = head_bytes(replace(capture, profiles=(), gauges=(), goroutines={}, sources={}, events=()))
        if data == self._head:
            return
        try:
            with self._lock, _transaction(self._database):
                self._database.execute("insert or replace into items values ('head', 0, '', ?)", (data,))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._head = data

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
        try:
            with self._lock:
                if self.used_bytes + sum(len(data) for *_, data in rows) > self._most_bytes:
                    self.thin()
                self._append(rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _append(self, rows: list[tuple[str, str, bytes]]) -> None:
        positions = dict(self._positions)
        numbered = []
        for kind, name, data in rows:
            position = positions.get(kind, 0)
            positions[kind] = position + 1
            numbered.append((kind, position, name, data))
        with _transaction(self._database):
            self._database.executemany("insert into items values (?, ?, ?, ?)", numbered)
        self._positions = positions

    @property
    def used_bytes(self) -> int:
        """What the file holds; pages that became free are used again before it grows."""
        pages, free = (
            self._database.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        return int(pages - free) * _PAGE_BYTES

    def thin(self) -> None:
        """Give up every second of the older samples, then older profiles, until the file is well below its limit."""
        wanted = int(_KEPT_SHARE * self._most_bytes)
        while self.used_bytes > wanted:
            before = self.used_bytes
            with _transaction(self._database):
                for kind in _THINNED:
                    self._halve(kind)
                self._drop_profile()
            if self.used_bytes >= before:
                return

    def _halve(self, kind: str) -> None:
        query = "select position from items where kind = ? order by position"
        positions = [row[0] for row in self._database.execute(query, (kind,))]
        older = positions[: int(len(positions) * (1 - _NEWEST_SHARE))]
        self._database.executemany(
            "delete from items where kind = ? and position = ?", [(kind, position) for position in older[1::2]]
        )

    def _drop_profile(self) -> None:
        """Give up the older half of the profiles between the first and the last."""
        query = "select position from items where kind = 'profile' order by position"
        between = [row[0] for row in self._database.execute(query)][1:-1]
        self._database.executemany(
            "delete from items where kind = 'profile' and position = ?",
            [(position,) for position in between[: (len(between) + 1) // 2]],
        )

    def forget_before(self, at: str) -> None:
        """Give up samples, goroutines and profiles from before a moment (RFC 3339 UTC); events stay."""
        with _transaction(self._database):
            self._database.execute("delete from items where kind in ('gauges', 'goroutines') and name < ?", (at,))
            query = "select position from items where kind = 'profile' and name < ? order by position"
            old = [row[0] for row in self._database.execute(query, (at,))]
            self._database.executemany(
                "delete from items where kind = 'profile' and position = ?", [(position,) for position in old[:-1]]
            )

    def close(self) -> None:
        """End writing; the file stays."""
        self._database.close()

    def _failed(self, error: sqlite3.Error) -> OutputError:
        said = " ".join(str(error).split())
        full = "full" in said
        hint = "Make space: what was recorded is kept" if full else "Name a file on a local file system"
        return OutputError(f"{self.path} cannot be written: {said}.", hint)


class _transaction:  # noqa: N801 - a context manager that reads like a word
    """All that is done inside, or nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("begin immediate")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            try:
                self._database.execute("commit")
            except sqlite3.Error:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise
        elif self._database.in_transaction:
            self._database.execute("rollback")
