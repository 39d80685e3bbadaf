"""Functions that make no heap object on ordinary paths."""

from __future__ import annotations

import pytest

from whyheap.goruntime.quiet_calls import GO_RUNTIME, makes_no_object


@pytest.mark.parametrize(
    "symbol",
    [
        "runtime.gcWriteBarrier4",
        "runtime.memmove",
        "runtime.memclrNoHeapPointers.abi0",
        "runtime.mapaccess2_faststr",
        "runtime.duffzero",
        "runtime.morestack_noctxt",
        "runtime.typeAssert",
        "sync.(*Mutex).lockSlow",
        "sync/atomic.AddInt64",
        "time.now",
    ],
)
def test_they_are_known_by_name(symbol: str) -> None:
    assert makes_no_object(symbol)
    assert not GO_RUNTIME.is_allocator(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "runtime.newobject",
        "runtime.mapassign_faststr",
        "runtime.memprofile",
        "runtime.Caller",
        "runtime.SetFinalizer",
        "sync.(*Pool).Get",
        "sync.(*Once).doSlow",
        "sync.(*RWMutex).RLocker",
        "sync/atomic.(*Value).Store",
        "example.com/runtime.memmove",
        "main.memmove",
    ],
)
def test_others_are_not(symbol: str) -> None:
    assert not makes_no_object(symbol)


def test_a_call_without_a_buffer_always_makes_one() -> None:
    assert GO_RUNTIME.buffer_argument("runtime.slicebytetostring") == 0
    assert GO_RUNTIME.buffer_argument("runtime.newobject") is None
    assert GO_RUNTIME.always_allocates("runtime.slicebytetostring", without_buffer=True)
    assert not GO_RUNTIME.always_allocates("runtime.slicebytetostring", without_buffer=False)
    assert GO_RUNTIME.never_returns("runtime.gopanic")
