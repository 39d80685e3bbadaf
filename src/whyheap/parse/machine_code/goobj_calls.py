"""Direct calls in the code of a Go object file, by their relocations, and the types that allocators get."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from whyheap.parse.machine_code.goobj import ADDRESS_ARM64, CALL, CALL_ARM64, PC_RELATIVE, Object
from whyheap.parse.machine_code.raw import RawCall
from whyheap.parse.machine_code.type_argument import ARGUMENT_REGISTERS, spelled_type

TypeArgument = Callable[[str], int | None]
"""Tells by linker symbol which argument of an allocator is the type's descriptor, None when there is none."""

_NEAR = 512  # bytes before a call in which its type is looked for


class ObjectCalls:
    """The calls of one Go object."""

    def __init__(self, source: Object, arch: str) -> None:
        """`arch` is amd64 or arm64, as GOARCH spells it."""
        self.object = source
        self._arch = arch
        self._call = CALL_ARM64 if arch == "arm64" else CALL
        self._address = ADDRESS_ARM64 if arch == "arm64" else PC_RELATIVE

    @cached_property
    def _wanted(self) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
        """Calls and loads of addresses of the whole object: row, type, offset, package and symbol of each."""
        relocs = self.object.relocs
        kinds = relocs["type"]
        rows = np.flatnonzero((kinds == self._call) | (kinds == self._address))
        found = relocs[rows]
        columns: tuple[Any, ...] = (rows, found["type"], found["offset"], found["package"], found["symbol"])
        one, two, three, four, five = (column.tolist() for column in columns)
        return one, two, three, four, five

    @cached_property
    def _reloc_index(self) -> list[int]:
        found: list[int] = self.object.reloc_index.tolist()
        return found

    def calls(self, index: int, code: memoryview, type_argument: TypeArgument) -> list[RawCall]:
        """Return a function's direct calls."""
        rows, kinds, offsets, packages, symbols = self._wanted
        first = bisect_left(rows, self._reloc_index[index])
        last = bisect_left(rows, self._reloc_index[index + 1], first)
        order: Sequence[int] = range(first, last)
        if any(offsets[row] > offsets[row + 1] for row in range(first, last - 1)):
            order = sorted(order, key=offsets.__getitem__)
        calls = []
        addresses: list[int] = []  # since the call before
        for row in order:
            if kinds[row] != self._call:
                addresses.append(row)
                continue
            start = self._instruction(code, offsets[row])
            callee = self.object.reference(packages[row], symbols[row])
            if start is not None and callee:
                argument = type_argument(callee) if addresses else None
                spelled = "" if argument is None else self._type(code, start, argument, addresses)
                calls.append(RawCall(start, callee, spelled))
            addresses = []
        return calls

    def references(self, index: int) -> Iterator[tuple[int, str]]:
        """Yield where a function takes addresses, as an offset within the instruction, and of what."""
        rows, kinds, offsets, packages, symbols = self._wanted
        first = bisect_left(rows, self._reloc_index[index])
        last = bisect_left(rows, self._reloc_index[index + 1], first)
        before = 0 if self._arch == "arm64" else 1  # there, a relocation is of the bytes behind the opcode
        for row in range(first, last):
            if kinds[row] == self._address and offsets[row] >= before:
                yield offsets[row] - before, self.object.reference(packages[row], symbols[row])

    def _instruction(self, code: memoryview, offset: int) -> int | None:
        """Return where the call or jump begins whose displacement is at `offset`."""
        if self._arch == "arm64":
            return offset if 0 <= offset <= len(code) - 4 else None
        if not 1 <= offset <= len(code) - 4:
            return None
        # E8 is a call, E9 a jump; conditional jumps have two bytes (0F 8x)
        is_long = code[offset - 1] & 0xF0 == 0x80 and offset > 1 and code[offset - 2] == 0x0F  # noqa: PLR2004
        return offset - 2 if is_long else offset - 1

    def _type(self, code: memoryview, call: int, argument: int, addresses: Sequence[int]) -> str:
        """Name the type whose descriptor was loaded last into the argument's register."""
        _, _, offsets, packages, symbols = self._wanted
        register = ARGUMENT_REGISTERS[self._arch][argument]
        for row in reversed(addresses):
            if call - offsets[row] > _NEAR:
                break
            if self._loaded(code, offsets[row]) == register:
                return spelled_type(self.object.reference(packages[row], symbols[row]))
        return ""

    def _loaded(self, code: memoryview, offset: int) -> int | None:
        """Return the register that gets an address: of LEAQ sym(IP), REG; of ADRP and ADD."""
        if self._arch == "arm64":
            return code[offset + 4] & 31 if 0 <= offset <= len(code) - 8 else None
        if not 3 <= offset <= len(code) or code[offset - 2] != 0x8D or code[offset - 3] & 0xF8 != 0x48:  # noqa: PLR2004
            return None
        return code[offset - 1] >> 3 & 7 | (code[offset - 3] & 4) << 1
