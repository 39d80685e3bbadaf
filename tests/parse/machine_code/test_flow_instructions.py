"""Where instructions begin and which transfer control, against capstone."""

from __future__ import annotations

import capstone  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flow_recording import BUILDS, functions
from whyheap.parse.machine_code import instructions_amd64, instructions_arm64
from whyheap.parse.machine_code.transfer import Kind, Transfer

AMD64 = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
ARM64 = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
NAMES = {"call": Kind.CALL, "jmp": Kind.JUMP, "ret": Kind.RETURN, "ud2": Kind.TRAP, "bl": Kind.CALL, "b": Kind.JUMP}
DIRECT = {Kind.BRANCH, Kind.JUMP, Kind.CALL}
_PREFIXES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3}
_CONTROL_REGISTERS = range(0x20, 0x24)


@pytest.mark.parametrize("build", [build for build in BUILDS if build.endswith("amd64")])
def test_instructions_begin_where_capstone_says(build: str) -> None:
    found, _, _ = functions(build)
    count = 0
    for one in found:
        expected = [instruction[0] for instruction in AMD64.disasm_lite(one.code, 0)]
        assert instructions_amd64.starts(one.code) == expected
        count += len(expected)
    assert count > 1000


@pytest.mark.parametrize("build", BUILDS)
def test_transfers_are_those_that_capstone_names(build: str) -> None:
    found, arch, _ = functions(build)
    disassembler, decode = (
        (ARM64, instructions_arm64.transfers) if arch == "arm64" else (AMD64, instructions_amd64.transfers)
    )
    for one, transfers in zip(found, decode([function.code for function in found]), strict=True):
        direct = [each for each in transfers if each.kind in DIRECT]
        expected = [
            (at, int(operands.rpartition("#")[2] or operands, 16))
            for at, _, name, operands in disassembler.disasm_lite(one.code, 0)
            if (name in NAMES or name.startswith(("j", "b.", "cb", "tb"))) and _is_direct(operands)
        ]
        assert [(each.at, each.target % (1 << 64)) for each in direct] == expected


def _is_direct(operands: str) -> bool:
    last = operands.rpartition(" ")[2].lstrip("#")
    return "[" not in operands and (last == "0" or last.startswith("0x"))


@settings(max_examples=400, deadline=None)
@given(st.binary(min_size=15, max_size=15))
def test_any_bytes_have_the_length_that_capstone_finds(code: bytes) -> None:
    instruction = next(AMD64.disasm_lite(code, 0), None)
    assume(instruction is not None)
    assert instruction is not None
    prefixes = len(code) - len(code.lstrip(bytes(_PREFIXES | set(range(0x40, 0x50)))))
    assume(not any(0x40 <= byte < 0x50 for byte in code[: prefixes - 1]))  # REX counts only as the last prefix
    opcode = code[prefixes:]
    assume(not (opcode[0] == 0x0F and opcode[1] in _CONTROL_REGISTERS))  # no memory operand, whatever ModRM says
    assume(not (0x67 in code[:prefixes] and 0xA0 <= opcode[0] <= 0xA3))  # addresses of 4 bytes
    assume(not (0x66 in code[:prefixes] and opcode[0] == 0x0F and opcode[1] & 0xF0 == 0x80))  # as AMD has it
    assume(not (0x66 in code[:prefixes] and opcode[0] in {0xE8, 0xE9}))  # as AMD has it
    lengths, _ = instructions_amd64.decode(np.frombuffer(code, np.uint8))
    assert lengths[0] == instruction[1]


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_transfers_lie_inside_their_function_and_in_order(codes: list[bytes]) -> None:
    for decode in (instructions_amd64.transfers, instructions_arm64.transfers):
        found = decode(codes)
        assert len(found) == len(codes)
        for code, transfers in zip(codes, found, strict=True):
            places = [one.at for one in transfers]
            assert places == sorted(places)
            assert all(0 <= at < len(code) for at in places)


def test_kinds_of_amd64() -> None:
    code = bytes.fromhex("7404 e800000000 ffd0 41ffd4 ff24c1 ffe0 0f84fcffffff ebfe c3 f3c3 0f0b cc")
    assert [(one.kind, one.target) for one in instructions_amd64.transfers([code])[0]] == [
        (Kind.BRANCH, 6),
        (Kind.CALL, 7),
        (Kind.CALL_INDIRECT, -1),
        (Kind.CALL_INDIRECT, -1),
        (Kind.JUMP_TABLE, -1),
        (Kind.JUMP_INDIRECT, -1),
        (Kind.BRANCH, 19),
        (Kind.JUMP, 23),
        (Kind.RETURN, -1),
        (Kind.RETURN, -1),
        (Kind.TRAP, -1),
        (Kind.TRAP, -1),
    ]


def test_kinds_of_arm64() -> None:
    words = (0x54000040, 0x34000041, 0x36000042, 0x94000002, 0x14000000, 0xF8617804, 0xD61F0080, 0xD61F0000, 0xD63F0000)
    code = b"".join(word.to_bytes(4, "little") for word in (*words, 0xD65F03C0, 0xD4200000))
    assert instructions_arm64.transfers([code])[0] == [
        Transfer(0, 4, Kind.BRANCH, 8),
        Transfer(4, 8, Kind.BRANCH, 12),
        Transfer(8, 12, Kind.BRANCH, 16),
        Transfer(12, 16, Kind.CALL, 20),
        Transfer(16, 20, Kind.JUMP, 16),
        Transfer(24, 28, Kind.JUMP_TABLE, -1),
        Transfer(28, 32, Kind.JUMP_INDIRECT, -1),
        Transfer(32, 36, Kind.CALL_INDIRECT, -1),
        Transfer(36, 40, Kind.RETURN, -1),
        Transfer(40, 44, Kind.TRAP, -1),
    ]
