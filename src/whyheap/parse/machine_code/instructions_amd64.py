"""Where amd64 instructions begin, and which of them transfer control: as arrays, for many functions at once.

Lengths only: which prefixes, ModRM bytes and immediates an opcode has, as the opcode maps in Intel's Software
Developer's Manual, volume 2, appendix A, list them for 64-bit mode. tests/live/test_instructions.py compares with
capstone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.transfer import Kind, Transfer

Bytes = NDArray[np.uint8]

_LONGEST: Final = 15  # bytes of one instruction
_PADDING: Final = 24  # so that looking ahead never leaves the array
_LEGACY_PREFIXES: Final = (0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3)
_OPERAND_SIZE: Final = 0x66
_TWO_BYTE: Final = 0x0F
_PADDING_CODE: Final = 0xCC  # INT3 up to the next function
_BATCH_BYTES: Final = 1 << 20


def _modrm_lengths() -> Bytes:
    """ModRM with SIB and displacement; the SIB byte without a base is added by the caller."""
    table = np.ones(256, np.uint8)
    for byte in range(256):
        mode, memory = byte >> 6, byte & 7
        if mode == 3:  # noqa: PLR2004 - register operand
            continue
        table[byte] += (memory == 4) + {0: 4 * (memory == 5), 1: 1, 2: 4}[mode]  # noqa: PLR2004
    return table


def _one_byte() -> tuple[Bytes, Bytes]:
    """Opcode with its immediate, and whether ModRM follows, for the one-byte map; immediates of 4 bytes as such."""
    fixed, modrm = np.ones(256, np.uint8), np.zeros(256, np.uint8)
    for row in range(0, 0x40, 8):
        modrm[row : row + 4] = 1
        fixed[row + 4], fixed[row + 5] = 2, 5
    for first, last in ((0x62, 0x63), (0x69, 0x69), (0x6B, 0x6B), (0x80, 0x8F), (0xC0, 0xC1), (0xC4, 0xC7),
                        (0xD0, 0xD3), (0xD8, 0xDF), (0xF6, 0xF7), (0xFE, 0xFF)):  # fmt: skip
        modrm[first : last + 1] = 1
    for immediate, opcodes in {
        1: (0x6A, 0x6B, *range(0x70, 0x81), 0x82, 0x83, 0xA8, *range(0xB0, 0xB8), 0xC0, 0xC1, 0xC6, 0xCD,
            0xD4, 0xD5, *range(0xE0, 0xE8), 0xEB),
        2: (0xC2, 0xCA),
        3: (0xC8,),
        4: (0x68, 0x69, 0x81, 0xA9, *range(0xB8, 0xC0), 0xC7, 0xE8, 0xE9),
        8: (0xA0, 0xA1, 0xA2, 0xA3),
    }.items():  # fmt: skip
        for opcode in opcodes:
            fixed[opcode] = 1 + immediate
    return fixed, modrm


def _two_byte() -> tuple[Bytes, Bytes]:
    """Immediate and whether ModRM follows, for the second byte of 0F opcodes (and of VEX and EVEX map 1)."""
    immediate, modrm = np.zeros(256, np.uint8), np.ones(256, np.uint8)
    for first, last in ((0x04, 0x0C), (0x0E, 0x0F), (0x30, 0x37), (0x77, 0x77), (0x80, 0x8F), (0xA0, 0xA2),
                        (0xA8, 0xAA), (0xC8, 0xCF)):  # fmt: skip
        modrm[first : last + 1] = 0
    immediate[0x80:0x90] = 4
    for opcode in (0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6):
        immediate[opcode] = 1
    return immediate, modrm


_MODRM = _modrm_lengths()
_FIXED_1, _HAS_MODRM_1 = _one_byte()
_IMMEDIATE_2, _HAS_MODRM_2 = _two_byte()
_PREFIX = np.zeros(256, bool)
_PREFIX[list(_LEGACY_PREFIXES)] = True
_SHORTER = np.zeros(256, np.uint8)  # by how much operand size 66 shortens the immediate
_SHORTER[[*range(0x05, 0x40, 8), 0x68, 0x69, 0x81, 0xA9, *range(0xB8, 0xC0), 0xC7]] = 2
_KIND = np.zeros(256, np.uint8)
_KIND[0x70:0x80] = Kind.BRANCH
_KIND[0xE0:0xE4] = Kind.BRANCH
_KIND[[0xEB, 0xE9]] = Kind.JUMP
_KIND[0xE8] = Kind.CALL
_KIND[[0xC2, 0xC3]] = Kind.RETURN
_KIND[[0xCC, 0xF4]] = Kind.TRAP


def decode(code: Bytes) -> tuple[Bytes, Bytes]:
    """Return for each offset the length of the instruction that begins there, and its Kind.

    Offsets inside instructions get some answer too: follow the chain from a known beginning.
    """
    size = len(code)
    padded = np.zeros(size + _PADDING, np.uint8)
    padded[:size] = code
    modrm = _modrm(padded)
    length, kind = _opcodes(padded, modrm)
    wide = _with_rex(padded, length, kind, modrm)
    _with_legacy_prefixes(padded, length, kind, wide)
    return np.minimum(length[:size], _LONGEST), kind[:size]


def _modrm(padded: Bytes) -> Bytes:
    """Length of ModRM, SIB and displacement, would ModRM stand at each offset."""
    lengths = _MODRM[padded]
    no_base = ((padded[:-1] & 0xC7) == 0x04) & ((padded[1:] & 7) == 5)  # noqa: PLR2004 - SIB without a base
    lengths[:-1][no_base] += 4
    return lengths


def _opcodes(padded: Bytes, modrm: Bytes) -> tuple[Bytes, Bytes]:
    """Lengths and kinds, would an instruction without prefixes begin at each offset."""
    kind = _KIND[padded]
    length = _FIXED_1[padded]
    length[:-1] += _HAS_MODRM_1[padded[:-1]] * modrm[1:]
    _group_3(padded, length)
    _group_5(padded, kind)
    _two_bytes(padded, modrm, length, kind)
    _vector(padded, modrm, length, kind)
    return length, kind


def _positions(padded: Bytes, byte: int) -> NDArray[np.intp]:
    found = np.flatnonzero(padded == byte)
    return found[: np.searchsorted(found, len(padded) - _LONGEST)]


def _group_3(padded: Bytes, length: Bytes) -> None:
    """F6 and F7: only TEST (/0, /1) has an immediate."""
    for opcode, immediate in ((0xF6, 1), (0xF7, 4)):
        at = _positions(padded, opcode)
        length[at] += np.where((padded[at + 1] & 0x30) == 0, immediate, 0).astype(np.uint8)


def _group_5(padded: Bytes, kind: Bytes) -> None:
    """FF: /2 calls, /4 jumps through a register or memory; a jump through base and index goes by a table."""
    at = _positions(padded, 0xFF)
    operand = padded[at + 1]
    group = operand & 0x38
    table = ((operand & 7) == 4) & (operand < 0xC0)  # noqa: PLR2004 - SIB, no register operand
    jumps = np.where(table, Kind.JUMP_TABLE, Kind.JUMP_INDIRECT)
    kind[at] = np.where(group == 0x10, Kind.CALL_INDIRECT, np.where(group == 0x20, jumps, 0))  # noqa: PLR2004


def _two_bytes(padded: Bytes, modrm: Bytes, length: Bytes, kind: Bytes) -> None:
    at = _positions(padded, _TWO_BYTE)
    second = padded[at + 1]
    sizes = 2 + _IMMEDIATE_2[second] + _HAS_MODRM_2[second] * modrm[at + 2]
    long = modrm[at + 3]
    sizes = np.where(second == 0x38, 3 + long, np.where(second == 0x3A, 4 + long, sizes))  # noqa: PLR2004
    length[at] = sizes
    kind[at] = np.where((second & 0xF0) == 0x80, Kind.BRANCH, np.where(second == 0x0B, Kind.TRAP, 0))  # noqa: PLR2004


def _vector(padded: Bytes, modrm: Bytes, length: Bytes, kind: Bytes) -> None:
    """VEX (C5, C4) and EVEX (62): the opcode map stands in the prefix."""
    for byte, prefix in ((0xC5, 2), (0xC4, 3), (0x62, 4)):
        at = _positions(padded, byte)
        opcode = padded[at + prefix]
        table = padded[at + 1] & (0x1F if byte == 0xC4 else 7) if prefix > 2 else np.ones(len(at), np.uint8)  # noqa: PLR2004
        immediate = np.where(table == 1, _IMMEDIATE_2[opcode] & 1, table == 3)  # noqa: PLR2004 - map 0F3A
        empty = (table == 1) & (opcode == 0x77) & (prefix < 4)  # noqa: PLR2004 - VZEROUPPER
        length[at] = prefix + 1 + immediate + np.where(empty, 0, modrm[at + prefix + 1])
        kind[at] = Kind.NONE


def _with_rex(padded: Bytes, length: Bytes, kind: Bytes, modrm: Bytes) -> Bytes:
    """Prepend REX in place; return how much a 66 before each offset shortens the instruction."""
    shorter = _SHORTER[padded]
    at = _positions(padded, 0xF7)
    shorter[at] = np.where((padded[at + 1] & 0x30) == 0, 2, 0)
    del modrm
    rex = np.flatnonzero((padded[:-_LONGEST] & 0xF0) == 0x40)  # noqa: PLR2004
    wide = (padded[rex] & 8) != 0
    following = padded[rex + 1]
    immediate_64 = wide & ((following & 0xF8) == 0xB8)  # noqa: PLR2004 - MOV r64, imm64
    is_code = ((following & 0xF0) != 0x40) & ~_PREFIX[following]  # noqa: PLR2004 - REX counts only just before the opcode
    new_length = np.where(is_code, 1 + length[rex + 1] + 4 * immediate_64, 1)
    new_kind = np.where(is_code, kind[rex + 1], 0)
    new_shorter = np.where(wide, 0, shorter[rex + 1])
    length[rex], kind[rex], shorter[rex] = new_length, new_kind, new_shorter
    return shorter


def _with_legacy_prefixes(padded: Bytes, length: Bytes, kind: Bytes, shorter: Bytes) -> None:
    """Prepend legacy prefixes in place: runs of them from the right, which is from the last prefix to the first."""
    prefixes = np.flatnonzero(_PREFIX[padded[:-_LONGEST]])
    if not len(prefixes):
        return
    is_last = ~_PREFIX[padded[prefixes + 1]]
    depth = np.zeros(len(padded), np.uint8)
    pending, level = prefixes[is_last], 1
    while len(pending) and level < _LONGEST:
        depth[pending] = level
        size = padded[pending] == _OPERAND_SIZE
        saved = np.where(size, shorter[pending + 1], 0).astype(np.uint8)
        length[pending] = 1 + length[pending + 1] - saved
        kind[pending] = kind[pending + 1]
        shorter[pending] = np.where(size, 0, shorter[pending + 1])
        before = pending[pending > 0] - 1
        pending, level = before[_PREFIX[padded[before]]], level + 1


def transfers(codes: Sequence[bytes | memoryview]) -> list[list[Transfer]]:
    """Return for each function's code its control transfers in order of offset."""
    result: list[list[Transfer]] = []
    batch: list[bytes | memoryview] = []
    size = 0
    for code in codes:
        batch.append(code)
        size += len(code)
        if size >= _BATCH_BYTES:
            result.extend(_batch(batch))
            batch, size = [], 0
    result.extend(_batch(batch))
    return result


def starts(code: bytes | memoryview) -> list[int]:
    """Return where the instructions of one function begin."""
    length, _ = decode(np.frombuffer(code, np.uint8))
    return _follow(length.tobytes(), 0, len(code))


def _follow(lengths: bytes, begin: int, end: int) -> list[int]:
    found = []
    at = begin
    while at < end:
        found.append(at)
        at += lengths[at]
    return found


def _batch(codes: Sequence[bytes | memoryview]) -> list[list[Transfer]]:
    if not codes:
        return []
    joined = np.frombuffer(b"".join(codes), np.uint8)
    length, kind = decode(joined)
    lengths, begin, firsts = length.tobytes(), 0, []
    all_starts: list[int] = []
    for code in codes:
        firsts.append(begin)
        all_starts += _follow(lengths, begin, begin + len(code))
        begin += len(code)
    at = np.array(all_starts, np.int64)
    wanted = kind[at] != Kind.NONE
    wanted[1:] &= (joined[at[1:]] != _PADDING_CODE) | (joined[at[:-1]] != _PADDING_CODE)  # one of a row is enough
    at = at[wanted]
    return _split(joined, at, length[at], kind[at], np.array(firsts, np.int64))


def _split(
    code: Bytes, at: NDArray[np.int64], length: Bytes, kind: Bytes, firsts: NDArray[np.int64]
) -> list[list[Transfer]]:
    """Cut the transfers of a batch by function, with offsets and targets from the function's start."""
    end = at + length
    padded = np.concatenate((code, np.zeros(_PADDING, np.uint8)))
    owner = np.searchsorted(firsts, at, side="right") - 1
    displacement = _displacements(padded, at, end)
    has_target = np.isin(kind, (Kind.BRANCH, Kind.JUMP, Kind.CALL))
    first = firsts[owner]
    target = np.where(has_target, end + displacement - first, -1)
    rows = list(map(Transfer, (at - first).tolist(), (end - first).tolist(), kind.tolist(), target.tolist()))
    bounds = [*np.searchsorted(at, firsts).tolist(), len(rows)]
    return [rows[bounds[index] : bounds[index + 1]] for index in range(len(firsts))]


def _displacements(padded: Bytes, at: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Signed displacement at the end of each instruction: 4 bytes, or 1 where the instruction is that short."""
    short = padded[np.maximum(end - 1, 0)].astype(np.int8).astype(np.int64)
    last = np.maximum(end - 4, 0)
    word = sum(padded[last + index].astype(np.int64) << (8 * index) for index in range(4))
    long = (word + (1 << 31)) % (1 << 32) - (1 << 31)
    return np.where(end - at >= 5, long, short)  # noqa: PLR2004 - opcode and 4 bytes
