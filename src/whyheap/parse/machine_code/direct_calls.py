"""Direct calls in machine code and the addresses loaded before them, found without a disassembler.

amd64: CALL rel32 is E8, JMP rel32 is E9 (Intel SDM, vol. 2); the compiler loads a type's address by
LEAQ disp32(RIP). arm64: BL and B carry a 26-bit distance in words, ADRP and ADD build an address (Arm ARM, C6).

On amd64 a byte E8 within another instruction is taken for a call only when the four bytes behind it happen to be the
distance to a wanted function: for N such bytes and K wanted functions about N * K / 2**32 times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.type_argument import ARGUMENT_REGISTERS

_CALL, _JUMP = 0xE8, 0xE9
_CALL_BYTES: Final = 5
_LEA_BYTES: Final = 7
_BRANCH_MASK, _BL, _B = 0xFC000000, 0x94000000, 0x14000000
_WINDOW_BYTES: Final = 96
_PAGE_BITS: Final = 12
_REX_W, _REX_R, _REX_B = 0x48, 4, 1
_LEA, _MOV_LOAD, _MOV_STORE, _XOR_LONG = 0x8D, 0x8B, 0x89, 0x31
_BETWEEN_REGISTERS: Final = 3
_RIP_RELATIVE: Final = 5
_BLR: Final = 0xD63F0000
# the compiler and the assembler align functions to 32 bytes on amd64 (cmd/link/internal/amd64/l.go funcAlign)
_FUNCTION_ALIGNMENT: Final = 32

Octets = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Branches:
    """Calls and jumps by place: distances of the instruction and of its target from the start of the code."""

    places: Numbers
    targets: Numbers
    jumps: NDArray[np.bool_]


def find_branches(arch: str, code: Octets, start: int, stop: int, *, with_jumps: bool = False) -> Branches:
    """Return all direct calls that begin in code[start:stop], and jumps if wanted.

    On amd64 many are none (see above): compare the targets with the entries of functions.
    """
    return (_amd64_branches if arch == "amd64" else _arm64_branches)(code, start, stop, with_jumps=with_jumps)


def _amd64_branches(code: Octets, start: int, stop: int, *, with_jumps: bool) -> Branches:
    stop = min(stop, len(code) - _CALL_BYTES + 1)
    piece = code[start : max(stop, start)]
    hit = (piece & 0xFE) == _CALL if with_jumps else piece == _CALL
    places = np.flatnonzero(hit) + start
    targets = places + _CALL_BYTES + _int32_at(code, places + 1)
    return Branches(places, targets, code[places] == _JUMP)


def _arm64_branches(code: Octets, start: int, stop: int, *, with_jumps: bool) -> Branches:
    first, last = start // 4, min(stop, len(code)) // 4
    words = np.frombuffer(code, "<u4", len(code) // 4)[first : max(last, first)]
    kinds = words & _BRANCH_MASK
    found = np.flatnonzero((kinds == _BL) | (kinds == _B)) if with_jumps else np.flatnonzero(kinds == _BL)
    taken = words[found].astype(np.int64) & 0x03FFFFFF
    distances = (taken - ((taken >> 25) << 26)) * 4
    places = (found + first) * 4
    return Branches(places, places + distances, kinds[found] == _B)


def _int32_at(code: Octets, places: Numbers) -> Numbers:
    """Return the signed 32-bit numbers at any places of the code."""
    low = code[places].astype(np.int64) | code[places + 1].astype(np.int64) << 8
    high = code[places + 2].astype(np.int64) | code[places + 3].astype(np.int64) << 8
    found: Numbers = low | ((high ^ 0x8000) - 0x8000) << 16
    return found


def loaded_addresses(
    arch: str, code: Octets, base: int, places: Numbers, arguments: Numbers, floors: Numbers
) -> Numbers:
    """Return the address that is loaded into an argument register right before each call, 0 when none is.

    `base` is the address of the code, `arguments` the argument's position for each call (-1 = none), `floors` where its
    function begins. A load is dropped when another call, or another load of that register, comes after it.
    """
    found = np.zeros(len(places), np.int64)
    for argument in np.unique(arguments[arguments >= 0]).tolist():
        rows = np.flatnonzero(arguments == argument)
        load = _amd64_loads if arch == "amd64" else _arm64_loads
        found[rows] = load(code, base, places[rows], floors[rows], ARGUMENT_REGISTERS[arch][argument])
    return found


def _amd64_loads(code: Octets, base: int, places: Numbers, floors: Numbers, register: int) -> Numbers:
    number, high = register & 7, register >> 3
    window = _window(code, places, _WINDOW_BYTES)
    one, two, three = window[:, :-2], window[:, 1:-1], window[:, 2:]
    is_load = (one == _REX_W | _REX_R * high) & (two == _LEA) & (three == number << 3 | _RIP_RELATIVE)
    is_load &= _within(places, floors, _WINDOW_BYTES)[:, :-2]
    is_load[:, -(_LEA_BYTES - 3) :] = False  # its displacement would not end before the call
    column = _last(is_load)
    after = places - _WINDOW_BYTES + column + _LEA_BYTES
    rows = np.flatnonzero(column >= 0)
    found = np.zeros(len(places), np.int64)
    found[rows] = base + after[rows] + _int32_at(code, after[rows] - 4)
    loaded = (one & 0xFC == _REX_W | _REX_R * high) & (two == _MOV_LOAD) & (three >> 3 & 7 == number)
    moved = (one & 0xF9 == _REX_W | _REX_B * high) & (two == _MOV_STORE)
    moved &= (three >> 6 == _BETWEEN_REGISTERS) & (three & 7 == number)
    cleared = (one == _XOR_LONG) & (two == 0xC0 | number << 3 | number) & (high == 0)
    later = np.arange(_WINDOW_BYTES - 2) >= (column + _LEA_BYTES)[:, None]
    spoilt = ((loaded | moved | cleared) & later).any(axis=1)
    found[spoilt | _calls_between(code, places, after, column)] = 0
    return found


def _calls_between(code: Octets, places: Numbers, after: Numbers, column: Numbers) -> NDArray[np.bool_]:
    """Tell for each call whether another one stands between its load and itself: that one spoils all registers."""
    spoilt = np.zeros(len(places), np.bool_)
    window = _window(code, places, _WINDOW_BYTES)
    rows, columns = np.nonzero(window[:, : -_CALL_BYTES + 1] == _CALL)
    at = places[rows] - _WINDOW_BYTES + columns
    kept = (column[rows] >= 0) & (at >= after[rows]) & (at >= 0)
    rows, at = rows[kept], at[kept]
    targets = at + _CALL_BYTES + _int32_at(code, at + 1)
    spoilt[rows[(targets >= 0) & (targets < len(code)) & (targets % _FUNCTION_ALIGNMENT == 0)]] = True
    return spoilt


def _arm64_loads(code: Octets, base: int, places: Numbers, floors: Numbers, register: int) -> Numbers:
    count = _WINDOW_BYTES // 4
    words = np.frombuffer(code, "<u4", len(code) // 4)
    window = _window(words, places // 4, count)
    inside = _within(places // 4, floors // 4, count)
    second = (window & 0xFFC003FF) == (0x91000000 | register << 5 | register)
    column = _last(second & inside)
    # ADRP of the same register stands somewhere before the ADD; between them the compiler schedules others
    first = ((window & 0x9F00001F) == (0x90000000 | register)) & inside & (np.arange(count) < column[:, None])
    page_column = _last(first)
    later = np.arange(count) > column[:, None]
    is_call = ((window & _BRANCH_MASK) == _BL) | ((window & 0xFFFFFC1F) == _BLR)
    loads = (window & 0xFFC0001F) == (0xF9400000 | register)
    moves = (window & 0xFFE0FFFF) == (0xAA0003E0 | register)
    spoilt = ((is_call | loads | moves) & later).any(axis=1)
    rows = np.flatnonzero((page_column >= 0) & ~spoilt)
    found = np.zeros(len(places), np.int64)
    adrp = window[rows, page_column[rows]].astype(np.int64)
    pages = (adrp >> 5 & 0x7FFFF) << 2 | adrp >> 29 & 3
    pages -= (pages >> 20) << 21
    at = base + places[rows] - 4 * (count - page_column[rows])
    low = window[rows, column[rows]].astype(np.int64) >> 10 & 0xFFF
    found[rows] = ((at >> _PAGE_BITS) + pages << _PAGE_BITS) + low
    return found


def _window(code: NDArray[np.generic], places: Numbers, size: int) -> NDArray[np.uint32]:
    """Return the `size` elements before each place, one row each; before the start they repeat the first element."""
    at = places[:, None] + np.arange(-size, 0)
    window: NDArray[np.uint32] = code[np.maximum(at, 0)]
    return window


def _within(places: Numbers, floors: Numbers, size: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = places[:, None] + np.arange(-size, 0) >= floors[:, None]
    return inside


def _last(mask: NDArray[np.bool_]) -> Numbers:
    """Return the last true column of each row, -1 when there is none."""
    columns = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    found: Numbers = np.where(mask.any(axis=1), columns, -1)
    return found
