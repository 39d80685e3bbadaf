from __future__ import annotations

from whyheap.collect.shared_segments import LEAST_BYTES, SharedSegments
from whyheap.model.event import Event

RING = "/dev/shm/ring"  # noqa: S108 - a name that is read


def test_a_large_segment_is_named_once_and_again_when_it_has_doubled() -> None:
    segments = SharedSegments()
    said: list[Event] = []
    for size in (LEAST_BYTES - 1, LEAST_BYTES, LEAST_BYTES + 1, 2 * LEAST_BYTES):
        segments.look([("00:1b", 7, RING, size)])
        said += segments.events()
    assert [event.labels["size"] for event in said] == [str(LEAST_BYTES), str(2 * LEAST_BYTES)]
    assert {event.labels["segment"] for event in said} == {RING}


def test_few_segments_are_named_whatever_they_call_themselves() -> None:
    segments = SharedSegments()
    segments.look([("00:01", number, f"/memfd:{number}\x1b[2J (deleted)", 1 << 30) for number in range(50)])
    said = segments.events()
    assert len(said) == 3
    assert all(event.text.isprintable() for event in said)
    assert segments.events() == ()
