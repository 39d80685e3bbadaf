"""What reading machine code has to know of Go's runtime; `goruntime.quiet_calls.GO_RUNTIME` knows it."""

from __future__ import annotations

from typing import Protocol


class RuntimeNames(Protocol):
    """Answers about functions of the runtime, by linker symbol."""

    def is_allocator(self, symbol: str) -> bool:
        """Tell whether a call asks for a heap object."""

    def always_allocates(self, symbol: str, *, without_buffer: bool) -> bool:
        """Tell whether each such call makes one; `without_buffer`: the caller has no stack buffer for it."""

    def buffer_argument(self, symbol: str) -> int | None:
        """Return which integer argument, counted from 0, is the stack buffer, None if there is none."""

    def never_returns(self, symbol: str) -> bool:
        """Tell whether the code behind such a call never runs."""

    def makes_no_object(self, symbol: str) -> bool:
        """Tell whether a call makes no heap object on ordinary paths."""
