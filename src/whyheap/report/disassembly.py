"""The machine code of one function, readable: each instruction with its source line and the names of what it calls.

amd64 is written as `go tool objdump` writes it (Go's assembler: destination last, sizes as suffixes, register names
without the width; golang.org/x/arch/x86/x86asm/plan9x.go), arm64 in the processor manual's order. Capstone decodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from whyheap.model.site import Position
from whyheap.report.assembler_amd64 import go_syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capstone import Cs, CsInsn  # type: ignore[import-untyped] # it has no types

    from whyheap.parse.machine_code.raw import RawCall, RawFunction

MOST_BYTES: Final = 256 << 10
"""Code of one function beyond this many bytes is not shown."""

ARCHITECTURES: Final = ("amd64", "arm64")
_CALLS: Final = {"amd64": ("call", "jmp"), "arm64": ("bl", "b")}


_UNLINKED: Final = re.compile(r"(?<![\w.])0(?:x0)?\(IP\)")
"""What the linker fills in; an archive has nothing there."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `offset` is from the function's start in bytes, `at` its innermost source line.

    `callee` is the linker symbol that it calls, `type` the type that it hands to the allocator; both may be empty.
    `target` is the offset that it jumps to within the function, None when it does not.
    """

    offset: int
    name: str
    operands: str
    at: Position
    function: str
    callee: str = ""
    type: str = ""
    target: int | None = None


def disassemble(function: RawFunction, architecture: str) -> tuple[Instruction, ...]:
    """Decode one function; () for an architecture that is not in ARCHITECTURES. Bytes that are no code say so."""
    if architecture not in ARCHITECTURES:
        return ()
    decoder = _decoder(architecture)
    code = bytes(function.code[:MOST_BYTES])
    calls = {call.offset: call for call in function.calls}
    return tuple(_instruction(one, function, calls.get(one.address), architecture) for one in decoder.disasm(code, 0))


def around(
    instructions: Sequence[Instruction], offsets: Iterable[int], before: int = 5, after: int = 2
) -> list[tuple[int, int]]:
    """Return ranges of indexes (first, behind the last) around the given offsets, those that touch merged."""
    wanted = set(offsets)
    ranges: list[tuple[int, int]] = []
    for index, one in enumerate(instructions):
        if one.offset not in wanted:
            continue
        first, last = max(index - before, 0), min(index + after + 1, len(instructions))
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first, last))
    return ranges


def _decoder(architecture: str) -> Cs:
    import capstone  # noqa: PLC0415 - loads a native library: only where machine code is shown

    if architecture == "arm64":
        decoder = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    else:
        decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.detail = True
    decoder.skipdata = True  # jump tables, padding
    return decoder


def _instruction(one: CsInsn, function: RawFunction, call: RawCall | None, architecture: str) -> Instruction:
    stack = function.frames(one.address)
    site = stack[0] if stack else function.site
    name, operands = _text(one, architecture)
    if not function.address and operands.find("0(IP)") >= 0:
        operands = _UNLINKED.sub("?(SB)", operands)
    target = None
    if one.id and _jumps(one, architecture):
        jumped = one.operands[-1].imm
        if call is not None:
            operands = call.callee
        elif 0 <= jumped < len(function.code):
            target, head = jumped, operands.rpartition(", ")[0]
            operands = f"{head}, +{jumped:#x}" if head else f"+{jumped:#x}"
    return Instruction(
        one.address,
        name,
        operands,
        site.position,
        site.function,
        call.callee if call is not None else "",
        call.type if call is not None else "",
        target,
    )


def _text(one: CsInsn, architecture: str) -> tuple[str, str]:
    if not one.id:
        return "BYTE", " ".join(f"{byte:02x}" for byte in one.bytes)
    if architecture == "amd64":
        return go_syntax(one)
    return str(one.mnemonic).upper(), _upper(str(one.op_str))


def _upper(operands: str) -> str:
    """Write registers in capitals, as Go's assembler does, and numbers as they are."""
    return operands.upper().replace("0X", "0x")


def _jumps(one: CsInsn, architecture: str) -> bool:
    """Whether an instruction goes to an address that stands in it."""
    import capstone  # noqa: PLC0415 - as above

    if not one.operands or one.operands[-1].type != capstone.CS_OP_IMM:
        return False
    if architecture == "arm64":
        return str(one.mnemonic).startswith(("b.", "cb", "tb")) or one.mnemonic in _CALLS["arm64"]
    return str(one.mnemonic).startswith("j") or one.mnemonic in _CALLS["amd64"]
