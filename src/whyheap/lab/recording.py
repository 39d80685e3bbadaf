"""What one pattern's example did on one Go version: kept as JSON, so that tests and pages need no Go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from whyheap.errors import FormatError, TargetError
from whyheap.model.evidence import CalleeBytes
from whyheap.model.facts import AllocatorCall
from whyheap.model.measure import Measure

FOLDER = "patterns"
_NOTHING = Measure()


class Numbers(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one function of an example costs per call; the figures of the collector are those of `runs` calls in a row.

    `error` is what it panicked with, `unmeasured` why it was not run; all numbers are 0 then.
    """

    name: str
    allocs_per_op: float = 0.0
    bytes_per_op: int = 0
    ns_per_op: float = 0.0
    runs: int = 0
    gc_cycles: int = 0
    gc_pause_ns: int = 0
    error: str = ""
    unmeasured: str = ""


class LineRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one line: findings, allocator calls (None: no machine code was read), bytes of 16 calls.

    `verdicts` are the patterns that were found, each with the compiler's word (heap, silent, check kept) and the
    agreement. `checks` are the columns of bounds checks that the compiler kept, for examples of hazards alone.
    """

    line: int
    verdicts: tuple[tuple[str, str, str], ...] = ()
    calls: tuple[AllocatorCall, ...] | None = None
    direct: Measure = _NOTHING
    callees: tuple[CalleeBytes, ...] = ()
    checks: tuple[int, ...] = ()


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """One example on one Go version. `failures` are the wants that did not hold, in words.

    `platform` is GOOS/GOARCH, `date` the day of measuring.
    """

    pattern: str
    go: str
    platform: str = ""
    date: str = ""
    functions: tuple[Numbers, ...] = ()
    lines: tuple[LineRecord, ...] = ()
    failures: tuple[str, ...] = ()


def today() -> str:
    """Return the date, as a recording notes it."""
    return datetime.now(UTC).date().isoformat()


def save(folder: Path, recording: Recording, text: str) -> None:
    """Write SLUG.txt, the compiler's -m=2 output, and SLUG.json below `folder`/patterns."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{recording.pattern}.txt").write_text(text, encoding="utf-8")
    (place / f"{recording.pattern}.json").write_bytes(msgspec.json.encode(recording) + b"\n")


def load(folder: Path, slug: str) -> Recording:
    """Read a recording. Raises TargetError when it is missing, FormatError when it is none."""
    path = folder / FOLDER / f"{slug}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recording)
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}", f"Record it:  whyheap lab {slug} --record DIR") from error
    except msgspec.DecodeError as error:
        raise FormatError(f"{path} is no recording: {error}") from error
