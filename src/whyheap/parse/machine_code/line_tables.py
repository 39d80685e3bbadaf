"""Lines and inline stacks of a function in a Go object file.

A function's FuncInfo (cmd/internal/goobj/funcinfo.go, unchanged from 1.22 to 1.27) holds the line of its declaration
and the tree of the calls that were inlined; three tables map each instruction to a file, a line and a node of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from whyheap.errors import FormatError
from whyheap.parse.machine_code.goobj import AUX_FUNC_INFO, AUX_PC_FILE, AUX_PC_INLINE, AUX_PC_LINE, Object
from whyheap.parse.machine_code.pc_table import EMPTY, NONE, PcTable, decode_table

_HEAD = struct.Struct("<IIBBxxiI")
_COUNT = struct.Struct("<I")
_NODE = struct.Struct("<iIiIIi")
_DEEPEST = 1000  # calls that are inlined into each other
_ASSEMBLY = 4  # internal/abi/symtab.go FuncFlagAsm
_LONGEST_PAIR = 20  # bytes of two pairs: the first may hold for no instruction


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the object names it: file as the compiler was told, linker name of the function ("" when unknown)."""

    file: str
    line: int
    function: str


class FunctionLines:
    """Where the instructions of one function come from."""

    def __init__(self, source: Object, index: int, quantum: int) -> None:
        """`index` is the function's symbol, `quantum` the smallest instruction's size in bytes."""
        self._source = source
        self._index = index
        self._quantum = quantum
        info = source.aux(index, AUX_FUNC_INFO)
        self._info = source.content(info) if info is not None else memoryview(b"")
        if len(self._info) < _HEAD.size:
            raise FormatError("its Go object has a function without its description")
        _, _, _, self._flags, self.start_line, self._files = _HEAD.unpack_from(self._info)

    @property
    def is_assembly(self) -> bool:
        """Whether the function was written in assembly."""
        return bool(self._flags & _ASSEMBLY)

    def frames(self, offset: int) -> Iterator[Frame]:
        """Yield the inline stack at an instruction, innermost first; the last one is the function itself."""
        file, line = self._file(self._table_of_files.at(offset)), self._lines.at(offset)
        node = self._inlined.at(offset)
        for _ in range(_DEEPEST):
            if node < 0:
                break
            parent, at_file, at_line, package, symbol, _ = self._node(node)
            yield Frame(file, line, self._source.reference(package, symbol))
            file, line, node = self._file(at_file), at_line, parent
        else:
            raise FormatError("its Go object has an inline tree that is far too deep")
        yield Frame(file, line, self._source.name(self._index))

    def places(self) -> set[tuple[str, int]]:
        """Return file and line of every instruction, and of the calls that it is inlined through."""
        found: set[tuple[int, int]] = set()
        nodes: set[int] = set()
        at = 0
        for end in sorted({*self._table_of_files.ends, *self._lines.ends, *self._inlined.ends}):
            found.add((self._table_of_files.at(at), self._lines.at(at)))
            nodes.add(self._inlined.at(at))
            at = end
        seen = {NONE}
        while nodes:
            node = nodes.pop()
            if node in seen:
                continue
            seen.add(node)
            parent, file, line, _, _, _ = self._node(node)
            found.add((file, line))
            nodes.add(max(parent, NONE))
        return {(self._file(file), line) for file, line in found}

    @cached_property
    def file(self) -> str:
        """The file of the declaration."""
        first = self._first(AUX_PC_INLINE)
        if first < 0:
            return self._file(self._first(AUX_PC_FILE))
        *_, outermost = self.frames(0)
        return outermost.file

    def inlined(self) -> Iterator[tuple[str, str, int]]:
        """Yield linker name, and file and line of the call, of each inlined call of the tree."""
        for number in range(self._nodes[1]):
            _, file, line, package, symbol, _ = self._node(number)
            yield self._source.reference(package, symbol), self._file(file), line

    @cached_property
    def _nodes(self) -> tuple[int, int]:
        """Where the inline tree begins in FuncInfo, and how many nodes it has."""
        at = _HEAD.size + 4 * self._files
        if at + _COUNT.size > len(self._info):
            raise FormatError("its Go object has a function whose description is cut off")
        count = _COUNT.unpack_from(self._info, at)[0]
        if at + _COUNT.size + count * _NODE.size > len(self._info):
            raise FormatError("its Go object has an inline tree that is cut off")
        self._source.spend(len(self._info), (self._index, AUX_FUNC_INFO))
        return at + _COUNT.size, count

    def _node(self, number: int) -> tuple[int, int, int, int, int, int]:
        start, count = self._nodes
        if not 0 <= number < count:
            raise FormatError("its Go object refers to an inlined call that it does not have")
        parent, file, line, package, symbol, pc = _NODE.unpack_from(self._info, start + number * _NODE.size)
        return parent, file, line, package, symbol, pc

    def _file(self, number: int) -> str:
        files = self._source.files
        return files[number] if 0 <= number < len(files) else ""

    @cached_property
    def _table_of_files(self) -> PcTable:
        return self._table(AUX_PC_FILE)

    @cached_property
    def _lines(self) -> PcTable:
        return self._table(AUX_PC_LINE)

    @cached_property
    def _inlined(self) -> PcTable:
        return self._table(AUX_PC_INLINE)

    def _table(self, kind: int) -> PcTable:
        held = self._source.aux(self._index, kind)
        if held is None:
            return EMPTY
        content = self._source.content(held)
        self._source.spend(len(content), (self._index, kind))
        return decode_table(content.tobytes(), self._quantum)

    def _first(self, kind: int) -> int:
        """Return the value at the function's first instruction, without decoding the rest of the table."""
        held = self._source.aux(self._index, kind)
        if held is None:
            return NONE
        return decode_table(self._source.content(held)[:_LONGEST_PAIR].tobytes(), self._quantum, up_to=0).at(0)
