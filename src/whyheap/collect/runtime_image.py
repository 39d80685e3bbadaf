"""A running Go program as its runtime's structures: where they are in memory now, and what program counters mean.

Nothing here stops the process; see host/process_memory.py.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import cached_property

from whyheap.collect.runtime_functions import RuntimeFunctions
from whyheap.host.process_memory import ProcessMemory
from whyheap.model.gauge import Gap
from whyheap.parse.machine_code.program import Program
from whyheap.parse.struct_layout import Field, LayoutError, StructLayout


@dataclass
class RuntimeImage:
    """`go` is "go1.27.3", `experiments` what GOEXPERIMENT differs by ("" = nothing), `bias` how far it was moved.

    Addresses of the executable (symbols, function tables) plus `bias` are addresses of the running process.
    """

    memory: ProcessMemory
    program: Program
    layout: StructLayout
    bias: int
    go: str
    experiments: str = ""
    gaps: tuple[Gap, ...] = ()

    def address(self, variable: str) -> int:
        """Return where a variable is in the process: "runtime.mheap_". Raises `LayoutError` when that is unknown."""
        found = self.layout.variables.get(variable)
        if found is None or not found.address:
            raise LayoutError(f"The address of {variable} is not known in this program.")
        return found.address + self.bias

    def has(self, variable: str) -> bool:
        """Whether the address of a variable is known."""
        found = self.layout.variables.get(variable)
        return found is not None and found.address != 0

    def field(self, type_: str, name: str) -> Field:
        """Return offset, size and type of a field: ("bucket", "next"), ("runtime.work", "cpuStats.GCTotalTime").

        The first name is a type (with or without "runtime.") or a variable, which stands for its type; the second may
        be a path ("pages.inUse", "central[3].mcentral"). Raises `LayoutError` when there is none.
        """
        return self.layout.field(type_, name)

    def has_field(self, type_: str, name: str) -> bool:
        """Whether this Go has such a field."""
        return self.layout.has_field(type_, name)

    def sizeof(self, type_: str) -> int:
        """Return the size of a type in bytes. Raises `LayoutError` when it is unknown."""
        return self.layout.sizeof(type_)

    def read_variable(self, variable: str) -> bytes:
        """Return the bytes of a whole variable. Raises `LayoutError`, and `TargetError` as `ProcessMemory` does."""
        return self.memory.read(self.address(variable), self.layout.variables[variable].size)

    def number(self, variable: str, path: str = "") -> int:
        """Return an unsigned number of the process: a variable, or a field of it by path; at most 8 bytes."""
        at = self.address(variable)
        if not path:
            return int.from_bytes(self.memory.read(at, min(self.layout.variables[variable].size, 8)), "little")
        place = self.field(variable, path)
        return int.from_bytes(self.memory.read(at + place.offset, min(place.size, 8)), "little")

    def release(self) -> None:
        """Give back the pages of the executable that decoding mapped: they count as ours until then.

        They are read again when they are needed (man 2 madvise, MADV_DONTNEED of a mapped file).
        """
        mapped = getattr(self.program.image.data, "obj", None)
        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def functions(self) -> RuntimeFunctions:
        """What program counters of the process mean."""
        return RuntimeFunctions(self.program, self.bias)
