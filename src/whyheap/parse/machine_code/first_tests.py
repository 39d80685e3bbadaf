"""Loops over constant ranges: tests at a loop's head whose outcome is known when the loop is first reached.

Go tests at the head: XORL CX, CX; JMP head; ...; head: CMPQ CX, $4; JGE behind. With both numbers in sight the way into
the loop leads past the test, and what the loop does first is done always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from whyheap.parse.machine_code.flow import Graph
from whyheap.parse.machine_code.operands import last_constant
from whyheap.parse.machine_code.transfer import Kind, Transfer

_LONGEST_TEST: Final = 16
_MOST: Final = 1 << 31  # below it, signed and unsigned comparisons agree
# CMPQ R, $imm8; CMPQ R, $imm32; CMPQ AX, $imm32; a NOP may follow that aligns the branch
_COMPARE_AMD64: Final = re.compile(
    rb"(?P<rex>[\x48\x49])(?:\x83(?P<byte>[\xf8-\xff])(?P<small>.)|\x81(?P<word>[\xf8-\xff])(?P<large>.{4})"
    rb"|\x3d(?P<accumulator>.{4}))(?:\x90|\x66\x90)?",
    re.DOTALL,
)
_GREATER, _LESS, _EQUAL = 1, 2, 4
_TAKEN_AMD64: Final = {
    0x2: _LESS, 0x3: _GREATER | _EQUAL, 0x4: _EQUAL, 0x5: _GREATER | _LESS, 0x6: _LESS | _EQUAL, 0x7: _GREATER,
    0xC: _LESS, 0xD: _GREATER | _EQUAL, 0xE: _LESS | _EQUAL, 0xF: _GREATER,
}  # fmt: skip
_TAKEN_ARM64: Final = {
    0x0: _EQUAL, 0x1: _GREATER | _LESS, 0x2: _GREATER | _EQUAL, 0x3: _LESS, 0x8: _GREATER, 0x9: _LESS | _EQUAL,
    0xA: _GREATER | _EQUAL, 0xB: _LESS, 0xC: _GREATER, 0xD: _LESS | _EQUAL,
}  # fmt: skip


def skip_known(graph: Graph, transfers: Sequence[Transfer], code: bytes | memoryview, arch: str) -> None:
    """Let edges to a test whose outcome is known lead to where it goes; the graph is changed."""
    ending = {one.at: one for one in transfers if one.kind == Kind.BRANCH}
    ends = [*graph.starts[1:], len(code)]
    tests: dict[int, tuple[int, int, int, Transfer]] = {}
    for index, (start, end) in enumerate(zip(graph.starts, ends, strict=True)):
        if end - start <= _LONGEST_TEST and len(graph.successors[index]) == 2:  # noqa: PLR2004 - both ways
            found = _test(code, start, end, ending, arch)
            if found is not None:
                tests[index] = found
    if tests:
        for index, targets in enumerate(graph.successors):
            if len(targets) == 1 and targets[0] in tests and targets[0] != index:
                way = _way(graph, index, ends[index], tests[targets[0]], code, arch)
                graph.successors[index] = targets if way is None else [way]


def _test(
    code: bytes | memoryview, start: int, end: int, ending: Mapping[int, Transfer], arch: str
) -> tuple[int, int, int, Transfer] | None:
    """Return register, number, when the branch is taken, and the branch, of a block that only compares and branches."""
    piece = bytes(code[start:end])
    if arch == "arm64":
        if len(piece) != 8 or start + 4 not in ending:  # noqa: PLR2004 - two words
            return None
        compare, branch = int.from_bytes(piece[:4], "little"), int.from_bytes(piece[4:], "little")
        taken = _TAKEN_ARM64.get(branch & 15) if branch >> 24 == 0x54 else None  # noqa: PLR2004 - B.cond
        if compare & 0xFFC0001F != 0xF100001F or taken is None:  # noqa: PLR2004 - CMP Xn, #imm
            return None
        return compare >> 5 & 31, compare >> 10 & 0xFFF, taken, ending[start + 4]
    found = _COMPARE_AMD64.match(piece)
    branch_at = start + found.end() if found else -1
    if found is None or branch_at not in ending:
        return None
    tail = piece[found.end() :]
    taken = _TAKEN_AMD64.get((tail[1] if tail[0] == 0x0F else tail[0]) & 15)  # noqa: PLR2004 - two-byte opcode
    operand = found["byte"] or found["word"] or b"\xf8"
    number = int.from_bytes(found["small"] or found["large"] or found["accumulator"], "little", signed=True)
    if taken is None or number < 0:
        return None
    return operand[0] & 7 | (found["rex"][0] & 1) << 3, number, taken, ending[branch_at]


def _way(
    graph: Graph, index: int, end: int, test: tuple[int, int, int, Transfer], code: bytes | memoryview, arch: str
) -> int | None:
    """Return the block that a test leads to from this one, None when the register's number is not in sight."""
    register, number, taken, branch = test
    value = last_constant(arch, code, graph.starts[index], end, register)
    if value is None or not 0 <= value < _MOST:
        return None
    outcome = _EQUAL if value == number else _GREATER if value > number else _LESS
    offset = branch.target if outcome & taken else branch.end
    block = graph.block_at(offset)
    return block if graph.starts[block] == offset else None
