"""Instructions that transfer control, as both architectures' decoders give them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What an instruction does to the flow of control."""

    NONE = 0
    BRANCH = 1  # conditional, to a target
    JUMP = 2  # to a target, in the function or elsewhere
    JUMP_TABLE = 3  # by a table of addresses
    JUMP_INDIRECT = 4  # to an address in a register: a tail call
    CALL = 5
    CALL_INDIRECT = 6
    RETURN = 7
    TRAP = 8  # never goes on


class Transfer(NamedTuple):
    """One such instruction, as offsets from the function's start.

    `target` may lie outside of it (negative: before); it is -1 for kinds that name none.
    """

    at: int
    end: int
    kind: int
    target: int
