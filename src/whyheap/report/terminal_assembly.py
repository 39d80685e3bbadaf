"""The machine code of one function on a terminal: an arrow at each allocator call of the line, sources at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.report.disassembly import around
from whyheap.report.terminal_text import (
    STYLE_ALARM,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    cut,
    cut_place,
    line,
    pad,
    short_symbol,
)

if TYPE_CHECKING:
    from rich.text import Text

    from whyheap.report.disassembly import Instruction
    from whyheap.report.line_details import Listing

_PLACE_WIDTH: Final = 22
_NAME_WIDTH: Final = 8


def assembly_block(listing: Listing, file: str, line_number: int, width: int, *, whole: bool) -> list[Text]:
    """Draw the code around the allocator calls, or all of it. `file` is spelled as in the report, or the end of it."""
    instructions, offsets = listing.instructions, listing.offsets
    ranges = [(0, len(instructions))] if whole else around(instructions, offsets)
    if not ranges:
        return []
    shown = sum(last - first for first, last in ranges)
    note = "" if whole else f", {shown} of {len(instructions)} instructions (--asm: all)"
    words = f"{listing.architecture}{note}"
    title = cut(short_symbol(listing.symbol), max(width - cell_len(words) - 4, width // 3))
    rows = [line(" ", (title, STYLE_STRONG), "  ", (cut(words, max(width - cell_len(title) - 3, 1)), STYLE_QUIET))]
    digits = len(f"{instructions[-1].offset:x}") if instructions else 1
    for index, (first, last) in enumerate(ranges):
        if index or first:
            rows.append(line("      ", ("...", STYLE_QUIET)))
        rows += [_row(one, one.offset in offsets, file, line_number, width, digits) for one in instructions[first:last]]
    if ranges[-1][1] < len(instructions):
        rows.append(line("      ", ("...", STYLE_QUIET)))
    return rows


def _row(one: Instruction, is_call: bool, file: str, line_number: int, width: int, digits: int) -> Text:  # noqa: FBT001
    is_here = one.at.line == line_number and (one.at.file == file or one.at.file.endswith(f"/{file}"))
    row = line("  ", (">" if is_call else " ", STYLE_ALARM), " ")
    row.append(f"+0x{one.offset:0{digits}x}  ", STYLE_QUIET)
    row.append(pad(one.name, _NAME_WIDTH), STYLE_ALARM if is_call else "" if is_here else STYLE_QUIET)
    room = width - row.cell_len - _PLACE_WIDTH - 3
    operands = short_symbol(one.callee) if one.callee else one.operands
    text = cut(operands, max(room, 8))
    row.append(" ").append(text, STYLE_STRONG if one.callee else "" if is_here else STYLE_QUIET)
    spare = room - cell_len(text)
    if one.type:
        of_type = f"  {cut(short_symbol(one.type), max(spare - 2, 0))}" if spare > _NAME_WIDTH else ""
        row.append(of_type, STYLE_PLACE)
        spare -= cell_len(of_type)
    base = one.at.file.rpartition("/")[2]
    place = cut_place(base, one.at.line, _PLACE_WIDTH) if one.at.line else ""
    return row.append(" " * max(spare, 0)).append(f"  {place}", STYLE_PLACE if is_here else STYLE_QUIET)
