"""Which arm64 instructions transfer control: each is one word of 4 bytes.

Encodings: Arm Architecture Reference Manual for A-profile, C4.1 "Branches, Exception Generating and System
instructions".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.transfer import Kind, Transfer

_WORD_BYTES: Final = 4
_BATCH_BYTES: Final = 1 << 22
_UNDEFINED: Final = 0xBEA71700  # what Go's assembler writes for UNDEF, cmd/internal/obj/arm64/asm7.go

# mask, value, kind, bits of the displacement in words and where they begin
_FORMS: Final = (
    (0xFC000000, 0x14000000, Kind.JUMP, 26, 0),  # B
    (0xFC000000, 0x94000000, Kind.CALL, 26, 0),  # BL
    (0xFF000010, 0x54000000, Kind.BRANCH, 19, 5),  # B.cond
    (0x7E000000, 0x34000000, Kind.BRANCH, 19, 5),  # CBZ, CBNZ
    (0x7E000000, 0x36000000, Kind.BRANCH, 14, 5),  # TBZ, TBNZ
    (0xFFFFFC1F, 0xD61F0000, Kind.JUMP_INDIRECT, 0, 0),  # BR
    (0xFFFFFC1F, 0xD63F0000, Kind.CALL_INDIRECT, 0, 0),  # BLR
    (0xFFFFFC1F, 0xD65F0000, Kind.RETURN, 0, 0),  # RET
    (0xFFE0001F, 0xD4200000, Kind.TRAP, 0, 0),  # BRK
    (0xFFFFFFFF, _UNDEFINED, Kind.TRAP, 0, 0),
)
_TABLE_LOAD: Final = (0xFFE0FC00, 0xF8607800)  # LDR Xt, [Xn, Xm, LSL #3]


def transfers(codes: Sequence[bytes | memoryview]) -> list[list[Transfer]]:
    """Return for each function's code its control transfers in order of offset."""
    result: list[list[Transfer]] = []
    batch: list[bytes | memoryview] = []
    size = 0
    for code in codes:
        whole = code[: len(code) & -_WORD_BYTES]
        batch.append(whole)
        size += len(whole)
        if size >= _BATCH_BYTES:
            result.extend(_batch(batch))
            batch, size = [], 0
    result.extend(_batch(batch))
    return result


def _batch(codes: Sequence[bytes | memoryview]) -> list[list[Transfer]]:
    if not codes:
        return []
    words = np.frombuffer(b"".join(codes), "<u4")
    kind = np.zeros(len(words), np.uint8)
    displacement = np.zeros(len(words), np.int64)
    for mask, value, name, bits, low in _FORMS:
        at = np.flatnonzero((words & np.uint32(mask)) == np.uint32(value))
        kind[at] = name
        if bits:
            field = (words[at].astype(np.int64) >> low) & ((1 << bits) - 1)
            displacement[at] = np.where(field >> (bits - 1), field - (1 << bits), field)
    _mark_tables(words, kind)
    at = np.flatnonzero(kind)
    sizes = np.array([len(code) // _WORD_BYTES for code in codes], np.int64)
    firsts = np.cumsum(sizes) - sizes
    first = firsts[np.searchsorted(firsts, at, side="right") - 1]
    here = (at - first) * _WORD_BYTES
    target = np.where(np.isin(kind[at], (Kind.BRANCH, Kind.JUMP, Kind.CALL)), here + displacement[at] * _WORD_BYTES, -1)
    rows = list(map(Transfer, here.tolist(), (here + _WORD_BYTES).tolist(), kind[at].tolist(), target.tolist()))
    bounds = [*np.searchsorted(at, firsts).tolist(), len(rows)]
    return [rows[bounds[index] : bounds[index + 1]] for index in range(len(codes))]


def _mark_tables(words: NDArray[np.uint32], kind: NDArray[np.uint8]) -> None:
    """A jump to what the word before has loaded by an index goes by a table (ssagen: JUMPTABLE)."""
    jumps = np.flatnonzero(kind == Kind.JUMP_INDIRECT)
    jumps = jumps[jumps > 0]
    load = words[jumps - 1]
    is_load = (load & np.uint32(_TABLE_LOAD[0])) == np.uint32(_TABLE_LOAD[1])
    same = (load & 31) == ((words[jumps] >> 5) & 31)
    kind[jumps[is_load & same]] = Kind.JUMP_TABLE
