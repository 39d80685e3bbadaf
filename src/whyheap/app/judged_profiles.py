"""Which heap profiles of a capture are judged: those of one process, its first and its last that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from whyheap.capture import Capture
from whyheap.errors import FormatError
from whyheap.model.gauge import Gap
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof import parse_profile


def judged_profiles(
    capture: Capture, span: tuple[str, str], *, alone: bool
) -> tuple[list[HeapProfile], tuple[Gap, ...]]:
    """Return the first and the last readable profile of a stretch of time, and a Gap where others are damaged.

    Raises FormatError where none can be read and they are `alone`: nothing else is there to be judged.
    """
    raws = _of_process(capture, span)
    errors: list[FormatError] = []
    last = _first_readable(range(len(raws) - 1, -1, -1), raws, errors)
    if last is None:
        if errors and alone:
            raise errors[0]
        return [], _gap(errors, len(raws))
    first = _first_readable(range(last[0]), raws, errors)
    return [one for _, one in ((first, last) if first else (last,))], _gap(errors, len(raws))


def _of_process(capture: Capture, span: tuple[str, str]) -> tuple[bytes, ...]:
    """Return the profiles of the judged process: those of others would be taken for its growth."""
    if len(capture.profile_times) != len(capture.profiles):
        return capture.profiles
    kept = zip(capture.profiles, capture.profile_times, strict=True)
    return tuple(raw for raw, at in kept if not at or span[0] <= at < span[1])


def _first_readable(
    order: Iterable[int], raws: Sequence[bytes], errors: list[FormatError]
) -> tuple[int, HeapProfile] | None:
    for index in order:
        try:
            return index, parse_profile(raws[index])
        except FormatError as error:
            errors.append(error)
    return None


def _gap(errors: Sequence[FormatError], count: int) -> tuple[Gap, ...]:
    if not errors:
        return ()
    reason = f"{len(errors)} of {count} heap profiles could not be read: {errors[0].message}"
    return (Gap("profile", reason, errors[0].hint),)
