"""Scans packages in a second process while a recording runs, so that the recording says why as well.

A scan takes much more memory than a recorder may: it goes back with the process that made it. What it found is left in
a capture of its own, whose rows are put into the recording.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from whyheap.capture import Capture, save_capture
from whyheap.capture_writer import CaptureWriter
from whyheap.errors import OutputError, WhyheapError
from whyheap.host import second_process
from whyheap.model.gauge import Gap
from whyheap.version import VERSION

LONGEST_SECONDS = 120.0
"""After the recording's end, for a scan that has not ended by then."""
_LOOK_SECONDS = 0.1
_HINT = "Name the packages later as well:  whyheap why ./... FILE.whyheap"


@dataclass(frozen=True, slots=True)
class PackagesRequest:
    """Which packages to scan, how and from which folder; the answer goes to `file`."""

    packages: tuple[str, ...] = ()
    folder: str = "."
    go: str = ""
    go_env: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    gcflags: str = ""
    file: str = ""


class PackagesAhead:
    """One such scan. It is a context: leaving it ends the scan and removes what it left."""

    def __init__(self, request: PackagesRequest, writer: CaptureWriter) -> None:
        """Start it."""
        self._folder = TemporaryDirectory(prefix="whyheap-record-")
        self._file = Path(self._folder.name, "scan.whyheap")
        job = msgspec.json.encode(replace(request, file=str(self._file)))
        self._process = second_process.start(__name__, job)
        self._writer = writer
        self._is_open = True
        if self._process is None:  # a single core: the recording waits for it
            _scan(msgspec.json.decode(job, type=PackagesRequest))

    def take(self) -> tuple[Gap, ...]:
        """Put the scan into the recording as soon as it is there; return what it could not do."""
        if not self._is_open or (self._process is not None and second_process.is_running(self._process)):
            return ()
        self._is_open = False
        if not self._file.is_file():
            reason = "the packages were not scanned for the recording"
            said = self._file.with_suffix(".txt")
            return (Gap("compiler", f"{reason}: {said.read_text('utf-8')}" if said.is_file() else reason, _HINT),)
        try:
            self._writer.add_scan(self._file)
        except OutputError as error:
            return (Gap("compiler", error.message, _HINT),)
        return ()

    def finish(self, seconds: float) -> tuple[Gap, ...]:
        """Wait so long at most for the scan, then do what `take` does; one that has not ended is a Gap."""
        deadline = time.monotonic() + seconds
        while self._is_open:
            gaps = self.take()
            if not self._is_open:
                return gaps
            if time.monotonic() >= deadline:
                return (Gap("compiler", "the recording ended before the packages were scanned", _HINT),)
            time.sleep(_LOOK_SECONDS)
        return ()

    def close(self) -> None:
        """End the scan if it still runs, and remove what it left."""
        if self._process is not None and second_process.is_running(self._process):
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _scan(request: PackagesRequest) -> None:
    from whyheap.collect.compiler import ScanOptions, compile_packages  # noqa: PLC0415 - in the second process alone
    from whyheap.host.go import find_go  # noqa: PLC0415 - as above

    file = Path(request.file)
    try:
        go = find_go(request.go, request.go_env)
        options = ScanOptions(Path(request.folder), request.packages, request.tags, request.gcflags)
        compiled = compile_packages(go, options)
        scan = compiled.load()
        data = save_capture(Capture(request.packages, "", scan), VERSION)
        whole = file.with_suffix(".part")
        whole.write_bytes(data)
        whole.rename(file)
    except WhyheapError as error:
        with suppress(OSError):
            file.with_suffix(".txt").write_text(error.message, "utf-8")
    except OSError:
        return


def main() -> None:
    """Scan what we were asked for."""
    with suppress(KeyboardInterrupt):
        _scan(msgspec.json.decode(second_process.read_job(), type=PackagesRequest))


if __name__ == "__main__":
    main()
