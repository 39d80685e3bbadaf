"""One pass over the variables of a process's runtime: read together, as near to one moment as it goes without stopping.

Files and versions stand in goruntime/runtime_layout.py.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from whyheap.collect.census_spans import sound_addresses, span_columns
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.process_memory import UnreadableAddressError
from whyheap.parse.struct_layout import LayoutError
from whyheap.parse.struct_view import StructView

_MOST_PROCESSORS = 4096
_MOST_LINKS = 2048
_WORD_BYTES = 8
_CACHED_FIELDS = ("allocCount", "allocCountBeforeCache", "nelems", "elemsize")
_PROCESSOR_PARTS = ("mcache", "gFree", "timers", "numTimers", "deletedTimers", "cleanupsQueued")
_VARIABLES = (
    "runtime.allfin",
    "runtime.allglen",
    "runtime.allm",
    "runtime.allp",
    "runtime.finexecuted",
    "runtime.finqueued",
    "runtime.gcCPULimiter",
    "runtime.gcCleanups",
    "runtime.gcController",
    "runtime.gomaxprocs",
    "runtime.memstats",
    "runtime.ncgocall",
    "runtime.sched",
    "runtime.work",
)


def read_variables(image: RuntimeImage, names: tuple[str, ...]) -> dict[str, StructView]:
    """Read whole variables together; those that this program has not, or that cannot be read, are left out."""
    known = [name for name in names if image.has(name)]
    found = image.memory.read_many([(image.address(name), image.layout.variables[name].size) for name in known])
    return {
        name: StructView(image.layout, name, data) for name, data in zip(known, found, strict=True) if data is not None
    }


class RuntimeSnapshot:
    """The variables at one moment; what hangs on them is read when it is first asked for.

    Everything raises `LayoutError` for what this Go has not, `UnreadableAddressError` for what was let go of meanwhile,
    and `TargetError` when the process has ended.
    """

    def __init__(self, image: RuntimeImage) -> None:
        """Read the variables."""
        self.image = image
        self._variables = read_variables(image, _VARIABLES)

    def has(self, name: str) -> bool:
        """Whether a variable was read: "gcController"."""
        return f"runtime.{name}" in self._variables

    def variable(self, name: str) -> StructView:
        """Return a variable of the runtime: "gcController"."""
        found = self._variables.get(f"runtime.{name}")
        if found is None:
            raise LayoutError(f"The variable runtime.{name} was not found in this program.")
        return found

    @cached_property
    def processors(self) -> tuple[StructView, ...]:
        """Every P; only the parts that are used are read, as a P is 10 KiB and more. The rest is zero."""
        memory, layout = self.image.memory, self.image.layout
        table = self.variable("allp")
        count = min(table.number("len"), _MOST_PROCESSORS)
        addresses = memoryview(memory.read(table.number("array"), _WORD_BYTES * count)).cast("Q").tolist()
        size = layout.sizeof("p")
        places = [layout.field("p", name) for name in _PROCESSOR_PARTS if layout.has_field("p", name)]
        parts = iter(
            memory.read_many((address + place.offset, place.size) for address in addresses for place in places)
        )
        found = []
        for _ in addresses:
            data = bytearray(size)
            for place in places:
                part = next(parts)
                if part is None:
                    raise UnreadableAddressError("A P could not be read.")
                data[place.offset : place.offset + place.size] = part
            found.append(StructView(layout, "p", bytes(data)))
        return tuple(found)

    @cached_property
    def cached_objects(self) -> tuple[int, int]:
        """Bytes and number of objects that no account has yet, in the spans that each P allocates from."""
        memory = self.image.memory
        place = self.image.field("mcache", "alloc")
        caches = [cache for cache in (one.number("mcache") for one in self.processors) if cache]
        tables = memory.read_many((cache + place.offset, place.size) for cache in caches)
        pointers = np.frombuffer(b"".join(table for table in tables if table), "<u8")
        known, spans = span_columns(self.image, sound_addresses(pointers), _CACHED_FIELDS)
        if not known.all() or None in tables:
            raise UnreadableAddressError("A span could not be read.")
        new = spans["allocCount"] - spans["allocCountBeforeCache"]
        new = np.where((new > 0) & (new <= spans["nelems"]), new, 0)
        return int((new * spans["elemsize"]).sum()), int(new.sum())

    def chain(self, variable: str, type_: str, link: str) -> list[StructView] | None:
        """Return the structs of a linked list that a variable starts; None when it is too long to be followed."""
        size = self.image.layout.sizeof(type_)
        at = self.variable(variable).number("")
        found: list[StructView] = []
        while at:
            if len(found) >= _MOST_LINKS:
                return None
            found.append(StructView(self.image.layout, type_, self.image.memory.read(at, size)))
            at = found[-1].number(link)
        return found
