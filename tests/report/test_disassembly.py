"""Machine code as text: amd64 as Go's objdump prints it, arm64, and bytes that are no code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.model.facts import AllocatorCall
from whyheap.model.site import Site, Stack
from whyheap.parse.machine_code.raw import RawCall
from whyheap.report.disassembly import around, disassemble
from whyheap.report.line_details import Listing
from whyheap.report.terminal_assembly import assembly_block

SITE = Site("a.go", 3, 0, "f", "main")


@dataclass(frozen=True)
class Code:
    """A RawFunction made by hand; every instruction is of line 3."""

    code: bytes
    calls: Sequence[RawCall] = ()
    address: int = 0
    symbol: str = "main.f"
    site: Site = SITE

    def frames(self, _: int) -> Stack:
        return (self.site,)


# go tool objdump's own words for these bytes (Go 1.27.3).
AMD64 = (
    ("493b6610", "CMPQ SP, 0x10(R14)"),
    ("4889e5", "MOVQ SP, BP"),
    ("4883ec38", "SUBQ $0x38, SP"),
    ("440f117c2428", "MOVUPS X15, 0x28(SP)"),
    ("48894c2428", "MOVQ CX, 0x28(SP)"),
    ("488d1c08", "LEAQ 0(AX)(CX*1), BX"),
    ("b8ffffffff", "MOVL $-0x1, AX"),
    ("480f45ca", "CMOVNE DX, CX"),
    ("410fb63430", "MOVZX 0(R8)(SI*1), SI"),
    ("48c7400818000000", "MOVQ $0x18, 0x8(AX)"),
    ("c3", "RET"),
    ("488d0500000000", "LEAQ ?(SB), AX"),
)


@pytest.mark.parametrize(("code", "text"), AMD64)
def test_amd64_reads_as_go_prints_it(code: str, text: str) -> None:
    [one] = disassemble(Code(bytes.fromhex(code)), "amd64")
    assert f"{one.name} {one.operands}".strip() == text


def test_calls_and_jumps_are_named() -> None:
    code = Code(bytes.fromhex("7602e800000000ebf7"), [RawCall(2, "runtime.newobject", "main.T")])
    jump, call, back = disassemble(code, "amd64")
    assert (jump.name, jump.operands, jump.target) == ("JBE", "+0x4", 4)
    assert (call.name, call.operands, call.callee, call.type) == (
        "CALL",
        "runtime.newobject",
        "runtime.newobject",
        "main.T",
    )
    assert (back.name, back.target) == ("JMP", 0)


def test_arm64() -> None:
    code = Code(bytes.fromhex("e01b00f900000094"), [RawCall(4, "runtime.newobject")])
    store, call = disassemble(code, "arm64")
    assert (store.name, store.operands) == ("STR", "X0, [SP, #0x30]")
    assert (call.name, call.operands) == ("BL", "runtime.newobject")
    assert disassemble(code, "riscv64") == ()


@given(st.binary(max_size=200), st.sampled_from(["amd64", "arm64"]))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_shown_whole(code: bytes, architecture: str) -> None:
    offsets = [one.offset for one in disassemble(Code(code), architecture)]
    assert offsets == sorted(set(offsets))
    assert bool(offsets) == (len(code) >= (4 if architecture == "arm64" else 1))


def test_what_stands_around_calls() -> None:
    instructions = disassemble(Code(b"\x90" * 40), "amd64")
    assert around(instructions, [2, 4, 30]) == [(0, 7), (25, 33)]
    assert around(instructions, [99]) == []


@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_block_fits_and_points_at_the_call(width: int) -> None:
    call = RawCall(20, "runtime.newobject", "main." + "T" * 200)
    code = Code(b"\x90" * 20 + bytes.fromhex("e800000000") + b"\x90" * 20, [call])
    made = (AllocatorCall(code.site, "runtime.newobject", call.type, 20, symbol=code.symbol),)
    rows = assembly_block(Listing("main.f", "amd64", disassemble(code, "amd64"), made), "a.go", 3, width, whole=False)
    assert all(row.cell_len <= max(width, 60) for row in rows)
    assert [row.plain.split()[0] for row in rows if "CALL" in row.plain] == [">"]
    whole = assembly_block(Listing("main.f", "amd64", disassemble(code, "amd64"), made), "a.go", 3, width, whole=True)
    assert len(whole) == 42
