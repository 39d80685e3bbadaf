"""The goroutines of a process as the runtime keeps them (runtime.allgs): states, reasons to wait, where they began."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.goruntime.runtime_layout import DEAD, SCAN_BIT, STATES, USER_STARTS
from whyheap.parse.struct_view import StructView

MOST_GOROUTINES = 1 << 20
_MOST_AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True)
class RawGoroutine:
    """One goroutine that is not dead. `state` as in Go's own dumps: "running", "runnable", "syscall", a wait reason.

    `view` holds all of its g at the moment of the read: sched.pc, sched.sp, stack.lo, syscallpc and so on. Nothing
    keeps it from running on meanwhile.
    """

    address: int
    id: int
    state: str
    created_at_pc: int  # return address behind the go statement; 0 = none
    start_pc: int
    is_system: bool
    view: StructView


def read_goroutines(image: RuntimeImage, most: int = MOST_GOROUTINES) -> tuple[int, list[RawGoroutine]]:
    """Return how many goroutines the user's program has, and up to `most` of them with the runtime's own.

    Raises `TargetError` when the process has ended.
    """
    memory, layout = image.memory, image.layout
    length = image.number("runtime.allgs", "len")
    count = min(length, MOST_GOROUTINES, most)
    table = memory.read(image.number("runtime.allgs", "array"), 8 * count) if count else b""
    addresses = [address for address in memoryview(table).cast("Q") if address] if table else []
    size = layout.sizeof("g")
    found: list[RawGoroutine] = []
    reasons = wait_reasons(image)
    system: dict[int, bool] = {}
    for first in range(0, len(addresses), _MOST_AT_ONCE):
        part = addresses[first : first + _MOST_AT_ONCE]
        for address, data in zip(part, memory.read_many([(one, size) for one in part]), strict=True):
            if data is not None:
                goroutine = _raw(image, address, StructView(layout, "g", data), reasons, system)
                if goroutine is not None:
                    found.append(goroutine)
    users = sum(not goroutine.is_system for goroutine in found)
    return users + max(length - count, 0), found


def _raw(
    image: RuntimeImage, address: int, view: StructView, reasons: tuple[str, ...], system: dict[int, bool]
) -> RawGoroutine | None:
    status = view.number("atomicstatus") & ~SCAN_BIT
    state = STATES.get(status, f"state {status}")
    if state in DEAD:
        return None
    if state in {"waiting", "leaked"}:
        number = view.number("waitreason")
        reason = reasons[number] if number < len(reasons) and reasons[number] else "waiting"
        state = f"{reason} (leaked)" if state == "leaked" else reason
    start = view.number("startpc")
    if start not in system:
        system[start] = _is_system(image.functions.symbol(start))
    return RawGoroutine(address, view.number("goid"), state, view.number("gopc"), start, system[start], view)


def _is_system(symbol: str) -> bool:
    """Whether a goroutine that starts there is the runtime's own; the finalizer's counts as such also while it runs."""
    return symbol.startswith("runtime.") and symbol not in USER_STARTS


def wait_reasons(image: RuntimeImage) -> tuple[str, ...]:
    """Return the texts of all reasons to wait, by number, as this Go spells them."""
    return image.layout.wait_reasons
