"""What program counters of a running Go program mean, from its own function tables (they survive stripping)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from whyheap.errors import FormatError
from whyheap.model.site import Stack

if TYPE_CHECKING:
    from whyheap.parse.machine_code.program import Program

_MOST_KEPT: Final = 1 << 18
_BATCH: Final = 2048


class RuntimeFunctions:
    """Functions by program counter, in addresses of the process (`bias` = how far the program was moved)."""

    def __init__(self, program: Program, bias: int) -> None:
        """Nothing is read yet."""
        self.program = program
        self.bias = bias
        self._stacks: dict[int, Stack] = {}

    def row(self, pc: int) -> int | None:
        """Return the number of the function that `pc` lies in (a row of `program.table`), None outside of Go's text."""
        module = self.program.module
        distance = pc - self.bias - module.text
        if not 0 <= distance < module.text_end - module.text:
            return None
        import numpy as np  # noqa: PLC0415 - brought by the program anyway

        row = int(self.program.table.rows_at(np.array([distance]))[0])
        return row if row >= 0 else None

    def entry(self, pc: int) -> int | None:
        """Return the address that the function at `pc` starts at."""
        row = self.row(pc)
        return None if row is None else self.bias + self.program.module.text + int(self.program.table.entries[row])

    def symbol(self, pc: int) -> str:
        """Return the linker's name of the function at `pc`, "" outside of Go's text: "net/http.(*Server).Serve"."""
        row = self.row(pc)
        return "" if row is None else self.program.symbol(row)

    def stack(self, pc: int) -> Stack:
        """Return the frames at one program counter, inlined ones included, innermost first; empty outside of Go's text.

        For a return address ask for the address before it: pc - 1.
        """
        return self.stacks((pc,))[0]

    def stacks(self, pcs: Sequence[int]) -> list[Stack]:
        """Return `stack` of many program counters, decoded together: far faster than one by one."""
        missing = sorted({pc for pc in pcs if pc not in self._stacks})
        if len(self._stacks) + len(missing) > _MOST_KEPT:
            self._stacks.clear()
            missing = sorted(set(pcs))
        for first in range(0, len(missing), _BATCH):
            self._decode(missing[first : first + _BATCH])
        return [self._stacks.get(pc, ()) for pc in pcs]

    def _decode(self, pcs: list[int]) -> None:
        import numpy as np  # noqa: PLC0415 - brought by the program anyway

        from whyheap.parse.machine_code.inline_stacks import StackTables  # noqa: PLC0415 - as above

        module, table = self.program.module, self.program.table
        inside = [pc for pc in pcs if 0 <= pc - self.bias - module.text < module.text_end - module.text]
        distances = np.array(inside, np.int64) - (self.bias + module.text)
        owners = table.rows_at(distances)
        known = owners >= 0
        inside = [pc for pc, is_known in zip(inside, known.tolist(), strict=True) if is_known]
        if not inside:
            return
        rows, indexes = np.unique(owners[known], return_inverse=True)
        try:
            places = distances[known] - table.entries[owners[known]]
            found = self.program.names.stacks(StackTables(table, rows), indexes, places)
        except FormatError:  # damaged tables: frames without a name are better than none of the numbers
            return
        self._stacks.update(zip(inside, found, strict=True))
