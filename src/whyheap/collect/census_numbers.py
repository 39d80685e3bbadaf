"""The numbers of a Go process at one moment, from the runtime's own accounts: what readmemstats_m would say.

Files and versions stand in goruntime/runtime_layout.py. The accounts leave out objects in spans that a P is filling
now; those are added from the spans themselves, as the runtime does when it stops the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.collect.runtime_sample import seconds_of_earlier_gcs
from whyheap.collect.runtime_snapshot import RuntimeSnapshot, read_variables
from whyheap.errors import TargetError
from whyheap.goruntime.heap_goal import NO_GOAL_BYTES, NO_MEMORY_LIMIT_BYTES
from whyheap.goruntime.runtime_goal import FIELDS, goal_now
from whyheap.host.process_memory import UnreadableAddressError
from whyheap.parse.pause_ends import earlier_gcs
from whyheap.parse.struct_layout import LayoutError
from whyheap.parse.struct_view import StructView

_TRIES = 5
_TORN_SHARE = 0.005
_SMALL_HEAP_BYTES = 4 << 20  # heapMinimum in mgcpacer.go (Go 1.27): a smaller one is not collected for its size
_NANOSECONDS = 1e9
_LARGEST = 1 << 63
_LEAST = {"gogc": -1}
_COUNTERS = ("runtime.gcController", "runtime.memstats")
_OWN_ACCOUNTS = ("mspan_sys", "mcache_sys", "buckhash_sys", "gcMiscSys", "other_sys")  # readmemstats_m, totalMapped
Values = dict[str, float]


@dataclass(slots=True)
class Numbers:
    """Gauges by name. `is_torn`: the process kept changing while it was read; `unknown`: what was not understood."""

    values: Values = field(default_factory=dict)
    is_torn: bool = False
    unknown: set[str] = field(default_factory=set)


def read_numbers(image: RuntimeImage) -> Numbers:
    """Read all numbers; again, up to five times, while a collection or a burst goes on between begin and end.

    Raises `TargetError` when the process has ended or nothing of its runtime can be read.
    """
    best, least = None, float("inf")
    for _ in range(_TRIES):
        try:
            snapshot = RuntimeSnapshot(image)
            numbers = _numbers(snapshot)
            drift = _drift(snapshot, numbers)
        except UnreadableAddressError:  # a structure that was let go of meanwhile
            continue
        if drift < least:
            best, least = numbers, drift
        if drift <= _TORN_SHARE:
            break
    if best is None:
        raise TargetError(
            f"The runtime of pid {image.memory.pid} could not be read: its structures change or are damaged.",
            "Try again, or observe the process by its pprof endpoint.",
        )
    best.is_torn = least > _TORN_SHARE
    return best


def _numbers(snapshot: RuntimeSnapshot) -> Numbers:
    found = Numbers()
    for part in (_heap, _stacks, _collector, _cpu, _goroutines, _timers, _finalizers, _cleanups, _cgo):
        try:
            for name, value in part(snapshot).items():
                if _LEAST.get(name, 0) <= value < _LARGEST:
                    found.values[name] = float(value)
                else:
                    found.unknown.add(f"{name} was read as {value:.3g}, which cannot be.")
        except LayoutError as error:  # a field that a newer Go has no more: the others still speak
            found.unknown.add(error.message)
    return found


def _drift(snapshot: RuntimeSnapshot, numbers: Numbers) -> float:
    """Return how much the heap changed while it was read, as a share of it, or of a small one; 1 after a collection."""
    now = read_variables(snapshot.image, _COUNTERS)
    try:
        if now["runtime.memstats"].number("numgc") != snapshot.variable("memstats").number("numgc"):
            return 1.0
        changed = _held(now["runtime.gcController"]) - _held(snapshot.variable("gcController"))
    except (LayoutError, KeyError):  # an unknown Go: there is nothing to check by
        return 0.0
    return abs(changed) / max(numbers.values.get("heap_alloc", 0.0), _SMALL_HEAP_BYTES)


def _held(controller: StructView) -> int:
    return controller.number("totalAlloc") - controller.number("totalFree")


def _heap(snapshot: RuntimeSnapshot) -> Values:
    controller = snapshot.variable("gcController")
    inuse, free, released = (controller.number(name) for name in ("heapInUse", "heapFree", "heapReleased"))
    cached_bytes, cached_objects = snapshot.cached_objects
    return {
        "heap_alloc": _held(controller) + cached_bytes,
        "total_alloc": controller.number("totalAlloc") + cached_bytes,
        "heap_objects": _account(snapshot, "objects") + cached_objects,
        "heap_inuse": inuse,
        "heap_idle": free + released,
        "heap_released": released,
        "heap_sys": inuse + free + released,
    }


def _stacks(snapshot: RuntimeSnapshot) -> Values:
    """Return what the runtime holds outside of the heap, and all together."""
    controller, memstats = snapshot.variable("gcController"), snapshot.variable("memstats")
    heap = sum(controller.number(name) for name in ("heapInUse", "heapFree", "heapReleased"))
    stacks = _account(snapshot, "inStacks")
    metadata = sum(memstats.number(name) for name in _OWN_ACCOUNTS)
    metadata += _account(snapshot, "inWorkBufs") + _account(snapshot, "inPtrScalarBits")
    stack_sys = stacks + memstats.number("stacks_sys")
    return {
        "stack_inuse": stacks,
        "stack_sys": stack_sys,
        "runtime_metadata": metadata,
        "sys": heap + stack_sys + metadata,
    }


def _account(snapshot: RuntimeSnapshot, name: str) -> int:
    """Add one number over the three deltas of memstats.heapStats; "objects" is allocations minus frees."""
    memstats = snapshot.variable("memstats")
    layout = memstats.layout
    stats = layout.field("runtime.memstats", "heapStats.stats")
    deltas = layout.types[stats.type]
    size = layout.sizeof(deltas.element)
    total = 0
    for number in range(deltas.count):
        start = stats.offset + number * size
        view = StructView(layout, deltas.element, memstats.data[start : start + size])
        if name != "objects":
            total += view.signed(name) if view.has(name) else 0  # inPtrScalarBits is gone since 1.24
            continue
        total += view.signed("largeAllocCount") - view.signed("largeFreeCount")
        total += sum(view.numbers("smallAllocCount")) - sum(view.numbers("smallFreeCount"))
    return total


def _collector(snapshot: RuntimeSnapshot) -> Values:
    controller, memstats = snapshot.variable("gcController"), snapshot.variable("memstats")
    values: Values = {
        "heap_marked": controller.number("heapMarked"),
        "globals_scan": controller.number("globalsScan"),
        "stack_scan": controller.number("lastStackScan"),
        "gogc": max(controller.signed("gcPercent"), -1),
        "num_gc": memstats.number("numgc"),
        "num_forced_gc": memstats.number("numforcedgc"),
        "last_gc": memstats.number("last_gc_unix") / _NANOSECONDS,
        "gc_cpu": min(max(memstats.real("gc_cpu_fraction"), 0.0), 1.0),
    }
    values |= seconds_of_earlier_gcs(earlier_gcs(memstats.numbers("pause_end"), values["num_gc"]))
    limit = controller.signed("memoryLimit")
    if 0 <= limit < NO_MEMORY_LIMIT_BYTES:
        values["memory_limit"] = limit
    goal = goal_now({name: controller.number(name) for name in FIELDS})
    if goal < NO_GOAL_BYTES and (values["gogc"] >= 0 or "memory_limit" in values):
        values["heap_goal"] = goal
    return values


def _cpu(snapshot: RuntimeSnapshot) -> Values:
    work = snapshot.variable("work")
    total = work.signed(work.first("cpuStats.GCTotalTime", "cpuStats.gcTotalTime"))
    cycle = snapshot.variable("gcCPULimiter").number("lastEnabledCycle")
    return {"gc_cpu_seconds": max(total, 0) / _NANOSECONDS, "gc_limiter_cycle": cycle}


def _goroutines(snapshot: RuntimeSnapshot) -> Values:
    """Return gcount(): all that were ever made, less the dead ones that wait for reuse and the runtime's own."""
    sched, processors = snapshot.variable("sched"), snapshot.processors
    if sched.has("gFree.n"):
        free = sched.signed("gFree.n") + sum(one.signed("gFree.n") for one in processors)
    else:
        free = sched.signed("gFree.stack.size") + sched.signed("gFree.noStack.size")
        free += sum(one.signed("gFree.size") for one in processors)
    return {
        "goroutines": max(snapshot.variable("allglen").number("") - free - sched.signed("ngsys"), 1),
        "threads": max(sched.signed("mnext") - sched.signed("nmfreed"), 1),
        "gomaxprocs": snapshot.variable("gomaxprocs").number(""),
    }


def _timers(snapshot: RuntimeSnapshot) -> Values:
    processors = snapshot.processors
    if not processors:
        return {}
    is_new = processors[0].has("timers.zombies")  # since 1.23
    count, stopped = ("timers.len", "timers.zombies") if is_new else ("numTimers", "deletedTimers")
    return {"timers": max(sum(one.number(count) - one.signed(stopped) for one in processors), 0)}


def _finalizers(snapshot: RuntimeSnapshot) -> Values:
    if snapshot.has("finqueued") and snapshot.has("finexecuted"):  # since 1.25
        queued, executed = (snapshot.variable(name).number("") for name in ("finqueued", "finexecuted"))
        return {
            "finalizers_queued": queued,
            "finalizers_executed": executed,
            "finalizers_waiting": max(queued - executed, 0),
        }
    block_type = "finBlock" if snapshot.image.has_field("finBlock", "cnt") else "finblock"
    blocks = snapshot.chain("allfin", block_type, "alllink")
    return {} if blocks is None else {"finalizers_waiting": sum(block.number("cnt") for block in blocks)}


def _cleanups(snapshot: RuntimeSnapshot) -> Values:
    if not snapshot.has("gcCleanups"):  # since 1.25
        return {}
    cleanups = snapshot.variable("gcCleanups")
    queued = cleanups.number("queued") + sum(one.number("cleanupsQueued") for one in snapshot.processors)
    return {"cleanups_queued": queued, "cleanups_executed": cleanups.number("executed")}


def _cgo(snapshot: RuntimeSnapshot) -> Values:
    """Return NumCgoCall(): of threads that ended, and of each that lives (debug.go NumCgoCall)."""
    if not snapshot.has("ncgocall"):  # named by one instruction only: a stripped program may not tell
        return {}
    threads = snapshot.chain("allm", "m", "alllink")
    if threads is None:
        return {}
    return {"cgo_calls": snapshot.variable("ncgocall").number("") + sum(one.number("ncgocall") for one in threads)}
