"""What the straight code before a call says of it: an argument that is 0, a jump's table, a deferred closure.

Registers of integer arguments: cmd/compile/abi-internal.md (amd64: AX, BX, CX, DI, SI, R8 ...; arm64: R0, R1 ...). The
closure's context is DX and R26.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from whyheap.parse.machine_code import instructions_amd64

Read = Callable[[int, int], bytes | memoryview | None]
"""Reads a number of bytes at an address of a linked program; None where it has none."""

_NEAR_BYTES: Final = 64
_WORD_BYTES: Final = 4
_MOST_CASES: Final = 1024
_ARGUMENTS_AMD64: Final = (0, 3, 1, 7, 6, 8, 9, 10, 11)
_READ_ONLY: Final = frozenset({0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x84, 0x85, 0xA8, 0xA9, 0xE9, 0xEB})
_TO_OPERAND: Final = frozenset(
    {0x88, 0x89, 0x80, 0x81, 0x83, 0xC6, 0xC7, 0xC0, 0xC1, 0xD0, 0xD1, 0xD3, 0xF6, 0xF7, 0xFF}
)
# A byte stored at an offset from SP: MOVB $imm, d(SP) or MOVB R, d(SP)
_BYTE_STORE: Final = re.compile(
    rb"\xc6\x44\x24(?P<a>.).|\xc6\x84\x24(?P<b>.{4}).|"
    rb"\x88[\x04-\x7c]\x24(?P<c>.)|\x88[\x84-\xbc]\x24(?P<d>.{4})",
    re.DOTALL,
)
_FIRST_STORE: Final = re.compile(rb"\xc6(?:\x44\x24(?P<a>.)|\x84\x24(?P<b>.{4}))\x00", re.DOTALL)
_DEFERRED_BYTES: Final = 48
_STRB_MASK, _STRB_SP = 0xFFC003E0, 0x390003E0  # STRB Wt, [SP, #imm]
_LEA: Final = re.compile(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d](....)", re.DOTALL)


def is_zero_argument(arch: str, code: bytes | memoryview, begin: int, call: int, argument: int) -> bool:
    """Whether the straight code from `begin` sets an integer argument of the call at `call` to 0 (or nil)."""
    if arch == "amd64":
        known = argument < len(_ARGUMENTS_AMD64)
        return known and last_constant(arch, code, begin, call, _ARGUMENTS_AMD64[argument]) == 0
    return last_constant(arch, code, begin, call, argument) == 0


def last_constant(arch: str, code: bytes | memoryview, begin: int, end: int, register: int) -> int | None:
    """Return the number that the straight code from `begin` to `end` leaves in a register, None where not plain."""
    if arch == "arm64":
        return _last_constant_arm64(code, begin, end, register)
    high, low = register >> 3, register & 7
    clear = bytes((0x45, 0x31, 0xC0 | low << 3 | low) if high else (0x31, 0xC0 | low << 3 | low))
    move = bytes((0x41, 0xB8 | low) if high else (0xB8 | low,))
    piece = bytes(code[begin:end])
    if clear not in piece[-_NEAR_BYTES:] and move not in piece[-_NEAR_BYTES:]:
        return None
    begins = [*instructions_amd64.starts(piece), len(piece)]
    for start, stop in reversed(list(pairwise(begins))):
        instruction = piece[start:stop]
        if instruction == clear:
            return 0
        if instruction.startswith(move) and len(instruction) == len(move) + _WORD_BYTES:
            return int.from_bytes(instruction[len(move) :], "little")
        if _may_write(instruction, register):
            return None
    return None


def _may_write(instruction: bytes, register: int) -> bool:
    """Whether an amd64 instruction may write a register; yes where that is not plain."""
    at = 0
    while at < len(instruction) - 1 and instruction[at] in {0x66, 0xF2, 0xF3}:
        at += 1
    rex = instruction[at] if instruction[at] & 0xF0 == 0x40 else 0  # noqa: PLR2004
    at += rex != 0
    opcode = instruction[at] if at < len(instruction) else 0
    if opcode & 0xF0 == 0xB0:  # noqa: PLR2004 - MOV r, imm
        return (opcode & 7 | (rex & 1) << 3) == register
    if opcode in _READ_ONLY or opcode == 0x90:  # noqa: PLR2004 - NOP
        return False
    at += 1 + (opcode == 0x0F)  # noqa: PLR2004
    if at >= len(instruction):
        return True
    if opcode == 0x0F and instruction[at - 1] in {0x1F, 0x10, 0x11, 0x28, 0x29, 0x6F, 0x7F, 0xD6}:  # noqa: PLR2004 - vectors
        return False
    modrm = instruction[at]
    operand = modrm >= 0xC0 and (modrm & 7 | (rex & 1) << 3) == register  # noqa: PLR2004
    if opcode in _TO_OPERAND:
        return operand
    return operand or (modrm >> 3 & 7 | (rex & 4) << 1) == register


def _last_constant_arm64(code: bytes | memoryview, begin: int, end: int, register: int) -> int | None:
    for word in reversed(_words(code, begin, end)):
        if word & 31 != register or word & 0xFFC00000 == 0xF9000000 or word >> 26 == 5:  # noqa: PLR2004 - STR, B
            continue
        if word & 0xFFFFFFE0 in {0xAA1F03E0, 0x2A1F03E0}:  # MOV Xd, XZR
            return 0
        if word & 0x7FE00000 == 0x52800000:  # noqa: PLR2004 - MOVZ Xd, #imm
            return word >> 5 & 0xFFFF
        return None
    return None


def defer_bits(arch: str, code: bytes | memoryview) -> int | None:
    """Return where, from the stack pointer, a function keeps which of its open-coded defers are due; None if nowhere.

    It is the first byte that is cleared: ssagen/ssa.go, deferBits in openDeferRecord and the entry block.
    """
    if arch == "arm64":
        words = _words(code, 0, len(code))
        return next((word >> 10 & 0xFFF for word in words if word & (_STRB_MASK | 31) == _STRB_SP | 31), None)
    found = _FIRST_STORE.search(bytes(code))
    return int.from_bytes(found["a"] or found["b"], "little") if found else None


def is_deferred_call(arch: str, code: bytes | memoryview, call: int, bits: int | None) -> bool:
    """Whether an indirect call runs a deferred closure: just before it, its bit in `defer_bits` is cleared."""
    if bits is None:
        return False
    before = code[max(call - _DEFERRED_BYTES, 0) : call]
    if arch == "arm64":
        words = _words(code, max(call - _DEFERRED_BYTES, 0), call)
        return any(word & _STRB_MASK == _STRB_SP and word >> 10 & 0xFFF == bits for word in words)
    stores = (next(filter(None, one.groups()), b"") for one in _BYTE_STORE.finditer(bytes(before)))
    return any(int.from_bytes(offset, "little") == bits for offset in stores)


def table_targets(arch: str, code: bytes | memoryview, jump: int, address: int, read: Read) -> Sequence[int]:
    """Return the offsets that a jump table of a linked program leads to; empty where it is not found."""
    table = _table_arm64(code, jump, address) if arch == "arm64" else _table_amd64(code, jump, address)
    if table is None:
        return ()
    targets = []
    for index in range(_MOST_CASES):
        word = read(table + 8 * index, 8)
        target = int.from_bytes(word or b"", "little") - address
        if word is None or not 0 < target < len(code):
            break
        targets.append(target)
    return tuple(dict.fromkeys(targets))


def _table_amd64(code: bytes | memoryview, jump: int, address: int) -> int | None:
    """LEAQ table(IP), R just before JMP (R)(index*8)."""
    begin = max(jump - _NEAR_BYTES, 0)
    found = None
    for found in _LEA.finditer(bytes(code[begin:jump])):  # noqa: B007 - the last one counts
        pass
    if found is None:
        return None
    return address + begin + found.end() + int.from_bytes(found[1], "little", signed=True)


def _table_arm64(code: bytes | memoryview, jump: int, address: int) -> int | None:
    """ADRP and ADD before the load and the jump."""
    words = _words(code, max(jump - _NEAR_BYTES, 0), jump)
    for index in range(len(words) - 2, -1, -1):
        page, low = words[index], words[index + 1]
        if page & 0x9F000000 == 0x90000000 and low & 0xFFC00000 == 0x91000000:  # noqa: PLR2004
            here = address + jump - 4 * (len(words) - index)
            pages = (page >> 5 & 0x7FFFF) << 2 | page >> 29 & 3
            pages -= (pages >> 20) << 21
            return (here & -4096) + (pages << 12) + (low >> 10 & 0xFFF)
    return None


def _words(code: bytes | memoryview, begin: int, end: int) -> memoryview:
    """Return the instructions of arm64 code as numbers."""
    piece = bytes(code[begin & -_WORD_BYTES : end & -_WORD_BYTES])
    return memoryview(piece[: len(piece) & -_WORD_BYTES]).cast("I")
