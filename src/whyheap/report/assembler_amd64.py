"""An amd64 instruction in the syntax of Go's assembler, as `go tool objdump` prints it.

The rules are those of golang.org/x/arch/x86/x86asm/plan9x.go: operands in reverse but for compares, a suffix for the
operand's size, registers by their family, addresses as displacement(base)(index*scale).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from capstone import CsInsn  # type: ignore[import-untyped] # it has no types
    from capstone.x86 import X86Op  # type: ignore[import-untyped] # it has no types

_REG: Final = 1
_IMM: Final = 2
_MEM: Final = 3
_SUFFIXES: Final = {1: "B", 2: "W", 4: "L", 8: "Q"}
_SIZED: Final = re.compile(
    r"adc|add|and|bs[fr]|bt[crs]?|cmp|cmpxchg|dec|i?div|i?mul|inc|lea|mov|neg|not|or|pop|push|rc[lr]|ro[lr]|sar|sbb"
    r"|sh[lr]d?|sub|test|xadd|xchg|xor"
)
_KEPT_ORDER: Final = frozenset({"cmp"})
_FAMILY: Final = re.compile(r"[re]?([abcd])x|([abcd])[lh]|[re]?([sd]i|[sb]p)l?|(r\d+)[dwb]?|xmm(\d+)|ymm(\d+)|zmm(\d+)")
_SIGNED_BITS: Final = 32


def go_syntax(one: CsInsn) -> tuple[str, str]:
    """Return the instruction's name and its operands."""
    mnemonic = str(one.mnemonic)
    operands = list(one.operands)
    name = _name(mnemonic, operands)
    shown = [_operand(operand, one) for operand in operands]
    if mnemonic not in _KEPT_ORDER:
        shown.reverse()
    return name, ", ".join(shown)


def _name(mnemonic: str, operands: list[X86Op]) -> str:
    prefix, _, last = mnemonic.rpartition(" ")
    prefix = f"{prefix.upper()} " if prefix else ""
    if last == "movabs":
        return "MOVQ"
    if operands and _SIZED.fullmatch(last):
        return f"{prefix}{last.upper()}{_SUFFIXES.get(operands[0].size, '')}"
    return f"{prefix}{last.upper()}"


def _operand(operand: X86Op, one: CsInsn) -> str:
    if operand.type == _REG:
        return _register(one.reg_name(operand.reg))
    if operand.type == _IMM:
        return f"${_signed(operand.imm, 8 * (operand.size or 8)):#x}"
    if operand.type == _MEM:
        return _memory(operand, one)
    return "?"


def _signed(value: int, bits: int) -> int:
    """Read a number of some size as signed, as objdump does from 32 bits on."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if bits >= _SIGNED_BITS and value >> (bits - 1) else value


def _memory(operand: X86Op, one: CsInsn) -> str:
    memory = operand.mem
    segment = f"{one.reg_name(memory.segment).upper()}:" if memory.segment else ""
    base = _register(one.reg_name(memory.base)) if memory.base else ""
    index = _register(one.reg_name(memory.index)) if memory.index else ""
    shift = f"{memory.disp:#x}" if memory.disp or not base else "0"
    where = f"({base})" if base else ""
    scaled = f"({index}*{memory.scale})" if index else ""
    return f"{segment}{shift}{where}{scaled}"


def _register(name: str) -> str:
    """Return Go's name of a register: AX for rax, eax and ax, AL for al, X0 for xmm0."""
    found = _FAMILY.fullmatch(name)
    if found is None:
        return "IP" if name == "rip" else name.upper()
    letter, low, pointer, numbered, *vectors = found.groups()
    if letter:
        return f"{letter.upper()}X"
    if low:
        return name.upper()
    if pointer or numbered:
        return (pointer or numbered).upper()
    kind, number = next((kind, number) for kind, number in zip("XYZ", vectors, strict=True) if number)
    return f"{kind}{number}"
