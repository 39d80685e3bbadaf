"""The numbers of a Go process at one moment, from the runtime's own accounts: what readmemstats_m would say.

Files and versions stand in goruntime/runtime_layout.py. The accounts leave out objects in spans that a P is filling
now; those are added from the spans themselves, as the runtime does when it stops the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.errors import TargetError
from whyheap.goruntime.heap_goal import NO_GOAL_BYTES, NO_MEMORY_LIMIT_BYTES
from whyheap.goruntime.runtime_goal import goal_now
from whyheap.host.process_memory import UnreadableAddressError
from whyheap.parse.struct_layout import LayoutError
from whyheap.parse.struct_view import StructView

_MOST_PROCESSORS = 4096
_TRIES = 5
_TORN_SHARE = 0.005
_NANOSECONDS = 1e9
_OPTIONAL = (
    "runtime.work",
    "runtime.sched",
    "runtime.gcCPULimiter",
    "runtime.gcCleanups",
    "runtime.finqueued",
    "runtime.finexecuted",
    "runtime.gomaxprocs",
    "runtime.ncgocall",
    "runtime.allglen",
)
_ALWAYS = ("runtime.gcController", "runtime.memstats", "runtime.allp")
Values = dict[str, float]


@dataclass(slots=True)
class Numbers:
    """Gauges by name; `torn` is true when the process kept changing while it was read, `unknown` what was not found."""

    values: Values
    is_torn: bool = False
    unknown: set[str] = field(default_factory=set)


def read_numbers(image: RuntimeImage) -> Numbers:
    """Read all numbers; again, up to five times, while a collection or a burst goes on between begin and end.

    Raises `TargetError` when the process has ended or its runtime is not understood at all.
    """
    best: tuple[float, Numbers] | None = None
    for _ in range(_TRIES):
        try:
            before = _Reading(image)
            numbers = before.numbers()
            drift = _drift(before, _views(image, _ALWAYS))
        except UnreadableAddressError:  # a structure that was let go of meanwhile
            continue
        if best is None or drift < best[0]:
            best = drift, numbers
        if drift <= _TORN_SHARE:
            return numbers
    if best is None:
        raise TargetError(
            f"The runtime of pid {image.memory.pid} could not be read: its structures are not where they should be.",
            "If the program changed itself (a packer, a plugin), observe it by its pprof endpoint.",
        )
    best[1].is_torn = True
    return best[1]


def _views(image: RuntimeImage, names: tuple[str, ...]) -> dict[str, StructView]:
    """Read whole variables together."""
    known = [name for name in names if image.has(name)]
    ranges = [(image.address(name), image.layout.variables[name].size) for name in known]
    found = image.memory.read_many(ranges)
    return {
        name: StructView(image.layout, name, data) for name, data in zip(known, found, strict=True) if data is not None
    }


def _drift(before: _Reading, after: dict[str, StructView]) -> float:
    """Return how much the heap changed while it was read, as a share; at least 1 when a collection ended meanwhile."""
    then, now = before.variables, after
    if any(then[name].number(path) != now[name].number(path) for name, path in (("runtime.memstats", "numgc"),)):
        return 1.0
    changes = 0.0
    for sign, path in ((1, "totalAlloc"), (-1, "totalFree")):
        changes += sign * (now["runtime.gcController"].number(path) - then["runtime.gcController"].number(path))
    return abs(changes) / max(before.heap_alloc, 1.0)


class _Reading:
    """One pass over the runtime's structures."""

    def __init__(self, image: RuntimeImage) -> None:
        self._image = image
        self.variables = _views(image, (*_ALWAYS, *_OPTIONAL))
        missing = [name for name in _ALWAYS if name not in self.variables]
        if missing:
            raise UnreadableAddressError(f"{missing[0]} could not be read.")
        self._controller = self.variables["runtime.gcController"]
        self._memstats = self.variables["runtime.memstats"]
        self._unknown: set[str] = set()
        self._processors = list(self._read_processors())
        self._cached_bytes, self._cached_objects = self._read_caches()
        self.heap_alloc = float(
            self._controller.number("totalAlloc") - self._controller.number("totalFree") + self._cached_bytes
        )

    def numbers(self) -> Numbers:
        """Return all gauges."""
        values: Values = {}
        for part in (self._heap, self._collector, self._goroutines, self._timers, self._finalizers):
            try:
                part(values)
            except LayoutError as error:  # a field that a newer Go has no more: the others still speak
                self._unknown.add(error.message)
        finite = {name: max(float(value), -1.0) for name, value in values.items()}
        return Numbers(finite, unknown=self._unknown)

    def _heap(self, values: Values) -> None:
        controller, memstats = self._controller, self._memstats
        inuse, free = controller.number("heapInUse"), controller.number("heapFree")
        released = controller.number("heapReleased")
        delta = self._heap_delta()
        values["heap_alloc"] = self.heap_alloc
        values["total_alloc"] = controller.number("totalAlloc") + self._cached_bytes
        values["heap_objects"] = delta["objects"] + self._cached_objects
        values["heap_inuse"] = inuse
        values["heap_idle"] = free + released
        values["heap_released"] = released
        values["heap_sys"] = inuse + free + released
        values["stack_inuse"] = delta["inStacks"]
        values["stack_sys"] = delta["inStacks"] + memstats.number("stacks_sys")
        metadata = sum(
            memstats.number(name) for name in ("mspan_sys", "mcache_sys", "buckhash_sys", "gcMiscSys", "other_sys")
        )
        values["runtime_metadata"] = metadata + delta["inWorkBufs"] + delta["inPtrScalarBits"]
        values["sys"] = values["heap_sys"] + values["stack_sys"] + values["runtime_metadata"]

    def _heap_delta(self) -> dict[str, int]:
        """Add the three deltas of memstats.heapStats (unsafeRead)."""
        found = dict.fromkeys(("inStacks", "inWorkBufs", "inPtrScalarBits", "objects"), 0)
        layout, base = self._memstats.layout, self._memstats.layout.field("runtime.memstats", "heapStats.stats")
        delta_type = layout.types[base.type].element
        size = layout.sizeof(delta_type)
        classes = [
            (sign, layout.field(delta_type, name))
            for sign, name in ((1, "smallAllocCount"), (-1, "smallFreeCount"))
            if layout.has_field(delta_type, name)
        ]
        for number in range(layout.types[base.type].count):
            start = base.offset + number * size
            data = self._memstats.data[start : start + size]
            view = StructView(layout, delta_type, data)
            for name in ("inStacks", "inWorkBufs", "inPtrScalarBits"):
                if view.has(name):  # inPtrScalarBits is gone since 1.24
                    found[name] += view.signed(name)
            found["objects"] += view.signed("largeAllocCount") - view.signed("largeFreeCount")
            for sign, place in classes:
                counts = memoryview(data[place.offset : place.offset + place.size]).cast("q")
                found["objects"] += sign * sum(counts)
        return found

    def _collector(self, values: Values) -> None:
        controller, memstats = self._controller, self._memstats
        values["heap_marked"] = controller.number("heapMarked")
        values["globals_scan"] = controller.number("globalsScan")
        values["stack_scan"] = controller.number("lastStackScan")
        values["gogc"] = max(controller.signed("gcPercent"), -1)
        limit = controller.signed("memoryLimit")
        if 0 <= limit < NO_MEMORY_LIMIT_BYTES:
            values["memory_limit"] = limit
        goal = goal_now({name: controller.number(name) for name in _GOAL_FIELDS})
        if goal < NO_GOAL_BYTES:
            values["heap_goal"] = goal
        values["num_gc"] = memstats.number("numgc")
        values["num_forced_gc"] = memstats.number("numforcedgc")
        values["last_gc"] = memstats.number("last_gc_unix") / _NANOSECONDS
        values["gc_cpu"] = min(max(memstats.real("gc_cpu_fraction"), 0.0), 1.0)
        work = self.variables.get("runtime.work")
        if work is not None:
            total = work.first("cpuStats.GCTotalTime", "cpuStats.gcTotalTime")
            values["gc_cpu_seconds"] = work.signed(total) / _NANOSECONDS
        limiter = self.variables.get("runtime.gcCPULimiter")
        if limiter is not None:
            values["gc_limiter_cycle"] = limiter.number("lastEnabledCycle")

    def _goroutines(self, values: Values) -> None:
        sched, processors = self.variables.get("runtime.sched"), self.variables.get("runtime.gomaxprocs")
        if processors is not None:
            values["gomaxprocs"] = processors.number("")
        length = self.variables.get("runtime.allglen")
        if sched is None or length is None:
            return
        if sched.has("gFree.n"):
            free = sched.signed("gFree.n") + sum(p.signed("gFree.n") for p in self._processors)
        else:
            free = sched.signed("gFree.stack.size") + sched.signed("gFree.noStack.size")
            free += sum(p.signed("gFree.size") for p in self._processors)
        values["goroutines"] = max(length.number("") - free - sched.signed("ngsys"), 1)
        values["threads"] = max(sched.signed("mnext") - sched.signed("nmfreed"), 1)

    def _timers(self, values: Values) -> None:
        if not self._processors:
            return
        one = self._processors[0]
        count, gone = ("timers.len", "timers.zombies") if one.has("timers.zombies") else ("numTimers", "deletedTimers")
        values["timers"] = max(sum(p.number(count) - p.signed(gone) for p in self._processors), 0)

    def _finalizers(self, values: Values) -> None:
        queued, executed = (self.variables.get(f"runtime.{name}") for name in ("finqueued", "finexecuted"))
        if queued is not None and executed is not None:
            values["finalizers_queued"], values["finalizers_executed"] = queued.number(""), executed.number("")
        cleanups = self.variables.get("runtime.gcCleanups")
        if cleanups is not None:
            own = sum(p.number("cleanupsQueued") for p in self._processors)
            values["cleanups_queued"] = cleanups.number("queued") + own
            values["cleanups_executed"] = cleanups.number("executed")

    def _read_processors(self) -> Iterator[StructView]:
        """Yield every P; only the parts that are read are asked for, as a P is 10 KiB and more."""
        count = min(self.variables["runtime.allp"].number("len"), _MOST_PROCESSORS)
        memory, layout = self._image.memory, self._image.layout
        table = memory.read(self.variables["runtime.allp"].number("array"), 8 * count)
        size = layout.sizeof("p")
        places = [
            layout.field("p", name)
            for name in ("mcache", "gFree", "timers", "numTimers", "deletedTimers", "cleanupsQueued")
            if layout.has_field("p", name)
        ]
        addresses = list(memoryview(table).cast("Q")) if table else []
        wanted = [(address + place.offset, place.size) for address in addresses for place in places]
        found = iter(memory.read_many(wanted))
        for _ in addresses:
            data = bytearray(size)
            for place in places:
                part = next(found)
                if part is not None:
                    data[place.offset : place.offset + place.size] = part
            yield StructView(layout, "p", bytes(data))

    def _read_caches(self) -> tuple[int, int]:
        """Return bytes and objects that no account has yet, in the spans that each P allocates from."""
        memory, layout = self._image.memory, self._image.layout
        place, span = layout.field("mcache", "alloc"), layout.sizeof("mspan")
        caches = [p.number("mcache") for p in self._processors]
        tables = memory.read_many([(cache + place.offset, place.size) for cache in caches if cache])
        spans = {address for table in tables if table for address in memoryview(table).cast("Q") if address}
        size = objects = 0
        for data in memory.read_many([(address, span) for address in sorted(spans)]):
            if data is None:
                continue
            view = StructView(layout, "mspan", data)
            new = view.number("allocCount") - view.number("allocCountBeforeCache")
            if 0 < new <= view.number("nelems"):
                size += new * view.number("elemsize")
                objects += new
        return size, objects


_GOAL_FIELDS = (
    "gcPercentHeapGoal",
    "sweepDistMinTrigger",
    "triggered",
    "heapMarked",
    "heapFree",
    "totalAlloc",
    "totalFree",
    "mappedReady",
    "memoryLimit",
)
