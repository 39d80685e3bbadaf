"""Finding variables of a stripped program: functions of the same runtime name them at the same places of their code.

A program of the same Go that was not stripped tells which instruction names which variable. In a function that is
equally long in both, the instruction at the same place names the same variable; its operand then gives the address.
Functions differ here and there (inlining, other calls), so each instruction has one vote and the majority counts.

amd64: operands relative to the next instruction (ModRM with mod 00, r/m 101; Intel SDM, vol. 2, 2.2.1.6). arm64: ADRP
and the ADD, load or store behind it (Arm ARM, C6); the linker relocates them as one pair
(cmd/link/internal/arm64/asm.go, R_ADDRARM64 and R_ARM64_PCREL_LDST).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.program import Program

_MODRM_MASK, _RIP_RELATIVE = 0xC7, 0x05
_ADRP, _ADRP_MASK = 0x90000000, 0x9F000000
_ADD, _ADD_MASK = 0x91000000, 0xFFC00000
_ACCESS, _ACCESS_MASK = 0x39000000, 0x3B000000  # loads and stores with an unsigned offset
_PAGE_BITS: Final = 12
_MOST_PER_VARIABLE: Final = 400
_LEAST_SHARE: Final = 0.6
_LEAST_VOTES: Final = 2

Octets = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Reference:
    """An instruction of the function `symbol` (`size` bytes long) at `offset`: it names `variable` + `delta`."""

    symbol: str
    size: int
    offset: int
    variable: str
    delta: int


@dataclass(frozen=True, slots=True)
class Vote:
    """What the instructions say of a variable: its address, how many agree, how many spoke."""

    address: int
    agree: int
    spoke: int


def find_references(
    program: Program, variables: Mapping[str, tuple[int, int]], prefixes: Sequence[str]
) -> list[Reference]:
    """Return the instructions that name `variables` (address and size in bytes), in functions with these prefixes."""
    table = program.table
    rows = [row for row, symbol in _rows(program) if symbol.startswith(tuple(prefixes))]
    found: list[Reference] = []
    counts: Counter[str] = Counter()
    for row in rows:
        start, stop = table.entries[row : row + 2].tolist()
        places, targets = _operands(program.image.arch, program.code[start:stop], program.module.text + start)
        for name, (address, size) in variables.items():
            for at in np.flatnonzero((targets >= address) & (targets < address + max(size, 1))).tolist():
                if counts[name] < _MOST_PER_VARIABLE:
                    counts[name] += 1
                    delta = int(targets[at]) - address
                    found.append(Reference(program.symbol(row), stop - start, int(places[at]), name, delta))
    return found


def vote(program: Program, references: Iterable[Reference]) -> dict[str, Vote]:
    """Return where each variable is in another program of the same Go, for those with a clear majority."""
    by_function: dict[str, list[Reference]] = {}
    for reference in references:
        by_function.setdefault(reference.symbol, []).append(reference)
    votes: dict[str, Counter[int]] = {}
    table = program.table
    for row, symbol in _rows(program, set(by_function)):
        start, stop = table.entries[row : row + 2].tolist()
        wanted = [one for one in by_function[symbol] if one.size == stop - start]
        if not wanted:
            continue
        places, targets = _operands(program.image.arch, program.code[start:stop], program.module.text + start)
        known = dict(zip(places.tolist(), targets.tolist(), strict=True))
        for one in wanted:
            if one.offset in known:
                votes.setdefault(one.variable, Counter())[known[one.offset] - one.delta] += 1
    found = {}
    for name, counted in votes.items():
        address, agree = counted.most_common(1)[0]
        if agree >= max(_LEAST_SHARE * counted.total(), _LEAST_VOTES) and address > 0:
            found[name] = Vote(address, agree, counted.total())
    return found


def _rows(program: Program, symbols: set[str] | None = None) -> Iterable[tuple[int, str]]:
    """Yield functions by row and name: all of them, or only some; names are compared as bytes, which is fast."""
    offsets = program.table.name_offsets
    if symbols is None:
        yield from ((row, program.symbol(row)) for row in range(len(program.table)))
        return
    blob = program.table.names
    names = blob.split(b"\0")
    sizes = np.fromiter((len(name) + 1 for name in names), np.int64, len(names))
    starts = np.cumsum(sizes) - sizes
    wanted = {symbol.encode(): symbol for symbol in symbols}
    hits = [(int(starts[at]), wanted[name]) for at, name in enumerate(names) if name in wanted]
    by_offset = dict(hits)
    for row in np.flatnonzero(np.isin(offsets, np.array(sorted(by_offset), np.int64))).tolist():
        yield row, by_offset[int(offsets[row])]


def _operands(arch: str, code: Octets, address: int) -> tuple[Numbers, Numbers]:
    """Return the places in a function of operands that may be addresses of data, and what they point to."""
    return (_amd64_operands if arch == "amd64" else _arm64_operands)(code, address)


def _amd64_operands(code: Octets, address: int) -> tuple[Numbers, Numbers]:
    if len(code) < 6:  # noqa: PLR2004 - an opcode, ModRM and four bytes
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = np.flatnonzero((code[1:-4] & _MODRM_MASK) == _RIP_RELATIVE) + 2
    low = code[places].astype(np.int64) | code[places + 1].astype(np.int64) << 8
    high = code[places + 2].astype(np.int64) | code[places + 3].astype(np.int64) << 8
    targets = address + places + 4 + (low | ((high ^ 0x8000) - 0x8000) << 16)
    return places, targets


def _arm64_operands(code: Octets, address: int) -> tuple[Numbers, Numbers]:
    words = np.frombuffer(code.tobytes()[: len(code) & ~3], "<u4").astype(np.int64)
    if len(words) < 2:  # noqa: PLR2004 - a pair
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first, second = words[:-1], words[1:]
    is_pair = ((first & _ADRP_MASK) == _ADRP) & ((second >> 5 & 31) == (first & 31))
    is_add = (second & _ADD_MASK) == _ADD
    is_access = (second & _ACCESS_MASK) == _ACCESS
    at = np.flatnonzero(is_pair & (is_add | is_access))
    adrp, user = first[at], second[at]
    pages = (adrp >> 5 & 0x7FFFF) << 2 | adrp >> 29 & 3
    pages -= (pages >> 20) << 21
    shift = np.where(is_add[at], 0, user >> 30 & 3)
    low = (user >> 10 & 0xFFF) << shift
    targets = ((address + 4 * at >> _PAGE_BITS) + pages << _PAGE_BITS) + low
    return at * 4, targets
